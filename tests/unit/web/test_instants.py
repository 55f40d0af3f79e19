"""Instants in a query: the plus of an offset that arrives as a blank, and base years as they were known."""

import httpx2
import pytest

QUESTIONS = (
    "/v1/zipcodes/9000",
    "/v1/zipcodes",
    "/v1/risk-ranges",
    "/v1/health-index/latest",
    "/v1/health-index/2020-01",
)


@pytest.mark.parametrize("path", QUESTIONS)
@pytest.mark.parametrize("written", ["2026-09-05T12:00:00+01:00", "2026-09-05T12:00:00.25+02:00"])
async def test_a_plus_that_arrives_as_a_blank_is_named_with_the_right_spelling(
    client: httpx2.AsyncClient, path: str, written: str
) -> None:
    answer = await client.get(f"{path}?as_of={written}")
    (issue,) = answer.json()["issues"]
    right = written.replace("+", "%2B")
    assert (answer.status_code, issue["name"]) == (400, "as_of")
    assert "plus" in issue["detail"]
    assert right in issue["detail"]
    assert (await client.get(f"{path}?as_of={right}")).status_code == 200


@pytest.mark.parametrize("written", ["x T 01:00", "2026-09-05T12:00:00 1:00", "2026-09-05 01:00"])
async def test_a_blank_elsewhere_is_not_taken_for_a_plus(client: httpx2.AsyncClient, written: str) -> None:
    (issue,) = (await client.get("/v1/health-index/latest", params={"as_of": written})).json()["issues"]
    assert "plus" not in issue["detail"]


@pytest.mark.parametrize(
    ("as_of", "bases", "last"),
    [("1997-12-31", [1988], "1997-12"), ("2024-03-01", [2013, 2004, 1996, 1988], "2024-02")],
)
async def test_base_years_are_told_as_they_were_known(
    client: httpx2.AsyncClient, as_of: str, bases: list[int], last: str
) -> None:
    answer = await client.get(f"/v1/health-index/base-years?as_of={as_of}")
    items = answer.json()["items"]
    assert [item["base_year"] for item in items] == bases
    assert items[0]["last_month"] == last
    assert "max-age=86400" in answer.headers["cache-control"]
    now = await client.get("/v1/health-index/base-years")
    assert now.headers["etag"] != answer.headers["etag"]
