"""A connection that one client cannot use to take the process down: uvicorn's protocol with limits.

What was read is parsed a request at a time. While one is unanswered, or its answer unread, no more is parsed, nor read.
"""

import asyncio
import math
import socket
from typing import Any, ClassVar

import httptools
import msgspec
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from entrypoints.http.edge.application import Edge
from entrypoints.http.edge.guards import HEADERS_TOO_LARGE, TIMED_OUT, TOO_LONG, Guard, Limits, Reason
from entrypoints.http.problems import BAD_REQUEST, PROBLEM_JSON, RETRY_AFTER_SECONDS, UNAVAILABLE, Kind, problem

BLANK_LINE = b"\r\n\r\n"
_A_PIECE = 4096  # bytes that are parsed before somebody looks whether to go on
_OF_A_BODY = 512  # bytes of a body that are parsed at once, at least
_IN_A_TURN = 8  # requests of one connection before others have their turn
_LINGER = 2.0  # seconds for a client to read why it was refused
_GRACE = 1.0  # seconds that idle connections stay open once the service is to end
_RECEIVE_BUFFER = 32 * 1024  # bytes; the kernel doubles it

LEANED_ON = {
    "protocol": (
        *("config", "connections", "cycle", "data_received", "eof_received", "expect_100_continue", "flow", "headers"),
        *("connection_lost", "connection_made", "on_body", "on_header", "on_headers_complete", "on_message_begin"),
        *("on_message_complete", "on_response_complete", "on_url", "parser", "pipeline", "resume_writing", "scope"),
        *("loop", "scheme", "server_state", "shutdown", "tasks", "transport", "_unset_keepalive_if_required"),
    ),
    "parser": ("feed_data", "get_http_version", "get_method", "should_keep_alive", "should_upgrade"),
    "flow": ("pause_reading", "resume_reading", "write_paused"),
    "state": ("connections", "default_headers", "total_requests"),
}
"""What there must be of uvicorn and its parser for this, and for what answers on top of it, to work."""


class _Refused(Exception):
    """Ends the parsing of a connection."""

    def __init__(self, kind: Kind, detail: str, reason: Reason) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.reason = kind, detail, reason


class _Flow(FlowControl):
    """Does not go on reading, as uvicorn would with each answer, while bytes wait that were read already."""

    held = False

    def resume_reading(self) -> None:
        if not self.held:
            super().resume_reading()


