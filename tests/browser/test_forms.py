import re
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page
from tests.browser.conftest import Open
from tests.browser.states import LEASE, TODAY

from entrypoints.http.negotiation import LANGUAGES
from entrypoints.http.pages.catalogue import texts_of
from entrypoints.http.pages.writing import plain_amount

WITHOUT_SCRIPT = {"java_script_enabled": False}


def body(page: Page, path: str, **query: str) -> dict[str, Any]:
    answer: dict[str, Any] = page.request.get(f"{path}?{urlencode(query)}").json()
    return answer


def amounts(text: str) -> list[str | None]:
    """The amounts of a headline in their order, in the notation of the service."""
    return [plain_amount(each) for each in re.findall(r"€\s?[\d.,\u202f]*\d|\d[\d.,\u202f]*\s€", text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rent_filled_in_by_hand_is_that_of_the_api(visit: Open, language: str) -> None:
    page, words = visit(f"/?lang={language}", **WITHOUT_SCRIPT), texts_of(language).rent
    page.get_by_label(words.rent).fill("750")
    page.get_by_label(words.zipcode).fill("9000")
    page.get_by_label(words.label, exact=True).select_option("E")
    page.get_by_label(words.signed_on).fill("2012-08-15")
    page.get_by_label(words.starts_on).fill("2012-09-01")
    page.get_by_role("button", name=words.submit).click()
    expected = body(page, "/v1/rent-indexations", **LEASE, on=TODAY)
    assert amounts(page.locator("h1").inner_text()) == [f"{expected['indexed_rent']:.2f}"]
    assert f"on={TODAY}" in page.url


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_amount_filled_in_by_hand_is_that_of_the_api(visit: Open, language: str) -> None:
    page, words = visit(f"/?lang={language}", **WITHOUT_SCRIPT), texts_of(language).amount
    page.get_by_label(words.amount).fill("1.147,39")
    page.get_by_label(words.first).fill("2012-05")
    page.get_by_label(words.last).fill("2026-07")
    page.get_by_role("button", name=words.submit).click()
    expected = body(page, "/v1/indexations", amount="1147.39", **{"from": "2012-05", "to": "2026-07"})
    assert amounts(page.locator("h1").inner_text()) == ["1147.39", f"{expected['indexed']:.2f}"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_zipcode_filled_in_by_hand_is_that_of_the_api(visit: Open, language: str) -> None:
    page, words = visit(f"/zipcode?lang={language}", **WITHOUT_SCRIPT), texts_of(language).zipcode
    page.get_by_label(words.zipcode).fill("9000")
    page.get_by_role("button", name=words.submit).click()
    expected = body(page, "/v1/zipcodes/9000")
    assert page.locator("h1").inner_text() == words.answer.format(zipcode=9000, factor=expected["risk_factor"])


def test_wrong_input_stands_in_the_form_again_with_its_message(visit: Open) -> None:
    page, words = visit("/amount?lang=fr", **WITHOUT_SCRIPT), texts_of("fr")
    page.get_by_label(words.amount.amount).fill("beaucoup")
    page.get_by_role("button", name=words.amount.submit).click()
    field = page.get_by_label(words.amount.amount)
    described = str(field.get_attribute("aria-describedby")).split()[0]
    assert field.input_value() == "beaucoup"
    assert page.locator(f"#{described}").inner_text() == words.errors.amount.format(value="beaucoup")


def test_the_keyboard_alone_leads_from_the_first_page_to_a_rent(visit: Open) -> None:
    page, words = visit("/?lang=en"), texts_of("en").rent
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    typed = {words.rent: "750", words.zipcode: "9000", words.label: "E", words.signed_on: "08152012"}
    reached: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        label = page.evaluate("document.activeElement.labels?.[0]?.firstChild.textContent.trim() ?? ''")
        if label in typed and label not in reached:
            page.keyboard.type(typed[label])
            reached.append(label)
        elif label == words.starts_on:
            page.keyboard.type("09012012")
            page.keyboard.press("Enter")
            break
    page.wait_for_url("**/rent?*on=*")
    assert amounts(page.locator("h1").inner_text()) == ["1023.47"]


def test_the_language_is_changed_on_the_spot(visit: Open) -> None:
    page = visit("/amount?lang=nl&amount=1000&from=2012-05&to=2026-07")
    before = amounts(page.locator("h1").inner_text())
    page.get_by_role("link", name="Deutsch").click()
    assert page.locator("html").get_attribute("lang") == "de"
    assert amounts(page.locator("h1").inner_text()) == before
