"""`/v1/health-index/{month}/check`: a claimed figure, and what it is."""

import httpx2
import pytest

PATH = "/v1/health-index/2022-04/check"


async def test_a_figure_that_is_right_matches(client: httpx2.AsyncClient) -> None:
    body = (await client.get(f"{PATH}?value=119.59&base_year=2013")).json()
    figure = {"month": "2022-04", "base_year": 2013, "index": "health", "value": 119.59, "provenance": "published"}
    assert body == {
        "month": "2022-04",
        "claimed": 119.59,
        "verdict": "match",
        "figure": figure,
        "is": figure,
        "detail": "119.59 is right: the health index of 2022-04 in base 2013 is 119.59 (published)",
        "attribution": "Statbel (Statistics Belgium), CC BY 4.0",
    }


@pytest.mark.parametrize(
    ("query", "verdict", "figure", "really"),
    [
        ("value=144.43", "match", 144.43, ("2022-04", 2004, "health")),
        ("value=144.43&base_year=2013", "otherBaseYear", 119.59, ("2022-04", 2004, "health")),
        ("value=116.52&base_year=2013", "smoothed", 119.59, ("2022-04", 2013, "smoothed")),
        ("value=119.59&base_year=2013&index=smoothed", "smoothed", 116.52, ("2022-04", 2013, "health")),
        ("value=119.05&base_year=2013", "otherMonth", 119.59, ("2022-03", 2013, "health")),
        ("value=99.99&base_year=2013", "unknown", 119.59, None),
    ],
)
async def test_what_it_is_otherwise_is_named(
    client: httpx2.AsyncClient, query: str, verdict: str, figure: float, really: tuple[str, int, str] | None
) -> None:
    body = (await client.get(f"{PATH}?{query}")).json()
    assert (body["verdict"], body["figure"]["value"]) == (verdict, figure)
    found = body.get("is")
    assert (found and (found["month"], found["base_year"], found["index"])) == really


async def test_an_estimated_figure_comes_with_its_margin(client: httpx2.AsyncClient) -> None:
    body = (await client.get("/v1/health-index/2026-04/check?value=168.27&base_year=2004")).json()
    assert (body["verdict"], body["figure"]["provenance"], body["figure"]["margin"]) == ("match", "estimated", 0.02)


@pytest.mark.parametrize("value", ["119,59", "-1", "1e2", "119.591", "", "NaN", "1234567", "\u0661", "1" * 40])
async def test_what_can_be_no_index_is_bad_input(client: httpx2.AsyncClient, value: str) -> None:
    answer = await client.get(PATH, params={"value": value})
    assert (answer.status_code, answer.json()["issues"][0]["name"]) == (400, "value")


@pytest.mark.parametrize("value", ["119.59", "119.590", "119.5900"])
async def test_it_is_the_same_in_every_plain_notation(client: httpx2.AsyncClient, value: str) -> None:
    assert '"claimed":119.59,' in (await client.get(PATH, params={"value": value})).text


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/v1/health-index/2022-13/check?value=1", 400, "belgif:badRequest"),
        ("/v1/health-index/2022-04/check", 400, "belgif:badRequest"),
        ("/v1/health-index/2022-04/check?value=1&base_year=2020", 400, "belref:unknownBaseYear"),
        ("/v1/health-index/2022-04/check?value=1&index=consumer", 400, "belgif:badRequest"),
        ("/v1/health-index/1993-12/check?value=1", 404, "belref:beforeFirstMonth"),
        ("/v1/health-index/2026-09/check?value=1", 404, "belref:notYetPublished"),
        ("/v1/health-index/2010-06/check?value=1&base_year=2025", 404, "belref:noFigure"),
    ],
)
async def test_it_says_why_it_is_refused(client: httpx2.AsyncClient, path: str, status: int, kind: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:problem-type:{kind}")


async def test_an_unchanged_answer_is_not_sent_again(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"{PATH}?value=119.59")
    again = await client.get(f"{PATH}?value=119.59", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
