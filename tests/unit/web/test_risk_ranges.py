"""A whole risk table, for a client that embeds it."""

import csv
import hashlib
import io
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import Operator, make_app, make_client
from tests.worlds.examples import slow
from tests.worlds.risk_tables import put_into_service

from adapters.memory import InMemoryZipcodeRepository
from domain.risk.tables import RiskFactor, RiskRange, RiskRow, RiskTable

PATH = "/v1/risk-ranges"
CSV = {"Accept": "text/csv"}
TABLE = ((1000, 1310, "C"), (1315, 1315, "B"), (9170, 9240, "A"))


@pytest.fixture
async def operator() -> Operator:
    operator = Operator()
    await operator.activates(*TABLE)
    return operator


async def get(operator: Operator, path: str = PATH, **headers: str) -> Any:
    async with make_client(operator.app) as client:
        return await client.get(path, headers=headers)


def digest(content: bytes) -> str:
    return f"sha-256=:{b64encode(hashlib.sha256(content).digest()).decode()}:"


async def test_it_is_given_as_its_ranges_ascending(operator: Operator) -> None:
    (release,) = (await operator.repository.history()).releases
    assert (await get(operator)).json() == {
        "items": [
            {"first": 1000, "last": 1310, "risk_factor": "C"},
            {"first": 1315, "last": 1315, "risk_factor": "B"},
            {"first": 9170, "last": 9240, "risk_factor": "A"},
        ],
        "total": 3,
        "release": release.id,
        "sha256": release.table_sha256,
    }


async def test_the_same_as_csv(operator: Operator) -> None:
    answer = await get(operator, Accept="text/csv")
    assert answer.headers["content-type"] == "text/csv; header=present; charset=utf-8"
    assert answer.content == b"first,last,risk_factor\r\n1000,1310,C\r\n1315,1315,B\r\n9170,9240,A\r\n"


async def test_the_sum_is_of_what_the_table_says_and_anyone_can_add_it_up(operator: Operator) -> None:
    body = (await get(operator)).json()
    factors = bytearray(10_000)
    for item in body["items"]:
        for zipcode in range(item["first"], item["last"] + 1):
            factors[zipcode] = ord(item["risk_factor"])
    assert hashlib.sha256(factors).hexdigest() == body["sha256"]


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
async def test_the_headers_name_the_release_and_the_sum_of_the_bytes(operator: Operator, accept: str) -> None:
    answer = await get(operator, Accept=accept, **{"Accept-Encoding": "identity"})
    assert answer.headers["x-release"] == (await operator.repository.history()).active.id
    assert answer.headers["repr-digest"] == digest(answer.content)
    assert "Accept" in answer.headers["vary"].split(", ")


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
async def test_whoever_embeds_it_asks_whether_it_still_holds(operator: Operator, accept: str) -> None:
    first = await get(operator, Accept=accept)
    tag = first.headers["etag"]
    kept = await get(operator, Accept=accept, **{"If-None-Match": tag})
    assert (kept.status_code, kept.content) == (304, b"")
    assert "repr-digest" not in kept.headers  # what the client has keeps its own
    assert (kept.headers["etag"], kept.headers["x-release"]) == (tag, first.headers["x-release"])
    await operator.activates((1000, 1310, "C"))
    changed = await get(operator, Accept=accept, **{"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["repr-digest"] != first.headers["repr-digest"]
    await operator.rolls_back()
    assert (await get(operator, Accept=accept, **{"If-None-Match": tag})).status_code == 304


async def test_the_two_formats_have_tags_of_their_own(operator: Operator) -> None:
    tags = {(await get(operator, Accept=accept)).headers["etag"] for accept in ("application/json", "text/csv")}
    assert len(tags) == 2


async def test_a_head_has_the_headers_of_the_answer(operator: Operator) -> None:
    async with make_client(operator.app) as client:
        answer, head = await client.get(PATH), await client.head(PATH)
    assert head.content == b""
    for name in ("etag", "x-release", "repr-digest", "content-type", "content-length"):
        assert head.headers[name] == answer.headers[name]


async def test_any_other_format_is_refused(operator: Operator) -> None:
    answer = await get(operator, Accept="application/xml")
    assert (answer.status_code, answer.json()["type"]) == (406, "urn:problem-type:belgif:notAcceptable")


async def test_a_release_that_is_not_in_service_has_its_table_too(operator: Operator) -> None:
    staged = await operator.loads((1000, 1000, "A"))
    answer = await get(operator, f"{PATH}?release={staged.id}", **CSV)
    assert answer.text == "first,last,risk_factor\r\n1000,1000,A\r\n"
    assert answer.headers["x-release"] == staged.id


async def test_pages_of_browsers_may_read_these_headers(operator: Operator) -> None:
    exposed = (await get(operator, Origin="https://shop.example")).headers["access-control-expose-headers"]
    assert {"etag", "x-release", "repr-digest"} <= set(exposed.lower().split(", "))


_repository = InMemoryZipcodeRepository()
_app = make_app(_repository)
_factors = st.dictionaries(
    st.integers(1000, 1040) | st.integers(1000, 9999), st.sampled_from(RiskFactor), min_size=1, max_size=60
)


@slow(160)
@given(factors=_factors, singly=st.booleans())
async def test_what_is_read_again_is_the_same_table(factors: dict[int, RiskFactor], *, singly: bool) -> None:
    table = RiskTable.from_factors(factors)
    if singly:
        table = RiskTable(RiskRange(zipcode, zipcode, factor) for zipcode, factor in factors.items())
    release = await put_into_service(_repository, table)
    async with make_client(_app) as client:
        lines = await client.get(PATH, headers=CSV)
        body = (await client.get(PATH)).json()
    header, *rows = csv.reader(io.StringIO(lines.text))
    assert header == ["first", "last", "risk_factor"]
    again = RiskTable.from_rows(RiskRow(line, *row) for line, row in enumerate(rows, start=2))
    embedded = RiskTable(RiskRange(i["first"], i["last"], RiskFactor(i["risk_factor"])) for i in body["items"])
    assert again == embedded == table
    assert body["sha256"] == again.digest == release.table_sha256
    assert lines.headers["x-release"] == body["release"] == release.id
