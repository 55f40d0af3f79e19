"""`/v1/indexations`: an amount indexed from one month to another, one at a time and many at once."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import NOW, exact, invalid, make_app, make_client, make_index
from tests.worlds.examples import slow

from adapters.bundled import load_snapshot
from domain.health_index.figures import Figure, Month, Publication
from domain.health_index.table import IndexTable
from domain.ports import HealthIndexProvider
from entrypoints.http.representation import WHILE_STALE

PATH = "/v1/indexations"
CASE = {"amount": "500", "from": "2010-06", "to": "2019-08"}
TABLE = IndexTable(load_snapshot().figures)
FORMULA = re.compile(
    "(?P<amount>[0-9]+[.][0-9]{2}) \N{MULTIPLICATION SIGN} (?P<new>[0-9]+[.][0-9]{2}) \N{DIVISION SIGN} "
    "(?P<old>[0-9]+[.][0-9]{2}) = (?P<indexed>[0-9]+[.][0-9]{2}) [(]rounded half up to the cent[)]"
)

amounts = st.integers(1, 10**11).map(lambda cents: Decimal(cents).scaleb(-2))
months = st.integers(0, 383).map(Month(1994, 1).plus)  # up to December 2025: every figure of them is known
through_http = slow(240)


def recomputed(formula: str) -> str:
    """What the text of a receipt comes to, by whole numbers alone."""
    match = FORMULA.fullmatch(formula)
    assert match is not None, formula
    value = Fraction(match["amount"]) * Fraction(match["new"]) / Fraction(match["old"])
    cents = (2 * value * 100 + 1) // 2
    assert Fraction(match["indexed"]) == Fraction(cents, 100)
    return match["indexed"]


class TestOne:
    # Worked examples of property managers, rent calculators and estate agents, named as they were gathered.
    @pytest.mark.parametrize(
        ("query", "base_year", "start_index", "end_index", "indexed"),
        [
            pytest.param("amount=500&from=2010-06&to=2019-08", 2004, "112.74", "131.72", "584.18", id="SMOVIN-1"),
            pytest.param("amount=500&from=2021-11&to=2022-12", 2013, "115.20", "127.89", "555.08", id="SMOVINAPP-1"),
            pytest.param("amount=600&from=2017-03&to=2018-04", 2013, "105.32", "106.89", "608.94", id="WEINVEST-1"),
            pytest.param("amount=1000&from=2002-02&to=2003-02", 1996, "110.09", "111.56", "1013.35", id="2747-1"),
            pytest.param("amount=800&from=2021-12&to=2023-01", 2013, "115.60", "128.00", "885.81", id="TP-O"),
        ],
    )
    async def test_worked_examples_come_out_to_the_cent(
        self, client: httpx2.AsyncClient, query: str, base_year: int, start_index: str, end_index: str, indexed: str
    ) -> None:
        body = exact(await client.get(f"{PATH}?{query}"))
        assert (body["base_year"], str(body["indexed"])) == (base_year, indexed)
        assert (str(body["start"]["value"]), str(body["end"]["value"])) == (start_index, end_index)
        assert recomputed(body["formula"]) == indexed

    async def test_the_receipt_says_everything(self, client: httpx2.AsyncClient) -> None:
        assert (await client.get(f"{PATH}?amount=500&from=2010-06&to=2019-08")).json() == {
            "amount": 500.0,
            "indexed": 584.18,
            "index": "health",
            "base_year": 2004,
            "base_year_rule": "2004 is the base year in force in the starting month 2010-06 (no law names a base year)",
            "start": {"month": "2010-06", "base_year": 2004, "value": 112.74, "provenance": "published"},
            "end": {"month": "2019-08", "base_year": 2004, "value": 131.72, "provenance": "published"},
            "ratio": 1.168352,
            "formula": "500.00 \N{MULTIPLICATION SIGN} 131.72 \N{DIVISION SIGN} 112.74 = 584.18 "
            "(rounded half up to the cent)",
            "rounding": "half up to the cent, once, at the end",
            "as_of": "2026-08-27T22:00:00Z",
            "permalink": f"{PATH}?amount=500.00&from=2010-06&to=2019-08&base_year=2004&index=health"
            "&as_of=2026-08-27T22:00:00Z",
            "settled": True,
            "attribution": "Statbel (Statistics Belgium), CC BY 4.0",
        }

    async def test_a_derived_figure_says_so(self, client: httpx2.AsyncClient) -> None:
        body = (await client.get(f"{PATH}?amount=1000&from=2010-06&to=2025-06")).json()
        assert (body["start"]["provenance"], body["end"]["provenance"]) == ("published", "derived")

    async def test_the_smoothed_index_and_the_base_year_may_be_chosen(self, client: httpx2.AsyncClient) -> None:
        smoothed = exact(await client.get(f"{PATH}?amount=500&from=2010-06&to=2019-08&index=smoothed"))
        assert (smoothed["index"], str(smoothed["indexed"]), smoothed["base_year"]) == ("smoothed", "573.52", 2004)
        in_2013 = exact(await client.get(f"{PATH}?amount=500&from=2010-06&to=2019-08&base_year=2013"))
        assert (in_2013["base_year"], str(in_2013["indexed"])) == (2013, "584.20")
        assert in_2013["start"]["base_year"] == in_2013["end"]["base_year"] == 2013

    @pytest.mark.parametrize("amount", ["500", "500.0", "500.00", "0500"])
    async def test_an_amount_is_the_same_in_every_plain_notation(self, client: httpx2.AsyncClient, amount: str) -> None:
        answer = await client.get(f"{PATH}?amount={amount}&from=2010-06&to=2019-08")
        assert answer.content == (await client.get(f"{PATH}?amount=500&from=2010-06&to=2019-08")).content

    @pytest.mark.parametrize(
        ("change", "status", "kind", "name"),
        [
            *invalid("belref:invalidAmount", "amount", "0", "-500", "500.005", "0.30000000000000004", "1000000000.01"),
            *invalid("belref:invalidAmount", "amount", "NaN", "Infinity", "5e2", "500,00", "", "\u0665\u0660\u0660"),
            *invalid("belgif:badRequest", "amount", None),
            *invalid("belgif:badRequest", "from", None, "2010-13"),
            *invalid("belgif:badRequest", "to", None, "2019-8"),
            *invalid("belgif:badRequest", "base_year", "x"),
            *invalid("belgif:badRequest", "index", "consumer"),
            *invalid("belgif:badRequest", "base_yaer", "2004"),
            *invalid("belgif:badRequest", "as_of", "yesterday", "2026-09-11", "1994-01-27"),
            ({"base_year": "2020"}, 400, "belref:unknownBaseYear", None),
            ({"from": "1993-12"}, 404, "belref:beforeFirstMonth", None),
            ({"to": "1993-12"}, 404, "belref:beforeFirstMonth", None),
            ({"to": "2026-09"}, 404, "belref:notYetPublished", None),
            ({"base_year": "2025"}, 404, "belref:noFigure", None),
            ({"index": "smoothed", "base_year": "2025"}, 404, "belref:noFigure", None),
        ],
    )
    async def test_a_refusal_is_typed_and_names_what_is_wrong(
        self, client: httpx2.AsyncClient, change: dict[str, str | None], status: int, kind: str, name: str | None
    ) -> None:
        query = {key: value for key, value in {**CASE, **change}.items() if value is not None}
        answer = await client.get(PATH, params=query)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.headers["cache-control"] == "no-store"
        body = answer.json()
        assert body["type"] == f"urn:problem-type:{kind}"
        assert [(issue["in"], issue["name"]) for issue in body.get("issues", [])] == ([("query", name)] if name else [])

    async def test_a_month_to_come_is_announced(self, client: httpx2.AsyncClient) -> None:
        assert (await client.get(PATH, params={**CASE, "to": "2026-09"})).json()["next_publication"] == "2026-09-29"

    async def test_a_parameter_is_given_once(self, client: httpx2.AsyncClient) -> None:
        answer = await client.get(f"{PATH}?amount=1&amount=2&from=2010-06&to=2019-08")
        assert (answer.status_code, answer.json()["issues"][0]["name"]) == (400, "amount")


class TestRules:
    @through_http
    @given(amount=amounts, month=months)
    async def test_equal_figures_change_nothing(
        self, client: httpx2.AsyncClient, amount: Decimal, month: Month
    ) -> None:
        body = exact(await client.get(f"{PATH}?amount={amount}&from={month}&to={month}&base_year=2013"))
        assert body["amount"] == body["indexed"] == amount
        assert str(body["ratio"]) == "1.000000"

    @through_http
    @given(amount=amounts, start=months, one=months, other=months)
    async def test_a_higher_new_figure_never_gives_a_lower_amount(
        self, client: httpx2.AsyncClient, amount: Decimal, start: Month, one: Month, other: Month
    ) -> None:
        low, high = sorted((one, other), key=lambda month: TABLE.figure(month, 2013).value)
        asked = [f"{PATH}?amount={amount}&from={start}&to={end}&base_year=2013" for end in (low, high)]
        answers = [exact(await client.get(path)) for path in asked]
        assert answers[0]["indexed"] <= answers[1]["indexed"]
        assert answers[0]["ratio"] <= answers[1]["ratio"]

    @through_http
    @given(amount=amounts, start=months, end=months, kind=st.sampled_from(["health", "smoothed"]))
    async def test_a_receipt_recomputes_to_its_result_and_its_permalink_to_its_bytes(
        self, client: httpx2.AsyncClient, amount: Decimal, start: Month, end: Month, kind: str
    ) -> None:
        answer = await client.get(f"{PATH}?amount={amount}&from={start}&to={end}&index={kind}&base_year=2013")
        body = exact(answer)
        assert recomputed(body["formula"]) == str(body["indexed"])
        assert (await client.get(body["permalink"])).content == answer.content


class _Source(HealthIndexProvider):
    """Publishes what it was told last."""

    def __init__(self, publication: Publication) -> None:
        self.publication_now = publication

    async def publication(self, known: IndexTable) -> Publication:
        return self.publication_now


class TestPermalink:
    """It gives the same bytes for as long as figures are kept."""

    @pytest.fixture
    def source(self) -> _Source:
        return _Source(load_snapshot())

    @pytest.fixture
    def now(self) -> list[datetime]:
        return [NOW]

    @pytest.fixture
    async def moving(self, source: _Source, now: list[datetime]) -> AsyncIterator[tuple[httpx2.AsyncClient, Any]]:
        index = make_index(source, load_snapshot(), lambda: now[0])
        await index.load()
        async with make_client(make_app(index=index)) as client:
            yield client, index

    async def test_a_year_later_after_a_new_month_and_a_correction(
        self, moving: tuple[httpx2.AsyncClient, Any], source: _Source, now: list[datetime]
    ) -> None:
        client, index = moving
        question = f"{PATH}?amount=1000&from=2020-01&to=2026-08"
        before = await client.get(question)
        permalink = before.json()["permalink"]
        bundled = load_snapshot().figures
        corrected = [replace(f, value=f.value + 1) if f.month == (2026, 8) else f for f in bundled]
        new = Figure(Month(2026, 9), 2013, Decimal("140.55"))
        now[0] = NOW + timedelta(days=20)
        source.publication_now = Publication((*corrected, new), now[0], "statbel")
        refresh = await index.refresh()
        assert (len(refresh.added), len(refresh.changed)) == (1, 1)

        after = await client.get(question)
        assert (str(exact(before)["end"]["value"]), str(exact(after)["end"]["value"])) == ("140.30", "141.30")
        assert after.headers["etag"] != before.headers["etag"]
        assert (await client.get(permalink)).content == before.content
        now[0] += timedelta(days=365)
        assert (await client.get(permalink)).content == before.content
        assert (await client.get(after.json()["permalink"])).content == after.content

    async def test_a_reading_that_brings_nothing_changes_no_byte(
        self, moving: tuple[httpx2.AsyncClient, Any], source: _Source, now: list[datetime]
    ) -> None:
        client, index = moving
        before = await client.get(PATH, params=CASE)
        now[0] += timedelta(days=1)
        source.publication_now = replace(load_snapshot(), as_of=now[0])
        assert not (await index.refresh()).added
        after = await client.get(PATH, params=CASE)
        assert (after.content, after.headers["etag"]) == (before.content, before.headers["etag"])

    async def test_it_may_be_kept_longer_than_the_answer_of_now(self, client: httpx2.AsyncClient) -> None:
        answer = await client.get(PATH, params=CASE)
        kept = await client.get(answer.json()["permalink"])
        assert answer.headers["cache-control"] == f"public, max-age=300, {WHILE_STALE}"
        assert kept.headers["cache-control"] == f"public, max-age=86400, {WHILE_STALE}"
        again = await client.get(PATH, params=CASE, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")

    async def test_an_instant_keeps_its_microseconds(self, client: httpx2.AsyncClient) -> None:
        answer = await client.get(PATH, params={**CASE, "as_of": "2024-03-01T12:00:00.000001+01:00"})
        assert answer.json()["as_of"] == "2024-03-01T11:00:00.000001Z"
        assert (await client.get(answer.json()["permalink"])).content == answer.content


async def test_the_instant_of_an_answer_is_that_of_the_last_change_and_not_of_the_question() -> None:
    later = datetime(2026, 9, 20, tzinfo=UTC)
    async with make_client(make_app(now=NOW)) as one, make_client(make_app(now=later)) as other:
        assert (await one.get(PATH, params=CASE)).content == (await other.get(PATH, params=CASE)).content


async def test_a_month_that_was_not_published_then_is_said_to_be_that_and_not_a_wrong_base_year(
    client: httpx2.AsyncClient,
) -> None:
    query = {"amount": "500", "from": "2010-06", "to": "2010-07", "as_of": "2005-03-01"}
    answer = await client.get("/v1/indexations", params=query)
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:problem-type:belref:notYetPublished"
