"""The outermost layer: what holds for every answer, whoever gives it, the router's own errors included."""

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from entrypoints.http.metrics import Metrics

log = structlog.get_logger("access")

VARY = "belref.vary"
"""Where a handler leaves what its answer varies by."""

_LONGEST_PARAMETER = 100  # characters of a client's own in a header
_REQUEST_ID = "belref.request_id"
_DEPRECATED_SINCE = b"@1795305600"  # 2026-11-22, as RFC 9745 writes it


def request_id(scope: Mapping[str, Any]) -> str:
    """The id of the request, a UUID."""
    return str(scope.get(_REQUEST_ID) or uuid4())


class Edge:
    """Gives each request an id, answers HEAD as GET without the body, announces deprecation, and logs one line.

    The id is the client's `X-Request-ID` where that is a UUID; otherwise it is made here.
    """

    allowed: Mapping[str, bytes] = {}
    """What `Allow` says of a route, by its template: the framework's own answer to OPTIONS forgets methods."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, monotonic: Callable[[], float] = time.perf_counter) -> None:
        self._app, self._metrics = app, metrics
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            await self._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started = self._monotonic()
        method = scope["method"]
        identity = _identity(scope)
        # A copy: the server looks at its own scope to know that HEAD has no body.
        inner: Any = {**scope, _REQUEST_ID: identity, "method": "GET" if method == "HEAD" else method}
        status = 0

        async def edge_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message["headers"], *_headers(inner, identity)]
                if method == "OPTIONS" and (allow := self.allowed.get(inner.get("path_template") or "")):
                    headers = [(name, allow if name == b"allow" else value) for name, value in headers]
                message["headers"] = _with_vary(headers, asked_for=inner.get(VARY))
            elif method == "HEAD" and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=identity):
            try:
                await self._app(inner, receive, edge_send)
            finally:
                route, seconds = inner.get("path_template") or "-", self._monotonic() - started
                self._metrics.observe_request(method, route, status, seconds)
                log.info("request", method=method, route=route, status=status, milliseconds=round(seconds * 1000, 2))


def _with_vary(headers: list[tuple[bytes, bytes]], asked_for: str | None) -> list[tuple[bytes, bytes]]:
    """Put back what a handler said of `Vary`, where the framework's CORS has put its own in its place."""
    if asked_for is None:
        return headers
    every = [value.decode() for name, value in headers if name.lower() == b"vary"]
    names = dict.fromkeys(name.strip() for value in (asked_for, *every) for name in value.split(","))
    kept = [(name, value) for name, value in headers if name.lower() != b"vary"]
    return [*kept, (b"vary", ", ".join(names).encode())]


def _identity(scope: HTTPScope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and len(value) == 36:
            try:
                return str(UUID(value.decode("ascii")))
            except ValueError:
                break
    return str(uuid4())


def _headers(scope: Mapping[str, Any], identity: str) -> list[tuple[bytes, bytes]]:
    headers = [(b"x-request-id", identity.encode()), (b"x-content-type-options", b"nosniff")]
    handler = scope.get("route_handler")
    successor = handler.opt.get("successor") if handler is not None else None
    if successor is not None:
        headers.append((b"deprecation", _DEPRECATED_SINCE))
        parameters = {name: quote(str(value), safe="") for name, value in scope.get("path_params", {}).items()}
        if all(len(value) <= _LONGEST_PARAMETER for value in parameters.values()):
            link = f'<{successor.format(**parameters)}>; rel="successor-version"'
            headers.append((b"link", link.encode()))
    return headers
