import re
from datetime import date
from html import unescape
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from tests.worlds import bundled_places, make_app, make_client

from domain.leases.certificates import REGIMES
from domain.leases.places import Place, Places
from domain.leases.rent import Region
from domain.risk.tables import Zipcode
from entrypoints.http.negotiation import LANGUAGES
from entrypoints.http.pages.catalogue import texts_of
from entrypoints.http.pages.writing import plain_amount

pytestmark = pytest.mark.anyio

BROWSER = {"Accept": "text/html"}
GENT = {"rent": "750", "zipcode": "9000", "energy_label": "E", "signed_on": "2012-08-15", "starts_on": "2012-09-01"}
ZIPCODES = {"brussels": "1030", "flanders": "9000", "wallonia": "5000", "german-speaking-community": "4700"}
TODAY = "2026-09-10"


def visible(page: str) -> str:
    """The words of a page, with every blank as it looks."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def euros(page: str) -> list[str]:
    """The amounts in a headline, in the notation of the service."""
    (headline,) = re.findall(r"<h1>(.*?)</h1>", page, flags=re.DOTALL)
    found = re.findall(r"€\s?[\d.,\u202f]*\d|\d[\d.,\u202f]*\s€", unescape(headline))
    return [str(plain_amount(each)) for each in found]


async def show(client: httpx2.AsyncClient, path: str = "/rent", **query: str) -> httpx2.Response:
    return await client.get(f"{path}?{urlencode({'on': TODAY, 'lang': 'nl'} | query)}", headers=BROWSER)


async def receipt(client: httpx2.AsyncClient, **query: str) -> dict[str, Any]:
    body: dict[str, Any] = (await client.get(f"/v1/rent-indexations?{urlencode({'on': TODAY} | query)}")).json()
    return body


class TestTheRent:
    @pytest.mark.parametrize("region", list(Region))
    @pytest.mark.parametrize("on", ["2023-09-10", "2026-09-10"])
    async def test_is_that_of_the_api_under_every_label(
        self, client: httpx2.AsyncClient, region: Region, on: str
    ) -> None:
        for label in REGIMES[region].shares:
            asked = GENT | {"zipcode": ZIPCODES[region], "energy_label": label, "on": on}
            page, body = await show(client, **asked), await receipt(client, **asked)
            if "indexed_rent" in body:
                assert euros(page.text) == [f"{body['indexed_rent']:.2f}"], (region, label)
            else:
                assert (page.status_code, body["status"]) == (400, 404)

    @pytest.mark.parametrize("language", LANGUAGES)
    async def test_is_the_same_in_every_language(self, client: httpx2.AsyncClient, language: str) -> None:
        page = await show(client, **GENT, lang=language)
        assert euros(page.text) == ["1023.47"]
        assert visible(texts_of(language).law.energy_flanders) in visible(page.text)

    async def test_the_index_alone_is_said_where_the_certificate_takes_something_off(
        self, client: httpx2.AsyncClient
    ) -> None:
        page = visible((await show(client, **GENT)).text)
        assert "Volgens het indexcijfer alleen zou het € 1.066,00 zijn" in page

    async def test_every_anniversary_is_that_of_the_schedule(self, client: httpx2.AsyncClient) -> None:
        page = (await show(client, **GENT)).text
        schedule = (await client.get(f"/v1/rent-indexations/schedule?{urlencode(GENT | {'until': TODAY})}")).json()
        (table,) = re.findall(r'<div class="scroll".*?</table>', page, flags=re.DOTALL)
        rows = re.findall(r"<tr><th scope=\"row\">.*?<td>([^<]+)</td></tr>", table)
        shown = [str(plain_amount(unescape(each))) for each in rows]
        assert shown == [f"{item['indexed_rent']:.2f}" for item in reversed(schedule["items"])]

    async def test_the_other_labels_are_those_of_the_api(self, client: httpx2.AsyncClient) -> None:
        page = (await show(client, **GENT)).text
        (table,) = re.findall(r'aria-labelledby="labels".*?</table>', page, flags=re.DOTALL)
        for label, rent in re.findall(r'<th scope="row">([A-F])</th><td>([^<]+)</td>', table):
            body = await receipt(client, **GENT | {"energy_label": label})
            assert plain_amount(unescape(rent)) == f"{body['indexed_rent']:.2f}"

    async def test_a_lease_that_the_law_does_not_reach_shows_no_other_labels(self, client: httpx2.AsyncClient) -> None:
        page = await show(client, **GENT | {"signed_on": "2023-01-01", "starts_on": "2023-02-01"})
        assert page.status_code == 200
        assert "labels" not in re.findall(r'id="([^"]+)"', page.text)

    async def test_without_a_label_the_lowest_rent_is_named(self, client: httpx2.AsyncClient) -> None:
        asked = {name: value for name, value in GENT.items() if name != "energy_label"}
        page, body = visible((await show(client, **asked)).text), await receipt(client, **asked)
        assert "verlaagt een slecht label deze huur, in het ergste geval tot € 1.023,47." in page
        assert body["energy"]["lowest_rent"] == 1023.47

    async def test_the_walloon_index_skip_is_said_where_it_decides(self, client: httpx2.AsyncClient) -> None:
        asked = GENT | {"zipcode": "5000", "on": "2017-10-01"}
        page, body = (await show(client, **asked)).text, await receipt(client, **asked)
        assert "is van toepassing: het nieuwe indexcijfer is dat van augustus 2016, een jaar eerder." in visible(page)
        assert euros(page) == [f"{body['indexed_rent']:.2f}"]

    async def test_the_rent_really_paid_counts_in_flanders_and_stays_in_every_address(
        self, client: httpx2.AsyncClient
    ) -> None:
        asked = GENT | {"energy_label": "D", "rent_before": "900", "on": "2023-09-10"}
        page, body = (await show(client, **asked)).text, await receipt(client, **asked)
        assert euros(page) == [f"{body['indexed_rent']:.2f}"]
        assert "rent_before=900.00" in page

    async def test_a_home_without_a_municipality_is_asked_about_by_its_region(self, client: httpx2.AsyncClient) -> None:
        page = await show(client, **GENT | {"zipcode": "9993", "region": "flanders"})
        assert euros(page.text) == ["1023.47"]
        assert "region=flanders" in page.text

    async def test_a_zipcode_in_two_regions_is_asked_about_with_its_region(self) -> None:
        gent, ixelles = bundled_places().place(Zipcode(9000)), bundled_places().place(Zipcode(1050))
        both = Place(Zipcode(9000), (*gent.municipalities, *ixelles.municipalities))
        places = Places([both], date(2025, 1, 1), "", "two regions")
        async with make_client(make_app(places=places)) as client:
            open_question = await show(client, **GENT)
            answered = await show(client, **GENT | {"region": "flanders"})
        assert "Postcode 9000 ligt in meer dan één gewest." in visible(open_question.text)
        assert "zipcode=9000&amp;region=flanders" in answered.text

    async def test_the_day_is_put_into_the_address(self, client: httpx2.AsyncClient) -> None:
        first = await client.get(f"/rent?{urlencode(GENT)}&on=&lang=fr", headers=BROWSER, follow_redirects=False)
        assert first.status_code == 303
        assert first.headers["location"] == f"/rent?{urlencode(GENT)}&lang=fr&on={TODAY}"

    async def test_the_same_for_machines_gives_the_same(self, client: httpx2.AsyncClient) -> None:
        page = (await show(client, **GENT)).text
        (path,) = re.findall(r'<p><a href="(/v1/[^"]+)">', page)
        body = (await client.get(unescape(path))).json()
        assert euros(page) == [f"{body['indexed_rent']:.2f}"]

    async def test_every_condition_of_the_law_is_said(self, client: httpx2.AsyncClient) -> None:
        for region, regime in REGIMES.items():
            page = visible((await show(client, **GENT | {"zipcode": ZIPCODES[region], "energy_label": "A"})).text)
            words = texts_of("nl").law
            said = [words.registered in page, words.certificate in page]
            assert sum(said) == len(regime.conditions), region


class TestTheDrawnCalculation:
    @pytest.mark.parametrize(
        ("region", "label", "on", "line"),
        [
            ("flanders", "A", "2026-09-10", "€ 750,00 x 140,30 ÷ 98,71 = € 1.066,00"),
            ("flanders", "E", "2026-09-10", "€ 750,00 x 140,30 ÷ 98,71 x 123,68 ÷ 128,82 = € 1.023,47"),
            ("wallonia", "F", "2026-09-10", "€ 939,75 x 140,30 ÷ 128,82 = € 1.023,50"),
            ("wallonia", "D", "2023-09-10", "€ 939,75 + 75 % x (978,82 \N{MINUS SIGN} 939,75) = € 969,05"),
        ],
    )
    async def test_is_that_of_the_rule_that_was_applied(
        self, client: httpx2.AsyncClient, region: str, label: str, on: str, line: str
    ) -> None:
        asked = GENT | {"zipcode": ZIPCODES[region], "energy_label": label, "on": on}
        page = visible((await show(client, "/rent/letter", **asked)).text).replace("\N{MULTIPLICATION SIGN}", "x")
        assert line in page


class TestWrongInput:
    @pytest.mark.parametrize(
        ("changed", "field", "message"),
        [
            ({"rent": "veel"}, "rent", "“veel” is geen bedrag."),
            ({"zipcode": ""}, "zipcode", "Geef de postcode van de woning, of het gewest."),
            ({"zipcode": "12"}, "zipcode", "“12” is geen postcode."),
            ({"zipcode": "9993"}, "zipcode", "Postcode 9993 hoort bij geen gemeente."),
            ({"region": "brussels"}, "region", "Postcode 9000 ligt niet in Brussel."),
            ({"region": "mars"}, "region", "“mars” is geen van de keuzes."),
            ({"energy_label": "G"}, "energy_label", "Label G bestaat niet in Vlaanderen. Er zijn: A, B, C, D, E, F."),
            ({"zipcode": "1030", "energy_label": "none"}, "energy_label", "Zonder energieprestatiecertificaat kan"),
            ({"signed_on": "15 augustus"}, "signed_on", "“15 augustus” is geen datum."),
            ({"signed_on": "1993-08-15", "starts_on": "1993-09-01"}, "signed_on", "vóór 1 februari 1994"),
            ({"signed_on": "2015-08-15"}, "starts_on", "is niet aannemelijk"),
            ({"on": "2012-10-01"}, "on", "de eerste verjaardag valt op 1 september 2013"),
            ({"on": "2027-10-01"}, "starts_on", "Het indexcijfer van augustus 2027 is nog niet gepubliceerd."),
            ({"signed_on": "1850-01-01"}, "signed_on", "1 januari 1850 ligt te veraf"),
            ({"rent_before": "700"}, "rent_before", "heeft voor dit contract geen betekenis"),
        ],
    )
    async def test_is_shown_again_with_the_message_at_its_field(
        self, client: httpx2.AsyncClient, changed: dict[str, str], field: str, message: str
    ) -> None:
        page = await show(client, **GENT | changed)
        assert page.status_code == 400
        errors = dict(re.findall(r'<strong class="error" id="rent-([^"]+)-error">([^<]+)</strong>', page.text))
        assert message in unescape(errors[field])

    @pytest.mark.parametrize("zipcode", ["1060", "4837"])
    async def test_a_zipcode_of_one_region_needs_no_region(self, client: httpx2.AsyncClient, zipcode: str) -> None:
        assert (await show(client, **GENT | {"zipcode": zipcode, "energy_label": "A"})).status_code == 200

    async def test_a_letter_about_nothing_is_refused_with_the_form(self, client: httpx2.AsyncClient) -> None:
        page = await client.get("/rent/letter?lang=en", headers=BROWSER)
        assert page.status_code == 400
        assert '<form class="card form" action="/rent"' in page.text


class TestLetters:
    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("by", ["landlord", "tenant"])
    async def test_holds_what_such_a_letter_needs(self, client: httpx2.AsyncClient, language: str, by: str) -> None:
        page = await show(client, "/rent/letter", **GENT, lang=language, by=by)
        words, text = texts_of(language).letter, visible(page.text)
        title = words.title_landlord if by == "landlord" else words.title_tenant
        for said in (title, words.base_rent, words.start_index, words.new_index, words.energy, words.law):
            assert said in text
        assert (
            f"/rent?rent=750.00&zipcode=9000&signed_on=2012-08-15&starts_on=2012-09-01&energy_label=E&on={TODAY}"
            in text
        )

    async def test_what_people_write_on_it_is_never_sent(self, client: httpx2.AsyncClient) -> None:
        page = (await show(client, "/rent/letter", **GENT)).text
        assert "<form" not in page
        assert not re.findall(r"<(?:input|textarea)[^>]* name=", page)

    async def test_the_rent_until_now_is_that_of_the_anniversary_before(self, client: httpx2.AsyncClient) -> None:
        page = (await show(client, "/rent/letter", **GENT)).text
        before = await receipt(client, **GENT | {"on": "2025-09-10"})
        (value,) = re.findall(r'class="short"[^>]*value="([^"]+)"', page)
        assert plain_amount(unescape(value)) == f"{before['indexed_rent']:.2f}"


async def test_a_place_is_named_in_the_language_of_the_page(client: httpx2.AsyncClient) -> None:
    page = await client.get("/zipcode?zipcode=4000&lang=nl", headers=BROWSER)
    other = await client.get("/zipcode?zipcode=4000&lang=fr", headers=BROWSER)
    assert "Luik" in visible(page.text)
    assert "Liège" in visible(other.text)


async def test_a_rent_is_answered_without_keeping_answers_too() -> None:
    async with make_client(make_app(response_cache=False)) as client:
        assert euros((await show(client, **GENT)).text) == ["1023.47"]
