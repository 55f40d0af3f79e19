"""`/v1/health-index`."""

import csv
import io
from datetime import UTC, datetime

import httpx2
import pytest
from tests.worlds import NOW, make_app, make_client, make_index

from adapters.bundled import load_snapshot
from adapters.memory import InMemoryHealthIndexProvider
from domain.health_index.table import IndexTable
from entrypoints.http.representation import WHILE_STALE


async def test_the_latest_figures_come_with_the_latest_base_year_first(client: httpx2.AsyncClient) -> None:
    body = (await client.get("/v1/health-index/latest")).json()
    assert body["month"] == "2026-08"
    assert [(f["base_year"], f["month"], f["value"], f["provenance"]) for f in body["figures"]] == [
        (2025, "2026-08", 103.49, "derived"),
        (2013, "2026-08", 140.3, "published"),
        (2004, "2026-08", 169.44, "estimated"),
        (1996, "2026-08", 192.77, "estimated"),
        (1988, "2026-08", 232.43, "estimated"),
    ]
    assert [f.get("margin") for f in body["figures"]] == [None, None, 0.02, 0.02, 0.02]
    assert {tuple(f["change"].items()) for f in body["figures"]} == {(("month", 0.24), ("year", 3.44))}


async def test_what_statbel_published_may_be_kept_alone(client: httpx2.AsyncClient) -> None:
    body = (await client.get("/v1/health-index/latest?provenance=published")).json()
    assert body["month"] == "2026-08"
    assert [(f["base_year"], f["month"], f["value"]) for f in body["figures"]] == [
        (2025, "2026-07", 103.24),
        (2013, "2026-08", 140.3),
        (2004, "2024-10", 160.58),
        (1996, "2024-10", 182.69),
        (1988, "2024-10", 220.26),
    ]
    assert {f["provenance"] for f in body["figures"]} == {"published"}


@pytest.mark.parametrize("provenance", ["derived", "Published", ""])
async def test_no_other_provenance_can_be_kept(client: httpx2.AsyncClient, provenance: str) -> None:
    answer = await client.get("/v1/health-index/latest", params={"provenance": provenance})
    assert (answer.status_code, answer.json()["issues"][0]["name"]) == (400, "provenance")


async def test_a_base_year_keeps_one_figure_and_its_own_month(client: httpx2.AsyncClient) -> None:
    body = (await client.get("/v1/health-index/latest?base_year=2004&provenance=published")).json()
    assert body["month"] == "2024-10"
    assert [f["base_year"] for f in body["figures"]] == [2004]


async def test_the_answer_says_how_fresh_it_is_and_whose_figures_they_are(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/v1/health-index/latest")).json()["freshness"] == {
        "latest_month": "2026-08",
        "as_of": "2026-11-22T00:00:00Z",
        "source": "snapshot",
        "attribution": "Statbel (Statistics Belgium), CC BY 4.0",
        "next_publication": "2026-09-29",
        "status": "fresh",
    }


