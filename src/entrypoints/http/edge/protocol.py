"""The connections of clients: what is kept is answered here, before there is a request for the application.

A subclass of uvicorn's protocol, whose parser and whose way to an ASGI application it uses. It answers a request for
itself only where that is beyond doubt; everything else takes the way through ASGI, and has the same answer there.
"""

from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from entrypoints.http.edge.application import LONGEST_SELECTING, Edge
from entrypoints.http.edge.guarded import BLANK_LINE, GuardedProtocol
from entrypoints.http.edge.guards import Guard
from entrypoints.http.edge.kept import Kept, KeptAnswers
from entrypoints.http.negotiation import matches
from entrypoints.http.scope import KEEP, given_identity, is_host

_HOST, _ACCEPT, _CODING, _TAG, _IDENTITY, _CONNECTION, _TRACE, _ORIGIN, _OTHER = range(1, 10)
_KINDS = {
    b"Host": _HOST,
    b"Accept": _ACCEPT,
    b"Accept-Encoding": _CODING,
    b"If-None-Match": _TAG,
    b"X-Request-ID": _IDENTITY,
    b"Connection": _CONNECTION,
    b"Traceparent": _TRACE,
    b"Origin": _ORIGIN,
    b"Content-Length": _OTHER,
    b"Expect": _OTHER,
    b"Transfer-Encoding": _OTHER,
    b"Upgrade": _OTHER,
}
_KINDS |= {name.lower(): kind for name, kind in _KINDS.items()}
_KEPT_METHODS = frozenset({b"GET", b"HEAD"})
_SAMPLED = frozenset({b"1", b"3", b"5", b"7", b"9", b"b", b"d", b"f"})  # the last digit of a `traceparent`, if it is
_LENGTHS = frozenset(map(len, _KINDS))  # of names: most headers are passed over by it


class EdgeProtocol(GuardedProtocol):
    """A connection; subclasses are made by `protocol_for`, and say what all of them share."""

    kept: ClassVar[KeptAnswers | None]
    _stamp: ClassVar[tuple[object, bytes]] = (None, b"")  # what uvicorn puts first into each answer, once a second

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._host = b""  # the last one, which is one beyond doubt
        self._answered = False  # already, though its end is still to come
        self._is_miss = False  # whether it is only not kept

    def on_body(self, body: bytes) -> None:
        if not self._answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._answered:
            self._answered = False
        else:
            super().on_message_complete()

    def _serve(self) -> None:
        self._is_miss = False
        if self._answer():
            return
        if self._is_miss and self.kept is not None:
            self._hand_over(**{KEEP: self.kept.miss(self.url)})
        else:
            self._hand_over()

    def _answer(self) -> bool:  # noqa: C901, PLR0911, PLR0912, PLR0915 - in one piece: a call costs as much as a look-up
        """Answer from what is kept; False where that is not possible, or not beyond doubt."""
        edge, parser, kept_answers = self.edge, self.parser, self.kept
        started, method, cycle = edge.monotonic(), parser.get_method(), self.cycle
        if kept_answers is None or method not in _KEPT_METHODS or self.flow.write_paused:
            return False
        if cycle is not None and not cycle.response_complete:
            return False
        accept = coding = tag = given = host = trace_id = None
        is_traced = False
        is_plain = True  # a request of HTTP/1.1 stays connected without saying so
        for name, value in self.headers:
            if len(name) not in _LENGTHS:
                continue
            kind = _KINDS.get(name) or _KINDS.get(name.lower())
            if kind is None:
                continue
            if kind == _HOST:
                if host is not None or (value != self._host and not is_host(value)):
                    return False
                host = self._host = value
            elif kind == _CODING and coding is None:
                coding = value
            elif kind == _ACCEPT and accept is None:
                accept = value
            elif kind == _TAG and tag is None:
                tag = value
            elif kind == _IDENTITY and given is None:
                given = value
            elif kind == _CONNECTION and is_plain:
                is_plain = False
            elif kind == _TRACE:
                is_traced = value[54:55] in _SAMPLED
            elif kind != _ORIGIN or (value and edge.cors.varies):
                return False
        stays = parser.should_keep_alive()
        if host is None or not (is_plain and stays):
            version = parser.get_http_version()
            if host is None or (version != "1.1" and not (version == "1.0" and is_plain)):
                return False
        kept = kept_answers.find(
            self.url,
            accept if accept is not None and len(accept) <= LONGEST_SELECTING else b"",
            coding if coding is not None and len(coding) <= LONGEST_SELECTING else b"",
        )
        if (
            kept is not None
            and tag is not None
            and kept.etag is not None
            and (tag == kept.etag or _matches(tag, kept.etag))
        ):
            kept = kept.unchanged
        if kept is None:
            self._is_miss = True
            return False
        kept_answers.hits += 1
        identity = (given is not None and given_identity(given)) or edge.next_identity()
        is_head, series = method == b"HEAD", kept.series
        self._write(kept, identity, is_head=is_head, is_last=self.guard.closing or not stays)
        if is_head:
            series = edge.metrics.series("HEAD", series.route, series.status, kept=True)
        self._answered = True
        self.server_state.total_requests += 1
        seconds = edge.monotonic() - started
        series.observe(seconds)
        if is_traced and edge.tracing is not None:
            trace_id = edge.tracing.kept(self.headers, self.url, self.scheme or "http", series, identity, seconds)
        edge.log.write(series, identity, seconds, trace_id)
        return True

    def _write(self, kept: Kept, identity: str, *, is_head: bool, is_last: bool) -> None:
        source, first = self._stamp
        if source is not self.server_state.default_headers:
            first = self._renew_stamp()
        written, also, tail = identity.encode(), b"", kept.tail
        if kept.max_age is not None and self.kept is not None:
            also = b"\r\nage: %d" % self.kept.age(kept)
        if is_last:
            also += b"\r\nconnection: close"
        if is_head:
            tail = BLANK_LINE
        elif kept.rest is not None:
            tail = b"".join((tail, written, kept.rest))
        self.transport.write(b"".join((STATUS_LINE[kept.status], first, kept.head, written, also, tail)))
        if is_last:
            self._deaf = True
            self.transport.close()

    def _renew_stamp(self) -> bytes:
        headers = self.server_state.default_headers
        first = b"".join(b"%b: %b\r\n" % header for header in headers)
        type(self)._stamp = headers, first  # noqa: SLF001 - its own, and that of all others
        return first


def _matches(tag: bytes, etag: bytes) -> bool:
    return len(tag) <= LONGEST_SELECTING and matches(tag.decode("latin-1"), etag.decode("latin-1"))


def protocol_for(edge: Edge, kept: KeptAnswers | None, guard: Guard) -> type[EdgeProtocol]:
    """The protocol of one service, for `uvicorn.Config(http=...)`."""
    shared = {"edge": edge, "kept": kept, "guard": guard, "limits": guard.limits}
    return type("ServiceProtocol", (EdgeProtocol,), shared)
