"""The outermost layer: what holds for every answer, whoever gives it, the router's own errors included.

It answers from what is kept where it can. All that is done here for such an answer costs about a tenth of what the web
server does for it.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import structlog
from litestar.types import ASGIApp, HTTPResponseStartEvent, HTTPScope, Message, Receive, Send

from entrypoints.http.cors import Cors
from entrypoints.http.edge.replies import Answer, Headers, Reply, can_be_kept
from entrypoints.http.edge.response_cache import ResponseCache
from entrypoints.http.scope import CONDITIONS, OFFERED, REQUEST_ID, UNSETTLED, given_identity, identities, is_host
from entrypoints.logs import AccessLog, StructuredAccessLog
from entrypoints.metrics import METHODS, Metrics, Series

_LONGEST_PARAMETER = 100  # characters of a client's own in a header
_DEPRECATED_SINCE = b"@1795305600"  # 2026-11-22, as RFC 9745 writes it

# Nothing with credentials is answered from what is kept, nor what asks for a part, or for an answer made anew.
_APART = frozenset({b"authorization", b"cookie", b"range", b"if-match", b"if-unmodified-since"})
_HARMLESS = frozenset({b"accept", b"accept-encoding", b"if-none-match", b"x-request-id"})
_READ = _APART | {
    b"accept", b"accept-encoding", b"cache-control", b"host", b"if-none-match", b"origin", b"pragma", b"x-request-id"
}  # fmt: skip
_WITHOUT_BODY = frozenset({"GET", "HEAD"})


class Edge:
    """Gives each request an id, answers HEAD as GET without the body, announces deprecation, and logs one line.

    The id is the client's `X-Request-ID` where that is a UUID; otherwise it is made here.
    """

    allowed: Mapping[str, bytes] = {}
    """What `Allow` says of a route, by its template: the framework's own answer to OPTIONS forgets methods."""

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        *,
        monotonic: Callable[[], float] = time.perf_counter,
        cache: ResponseCache | None = None,
        cors: Cors | None = None,
        access_log: AccessLog | None = None,
    ) -> None:
        self._app, self._metrics = app, metrics
        self._monotonic = monotonic
        self._cache, self._cors = cache, Cors(()) if cors is None else cors
        self._log = StructuredAccessLog() if access_log is None else access_log
        self._host = b""  # that of the last request: the next one has the same, as a rule
        self._next_identity = identities().__next__
        if cache is not None:
            metrics.watch_cache(cache.figures)

    def close(self) -> None:
        """Write out what waits to be logged."""
        self._log.flush()

    async def __call__(  # noqa: C901, PLR0912 - in one piece: a call costs as much as a look-up
        self, scope: Any, receive: Receive, send: Send
    ) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = self._monotonic()
        asked: dict[bytes, bytes] = {}
        hosts = 0
        for name, value in scope["headers"]:
            if name in _READ:
                if name == b"host":
                    hosts += 1
                if value != self._host or name != b"host":
                    asked[name] = asked[name] + b", " + value if name in asked else value
        identity = (b"x-request-id" in asked and given_identity(asked[b"x-request-id"])) or self._next_identity()
        cache, method = self._cache, scope["method"]
        if cache is None or method not in _WITHOUT_BODY or hosts != 1 or (asked and self._is_apart(asked)):
            await self._let_through(scope, receive, send, identity, started)
            return
        accept = asked.get(b"accept", b"")
        kept = cache.find(scope["path"], scope["query_string"], accept)
        if kept is not None:
            cache.hits += 1
            age = cache.age(kept) if kept.counted else None
        else:
            moment, age = cache.moment(), None
            made = await self._let_through(scope, receive, send, identity, started, held_back=True)
            if made is None:
                return
            kept = cache.made(made.source, made.answer, moment, accept, made.offered)
            if made.settled:
                cache.keep(scope["path"], scope["query_string"], kept)
        reply = kept.plain
        series = reply.series
        try:
            if asked or method == "HEAD":
                form = kept.answer.form(method, asked)
                if isinstance(form, Reply):
                    reply = form
                else:
                    reply = await kept.answer.make(form, compress=kept.room is not None)
                    cache.grown(kept)
            series, status, headers, body, rest = reply
            written = identity.encode()
            every = [*headers, (b"x-request-id", written)]
            if rest is not None:
                body = b"".join((body, written, rest))
            if age is not None:
                every.append((b"age", b"%d" % age))
            await send({"type": "http.response.start", "status": status, "headers": every})
            await send({"type": "http.response.body", "body": body, "more_body": False})
        finally:  # also for who went away while an answer was compressed for him
            seconds = self._monotonic() - started
            series.observe(seconds)
            self._log.write(series, identity, seconds)

    def _is_apart(self, asked: dict[bytes, bytes]) -> bool:
        """Whether nothing kept is good enough for a request with these headers."""
        host = asked.pop(b"host", None)
        if host is not None:
            if not is_host(host):
                return True
            self._host = host
        if asked.keys() <= _HARMLESS:
            return False
        return (
            not _APART.isdisjoint(asked)
            or bool(self._cors.varies and asked.get(b"origin"))
            or b"no-" in asked.get(b"cache-control", b"").lower()
            or b"no-" in asked.get(b"pragma", b"").lower()
        )

    async def _let_through(
        self, scope: HTTPScope, receive: Receive, send: Send, identity: str, started: float, *, held_back: bool = False
    ) -> "_Made | None":
        """Have the application answer. What could be kept is given back instead of sent, where that is asked for."""
        method = scope["method"]
        # A copy: the server looks at its own scope to know that HEAD has no body.
        inner: Any = {**scope, REQUEST_ID: identity, "method": "GET" if method == "HEAD" else method}
        if held_back:
            inner[CONDITIONS] = True
        status, start, made = 0, None, None

        async def edge_send(message: Message) -> None:
            nonlocal status, start, made
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._dressed(message["headers"], inner, identity, method)
                if held_back and _source(inner) is not None:
                    start = message
                    return
            elif message["type"] == "http.response.body":
                if start is not None:
                    first, start = start, None
                    made = None if message["more_body"] else self._made(inner, first, message["body"], identity)
                    if made is not None:
                        return
                    await send(first)
                if method == "HEAD":
                    message["body"] = b""
            await send(message)

        tokens = structlog.contextvars.bind_contextvars(request_id=identity)
        try:
            await self._app(inner, receive, edge_send)
        finally:
            structlog.contextvars.reset_contextvars(**tokens)
            if made is None:
                route, seconds = inner.get("path_template") or "-", self._monotonic() - started
                series = self._metrics.series(method, route, status)
                series.observe(seconds)
                self._log.write(series if method in METHODS else Series(method, route, status), identity, seconds)
        return made

    def _dressed(self, headers: Headers, inner: Mapping[str, Any], identity: str, method: str) -> Headers:
        origin = dict(inner["headers"]).get(b"origin")
        every = [*headers, *_headers(inner, identity), *self._cors.headers(origin, method)]
        if method == "OPTIONS" and (allow := self.allowed.get(inner.get("path_template") or "")):
            every = [(name, allow if name == b"allow" else value) for name, value in every]
        return _varying(every, b"Origin") if self._cors.varies else every

    def _made(
        self, inner: Mapping[str, Any], start: HTTPResponseStartEvent, body: bytes, identity: str
    ) -> "_Made | None":
        offered = inner.get(OFFERED, ())
        if not can_be_kept(start["status"], start["headers"], body, varies=bool(offered)):
            return None
        answer = Answer(
            start["status"],
            start["headers"],
            body,
            identity=identity,
            route=inner["path_template"],
            series=self._metrics.series,
        )
        return _Made(answer, inner["route_handler"].opt["cache"], offered, settled=UNSETTLED not in inner)


class _Made(NamedTuple):
    """An answer, what it was made from, the media types that there were to choose from, and whether to keep it."""

    answer: Answer
    source: str
    offered: tuple[str, ...]
    settled: bool


def _source(inner: Mapping[str, Any]) -> str | None:
    handler = inner.get("route_handler")
    return None if handler is None else handler.opt.get("cache")


def _varying(headers: Headers, by: bytes) -> Headers:
    names = [value for name, value in headers if name == b"vary"]
    return [*(each for each in headers if each[0] != b"vary"), (b"vary", b", ".join([*names, by]))]


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