async def test_values_have_two_decimals_and_are_numbers(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/health-index/2026-08?base_year=2013")
    assert '"value":140.30,' in answer.text


async def test_a_month_has_a_figure_in_each_base_year_published_or_derived(client: httpx2.AsyncClient) -> None:
    body = (await client.get("/v1/health-index/2025-06")).json()
    assert [(f["base_year"], f["value"], f["provenance"]) for f in body["figures"]] == [
        (2025, 99.61, "derived"),
        (2013, 135.04, "published"),
        (2004, 163.09, "derived"),
        (1996, 185.54, "derived"),
        (1988, 223.71, "derived"),
    ]


async def test_the_brief_s_example_is_the_figure_of_april_2022(client: httpx2.AsyncClient) -> None:
    (figure,) = (await client.get("/v1/health-index/2022-04?base_year=2004")).json()["figures"]
    assert figure["value"] == 144.43


@pytest.mark.parametrize("month", ["2024-13", "2024-1", "202401", "2024-00", "24-01", "2024-01-01", "x", "2024-01 "])
async def test_what_is_no_month_is_bad_input(client: httpx2.AsyncClient, month: str) -> None:
    answer = await client.get(f"/v1/health-index/{month}")
    assert answer.status_code == 400
    assert answer.json()["issues"][0] == {
        "in": "path",
        "name": "month",
        "detail": f"'{month}' is not a month written as YYYY-MM",
        "value": month,
    }


async def test_before_1994_there_is_no_health_index(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/health-index/1993-12")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:problem-type:belref:beforeFirstMonth"
    assert (await client.get("/v1/health-index/1994-01")).status_code == 200


async def test_a_month_to_come_is_announced(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/health-index/2026-09")
    assert answer.status_code == 404
    body = answer.json()
    assert body["type"] == "urn:problem-type:belref:notYetPublished"
    assert body["next_publication"] == "2026-09-29"


async def test_where_no_rule_leads_there_is_no_figure(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/health-index/2010-06?base_year=2025")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:problem-type:belref:noFigure"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/health-index/latest?base_year=2020",
        "/v1/health-index/2024-01?base_year=2020",
        "/v1/health-index?base_year=2020",
    ],
)
async def test_a_base_year_that_is_not_published_is_refused(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:problem-type:belref:unknownBaseYear"


class TestSeries:
    async def test_holds_both_ends_ascending(self, client: httpx2.AsyncClient) -> None:
        body = (await client.get("/v1/health-index?base_year=2013&from=2020-01&to=2020-12")).json()
        months = [item["month"] for item in body["items"]]
        assert months == [f"2020-{number:02}" for number in range(1, 13)]
        assert body["total"] == 12
        assert body["items"][0] == {
            "month": "2020-01",
            "value": 109.72,
            "provenance": "published",
            "smoothed": 107.04,
            "smoothed_provenance": "published",
        }

    async def test_is_whole_without_bounds(self, client: httpx2.AsyncClient) -> None:
        body = (await client.get("/v1/health-index?base_year=2013")).json()
        assert (body["items"][0]["month"], body["items"][-1]["month"], body["total"]) == ("1994-01", "2026-08", 392)

    async def test_goes_on_with_derived_figures_where_they_can_be_had(self, client: httpx2.AsyncClient) -> None:
        body = (await client.get("/v1/health-index?base_year=2004&from=2024-09&to=2026-08")).json()
        provenances = [(item["month"], item["provenance"]) for item in body["items"]]
        assert provenances[:3] == [("2024-09", "published"), ("2024-10", "published"), ("2024-11", "derived")]
        assert provenances[-9:-7] == [("2025-12", "derived"), ("2026-01", "estimated")]
        assert provenances[-1] == ("2026-08", "estimated")

    async def test_is_the_same_as_csv(self, client: httpx2.AsyncClient) -> None:
        query = "/v1/health-index?base_year=2013&from=2023-10&to=2024-02"
        answer = await client.get(query, headers={"Accept": "text/csv"})
        assert answer.headers["content-type"].startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        items = (await client.get(query)).json()["items"]
        assert [(row["month"], float(row["value"]), row["provenance"]) for row in rows] == [
            (item["month"], item["value"], item["provenance"]) for item in items
        ]
        assert [row["smoothed"] for row in rows] == [f"{i['smoothed']:.2f}" for i in items]
        assert [row["smoothed_provenance"] for row in rows] == [i["smoothed_provenance"] for i in items]
        assert {row["smoothed_provenance"] for row in rows} == {"published", "derived"}

    @pytest.mark.parametrize(
        ("accept", "media_type"),
        [
            ("*/*", "application/json"),
            ("application/json", "application/json"),
            ("text/csv", "text/csv"),
            ("text/csv;q=0.5, application/json", "application/json"),
            ("text/html, text/csv;q=0.9, */*;q=0.1", "text/csv"),
        ],
    )
    async def test_is_what_the_client_accepts(self, client: httpx2.AsyncClient, accept: str, media_type: str) -> None:
        answer = await client.get("/v1/health-index?base_year=2013", headers={"Accept": accept})
        assert answer.headers["content-type"].split(";")[0] == media_type
        assert "Accept" in answer.headers["vary"].split(", ")

    async def test_is_not_to_be_had_as_anything_else(self, client: httpx2.AsyncClient) -> None:
        answer = await client.get("/v1/health-index?base_year=2013", headers={"Accept": "application/xml"})
        assert answer.status_code == 406
        assert answer.json()["type"] == "urn:problem-type:belgif:notAcceptable"

    @pytest.mark.parametrize(
        ("query", "status", "kind"),
        [
            ("", 400, "belgif:badRequest"),
            ("?base_year=x", 400, "belgif:badRequest"),
            ("?base_year=2013&from=2020-13", 400, "belgif:badRequest"),
            ("?base_year=2013&from=2020-02&to=2020-01", 400, "belgif:badRequest"),
            ("?base_year=2013&from=2027-02&to=2027-01", 400, "belgif:badRequest"),
            ("?base_year=2013&from=1993-12", 404, "belref:beforeFirstMonth"),
            ("?base_year=2013&to=1993-12", 404, "belref:beforeFirstMonth"),
            ("?base_year=2013&from=2026-09", 404, "belref:notYetPublished"),
            ("?base_year=2025&from=1994-01&to=2013-12", 404, "belref:noFigure"),
        ],
    )
    async def test_says_why_it_is_refused(self, client: httpx2.AsyncClient, query: str, status: int, kind: str) -> None:
        answer = await client.get(f"/v1/health-index{query}")
        assert answer.status_code == status
        assert answer.json()["type"] == f"urn:problem-type:{kind}"

    async def test_ends_with_what_is_known(self, client: httpx2.AsyncClient) -> None:
        body = (await client.get("/v1/health-index?base_year=2013&from=2026-07&to=2030-01")).json()
        assert [item["month"] for item in body["items"]] == ["2026-07", "2026-08"]


async def test_series_month_and_latest_agree_on_every_published_figure(client: httpx2.AsyncClient) -> None:
    table = IndexTable(load_snapshot().figures)
    for base_year in table.base_years:
        series = (await client.get(f"/v1/health-index?base_year={base_year}")).json()["items"]
        by_month = {item["month"]: item["value"] for item in series}
        for figure in table.figures():
            if figure.base_year == base_year:
                assert by_month[str(figure.month)] == float(figure.value)
        last = (await client.get(f"/v1/health-index/latest?base_year={base_year}")).json()["figures"][0]
        assert by_month[last["month"]] == last["value"]


class TestCaching:
    async def test_an_answer_that_the_client_has_is_not_sent_again(self, client: httpx2.AsyncClient) -> None:
        first = await client.get("/v1/health-index/latest")
        for given in (first.headers["etag"], f'"x", {first.headers["etag"]}', "*", first.headers["etag"][2:]):
            again = await client.get("/v1/health-index/latest", headers={"If-None-Match": given})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"]
        other = await client.get("/v1/health-index/latest", headers={"If-None-Match": '"other"'})
        assert other.status_code == 200

    async def test_json_and_csv_have_different_tags(self, client: httpx2.AsyncClient) -> None:
        json = await client.get("/v1/health-index?base_year=2013")
        csv_ = await client.get("/v1/health-index?base_year=2013", headers={"Accept": "text/csv"})
        assert json.headers["etag"] != csv_.headers["etag"]

    async def test_head_is_get_without_the_body(self, client: httpx2.AsyncClient) -> None:
        for path in ("/v1/health-index/latest", "/index", "/v1/zipcodes", "/nothing"):
            get, head = await client.get(path), await client.head(path)
            assert head.content == b""
            assert (head.status_code, head.headers.get("etag")) == (get.status_code, get.headers.get("etag"))
            if get.status_code == 200:
                assert head.headers["content-length"] == get.headers["content-length"]

    @pytest.mark.parametrize(
        ("now", "path", "max_age"),
        [
            (NOW, "/v1/health-index/latest", 300),
            (NOW, "/v1/health-index/2020-01", 86400),
            (datetime(2026, 9, 28, 21, 58, tzinfo=UTC), "/v1/health-index/latest", 120),
            (datetime(2026, 9, 28, 21, 58, tzinfo=UTC), "/index", 120),
            (datetime(2026, 10, 15, tzinfo=UTC), "/v1/health-index/latest", 60),
        ],
    )
    async def test_no_lifetime_outlives_the_day_of_the_next_publication(
        self, now: datetime, path: str, max_age: int
    ) -> None:
        async with make_client(make_app(now=now)) as client:
            assert (await client.get(path)).headers["cache-control"] == f"public, max-age={max_age}, {WHILE_STALE}"

    async def test_the_tag_changes_when_a_figure_does_and_not_when_a_reading_brings_nothing(self) -> None:
        bundled = load_snapshot()
        without_last = IndexTable(f for f in bundled.figures if f.month < (2026, 8) and f.base_year != 2025)

        def clock() -> datetime:
            return NOW

        source = type(bundled)(tuple(without_last.figures()), NOW, "statbel")
        index = make_index(InMemoryHealthIndexProvider(source, clock), source, clock)
        async with make_client(make_app(index=index)) as client:
            before = (await client.get("/v1/health-index/latest")).headers["etag"]
            await index.refresh()
            assert (await client.get("/v1/health-index/latest")).headers["etag"] == before
        everything = [f for f in bundled.figures if f.base_year != 2025]
        complete = make_index(
            InMemoryHealthIndexProvider(type(bundled)(tuple(everything), NOW, "statbel")), source, clock
        )
        await complete.refresh()
        async with make_client(make_app(index=complete)) as client:
            assert (await client.get("/v1/health-index/latest")).headers["etag"] != before
