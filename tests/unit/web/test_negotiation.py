"""Which of two media types an answer has, and what it varies by."""

import httpx2
import pytest
from tests.worlds import make_app, make_client

SERIES = "/v1/health-index?base_year=2013&from=2020-01&to=2020-02"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (["text/csv;q=0.2, application/json;q=0.1"], "text/csv"),
        (["text/html", "text/csv"], "text/csv"),  # two header lines are one list
        (["text/csv;q=0, */*"], "application/json"),
        (["*/*;q=0.1, application/json;q=0"], "text/csv"),
        (["TEXT/CSV"], "text/csv"),
        (["text/*"], "text/csv"),
        ([""], "application/json"),
        (["text/csv;q=inf"], "application/json"),  # malformed ranges say nothing
        (["text/csv;q=1e999, application/json;q=2"], "application/json"),
        (["text/csv, application/json;q=2"], "text/csv"),
        (["application/json;q=0"], None),
        (["*/*;q=0"], None),
        (["nonsense"], "application/json"),
        (["image/png"], None),
    ],
)
async def test_the_client_gets_what_it_wants_most_or_a_406(
    client: httpx2.AsyncClient, accept: list[str], media_type: str | None
) -> None:
    del client.headers["accept"]
    answer = await client.get(SERIES, headers=[("Accept", value) for value in accept])
    if media_type is None:
        assert answer.status_code == 406
    else:
        assert answer.headers["content-type"].split(";")[0] == media_type


async def test_csv_says_its_charset_once(client: httpx2.AsyncClient) -> None:
    answer = await client.get(SERIES, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; header=present; charset=utf-8"


async def test_restricted_origins_do_not_hide_that_the_answer_varies_by_media_type() -> None:
    async with make_client(make_app(allow_origins=("https://a.example",))) as client:
        answer = await client.get(SERIES, headers={"Origin": "https://a.example"})
    assert {name.strip() for name in answer.headers["vary"].split(",")} == {"Accept", "Origin"}
