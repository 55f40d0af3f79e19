from io import BytesIO
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it carries no types
from playwright.sync_api import ViewportSize
from pypdf import PdfReader
from tests.browser.conftest import Open
from tests.browser.states import STATES, target

from entrypoints.http.negotiation import LANGUAGES
from entrypoints.http.pages.catalogue import texts_of

NARROW, WIDE = ViewportSize(width=360, height=740), ViewportSize(width=2560, height=1440)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(visit: Open, state: str, scheme: str) -> None:
    page = visit(target(state, "nl"), color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found.response["violations"]] == []


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_wider_than_a_small_telephone_or_lost_on_a_large_screen(visit: Open, state: str) -> None:
    page = visit(target(state, "nl"), viewport=NARROW)
    for language in LANGUAGES:
        page.goto(target(state, language))
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], (language, size)


def test_the_plot_ends_at_the_figure_beside_it_and_tells_the_month_under_the_pointer(visit: Open) -> None:
    page = visit("/?lang=nl&base_year=2013")
    headline = page.locator(".figure").inner_text()
    assert page.locator(".plot .last").text_content() == headline
    end, line = page.locator(".end"), page.locator(".line").bounding_box()
    assert line is not None
    assert float(str(end.get_attribute("cx"))) > 600
    page.mouse.move(line["x"] + line["width"] - 1, line["y"] + 30)
    assert page.locator(".readout").inner_text() == f"augustus 2026: {headline}"
    page.mouse.move(0, 0)
    assert page.locator(".readout").inner_text() == texts_of("nl").front.plot_hint


def test_the_line_for_machines_has_this_address_and_is_copied(visit: Open, site: str) -> None:
    page = visit(
        "/amount?lang=en&amount=1000&from=2012-05&to=2026-07", permissions=["clipboard-read", "clipboard-write"]
    )
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied: Any = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"curl '{site}/v1/indexations?amount=1000.00&from=2012-05&to=2026-07'"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("by", ["a letter", "the tenant's letter"])
def test_a_letter_is_printed_on_one_page_with_its_figures_and_what_was_written_on_it(
    visit: Open, language: str, by: str
) -> None:
    page, words = visit(target(by, language)), texts_of(language).letter
    page.get_by_label(words.your_name).fill("Anna Peeters")
    page.get_by_label(words.their_address).fill("Kouter 1\n9000 Gent")
    printed = PdfReader(BytesIO(page.pdf(prefer_css_page_size=True)))
    assert len(printed.pages) == 1
    text = " ".join(printed.pages[0].extract_text().split())
    for said in ("Anna Peeters", "Kouter 1", words.base_rent, words.new_index):
        assert said in text
    decimal = texts_of(language).writing.decimal
    for figure in ("140.30", "98.71", "123.68", "128.82", "023.47", "989.48"):
        assert figure.replace(".", decimal) in text
    assert words.print not in text
    assert words.private[:30] not in text
    assert page.evaluate("location.origin") + "/rent?rent=750.00" in text


def test_what_is_written_on_a_letter_is_gone_with_the_page(visit: Open) -> None:
    page, words = visit(target("a letter", "en")), texts_of("en").letter
    page.get_by_label(words.your_name).fill("Anna Peeters")
    page.reload()
    assert page.get_by_label(words.your_name).input_value() == ""


def test_the_description_of_the_api_names_itself_and_links_back(visit: Open) -> None:
    page = visit("/schema")
    page.wait_for_selector(".swagger-ui .info")
    assert page.locator("html").get_attribute("lang") == "en"
    assert "belref" in page.title()
    assert page.get_by_role("link", name="The pages for people").get_attribute("href") == "/"
