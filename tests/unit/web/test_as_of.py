"""`as_of`: what was known at an instant; and base years, which need no change of the code."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import NOW, exact, make_app, make_client, make_index
from tests.worlds.examples import slow

from adapters.bundled import load_snapshot
from adapters.memory import InMemoryHealthIndexProvider
from domain.health_index.calendar import PublicationCalendar
from domain.health_index.figures import Figure, Month, Publication
from domain.use_cases.health_index import HealthIndexService
from entrypoints.http.representation import WHILE_STALE

PATH = "/v1/health-index"
BUNDLED = load_snapshot()


def now() -> datetime:
    return NOW


async def service(
    known: tuple[Figure, ...], read: tuple[Figure, ...], clock: Callable[[], datetime] = now
) -> HealthIndexService:
    """It starts with the figures known, and has then read the others."""
    index = make_index(
        InMemoryHealthIndexProvider(Publication(read, clock(), "statbel"), clock),
        Publication(known, clock(), "snapshot"),
        clock,
    )
    await index.load()
    await index.refresh()
    return index


class TestAsOf:
    @pytest.mark.parametrize(
        "path",
        [
            f"{PATH}/latest?as_of=2024-03-01",
            f"{PATH}/2024-02?as_of=2024-03-01",
            f"{PATH}?base_year=2013&as_of=2024-03-01",
        ],
    )
    async def test_later_months_were_not_known(self, client: httpx2.AsyncClient, path: str) -> None:
        body = exact(await client.get(path))
        last = max(figure["month"] for figure in body.get("figures") or body["items"])
        assert last == "2024-02"
        assert body["freshness"] == {
            "latest_month": "2024-02",
            "as_of": "2024-03-01T22:59:59Z",
            "source": "history",
            "attribution": "Statbel (Statistics Belgium), CC BY 4.0",
            "next_publication": "2024-03-28",
            "status": "fresh",
        }

    async def test_a_series_is_the_same_as_csv(self, client: httpx2.AsyncClient) -> None:
        path = f"{PATH}?base_year=2004&from=2023-10&as_of=2024-03-01"
        rows = list(csv.DictReader(io.StringIO((await client.get(path, headers={"Accept": "text/csv"})).text)))
        items = exact(await client.get(path))["items"]
        assert [row["month"] for row in rows] == [f"2023-{n}" for n in (10, 11, 12)] + ["2024-01", "2024-02"]
        for row, item in zip(rows, items, strict=True):
            assert {name: str(item[name]) for name in row} == row

    async def test_a_month_to_come_then_was_announced_for_a_day_that_has_passed(
        self, client: httpx2.AsyncClient
    ) -> None:
        body = (await client.get(f"{PATH}/2024-03?as_of=2024-03-01")).json()
        assert (body["type"], body["next_publication"]) == ("urn:problem-type:belref:notYetPublished", "2024-03-28")

    @pytest.mark.parametrize(
        ("as_of", "month"),
        [
            ("2024-03-27", "2024-02"),
            ("2024-03-28", "2024-03"),
            ("2024-03-27T22:59:59Z", "2024-02"),
            ("2024-03-27T23:00:00Z", "2024-03"),
            ("2024-03-28T00:00:00.000000+01:00", "2024-03"),
            ("1994-01-28", "1994-01"),
        ],
    )
    async def test_a_bundled_figure_counts_from_the_start_of_its_day_of_publication_in_brussels(
        self, client: httpx2.AsyncClient, as_of: str, month: str
    ) -> None:
        answer = await client.get(f"{PATH}/latest", params={"as_of": as_of})
        assert exact(answer)["month"] == month

    @pytest.mark.parametrize(
        ("as_of", "bases"),
        [
            ("1997-12-31", [1988]),
            ("1998-02-01", [1996, 1988]),
            ("2006-02-01", [2004, 1996, 1988]),
            ("2025-12-31", [2013, 2004, 1996, 1988]),
            ("2026-02-01", [2025, 2013, 2004, 1996, 1988]),
        ],
    )
    async def test_a_base_year_was_not_known_before_it_came_into_force(
        self, client: httpx2.AsyncClient, as_of: str, bases: list[int]
    ) -> None:
        body = exact(await client.get(f"{PATH}/latest?as_of={as_of}"))
        assert [figure["base_year"] for figure in body["figures"]] == bases
        unknown = await client.get(f"{PATH}?base_year=2035&as_of={as_of}")
        assert unknown.json()["type"] == "urn:problem-type:belref:unknownBaseYear"

    @pytest.mark.parametrize(
        "as_of",
        [
            *["", "today", "2024-3-1", "2024-02-30", "2024-03-01T12:00:00", "2024-03-01 12:00:00Z"],
            *["2024-03-01T25:00:00Z", "2024-03-01T12:00:00%2B1:00"],
            *["1994-01-27", "0001-01-01", "2026-09-10", "2026-09-10T12:00:01Z", "9999-12-31"],
        ],
    )
    @pytest.mark.parametrize("path", ["/latest?", "/2020-01?", "?base_year=2013&"])
    async def test_an_instant_of_which_nothing_can_be_said_is_refused(
        self, client: httpx2.AsyncClient, path: str, as_of: str
    ) -> None:
        answer = await client.get(f"{PATH}{path}as_of={as_of}")
        assert answer.status_code == 400
        assert [(issue["in"], issue["name"]) for issue in answer.json()["issues"]] == [("query", "as_of")]

    async def test_what_was_known_may_be_kept_for_a_day_and_has_a_tag(self, client: httpx2.AsyncClient) -> None:
        tags = set()
        for as_of in ("2024-03-01", "2024-03-02", "2024-04-01"):
            path = f"{PATH}/latest?as_of={as_of}"
            answer = await client.get(path)
            assert answer.headers["cache-control"] == f"public, max-age=86400, {WHILE_STALE}"
            again = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            tags.add(answer.headers["etag"])
        assert len(tags) == 2

    async def test_a_correction_counts_from_when_it_was_seen(self) -> None:
        moment = [NOW]
        last = BUNDLED.figures[-1]
        index = await service(
            BUNDLED.figures, (replace(last, value=last.value + 1), *BUNDLED.figures[:-1]), lambda: moment[0]
        )
        moment[0] += timedelta(days=365)
        async with make_client(make_app(index=index)) as client:
            path = f"{PATH}/{last.month}?base_year={last.base_year}"
            asked = ["", "&as_of=2026-09-10T11:59:59Z", "&as_of=2026-09-10T12:00:00Z", "&as_of=2027-01-01"]
            values = [exact(await client.get(path + when))["figures"][0]["value"] for when in asked]
        assert values == [last.value + 1, last.value, last.value + 1, last.value + 1]

    @slow(160)
    @given(
        instant=st.datetimes(datetime(1994, 2, 1), datetime(2026, 9, 9), timezones=st.just(UTC)),  # noqa: DTZ001 - UTC
        data=st.data(),
    )
    async def test_series_month_and_latest_agree_as_of_any_instant(
        self, client: httpx2.AsyncClient, instant: datetime, data: st.DataObject
    ) -> None:
        then = f"as_of={instant.isoformat().replace('+00:00', 'Z')}"
        latest = exact(await client.get(f"{PATH}/latest?{then}"))["figures"]
        base_year = data.draw(st.sampled_from([figure["base_year"] for figure in latest]))
        series = exact(await client.get(f"{PATH}?base_year={base_year}&{then}"))["items"]
        by_month = {item["month"]: {"base_year": base_year, **item} for item in series}
        (last,) = [figure for figure in latest if figure["base_year"] == base_year]
        last.pop("change", None)  # a series is given without it
        assert by_month[last["month"]] == last
        month = data.draw(st.sampled_from(sorted(by_month)))
        figures = exact(await client.get(f"{PATH}/{month}?{then}"))["figures"]
        (figure,) = [figure for figure in figures if figure["base_year"] == base_year]
        figure.pop("change", None)
        assert figure == by_month[month]
        calendar = PublicationCalendar()
        assert all(calendar.published_since(Figure(Month.parse(m), base_year, Decimal(1))) <= instant for m in by_month)


class TestInventedBaseYear:
    """A base year that no line of the code knows."""

    @pytest.fixture
    async def invented(self) -> HealthIndexService:
        news = tuple(
            Figure(Month(2026, number), 2035, Decimal(value)) for number, value in ((7, "80.11"), (8, "80.31"))
        )
        return await service(BUNDLED.figures, news)

    async def test_it_appears_everywhere(self, invented: HealthIndexService) -> None:
        async with make_client(make_app(index=invented)) as client:
            latest = exact(await client.get(f"{PATH}/latest"))["figures"][0]
            assert (latest["base_year"], latest["month"], latest["value"]) == (2035, "2026-08", Decimal("80.31"))
            month = exact(await client.get(f"{PATH}/2026-07"))["figures"]
            assert [figure["base_year"] for figure in month][:2] == [2035, 2025]
            assert exact(await client.get(f"{PATH}?base_year=2035"))["total"] == 2
            text = (await client.get(f"{PATH}?base_year=2035", headers={"Accept": "text/csv"})).text
            assert "2026-08,80.31,published," in text
            listed = exact(await client.get(f"{PATH}/base-years"))
            assert listed["items"][0] == {
                "base_year": 2035,
                "first_month": "2026-07",
                "last_month": "2026-08",
                "first_published": "2026-07",
                "last_published": "2026-08",
            }
            query = "amount=1000&from=2026-07&to=2026-08&base_year=2035"
            assert str(exact(await client.get(f"/v1/indexations?{query}"))["indexed"]) == "1002.50"
            assert exact(await client.get("/index?year=2035")) == {
                "base_year": 2035,
                "index": Decimal("80.31"),
                "month": "2026-08",
                "provenance": "published",
            }

    async def test_it_was_not_known_before_it_was_seen(self, invented: HealthIndexService) -> None:
        async with make_client(make_app(index=invented)) as client:
            answer = await client.get(f"{PATH}/latest?base_year=2035&as_of=2026-09-09")
            assert answer.json()["type"] == "urn:problem-type:belref:unknownBaseYear"

    async def test_nothing_is_derived_from_it_nor_converted_to_it(self, invented: HealthIndexService) -> None:
        async with make_client(make_app(index=invented)) as client:
            month = exact(await client.get(f"{PATH}/2026-08"))["figures"]
            assert exact(await client.get(f"{PATH}?base_year=2035"))["total"] == 2
        assert [(figure["base_year"], figure["provenance"]) for figure in month] == [
            (2035, "published"),
            (2025, "derived"),
            (2013, "published"),
            *[(base_year, "estimated") for base_year in (2004, 1996, 1988)],
        ]


class TestBaseYears:
    async def test_each_has_its_months_and_the_period_in_which_it_was_in_force(
        self, client: httpx2.AsyncClient
    ) -> None:
        body = exact(await client.get(f"{PATH}/base-years"))
        assert body["total"] == 5
        rows = [tuple(item.get(name, "") for name in ("base_year", *_PERIODS)) for item in body["items"]]
        assert rows == [
            (2025, "2014-01", "2026-08", "2025-07", "2026-07", "2026-01", ""),
            (2013, "1994-01", "2026-08", "1994-01", "2026-08", "2014-01", "2025-12"),
            (2004, "1994-01", "2026-08", "1994-01", "2024-10", "2006-01", "2013-12"),
            (1996, "1994-01", "2026-08", "1994-01", "2024-10", "1998-01", "2005-12"),
            (1988, "1994-01", "2026-08", "1994-01", "2024-10", "1994-01", "1997-12"),
        ]

    async def test_the_list_is_kept_as_briefly_as_what_is_latest(self, client: httpx2.AsyncClient) -> None:
        answer = await client.get(f"{PATH}/base-years")
        assert answer.headers["cache-control"] == f"public, max-age=300, {WHILE_STALE}"
        again = await client.get(f"{PATH}/base-years", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (await client.get(f"{PATH}/base-years?base_year=2013")).status_code == 400


_PERIODS = ("first_month", "last_month", "first_published", "last_published", "in_force_from", "in_force_to")
