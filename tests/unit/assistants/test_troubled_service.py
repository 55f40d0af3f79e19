"""A belref that is away, late or none at all is said to be that; no figure is made up."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.worlds import Application, make_transport
from tests.worlds.assistants import Assistant, assistant

from entrypoints.mcp.api import LARGEST_ANSWER, Belref
from entrypoints.mcp.tools import make_server

Answering = Callable[[httpx2.Request], httpx2.Response]
UNAVAILABLE = {
    "type": "urn:problem-type:belgif:serviceUnavailable",
    "title": "Service Unavailable",
    "status": 503,
    "detail": "The store of risk tables does not answer",
    "instance": "urn:uuid:0",
}
AMOUNT = {"amount": "500", "from": "2010-06", "to": "2019-08"}


async def told(
    transport: httpx2.AsyncBaseTransport, tool: str = "indexed_amount", seconds: float = 10, **of: Any
) -> str:
    async with (
        Belref("http://clerk:secret@belref.test/api/", timeout=seconds, transport=transport) as belref,
        assistant(make_server(belref)) as found,
    ):
        return await found.refused(tool, **(of or AMOUNT))


def answering(*arguments: Any, **named: Any) -> httpx2.MockTransport:
    return httpx2.MockTransport(lambda _: httpx2.Response(*arguments, **named))


class Silent(httpx2.AsyncBaseTransport):
    """Takes a question and never answers."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await asyncio.Event().wait()
        raise AssertionError


def failing(error: Exception) -> httpx2.MockTransport:
    def fail(request: httpx2.Request) -> httpx2.Response:
        raise error

    return httpx2.MockTransport(fail)


async def test_a_service_that_is_down_is_said_to_be_down() -> None:
    found = await told(failing(httpx2.ConnectError("All connection attempts failed")))
    assert "belref at http://belref.test/api does not answer (All connection attempts failed)" in found
    assert "Nothing is wrong with the question" in found


@pytest.mark.parametrize("transport", [Silent(), failing(httpx2.ReadTimeout("late"))])
async def test_a_service_that_is_late_is_said_to_be_late(transport: httpx2.AsyncBaseTransport) -> None:
    found = await told(transport, seconds=0.01)
    assert "did not answer within 0.01 seconds" in found


async def test_a_service_that_cannot_answer_now_says_when_to_ask_again() -> None:
    found = await told(answering(503, json=UNAVAILABLE, headers={"Retry-After": "5"}))
    assert "cannot answer now: The store of risk tables does not answer. Ask again in 5 seconds." in found


@pytest.mark.parametrize(
    "transport",
    [
        answering(200, text="<html>Welcome to nginx</html>"),
        answering(200, json=[]),
        answering(200, json={"indexed": "five"}),
        answering(200, json={"amount": 500, "indexed": 584, "index": "health"}),
        answering(502, text="Bad Gateway"),
        answering(404, json={"message": "not found"}),
        answering(301, headers={"Location": "http://elsewhere.test"}),
        answering(200, content=b"[" * 100_000),
        answering(200, content=b" " * (LARGEST_ANSWER + 1)),
        answering(200, content=b"no gzip", headers={"Content-Encoding": "gzip"}),
    ],
)
async def test_a_service_that_answers_nonsense_is_no_belref(transport: httpx2.AsyncBaseTransport) -> None:
    found = await told(transport)
    assert "does not answer as belref does" in found
    assert "No figure can be given" in found


async def test_a_batch_with_too_few_answers_is_nonsense(app: Application) -> None:
    real = make_transport(app)

    class Forgetful(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            answer = await real.handle_async_request(request)
            return answer if request.method == "GET" else httpx2.Response(200, json={"items": [], "total": 0})

    async with Belref("http://belref.test", transport=Forgetful()) as belref, assistant(make_server(belref)) as found:
        assert "0 results for" in await found.refused("check_figure", claimed="1", amount=AMOUNT)


@pytest.mark.parametrize("trouble", [httpx2.ConnectError("down"), httpx2.ReadTimeout("late")])
async def test_a_password_in_the_address_is_sent_and_never_shown(
    trouble: Exception, app: Application, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    seen: list[str] = []
    real = make_transport(app)

    class Behind(httpx2.AsyncBaseTransport):
        """A proxy that asks for a password and serves belref below a path."""

        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            seen.append(request.headers["Authorization"])
            request.url = request.url.copy_with(raw_path=request.url.raw_path.removeprefix(b"/api"))
            return await real.handle_async_request(request)

    async with (
        Belref("http://clerk:secret@belref.test/api", transport=Behind()) as belref,
        assistant(make_server(belref)) as found,
    ):
        answer = await found.ask("indexed_amount", **AMOUNT)
    assert answer["permalink"].startswith("http://belref.test/api/v1/indexations?amount=500.00&")
    assert all(header.startswith("Basic ") for header in seen)
    assert seen
    assert "secret" not in json.dumps(answer) + await told(failing(trouble)) + caplog.text


async def test_figures_are_told_even_where_the_store_of_tables_is_away(app: Application) -> None:
    real = make_transport(app)

    class WithoutTables(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.url.path == "/v1/releases":
                return httpx2.Response(503, json=UNAVAILABLE)
            return await real.handle_async_request(request)

    async with (
        Belref("http://belref.test", transport=WithoutTables()) as belref,
        assistant(make_server(belref)) as found,
    ):
        answer = await found.ask("freshness")
    assert answer["figures"]["latest_month"] == "2026-08"
    assert "release" not in answer


async def test_a_fault_of_a_tool_is_logged_and_shows_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tools: Assistant
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a detail of the inside")

    monkeypatch.setattr(Belref, "get", broken)
    found = await tools.refused("health_index")
    assert "inside" not in found
    assert "a detail of the inside" in caplog.text
