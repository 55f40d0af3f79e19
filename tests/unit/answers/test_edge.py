"""What holds for every answer."""

from uuid import UUID, uuid4

import httpx2
import pytest
from litestar.types import Receive, Scope, Send
from structlog.testing import capture_logs
from tests.worlds import make_client

from entrypoints.http.edge.application import Edge
from entrypoints.metrics import Metrics


async def test_each_request_has_an_id_of_its_own(client: httpx2.AsyncClient) -> None:
    first, second = [(await client.get("/index")).headers["x-request-id"] for _ in range(2)]
    assert UUID(first) != UUID(second)


async def test_the_id_of_the_client_is_kept_where_it_is_a_uuid(client: httpx2.AsyncClient) -> None:
    given = str(uuid4())
    assert (await client.get("/index", headers={"X-Request-ID": given})).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["1", "x" * 36, "a\tb", "é" * 18])
async def test_any_other_id_is_replaced(client: httpx2.AsyncClient, given: str) -> None:
    answer = await client.get("/index", headers=[(b"X-Request-ID", given.encode())])
    assert answer.headers["x-request-id"] != given
    UUID(answer.headers["x-request-id"])


async def test_one_line_is_logged_for_a_request_with_its_route_and_without_its_values(
    client: httpx2.AsyncClient,
) -> None:
    with capture_logs() as logs:
        await client.get("/v1/zipcodes/9000")
        await client.head("/v1/zipcodes/10?x=1")
        await client.get("/nothing")
    lines = [(line["method"], line["route"], line["status"]) for line in logs if line["event"] == "request"]
    assert lines == [
        ("GET", "/v1/zipcodes/{zipcode}", 200),
        ("HEAD", "/v1/zipcodes/{zipcode}", 400),
        ("GET", "-", 404),
    ]
    assert all(line["milliseconds"] >= 0 for line in logs if line["event"] == "request")


async def test_browsers_may_call_from_anywhere_and_read_the_tag(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/index", headers={"Origin": "https://shop.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "etag" in answer.headers["access-control-expose-headers"].lower()
    preflight = await client.options(
        "/v1/zipcodes", headers={"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    )
    assert preflight.status_code == 204
    assert "POST" in preflight.headers["access-control-allow-methods"]


async def test_content_types_are_not_guessed(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/nothing")).headers["x-content-type-options"] == "nosniff"


async def test_an_application_that_dies_is_logged_all_the_same() -> None:
    async def dies(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError

    async with make_client(Edge(dies, Metrics())) as client:
        with capture_logs() as logs:
            answer = await client.get("/index")
    assert answer.status_code == 500
    assert [(line["event"], line["status"]) for line in logs] == [("request", 0)]


async def test_what_is_not_http_passes_through() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def nothing(*_: object) -> None:
        raise AssertionError

    await Edge(app, Metrics())({"type": "lifespan"}, nothing, nothing)  # type: ignore[arg-type]
    assert seen == ["lifespan"]
