"""What every body is held to: one value for a key, no coding, and no noise about a client that breaks off."""

import gzip
import json
from typing import Any

import httpx2
import pytest
from litestar.types import Message
from structlog.testing import capture_logs
from tests.worlds import Application

CASES = {
    "/v1/indexations": (b'"items"', b'{"amount":"500","from":"2010-06","to":"2019-08"}'),
    "/v1/rent-indexations": (
        b'"items"',
        b'{"rent":"500","region":"brussels","signed_on":"2010-07-25","starts_on":"2010-09-01","on":"2020-01-01"}',
    ),
    "/v1/zipcodes/lookup": (b'"zipcodes"', b"9000"),
}
every = pytest.mark.parametrize("path", CASES)
JSON = {"Content-Type": "application/json"}


def body(path: str, *cases: bytes) -> bytes:
    name, case = CASES[path]
    return b"{" + name + b":[" + b",".join(cases or (case,)) + b"]}"


@every
@pytest.mark.parametrize("other", [b"%s:[%s]", b"%s: [ %s ]"])
async def test_a_list_of_cases_that_is_given_twice_is_refused(
    client: httpx2.AsyncClient, path: str, other: bytes
) -> None:
    name, case = CASES[path]
    twice = body(path)[:-1] + b"," + other % (name, case) + b"}"
    answer = await client.post(path, content=twice, headers=JSON)
    (issue,) = answer.json()["issues"]
    assert (answer.status_code, issue["name"]) == (400, json.loads(name))
    assert "more than once" in issue["detail"]


@pytest.mark.parametrize("again", [b'"amount"', b'"am\\u006funt"'])
async def test_a_key_of_one_case_that_is_given_twice_is_a_problem_of_that_case_alone(
    client: httpx2.AsyncClient, again: bytes
) -> None:
    path = "/v1/indexations"
    good = CASES[path][1]
    bad = good[:-1] + b"," + again + b':"5000"}'
    first, second = (await client.post(path, content=body(path, bad, good), headers=JSON)).json()["items"]
    assert first["problem"]["issues"][0]["name"] == "amount"
    assert second["result"]["indexed"] == 584.18


@every
async def test_the_same_key_in_two_cases_is_no_matter(client: httpx2.AsyncClient, path: str) -> None:
    case = CASES[path][1]
    answer = await client.post(path, content=body(path, case, case), headers=JSON)
    assert [set(item) for item in answer.json()["items"]] == [{"result"}, {"result"}]


@every
@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "gzip, identity"])
async def test_a_body_with_a_coding_is_refused_in_words(client: httpx2.AsyncClient, path: str, coding: str) -> None:
    headers = JSON | {"Content-Encoding": coding}
    answer = await client.post(path, content=gzip.compress(body(path)), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:problem-type:belgif:unsupportedMediaType")
    assert coding.lower() in answer.json()["detail"]


@every
async def test_a_body_that_says_that_it_has_no_coding_is_read(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.post(path, content=body(path), headers=JSON | {"Content-Encoding": "identity"})
    assert answer.status_code == 200


@every
async def test_a_client_that_breaks_off_is_counted_as_that_and_leaves_no_trace(app: Application, path: str) -> None:
    messages: list[Any] = [
        {"type": "http.request", "body": b'{"items":[', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Message] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"belref.test"), (b"content-type", b"application/json")],
    }
    with capture_logs() as logs:
        await app(scope, receive, send)
    assert sent[0]["status"] == 499  # type: ignore[typeddict-item]
    assert [(line["event"], line["status"], line["log_level"]) for line in logs] == [("request", 499, "info")]
