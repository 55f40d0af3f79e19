"""The outermost layer: what holds for every answer, whoever gives it, the router's own errors included."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import structlog
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Send

from entrypoints.http.cors import Cors
from entrypoints.http.edge.answers import Answer, Headers
from entrypoints.http.edge.compression import CODINGS, SMALLEST, Compressor
from entrypoints.http.edge.kept import Made, Miss
from entrypoints.http.negotiation import matches, preferred_coding, preferred_type
from entrypoints.http.scope import KEEP, OFFERED, REQUEST_ID, UNSETTLED, given_identity, identities
from entrypoints.logs import AccessLog, StructuredAccessLog
from entrypoints.metrics import METHODS, Metrics, Series

if TYPE_CHECKING:
    from entrypoints.tracing.requests import TracedRequest, Tracing

LONGEST_SELECTING = 1024
"""Bytes of a header that selects among answers: a longer one counts as absent, as taking it apart takes long."""

_LONGEST_PARAMETER = 100  # characters of a client's own in a header
_DEPRECATED_SINCE = b"@1795305600"  # 2026-11-22, as RFC 9745 writes it
_SELECTING = frozenset({b"accept", b"accept-encoding", b"accept-language", b"if-none-match"})
_READ = _SELECTING | {b"x-request-id"}
_WITHOUT_BODY = frozenset({"GET", "HEAD"})


class Edge:
    """Gives each request an id, answers `If-None-Match`, compresses, answers HEAD as GET without the body, announces
    deprecation, and logs one line.

    The id is the client's `X-Request-ID` where that is a UUID; otherwise it is made here.
    """

    allowed: Mapping[str, bytes] = {}
    """What `Allow` says of a route, by its template: the framework's own answer to OPTIONS forgets methods."""

    tracing: "Tracing | None" = None
    """What makes the spans of requests, where anything does."""

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        *,
        monotonic: Callable[[], float] = time.perf_counter,
        cors: Cors | None = None,
        access_log: AccessLog | None = None,
    ) -> None:
        self._app, self.metrics = app, metrics
        self.monotonic = monotonic
        self.cors = Cors(()) if cors is None else cors
        self.log = StructuredAccessLog() if access_log is None else access_log
        self.next_identity = identities().__next__
        self._compressor = Compressor()

    def close(self) -> None:
        """Write out what waits to be logged."""
        self.log.flush()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, method = self.monotonic(), scope["method"]
        asked = _asked(scope["headers"])
        identity = given_identity(asked.get(b"x-request-id", b"")) or self.next_identity()
        inner = _inner(scope, asked, identity)
        traced = None if self.tracing is None else self.tracing.begin(scope, identity)
        status = 0
        start: HTTPResponseStartEvent | None = None
        whole: Answer | None = None

        async def edge_send(message: Message) -> None:
            nonlocal status, start, whole
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = headers = self._dressed(message["headers"], inner, method)
                if method in _WITHOUT_BODY and (_source(inner) is not None or _has_tag(headers)):
                    start = message
                    return
                headers.append((b"x-request-id", identity.encode()))
            elif message["type"] == "http.response.body":
                if start is not None and not message["more_body"]:
                    whole = Answer(status, tuple(start["headers"]), message["body"])
                    return
                if start is not None:
                    first, start = start, None
                    await send({**first, "headers": [*first["headers"], (b"x-request-id", identity.encode())]})
                if method == "HEAD":
                    message["body"] = b""
            await send(message)

        tokens = structlog.contextvars.bind_contextvars(request_id=identity, **_bound(traced))
        try:
            with _handling(traced, inner):
                await self._app(inner, receive, edge_send)
            if whole is not None:
                answer = await self._finished(inner, whole, asked)
                status, headers = answer.status, [*answer.headers, (b"x-request-id", identity.encode())]
                await send({"type": "http.response.start", "status": status, "headers": headers})
                body = b"" if method == "HEAD" else answer.body
                await send({"type": "http.response.body", "body": body, "more_body": False})
        finally:
            structlog.contextvars.reset_contextvars(**tokens)
            route, seconds = inner.get("path_template") or "-", self.monotonic() - started
            series = self.metrics.series(method, route, status)
            series.observe(seconds)
            shown = series if method in METHODS else Series(method, route, status)
            self.log.write(shown, identity, seconds, **_bound(traced))
            _end(traced, method, route, status)

    def _dressed(self, headers: Headers, inner: Mapping[str, Any], method: str) -> list[tuple[bytes, bytes]]:
        origin = dict(inner["headers"]).get(b"origin") if self.cors.varies else None
        every = [*headers, *_headers(inner), *self.cors.headers(origin, method)]
        if method == "OPTIONS" and (allow := self.allowed.get(inner.get("path_template") or "")):
            every = [(name, allow if name == b"allow" else value) for name, value in every]
        return _varying(every, b"Origin") if self.cors.varies else every

    async def _finished(self, inner: Mapping[str, Any], answer: Answer, asked: Mapping[bytes, bytes]) -> Answer:
        """The answer in the form that the client selects; where somebody keeps answers, it is handed over."""
        source, coding = _source(inner), None
        coded = source is not None and answer.status == 200 and len(answer.body) >= SMALLEST
        if coded:
            coding = preferred_coding(asked.get(b"accept-encoding", b""), CODINGS)
            if coding is not None:
                answer = answer.coded(coding, await self._compressor.coded(coding, answer.body))
        tag, etag = asked.get(b"if-none-match"), answer.etag
        same = tag is not None and etag is not None and matches(tag.decode("latin-1"), etag.decode("latin-1"))
        unchanged = answer.unchanged() if same else None
        miss: Miss | None = inner.get(KEEP)
        offered = inner.get(OFFERED, ())
        if miss is not None and source is not None and UNSETTLED not in inner and answer.can_be_kept(offered):
            for_all, route = answer.without_identity(inner[REQUEST_ID]), inner["path_template"]
            media = preferred_type(asked.get(b"accept", b"").decode("latin-1"), offered) if offered else None
            if for_all is not None:
                series = self.metrics.series
                also = None if unchanged is None else (unchanged, series("GET", route, 304, kept=True))
                kind = series("GET", route, answer.status, kept=True)
                miss.keep(Made(source, for_all, kind, offered, (media, coding), coded, also))
        return unchanged or answer


