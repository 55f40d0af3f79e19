"""Errors as clients see them."""

import json
from uuid import UUID

import httpx2
import pytest
from structlog.testing import capture_logs
from tests.worlds import make_app, make_client
from tests.worlds.domain_errors import every_error

from adapters.memory import InMemoryZipcodeRepository
from domain import errors
from domain.ports import Lookup
from domain.risk.tables import Zipcode
from entrypoints.http.problems import BY_DOMAIN_ERROR


def test_each_domain_error_has_one_problem() -> None:
    roots = {errors.DomainError, errors.LogicalError, errors.TechnicalError}
    assert set(BY_DOMAIN_ERROR) == every_error() - roots


def test_technical_errors_ask_to_try_again_and_logical_ones_do_not() -> None:
    for error, kind in BY_DOMAIN_ERROR.items():
        assert (kind.status == 503) == issubclass(error, errors.TechnicalError)


def test_one_type_has_one_title_and_one_status() -> None:
    kinds = set(BY_DOMAIN_ERROR.values())
    assert len({kind.type for kind in kinds}) == len(kinds)


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nothing", 404, "resourceNotFound"),
        ("GET", "/v1/zipcodes/9000/more", 404, "resourceNotFound"),
        ("POST", "/index", 405, "methodNotAllowed"),
        ("DELETE", "/v1/zipcodes/9000", 405, "methodNotAllowed"),
        ("GET", "/v1/zipcodes/1", 400, None),
        ("GET", "/index?yaer=2004", 400, "badRequest"),
    ],
)
async def test_every_error_is_a_problem_that_is_not_kept(
    client: httpx2.AsyncClient, method: str, path: str, status: int, kind: str | None
) -> None:
    answer = await client.request(method, path)
    body = answer.json()
    assert answer.status_code == body["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert body["instance"] == f"urn:uuid:{UUID(answer.headers['x-request-id'])}"
    assert body["title"]
    assert body["detail"]
    if kind is not None:
        assert body["type"] == f"urn:problem-type:belgif:{kind}"


async def test_a_method_that_is_not_allowed_comes_with_those_that_are(client: httpx2.AsyncClient) -> None:
    allowed = (await client.post("/index")).headers["allow"]
    assert set(allowed.split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/index", "GET, HEAD, OPTIONS"), ("/v1/indexations", "GET, HEAD, POST, OPTIONS")],
)
async def test_options_names_every_method_of_a_route(client: httpx2.AsyncClient, path: str, methods: str) -> None:
    answer = await client.options(path)
    assert (answer.status_code, answer.headers["allow"]) == (204, methods)
    refused = await client.delete(path)
    assert set(refused.headers["allow"].split(", ")) == set(methods.split(", "))


@pytest.mark.parametrize(
    "path",
    [
        "/index?yaer=2004",
        "/v1/health-index?base_yaer=2013",
        "/v1/health-index/latest?base_year=2013&x=1",
        "/v1/zipcodes/9000?releases=1&",
        "/v1/zipcodes?risk_factors=A",
        "/health?verbose=1",
        "/zipcodes/9000?=",
        "/zipcodes/9000?release=0001-168866b8",
        "/databases/zipcodes?risk_factor=A&as_of=2026-09-02",
        "/v1/releases?as_of=2026-09-02",
        "/v1/releases/0001-168866b8?page=1",
        "/v1/releases/0001-168866b8/diff?from=0001-168866b8",
        "/v1/risk-ranges?risk_factor=A",
    ],
)
async def test_a_parameter_that_a_route_does_not_know_is_refused(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 400
    (issue,) = answer.json()["issues"]
    assert "no such parameter" in issue["detail"]


async def test_a_parameter_that_takes_one_value_is_given_once(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/index?year=2004&year=2013")
    assert answer.status_code == 400
    assert answer.json()["issues"][0]["detail"] == "year is given more than once"


async def test_no_more_than_the_beginning_of_a_value_is_shown_again(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/index", params={"year": "x" * 5000})
    assert answer.status_code == 400
    assert len(answer.content) < 600


class _Broken(InMemoryZipcodeRepository):
    async def find(self, zipcode: Zipcode) -> Lookup:
        raise RuntimeError(f"secret-dsn for {zipcode}")


async def test_an_unforeseen_error_is_logged_with_its_trace_and_not_shown() -> None:
    async with make_client(make_app(_Broken())) as client:
        with capture_logs() as logs:
            answer = await client.get("/v1/zipcodes/9000")
    assert answer.status_code == 500
    body = answer.json()
    assert body["type"] == "urn:problem-type:belgif:internalServerError"
    assert "secret" not in answer.text
    (logged,) = [line for line in logs if line["event"] == "unhandled exception"]
    assert isinstance(logged["exc_info"], RuntimeError)


class _Down(InMemoryZipcodeRepository):
    async def find(self, zipcode: Zipcode) -> Lookup:
        raise errors.StorageUnavailable("connection refused at 10.0.0.1")


async def test_a_technical_error_is_logged_with_its_reason_which_is_not_shown() -> None:
    async with make_client(make_app(_Down())) as client:
        with capture_logs() as logs:
            answer = await client.get("/v1/zipcodes/9000")
    assert answer.status_code == 503
    assert "10.0.0.1" not in answer.text
    assert "10.0.0.1" in json.dumps([line for line in logs if line["log_level"] == "warning"], default=str)


@pytest.mark.parametrize("raw", ["%", "%zz", "%ff%fe", "a=%ed%a0%80", "year=%00", "year=%ff", "&&&", "=", ";;", "year"])
async def test_a_broken_query_is_bad_input_at_worst(client: httpx2.AsyncClient, raw: str) -> None:
    answer = await client.get(httpx2.URL("http://belref.test/index").copy_with(query=raw.encode()))
    assert answer.status_code in {200, 400}
