"""`/v1/zipcodes`."""

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import make_app, make_client
from tests.worlds.risk_tables import put_into_service

from adapters.memory import InMemoryZipcodeRepository
from domain.risk.tables import RiskFactor, RiskTable


async def test_a_zipcode_has_a_factor_in_a_release(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/zipcodes/9000")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["zipcode"], body["risk_factor"]) == (9000, "B")
    assert body["release"] == answer.headers["x-release"] == "0001-168866b8"


async def test_a_zipcode_without_a_factor_is_a_problem_of_its_own(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/zipcodes/9993")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:problem-type:belref:noRiskFactor"


@pytest.mark.parametrize("zipcode", ["999", "10000", "abc", "-1", "09000", "' OR '1'='1"])
async def test_what_is_no_zipcode_is_refused_with_its_value(client: httpx2.AsyncClient, zipcode: str) -> None:
    answer = await client.get(f"/v1/zipcodes/{zipcode}")
    assert answer.status_code == 400
    body = answer.json()
    assert body["type"] == "urn:problem-type:belref:invalidZipcode"
    detail = f"Zipcode {zipcode} is not valid"
    assert body["issues"] == [{"in": "path", "name": "zipcode", "detail": detail, "value": zipcode}]


async def test_one_call_lists_every_zipcode_that_has_a_factor(client: httpx2.AsyncClient) -> None:
    body = (await client.get("/v1/zipcodes")).json()
    assert body["total"] == len(body["items"]) == 8554
    assert "next" not in body
    zipcodes = [item["zipcode"] for item in body["items"]]
    assert zipcodes == sorted(set(zipcodes))


async def test_the_factor_may_be_repeated(client: httpx2.AsyncClient) -> None:
    both = (await client.get("/v1/zipcodes?risk_factor=A&risk_factor=C")).json()
    assert {item["risk_factor"] for item in both["items"]} == {"A", "C"}


_repository = InMemoryZipcodeRepository()
_app = make_app(_repository)
_tables = st.dictionaries(st.integers(1000, 9999), st.sampled_from(RiskFactor), min_size=1, max_size=40)


@given(_tables, st.integers(1, 45), st.sets(st.sampled_from(RiskFactor)))
async def test_following_next_gives_every_item_once_in_order(
    factors: dict[int, RiskFactor], page_size: int, wanted: set[RiskFactor]
) -> None:
    await put_into_service(_repository, RiskTable.from_factors(factors))
    async with make_client(_app) as client:
        query = httpx2.QueryParams([("page_size", page_size), *(("risk_factor", factor.value) for factor in wanted)])
        path: str | None = f"/v1/zipcodes?{query}"
        items: list[dict[str, object]] = []
        while path is not None:
            body = (await client.get(path)).json()
            assert len(body["items"]) <= page_size
            items += body["items"]
            path = body.get("next")
    expected = [
        {"zipcode": zipcode, "risk_factor": factor.value}
        for zipcode, factor in sorted(factors.items())
        if not wanted or factor in wanted
    ]
    assert items == expected


async def test_a_page_after_the_last_is_empty(client: httpx2.AsyncClient) -> None:
    body = (await client.get("/v1/zipcodes?page=1000&page_size=100")).json()
    assert body["items"] == []
    assert body["total"] == 8554
    assert "next" not in body


async def test_the_pages_of_a_list_come_from_one_table_whatever_happens_meanwhile() -> None:
    repository = InMemoryZipcodeRepository()
    old = await put_into_service(repository, RiskTable.from_factors(dict.fromkeys((1000, 1001, 1002), RiskFactor.A)))
    async with make_client(make_app(repository)) as client:
        first = (await client.get("/v1/zipcodes?page_size=2")).json()
        await put_into_service(repository, RiskTable.from_factors({9999: RiskFactor.B}))
        second = (await client.get(first["next"])).json()
    assert second == {
        "items": [{"zipcode": 1002, "risk_factor": "A"}],
        "total": 3,
        "page": 2,
        "page_size": 2,
        "release": old.id,
    }


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=x", "page=1000001", "page_size=0", "page_size=10001", "page_size=", "risk_factor=D"],
)
async def test_a_page_that_cannot_be_is_bad_input(client: httpx2.AsyncClient, query: str) -> None:
    answer = await client.get(f"/v1/zipcodes?{query}")
    assert answer.status_code == 400
    assert answer.json()["issues"][0]["name"] == query.split("=", maxsplit=1)[0]


async def test_without_a_table_the_answer_is_to_try_again() -> None:
    async with make_client(make_app(InMemoryZipcodeRepository())) as client:
        for path in (
            *("/v1/zipcodes/9000", "/v1/zipcodes", "/zipcodes/9000", "/databases/zipcodes?risk_factor=A"),
            "/v1/risk-ranges",
        ):
            answer = await client.get(path)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json()["type"] == "urn:problem-type:belgif:serviceUnavailable"