def _bound(traced: "TracedRequest | None") -> dict[str, str]:
    """What log lines say of the trace of a request, where it has one."""
    return {} if traced is None else {"trace_id": traced.trace_id}


def _handling(traced: "TracedRequest | None", inner: Mapping[str, Any]) -> AbstractContextManager[None]:
    return nullcontext() if traced is None else traced.handling(inner)


def _end(traced: "TracedRequest | None", method: str, route: str, status: int) -> None:
    if traced is not None:
        traced.end(method, route, status)


def _inner(scope: Mapping[str, Any], asked: dict[bytes, bytes], identity: str) -> Any:
    """What the application is asked: a copy, as the server looks at its own scope to know that HEAD has no body."""
    inner = {**scope, REQUEST_ID: identity, "method": "GET" if scope["method"] == "HEAD" else scope["method"]}
    too_long = {name for name in _SELECTING if len(asked.get(name, b"")) > LONGEST_SELECTING}
    if too_long:
        inner["headers"] = [each for each in scope["headers"] if each[0] not in too_long]
        for name in too_long:
            del asked[name]
    return inner


def _asked(headers: Headers) -> dict[bytes, bytes]:
    """What is read of the headers of a request; several of one name are one list."""
    asked: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _READ:
            asked[name] = asked[name] + b", " + value if name in asked else value
    return asked


def _has_tag(headers: Headers) -> bool:
    return any(name == b"etag" for name, _ in headers)


def _source(inner: Mapping[str, Any]) -> str | None:
    handler = inner.get("route_handler")
    return None if handler is None else handler.opt.get("cache")


def _varying(headers: Headers, by: bytes) -> list[tuple[bytes, bytes]]:
    names = [value for name, value in headers if name == b"vary"]
    return [*(each for each in headers if each[0] != b"vary"), (b"vary", b", ".join([*names, by]))]


def _headers(scope: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    headers = [(b"x-content-type-options", b"nosniff")]
    handler = scope.get("route_handler")
    successor = handler.opt.get("successor") if handler is not None else None
    if successor is not None:
        headers.append((b"deprecation", _DEPRECATED_SINCE))
        parameters = {name: _quoted(str(value)) for name, value in scope.get("path_params", {}).items()}
        if all(len(value) <= _LONGEST_PARAMETER for value in parameters.values()):
            link = f'<{successor.format(**parameters)}>; rel="successor-version"'
            headers.append((b"link", link.encode()))
    return headers


def _quoted(text: str) -> str:
    """What is a word or a number, as nearly everything, needs no quoting, which takes a tenth of an answer."""
    return text if text.isascii() and text.isalnum() else quote(text, safe="")
