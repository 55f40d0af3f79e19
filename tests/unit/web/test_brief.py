"""The routes of the brief, exactly."""

import httpx2
import pytest
from tests.worlds import make_app, make_client
from tests.worlds.risk_tables import draft

from adapters.memory import InMemoryZipcodeRepository
from domain.risk.tables import RiskFactor, RiskRange, RiskTable


@pytest.mark.parametrize(
    ("year", "figure", "provenance"),
    [
        (2013, "140.30", "published"),
        (2004, "169.44", "estimated"),
        (1996, "192.77", "estimated"),
        (2025, "103.49", "derived"),
    ],
)
async def test_the_latest_index_of_a_base_year_is_a_number_with_two_decimals(
    client: httpx2.AsyncClient, year: int, figure: str, provenance: str
) -> None:
    answer = await client.get("/index", params={"year": year})
    assert answer.status_code == 200
    assert answer.text == (f'{{"base_year":{year},"index":{figure},"month":"2026-08","provenance":"{provenance}"}}')


async def test_the_base_year_is_2004_unless_another_is_asked_for(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/index")).json()["base_year"] == 2004


@pytest.mark.parametrize("year", ["2020", "0", "-1", "99999999999999999"])
async def test_a_base_year_that_is_not_published_is_not_found(client: httpx2.AsyncClient, year: str) -> None:
    answer = await client.get("/index", params={"year": year})
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"Year {int(year)} is not valid"


@pytest.mark.parametrize("year", ["", "abc", "2004.0", " 2004", "+2004", "٢٠٠٤", "9" * 200, "2004;drop table", "\x00"])
async def test_a_year_that_is_no_whole_number_is_bad_input(client: httpx2.AsyncClient, year: str) -> None:
    answer = await client.get("/index", params={"year": year})
    assert answer.status_code == 400
    (issue,) = answer.json()["issues"]
    assert (issue["in"], issue["name"]) == ("query", "year")


@pytest.mark.parametrize("prefix", ["/zipcodes", "/databases/zipcodes"])
class TestZipcode:
    async def test_with_a_factor_exists(self, client: httpx2.AsyncClient, prefix: str) -> None:
        answer = await client.get(f"{prefix}/9000")
        assert answer.json() == {"zipcode": 9000, "risk_factor": "B", "exists": True}

    async def test_without_a_factor_does_not_exist(self, client: httpx2.AsyncClient, prefix: str) -> None:
        answer = await client.get(f"{prefix}/9993")
        assert answer.status_code == 200
        assert answer.json() == {"zipcode": 9993, "risk_factor": None, "exists": False}

    @pytest.mark.parametrize("zipcode", ["999", "10000", "0", "-9000", "09000", "9" * 30])
    async def test_outside_1000_to_9999_is_not_found(
        self, client: httpx2.AsyncClient, prefix: str, zipcode: str
    ) -> None:
        answer = await client.get(f"{prefix}/{zipcode}")
        assert answer.status_code == 404
        assert answer.json()["detail"] == f"Zipcode {zipcode} is not valid"

    @pytest.mark.parametrize("zipcode", ["abc", "9000.0", "90 00", "' OR '1'='1", "٩٠٠٠", "%00", "1e3"])
    async def test_that_is_no_integer_is_bad_input(self, client: httpx2.AsyncClient, prefix: str, zipcode: str) -> None:
        answer = await client.get(f"{prefix}/{zipcode}")
        assert answer.status_code == 400
        assert answer.json()["issues"][0]["name"] == "zipcode"


@pytest.mark.parametrize("zipcode", [9170, 9200, 9240])
async def test_the_sample_agrees_with_what_the_brief_publishes(client: httpx2.AsyncClient, zipcode: int) -> None:
    assert (await client.get(f"/zipcodes/{zipcode}")).json()["risk_factor"] == "A"


async def test_the_zipcodes_of_a_factor_are_listed_under_its_name_ascending() -> None:
    table = RiskTable([RiskRange(1320, 1322, RiskFactor.A), RiskRange(1000, 1000, RiskFactor.A)])
    async with make_client(make_app(InMemoryZipcodeRepository(draft(table)))) as client:
        answer = await client.get("/databases/zipcodes", params={"risk_factor": "A"})
        assert answer.text == '{"A":[1000,1320,1321,1322]}'
        assert (await client.get("/databases/zipcodes", params={"risk_factor": "B"})).json() == {"B": []}


@pytest.mark.parametrize("factor", ["D", "a", "", "AB", "A' OR '1'='1", "A; DROP TABLE zipcodes", "A\x00"])
async def test_a_factor_other_than_a_b_c_is_bad_input(client: httpx2.AsyncClient, factor: str) -> None:
    answer = await client.get("/databases/zipcodes", params={"risk_factor": factor})
    assert answer.status_code == 400


async def test_the_factor_is_required_and_given_once(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/databases/zipcodes")).status_code == 400
    assert (await client.get("/databases/zipcodes?risk_factor=A&risk_factor=B")).status_code == 400


@pytest.mark.parametrize(
    ("path", "successor"),
    [
        ("/index", "/v1/health-index/latest"),
        ("/zipcodes/9000", "/v1/zipcodes/9000"),
        ("/zipcodes/999", "/v1/zipcodes/999"),
        ("/databases/zipcodes/9000", "/v1/zipcodes/9000"),
        ("/databases/zipcodes?risk_factor=A", "/v1/zipcodes"),
        ("/zipcodes/a%0D%0Ab%3E", "/v1/zipcodes/a%0D%0Ab%3E"),
    ],
)
async def test_every_answer_announces_its_successor(client: httpx2.AsyncClient, path: str, successor: str) -> None:
    answer = await client.get(path)
    assert answer.headers["deprecation"] == "@1795305600"
    assert answer.headers["link"] == f'<{successor}>; rel="successor-version"'


async def test_the_successors_are_not_deprecated(client: httpx2.AsyncClient) -> None:
    assert "deprecation" not in (await client.get("/v1/zipcodes/9000")).headers


async def test_the_release_is_in_the_header_and_the_body_stays_as_it_was(client: httpx2.AsyncClient) -> None:
    for path, body in (
        ("/zipcodes/9000", {"zipcode": 9000, "risk_factor": "B", "exists": True}),
        ("/databases/zipcodes/9993", {"zipcode": 9993, "risk_factor": None, "exists": False}),
        ("/databases/zipcodes?risk_factor=C", None),
    ):
        answer = await client.get(path)
        assert answer.headers["x-release"] == "0001-168866b8"
        if body is None:
            assert list(answer.json()) == ["C"]
        else:
            assert answer.json() == body
    assert "x-release" not in (await client.get("/index")).headers
