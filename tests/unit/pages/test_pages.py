import re
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest
from tests.worlds import Operator, make_app, make_client, make_index

from domain.health_index.figures import Figure, Month, Publication
from entrypoints.http.negotiation import LANGUAGES

pytestmark = pytest.mark.anyio

LEASE = "rent=750&zipcode=9000&energy_label=E&signed_on=2012-08-15&starts_on=2012-09-01&on=2026-09-10"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def apostrophes(text: str) -> str:
    return text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def visible(page: str) -> str:
    """The words of a page, with blanks as they look."""
    words = re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL))
    return re.sub(r"\s+", " ", unescape(words))


async def get(client: httpx2.AsyncClient, target: str, **headers: str) -> httpx2.Response:
    return await client.get(target, headers=BROWSER | headers)


class Attributes(HTMLParser):
    """Every attribute of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, name, value or "") for name, value in attrs]


class TestFirstPage:
    async def test_a_browser_gets_the_page_and_a_program_the_index_of_the_service(
        self, client: httpx2.AsyncClient
    ) -> None:
        page, index = await get(client, "/"), await client.get("/", headers={"Accept": "application/json"})
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.text.startswith("<!doctype html>")
        assert index.json()["name"] == "belref"
        for link in index.json()["links"].values():
            found = await client.get(link)
            assert found.status_code != 404, link

    async def test_who_wants_neither_is_told_so(self, client: httpx2.AsyncClient) -> None:
        answer = await client.get("/", headers={"Accept": "image/png"})
        assert answer.status_code == 406

    @pytest.mark.parametrize("base_year", [2025, 2013, 2004, 1996, 1988])
    async def test_it_shows_the_figure_that_the_api_gives(self, client: httpx2.AsyncClient, base_year: int) -> None:
        page = await get(client, f"/?lang=en&base_year={base_year}")
        (figure,) = (await client.get(f"/v1/health-index/latest?base_year={base_year}")).json()["figures"]
        assert f"{figure['value']:.2f}" in visible(page.text)
        assert f"+{figure['change']['year']:.2f}% on August 2025" in visible(page.text)

    async def test_the_plot_ends_at_the_figure_beside_it(self, client: httpx2.AsyncClient) -> None:
        page = (await get(client, "/?lang=nl")).text
        (headline,) = re.findall(r'<b class="figure">([^<]+)</b>', page)
        (last,) = re.findall(r'<text class="last"[^>]*>([^<]+)</text>', page)
        points = re.findall(r"<rect[^>]*><title>([^<]+)</title>", page)
        assert headline == last
        assert "Een lijn die stijgt van 74,20 in januari 2014 tot 103,49 in augustus 2026, basis 2025." in page
        assert points[0].startswith("januari 1994: ")
        assert points[-1] == f"augustus 2026: {headline}"
        assert len(points) == 392

    @pytest.mark.parametrize("months", [1, 3])
    async def test_a_service_that_knows_few_figures_shows_those(self, months: int) -> None:
        figures = [Figure(Month(2026, 5).plus(number), 2025, Decimal("103.00")) for number in range(months)]
        later = [Figure(Month(2026, 7), 2013, Decimal("139.64"))] if months > 1 else []
        index = make_index(bundled=Publication((*figures, *later), datetime(2026, 8, 1, tzinfo=UTC), "few"))
        async with make_client(make_app(index=index)) as client:
            page = await get(client, "/?lang=en")
        assert page.status_code == 200
        assert '<b class="figure">103.00</b>' in page.text
        assert "Dashed" not in visible(page.text)

    async def test_an_unknown_base_year_is_refused_in_the_language(self, client: httpx2.AsyncClient) -> None:
        page = await get(client, "/?lang=nl&base_year=2020")
        assert page.status_code == 400
        assert "Er is geen basisjaar 2020. Er zijn: 2025, 2013, 2004, 1996, 1988." in visible(page.text)


class TestLanguages:
    @pytest.mark.parametrize("language", LANGUAGES)
    async def test_the_address_decides_before_the_browser(self, client: httpx2.AsyncClient, language: str) -> None:
        other = "fr" if language != "fr" else "nl"
        page = await get(client, f"/?lang={language}", **{"Accept-Language": other})
        assert page.headers["content-language"] == language
        assert f'<html lang="{language}">' in page.text

    async def test_the_browser_decides_otherwise(self, client: httpx2.AsyncClient) -> None:
        page = await get(client, "/amount", **{"Accept-Language": "fr-BE,fr;q=0.9"})
        assert page.headers["content-language"] == "fr"
        assert "Accept-Language" in page.headers["vary"]

    async def test_english_is_for_everybody_else(self, client: httpx2.AsyncClient) -> None:
        page = await get(client, "/", **{"Accept-Language": "pt-BR"})
        assert page.headers["content-language"] == "en"

    async def test_one_browsers_language_is_never_given_to_another(self) -> None:
        async with make_client(make_app()) as client:
            said = [
                (await get(client, "/", **{"Accept-Language": each})).headers["content-language"]
                for each in ("nl", "de", "nl", "fr")
            ]
        assert said == ["nl", "de", "nl", "fr"]

    @pytest.mark.parametrize("path", ["/", "/rent", "/amount", "/zipcode"])
    async def test_a_language_that_there_is_not_is_refused(self, client: httpx2.AsyncClient, path: str) -> None:
        assert (await get(client, f"{path}?lang=es")).status_code == 400

    async def test_links_to_the_other_languages_keep_what_was_asked(self, client: httpx2.AsyncClient) -> None:
        page = (await get(client, "/amount?amount=100&from=2020-01&to=2021-01&lang=nl")).text
        assert 'hreflang="fr" href="/amount?amount=100&amp;from=2020-01&amp;to=2021-01&amp;lang=fr"' in page


class TestAmounts:
    @pytest.mark.parametrize("language", LANGUAGES)
    async def test_the_answer_is_that_of_the_api(self, client: httpx2.AsyncClient, language: str) -> None:
        query = "from=2012-05&to=2026-07"
        page = await get(client, f"/amount?lang={language}&amount=1.000,50&{query}")
        body = (await client.get(f"/v1/indexations?amount=1000.50&{query}")).json()
        digits = re.sub(r"[^0-9]", "", f"{body['indexed']:.2f}")
        assert page.status_code == 200
        assert digits in re.sub(r"[^0-9]", "", visible(page.text))

    async def test_the_same_for_machines_gives_the_same(self, client: httpx2.AsyncClient) -> None:
        page = (await get(client, "/amount?lang=en&amount=1000&from=2012-05&to=2026-07")).text
        (path,) = re.findall(r'<p><a href="(/v1/[^"]+)">', page)
        body = (await client.get(unescape(path))).json()
        assert f"€{body['indexed']:,.2f}" in visible(page)

    @pytest.mark.parametrize(
        ("query", "field", "message"),
        [
            ("amount=abc&from=2012-05&to=2020-01", "amount", "“abc” is geen bedrag."),
            ("amount=0&from=2012-05&to=2020-01", "amount", "“0” kan niet geïndexeerd worden"),
            ("amount=1&from=May&to=2020-01", "from", "“May” is geen maand."),
            ("amount=1&from=2012-05&to=", "to", "Dit is nodig."),
            ("amount=1&from=1990-01&to=2020-01", "from", "De gezondheidsindex begint in januari 1994"),
            ("amount=1&from=2012-05&to=2031-01", "to", "Het indexcijfer van januari 2031 is nog niet gepubliceerd."),
        ],
    )
    async def test_wrong_input_is_shown_again_with_the_message_at_its_field(
        self, client: httpx2.AsyncClient, query: str, field: str, message: str
    ) -> None:
        page = await get(client, f"/amount?lang=nl&{query}")
        assert page.status_code == 400
        assert page.headers["cache-control"] == "no-store"
        (error,) = re.findall(rf'<strong class="error" id="amount-{field}-error">([^<]+)</strong>', page.text)
        assert message in unescape(error)

    async def test_what_somebody_writes_is_text_and_nothing_else(self, client: httpx2.AsyncClient) -> None:
        page = await get(client, "/amount?lang=en&amount=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&from=x&to=x")
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text


class TestZipcodes:
    async def test_a_zipcode_with_a_factor(self, client: httpx2.AsyncClient) -> None:
        page = await get(client, "/zipcode?lang=de&zipcode=9000")
        assert "Die Postleitzahl 9000 hat den Risikofaktor B" in visible(page.text)

    async def test_a_zipcode_without_one(self, client: httpx2.AsyncClient) -> None:
        page = await get(client, "/zipcode?lang=en&zipcode=9993")
        assert page.status_code == 200
        assert "Zipcode 9993 has no risk factor" in visible(page.text)

    async def test_a_zipcode_that_had_one(self) -> None:
        operator = Operator()
        await operator.activates((1000, 1999, "A"), label="first.csv")
        operator.waits(days=1)
        await operator.activates((1000, 1499, "A"), label="second.csv")
        async with make_client(operator.app) as client:
            page = await get(client, "/zipcode?lang=en&zipcode=1600")
        assert "It had risk factor A until 2 September 2026." in visible(page.text)

    async def test_what_is_none(self, client: httpx2.AsyncClient) -> None:
        page = await get(client, "/zipcode?lang=fr&zipcode=99999")
        assert page.status_code == 400
        assert "pas un code postal" in visible(page.text)

    async def test_without_a_table_the_page_says_that_it_cannot_be_reached(self) -> None:
        async with make_client(Operator().app) as client:
            page = await get(client, "/zipcode?lang=en&zipcode=1000")
        assert page.status_code == 503
        assert "retry-after" in page.headers
        assert "Please try again" in visible(page.text)


class TestEveryPage:
    TARGETS = (
        "/?lang=en",
        "/rent?lang=de",
        f"/rent?lang=nl&{LEASE}",
        f"/rent/letter?lang=fr&{LEASE}",
        "/amount?lang=fr",
        "/zipcode?lang=nl&zipcode=9000",
        "/zipcode?lang=nl&zipcode=x",
    )

    @pytest.mark.parametrize("target", TARGETS)
    async def test_it_loads_nothing_from_elsewhere_and_runs_nothing_of_its_own(
        self, client: httpx2.AsyncClient, target: str
    ) -> None:
        page = await get(client, target)
        attributes = Attributes(page.text).found
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert [each for each in attributes if each[1] == "style" or each[1].startswith("on")] == []
        loaded = [value for _, name, value in attributes if name in {"src", "href", "action"}]
        assert [each for each in loaded if not each.startswith(("/", "#"))] == []
        assert "set-cookie" not in page.headers

    @pytest.mark.parametrize("target", TARGETS)
    async def test_every_id_is_there_once_and_every_label_has_its_field(
        self, client: httpx2.AsyncClient, target: str
    ) -> None:
        attributes = Attributes((await get(client, target)).text).found
        ids = [value for _, name, value in attributes if name == "id"]
        referred = [value for _, name, values in attributes for value in values.split() if name in {
            "for", "aria-describedby", "aria-labelledby"
        }]  # fmt: skip
        assert len(ids) == len(set(ids))
        assert set(referred) <= set(ids)

    async def test_its_files_are_there_and_kept_for_good(self, client: httpx2.AsyncClient) -> None:
        attributes = Attributes((await get(client, "/")).text).found
        files = {value for _, name, value in attributes if value.startswith("/assets/") and name in {"src", "href"}}
        assert len(files) == 3
        for file in files:
            answer = await client.get(file)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]
        assert (await client.get("/assets/style.0000000000.css")).status_code == 404

    async def test_the_script_is_small(self, client: httpx2.AsyncClient) -> None:
        attributes: list[Any] = Attributes((await get(client, "/")).text).found
        (script,) = [value for tag, name, value in attributes if (tag, name) == ("script", "src")]
        assert len((await client.get(script)).content) <= 3 * 1024

    async def test_an_unknown_parameter_is_refused_in_the_language(self, client: httpx2.AsyncClient) -> None:
        page = await get(client, "/amount?lang=nl&amuont=5")
        assert page.status_code == 400
        assert "Het adres bevat “amuont”" in visible(page.text)
        assert "Bekend zijn: amount, from, to, lang." in visible(page.text)

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("base_yaer=2013", "L'adresse contient « base_yaer », qui ne signifie rien ici. Sont connus : base_year"),
            ("base_year=old", "Il n'y a pas d'année de base old. Il y a : 2025, 2013, 2004, 1996, 1988."),
            ("base_year=0", "Il n'y a pas d'année de base 0. Il y a : 2025, 2013, 2004, 1996, 1988."),
            ("lang=es", "There is no page in “es”. There are: nl, fr, de, en."),
        ],
    )
    async def test_what_the_first_page_refuses_is_a_page_for_people_and_a_problem_for_programs(
        self, client: httpx2.AsyncClient, query: str, message: str
    ) -> None:
        language = "" if query.startswith("lang") else "&lang=fr"
        page = await get(client, f"/?{query}{language}")
        answer = await client.get(f"/?{query}", headers={"Accept": "application/json"})
        assert (page.status_code, answer.status_code) == (400, 400)
        assert apostrophes(message) in apostrophes(visible(page.text))
        assert answer.json()["issues"][0]["name"] == query.partition("=")[0]

    async def test_the_same_version_is_not_sent_again(self, client: httpx2.AsyncClient) -> None:
        first = await get(client, "/?lang=nl")
        again = await get(client, "/?lang=nl", **{"If-None-Match": first.headers["etag"]})
        other = await get(client, "/?lang=fr", **{"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304
        assert other.status_code == 200

    @pytest.mark.parametrize("path", ["/favicon.ico", "/robots.txt"])
    async def test_what_browsers_and_robots_ask_for_is_there(self, client: httpx2.AsyncClient, path: str) -> None:
        assert (await client.get(path)).status_code == 200