class GuardedProtocol(HttpToolsProtocol):
    """A connection within the limits of a guard."""

    edge: ClassVar[Edge]
    guard: ClassVar[Guard]
    limits: ClassVar[Limits]

    flow: FlowControl
    cycle: RequestResponseCycle | None  # type: ignore[assignment]  # there is none at first

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting = b""  # what was read and not yet parsed
        self._in_head = self._deaf = self._has_ended = False
        self._head = 0  # bytes of a head that has not ended yet
        self._requests = 0
        self._last_words: bytes | None = None
        self._seen: tuple[str, int] = ("head", 0)
        self._since: float | None = None

    # -- connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.flow = _Flow(transport)
        accepted = transport.get_extra_info("socket")
        if accepted is not None and hasattr(accepted, "setsockopt"):  # what is read at once has to be held at once
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        if not self.guard.admit(self, self.loop):
            self._refuse(_Refused(UNAVAILABLE, "There are too many connections; please try again", Reason.CONNECTIONS))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self.guard.forget(self)
        self._deaf, self._waiting = True, b""

    def close(self) -> None:
        self.transport.close()

    def is_idle(self) -> bool:
        return self._deaf or (self._in_flight() is None and not self._in_head and not self._waiting)

    def shutdown(self) -> None:
        """Answers say from now on that the connection ends; an idle one has a second for a request under way."""
        self.guard.closing, self._since = True, None
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn's closes always
        """Whether to stay open: who says no more may still wait for answers."""
        self._has_ended = True
        cycle = self._in_flight()
        return not self._in_head and (bool(self._waiting) or (cycle is not None and not cycle.more_body))

    def resume_writing(self) -> None:
        super().resume_writing()
        self._go_on_soon()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._unset_keepalive_if_required()  # the guard looks after that
        if self.pipeline or self._in_flight() is not None:
            return
        if self._last_words is not None:
            self._say_last_words()
        elif self._waiting:
            self._go_on_soon()
        elif self._has_ended:
            self.transport.close()

    # -- taking what was read in pieces, with no more than one request in each

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        if self._waiting or self._is_behind():
            self._wait(self._waiting + data)
        elif data.find(BLANK_LINE) == len(data) - 4 and len(data) <= _A_PIECE:  # one request, as a rule
            self._parse(data)
        else:
            self._take(data)

    def _in_flight(self) -> RequestResponseCycle | None:
        """The last request that the application was given, while it is not answered."""
        cycle = self.cycle
        return None if cycle is None or cycle.response_complete else cycle

    def _is_behind(self) -> bool:
        """Whether a request that has come whole is not answered yet, or the client does not read."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete and not cycle.more_body:
            return True
        return self.flow.write_paused

    def _wait(self, data: bytes) -> None:
        self._waiting = data
        self.flow.pause_reading()
        self.flow.held = True  # type: ignore[attr-defined]  # it is ours

    def _go_on_soon(self) -> None:
        if self._waiting and not self._deaf:
            self.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if not self._waiting or self._deaf or self._is_behind():
            return
        data, self._waiting = self._waiting, b""
        self.flow.held = False  # type: ignore[attr-defined]
        self._take(data)
        if self._waiting or self._deaf:
            return
        if not self._has_ended:
            self.flow.resume_reading()
        elif self._in_flight() is None:
            self.transport.close()

    def _take(self, data: bytes) -> None:
        begin, size, pieces = 0, len(data), 0
        while True:
            ahead = begin if self._in_head or self._in_flight() is None else begin + _OF_A_BODY
            end = data.find(BLANK_LINE, ahead, begin + _A_PIECE) + 4
            if end < 4:
                end = min(begin + _A_PIECE, size)
            self._parse(data[begin:end])
            if end >= size or self._deaf:
                return
            begin, pieces = end, pieces + 1
            if self._is_behind():
                self._wait(data[begin:])
                return
            if pieces >= _IN_A_TURN and self._in_flight() is None:
                self._wait(data[begin:])
                self._go_on_soon()
                return

    def _parse(self, piece: bytes) -> None:
        try:
            self.parser.feed_data(piece)
            if self._in_head:
                self._head += len(piece)
                if self._head > self.limits.target_bytes + self.limits.header_bytes:
                    raise self._too_large()
                if len(self.headers) > self.limits.headers:
                    raise self._too_many()
        except httptools.HttpParserUpgrade:
            # It is answered as any other request. What follows may be in the other protocol, or the body of this one.
            self._deaf = True
            if self.cycle is not None:
                self.cycle.keep_alive = False
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            if not isinstance(cause, _Refused):
                cause = _Refused(BAD_REQUEST, "The target of the request cannot be read", Reason.MALFORMED)
            self._refuse(cause)
        except _Refused as refused:
            self._refuse(refused)
        except httptools.HttpParserError as error:
            self._refuse(_Refused(BAD_REQUEST, f"This is not HTTP/1.1: {error}"[:200], Reason.MALFORMED))

    # -- what the parser says

    def on_message_begin(self) -> None:
        self.url, self.headers = b"", []
        self._in_head, self._head = True, 0
        self._requests += 1

    def on_url(self, url: bytes) -> None:
        self.url = self.url + url if self.url else url
        if len(self.url) > self.limits.target_bytes:
            detail = f"The target of a request is {self.limits.target_bytes} bytes at most"
            raise _Refused(TOO_LONG, detail, Reason.TARGET)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        headers = self.headers
        if len(headers) > self.limits.headers:
            raise self._too_many()
        if self._head and sum(len(name) + len(value) + 4 for name, value in headers) > self.limits.header_bytes:
            raise self._too_large()
        self._serve()

    def _too_many(self) -> _Refused:
        return _Refused(HEADERS_TOO_LARGE, f"A request has {self.limits.headers} headers at most", Reason.HEADERS)

    def _too_large(self) -> _Refused:
        detail = f"The headers of a request are {self.limits.header_bytes} bytes at most"
        return _Refused(HEADERS_TOO_LARGE, detail, Reason.HEADERS)

    def _serve(self) -> None:
        """Answer the request whose head is complete."""
        self._hand_over()

    def _hand_over(self, **also: object) -> None:
        """Have the application answer, by way of uvicorn, with this beside ASGI's own in its scope."""
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        for name, value in headers:
            super().on_header(name, value)
        self.scope.update(also)  # type: ignore[typeddict-item]  # keys of our own
        super().on_headers_complete()
        if self.cycle is not None and (self.guard.closing or self.parser.should_upgrade()):
            self.cycle.keep_alive = False

    # -- refusing

    def _refuse(self, refused: _Refused) -> None:
        """Say what is wrong, after the answers that are still due, and close; what else comes is not looked at."""
        self.guard.count(refused.reason)
        self._deaf, self._waiting, self.flow.held = True, b"", False  # type: ignore[attr-defined]
        self.flow.resume_reading()
        self._last_words = self._in_words(refused)
        cycle = self._in_flight()
        if not self._in_head and cycle is not None and cycle.more_body:  # its body is what is refused
            cycle.disconnected = cycle.response_complete = True
            cycle.message_event.set()
            if any(waiting is cycle for waiting, _ in self.pipeline):
                self.pipeline.popleft()  # the newest is on the left
            elif cycle.response_started:
                self.transport.close()
            else:
                self._say_last_words()
        elif cycle is None:
            self._say_last_words()

    def _in_words(self, refused: _Refused) -> bytes:
        identity = self.edge.next_identity()
        body = msgspec.json.encode(problem(refused.kind, refused.detail, f"urn:uuid:{identity}"))
        headers = [
            *self.server_state.default_headers,
            (b"content-type", PROBLEM_JSON.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            *([(b"retry-after", b"%d" % RETRY_AFTER_SECONDS)] if refused.kind is UNAVAILABLE else []),
            (b"x-request-id", identity.encode()),
            (b"connection", b"close"),
        ]
        head = b"".join(b"%b: %b\r\n" % header for header in headers)
        return b"".join((STATUS_LINE[refused.kind.status], head, b"\r\n", body))

    def _say_last_words(self) -> None:
        words, self._last_words = self._last_words, None
        if words is not None and not self.transport.is_closing():
            self.transport.write(words)
            if self.transport.can_write_eof():
                self.transport.write_eof()  # closing at once would reset what the client has not read yet

    # -- time

    def look(self, now: float) -> None:
        """End what has lasted for too long; to be called about once a second."""
        phase = self._phase()
        seen = phase, self._requests
        if seen != self._seen or self._since is None:
            self._seen, self._since = seen, now
            return
        waited, limits = now - self._since, self.limits
        if phase == "write" and waited >= limits.write_seconds:
            self.guard.count(Reason.WRITE_TIME)
            self.transport.abort()
        elif phase == "body" and waited >= limits.body_seconds:
            detail = f"The body of a request comes within {limits.body_seconds:g} s"
            self._refuse(_Refused(TIMED_OUT, detail, Reason.BODY_TIME))
        elif phase == "head" and waited >= limits.header_seconds:
            detail = f"The head of a request comes within {limits.header_seconds:g} s"
            self._refuse(_Refused(TIMED_OUT, detail, Reason.HEADER_TIME))
        elif waited >= self._leave().get(phase, math.inf):
            self.transport.close()

    def _leave(self) -> dict[str, float]:
        return {"idle": _GRACE if self.guard.closing else self.limits.keep_alive_seconds, "refused": _LINGER}

    def _phase(self) -> str:
        if self.transport.get_write_buffer_size():
            return "write"
        cycle = self._in_flight()
        if cycle is not None:
            return "body" if cycle.more_body and not self._deaf else "answer"
        if self._deaf:
            return "refused"
        return "head" if self._in_head or self._requests == 0 else "idle"


def missing_attributes(application: Edge) -> list[str]:
    """What uvicorn does not have of `LEANED_ON`; with anything in it, everybody has to be answered through ASGI."""
    loop = asyncio.new_event_loop()
    try:
        state = ServerState()
        protocol = HttpToolsProtocol(uvicorn.Config(application, log_config=None), state, {}, _loop=loop)
        parts = {
            "protocol": protocol,
            "parser": protocol.parser,
            "flow": FlowControl(None),  # type: ignore[arg-type]  # nothing is read
            "state": state,
        }
    except (TypeError, AttributeError) as error:
        return [str(error)]
    finally:
        loop.close()
    return [f"{part}.{name}" for part, every in LEANED_ON.items() for name in every if not hasattr(parts[part], name)]
