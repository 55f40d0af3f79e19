"""`/v1/rent-indexations`: a rent on the anniversary of its lease, with its receipt."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import NOW, exact, invalid, make_app, make_client, make_index
from tests.worlds.examples import slow
from tests.worlds.worked_leases import Worked, each_worked_lease

from adapters.bundled import load_snapshot
from adapters.memory import InMemoryHealthIndexProvider
from domain.health_index.figures import Figure, Month, Publication
from entrypoints.http.representation import WHILE_STALE

PATH = "/v1/rent-indexations"
LEASE = {
    "rent": "500",
    "region": "brussels",
    "signed_on": "2010-07-25",
    "starts_on": "2010-09-01",
    "on": "2020-01-01",
}

rents = st.integers(1, 10**7).map(lambda cents: Decimal(cents).scaleb(-2))
leases = st.tuples(st.dates(date(1994, 2, 1), date(2020, 12, 31)), st.integers(-31, 900))
regions = st.sampled_from(["brussels", "flanders", "wallonia"])
through_http = slow(240)


def lease(text: str) -> dict[str, str]:
    """The query of `region rent signed_on starts_on on`."""
    return dict(zip(("region", "rent", "signed_on", "starts_on", "on"), text.split(), strict=True))


class TestExamples:
    @each_worked_lease
    async def test_they_come_out_to_the_cent(self, client: httpx2.AsyncClient, worked: Worked) -> None:
        body = exact(await client.get(PATH, params=worked.query))
        assert (str(body["base_year"]), str(body["indexed_rent"])) == (worked.base_year, worked.indexed)
        assert (str(body["start"]["value"]), str(body["end"]["value"])) == (worked.start, worked.end)
        assert f"{worked.end} \N{DIVISION SIGN} {worked.start} = {worked.indexed} " in body["formula"]

    async def test_flanders_starts_from_the_entry_into_force_since_2019(self, client: httpx2.AsyncClient) -> None:
        bodies = [
            exact(await client.get(PATH, params=lease(f"flanders 750 {signed_on} 2019-03-01 2022-03-01")))
            for signed_on in ("2018-12-31", "2019-01-01")
        ]
        assert [body["start"]["month"] for body in bodies] == ["2018-11", "2019-02"]
        assert "9 November 2018" in bodies[1]["rule"]["starting_month"]

    async def test_the_receipt_says_everything(self, client: httpx2.AsyncClient) -> None:
        body = exact(await client.get(PATH, params=LEASE))
        assert body.pop("not_included").startswith("Not taken into account: ")
        source = "(old Civil Code, article 1728bis, with article 224 of the Brussels Housing Code)"
        assert body == {
            "rent": Decimal("500.00"),
            "indexed_rent": Decimal("584.18"),
            "ordinary_rent": Decimal("584.18"),
            "energy": {
                "status": "notConcerned",
                "label": None,
                "rule": "The limits by energy certificate in Brussels begin on 2022-10-14, after the anniversary "
                "2019-09-01 (logement.brussels; Constitutional Court 63/2024)",
                "formula": "500.00 \N{MULTIPLICATION SIGN} 131.72 \N{DIVISION SIGN} 112.74 = 584.18 "
                "(rounded half up to the cent)",
                "conditions": [],
            },
            "region": "brussels",
            "signed_on": "2010-07-25",
            "starts_on": "2010-09-01",
            "on": "2020-01-01",
            "anniversary": "2019-09-01",
            "base_year": 2004,
            "base_year_rule": "2004 is the base year in force in the starting month 2010-06 (no law names a base year)",
            "start": {"month": "2010-06", "base_year": 2004, "value": Decimal("112.74"), "provenance": "published"},
            "end": {"month": "2019-08", "base_year": 2004, "value": Decimal("131.72"), "provenance": "published"},
            "ratio": Decimal("1.168352"),
            "formula": "500.00 \N{MULTIPLICATION SIGN} 131.72 \N{DIVISION SIGN} 112.74 = 584.18 "
            "(rounded half up to the cent)",
            "rounding": "half up to the cent, once, at the end",
            "rule": {
                "starting_month": f"2010-06 is the month before that of the signature, 2010-07-25 {source}",
                "new_month": "2019-08 is the month before that of the anniversary of the entry into force, "
                f"2019-09-01 {source}",
            },
            "as_of": "2026-08-27T22:00:00Z",
            "permalink": f"{PATH}?rent=500.00&region=brussels&signed_on=2010-07-25&starts_on=2010-09-01&on=2020-01-01"
            "&as_of=2026-08-27T22:00:00Z",
            "settled": True,
            "attribution": "Statbel (Statistics Belgium), CC BY 4.0",
        }


class TestToday:
    """Without `on` the day asked about is today, in Brussels."""

    QUESTION = {key: value for key, value in LEASE.items() if key != "on"} | {"starts_on": "2010-09-10"}

    @pytest.mark.parametrize(
        ("now", "on"),
        [
            (datetime(2024, 9, 9, 21, 59, tzinfo=UTC), "2024-09-09"),
            (datetime(2024, 9, 9, 22, 0, tzinfo=UTC), "2024-09-10"),
            (datetime(2024, 2, 29, 12, 0, tzinfo=UTC), "2024-02-29"),
        ],
    )
    async def test_it_is_that_of_brussels(self, now: datetime, on: str) -> None:
        def clock() -> datetime:
            return now

        known = Publication(
            tuple(f for f in load_snapshot().figures if f.month < (2024, 9) and f.base_year < 2025), now, "snapshot"
        )
        index = make_index(InMemoryHealthIndexProvider(known), known, clock)
        async with make_client(make_app(index=index, now=now)) as client:
            answer = await client.get(PATH, params=self.QUESTION)
            body = exact(answer)
            assert body["on"] == on
            assert body["anniversary"] == ("2024-09-10" if on == "2024-09-10" else "2023-09-10")
            assert f"&on={on}&" in body["permalink"]
            assert (await client.get(body["permalink"])).content == answer.content

    async def test_the_tag_changes_with_the_day(self) -> None:
        tags = []
        for now in (NOW, NOW, NOW + timedelta(days=1)):
            async with make_client(make_app(now=now)) as client:
                query = {**self.QUESTION, "signed_on": "2020-03-01", "starts_on": "2020-04-01"}
                tags.append((await client.get(PATH, params=query)).headers["etag"])
        assert tags[0] == tags[1] != tags[2]

    @pytest.mark.parametrize(
        ("now", "on", "max_age"),
        [
            (datetime(2026, 9, 10, 12, 0, tzinfo=UTC), "", 300),
            (datetime(2026, 9, 10, 21, 58, tzinfo=UTC), "", 120),
            (datetime(2026, 9, 10, 21, 58, tzinfo=UTC), "&on=2026-09-10", 300),
        ],
    )
    async def test_an_answer_about_today_is_not_kept_until_tomorrow(self, now: datetime, on: str, max_age: int) -> None:
        question = "rent=500&region=brussels&signed_on=2020-03-01&starts_on=2020-04-01"
        async with make_client(make_app(now=now)) as client:
            answer = await client.get(f"{PATH}?{question}{on}")
        assert answer.headers["cache-control"] == f"public, max-age={max_age}, {WHILE_STALE}"


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "status", "kind", "name"),
        [
            *invalid("belref:invalidAmount", "rent", "0", "500.005", "1000000000.01"),
            *invalid("belgif:badRequest", "rent", None),
            *invalid("belgif:badRequest", "region", None, "Brussels", "luxembourg"),
            *invalid("belgif:badRequest", "signed_on", None, "2010-07", "2010-02-30", "25-07-2010", "20100725"),
            *invalid("belgif:badRequest", "starts_on", "2010-09-01T00:00:00"),
            *invalid("belgif:badRequest", "on", "2020-W01-1"),
            *invalid("belgif:badRequest", "as_of", "2026-09-11"),
            *invalid("belgif:badRequest", "base_year", "2013"),
            *invalid("belgif:badRequest", "starts", "2010-09-01"),
            ({"on": "2101-01-01"}, 400, "belgif:badRequest", None),
            ({"signed_on": "1899-12-31"}, 400, "belgif:badRequest", None),
            ({"starts_on": "2010-06-23"}, 400, "belref:mixedUpDates", None),
            ({"starts_on": "2016-09-01"}, 400, "belref:mixedUpDates", None),
            ({"on": "2011-08-31"}, 400, "belref:anniversaryAhead", None),
            ({"signed_on": "1994-01-31", "starts_on": "1994-02-01"}, 404, "belref:leaseBeforeHealthIndex", None),
            ({"on": "2026-11-01", "starts_on": "2010-11-01"}, 404, "belref:notYetPublished", None),
        ],
    )
    async def test_each_is_typed_and_names_what_is_wrong(
        self, client: httpx2.AsyncClient, change: dict[str, str | None], status: int, kind: str, name: str | None
    ) -> None:
        query = {key: value for key, value in {**LEASE, **change}.items() if value is not None}
        answer = await client.get(PATH, params=query)
        body = answer.json()
        assert (answer.status_code, body["type"]) == (status, f"urn:problem-type:{kind}")
        assert answer.headers["cache-control"] == "no-store"
        assert [(issue["in"], issue["name"]) for issue in body.get("issues", [])] == ([("query", name)] if name else [])

    async def test_the_first_anniversary_is_named(self, client: httpx2.AsyncClient) -> None:
        detail = (await client.get(PATH, params={**LEASE, "on": "2011-08-31"})).json()["detail"]
        assert "the first anniversary of the entry into force is 2011-09-01" in detail

    async def test_a_month_to_come_is_announced(self, client: httpx2.AsyncClient) -> None:
        query = {**LEASE, "starts_on": "2010-11-01", "on": "2026-11-01"}
        assert (await client.get(PATH, params=query)).json()["next_publication"] == "2026-09-29"

    @pytest.mark.parametrize("field", ["rent", "region", "signed_on", "starts_on", "on"])
    async def test_a_batch_refuses_the_same_of_one_case_alone(self, client: httpx2.AsyncClient, field: str) -> None:
        wrong = {**LEASE, field: "2010-02-30"}
        answer = await client.post(PATH, json={"items": [LEASE, wrong, LEASE]})
        first, bad, last = answer.json()["items"]
        assert first == last
        assert first["result"]["indexed_rent"] == 584.18
        assert bad["problem"]["status"] == 400


class TestRules:
    @through_http
    @given(rent=rents, dates=leases, region=regions, years=st.integers(1, 5))
    async def test_a_receipt_recomputes_and_its_permalink_gives_the_same_bytes(
        self, client: httpx2.AsyncClient, rent: Decimal, dates: tuple[date, int], region: str, years: int
    ) -> None:
        signed_on, starts_on = dates[0], dates[0] + timedelta(days=dates[1])
        on = starts_on + timedelta(days=366 * years)
        query = {"rent": str(rent), "region": region, "signed_on": signed_on, "starts_on": starts_on, "on": on}
        answer = await client.get(PATH, params={key: str(value) for key, value in query.items()})
        if answer.status_code == 404:
            assert answer.json()["type"].rpartition(":")[2] in {"noFigure", "notYetPublished"}
            assert on >= date(2026, 2, 1)
            return
        body = exact(answer)
        value = Fraction(rent) * Fraction(body["end"]["value"]) / Fraction(body["start"]["value"])
        assert Fraction(body["ordinary_rent"]) == Fraction((2 * value * 100 + 1) // 2, 100)
        assert (await client.get(body["permalink"])).content == answer.content

    async def test_equal_figures_leave_the_rent_as_it_is(self) -> None:
        flat = Publication(
            tuple(Figure(Month(2014, 1).plus(n), 2013, Decimal("100.00")) for n in range(140)), NOW, "statbel"
        )
        index = make_index(InMemoryHealthIndexProvider(flat), flat, lambda: NOW)
        async with make_client(make_app(index=index)) as client:
            body = exact(await client.get(PATH, params=lease("wallonia 812.34 2015-03-05 2015-04-01 2024-06-01")))
        assert body["indexed_rent"] == body["rent"] == Decimal("812.34")
