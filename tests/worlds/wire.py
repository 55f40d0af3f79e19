"""The service as it is spoken to, without a socket: bytes in, bytes out, by the protocol of the server."""

import asyncio
import itertools
from collections.abc import Iterable
from email.utils import formatdate
from typing import Any

import httpx2
import uvicorn
from litestar.types import ASGIApp
from tests.worlds.asgi import Sent
from uvicorn.server import ServerState

from entrypoints.http.edge.application import Edge
from entrypoints.http.edge.guards import Guard, Limits
from entrypoints.http.edge.kept import KeptAnswers
from entrypoints.http.edge.protocol import EdgeProtocol, protocol_for

DATE = (b"date", formatdate(0, usegmt=True).encode())


class Transport(asyncio.Transport):
    """What a protocol writes to; a client that does not read is one whose `room` is used up."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.unread = 0  # bytes that the client has not taken
        self.room: int | None = None
        self.protocol: EdgeProtocol | None = None
        self.changed = asyncio.Event()
        self.is_paused = self.is_closed = self.has_ended = self.was_aborted = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 80)}.get(name, default)

    def write(self, data: Any) -> None:
        if self.is_closed:
            return
        self.written += data
        self.changed.set()
        if self.room is not None:
            self.unread = max(len(self.written) - self.room, 0)
            if self.unread > 65536 and self.protocol is not None:
                self.protocol.pause_writing()

    def is_reading(self) -> bool:
        return not self.is_paused

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.has_ended = True

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_over(self) -> bool:
        """Whether the server says no more."""
        return self.is_closed or self.has_ended

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self._end(None)

    def abort(self) -> None:
        self.was_aborted = True
        self._end(ConnectionAbortedError())

    def _end(self, error: Exception | None) -> None:
        if not self.is_closed:
            self.is_closed = True
            self.changed.set()
            if self.protocol is not None:
                asyncio.get_running_loop().call_soon(self.protocol.connection_lost, error)


class Wire:
    """A server without a socket."""

    def __init__(
        self,
        application: ASGIApp,
        edge: Edge,
        kept: KeptAnswers | None,
        *,
        limits: Limits | None = None,
        guard: Guard | None = None,
    ) -> None:
        self.guard = Guard(Limits() if limits is None else limits, edge.metrics) if guard is None else guard
        self._protocol = protocol_for(edge, kept, self.guard)
        self._config = uvicorn.Config(
            application,
            http=self._protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        self._config.load()
        self.state = ServerState()
        self.state.default_headers = [DATE]

    def connect(self) -> "Connection":
        """A new connection; to be called within the loop that is to serve it."""
        protocol = self._protocol(
            config=self._config, server_state=self.state, app_state={}, _loop=asyncio.get_running_loop()
        )
        return Connection(protocol)

    async def ask(self, target: str, *, method: str = "GET", headers: Iterable[tuple[str, str]] = ()) -> Sent:
        """The answer to one request, on a connection of its own; without its date."""
        connection = self.connect()
        connection.send(written(target, method, headers))
        (answer,) = await connection.answers(1, [method])
        return answer._replace(headers=[each for each in answer.headers if each[0] != "date"])


class Connection:
    """A client that speaks HTTP/1.1 to a protocol."""

    def __init__(self, protocol: EdgeProtocol) -> None:
        self.protocol, self.transport = protocol, Transport()
        self.transport.protocol = protocol
        self._read = 0
        protocol.connection_made(self.transport)

    def send(self, data: bytes) -> None:
        """Let bytes arrive, as much at once as a server may be given."""
        self.protocol.data_received(data)

    async def answers(self, number: int, methods: Iterable[str] = ()) -> list[Sent]:
        """Wait for so many answers; fewer where the connection is closed before."""
        asked, found = itertools.chain(methods, itertools.repeat("GET")), list[Sent]()
        method = next(asked)
        async with asyncio.timeout(20):
            while True:
                self.transport.changed.clear()
                while (answer := self._next(method)) is not None:
                    found.append(answer)
                    method = next(asked)
                if len(found) >= number or self.transport.is_over():
                    return found
                await self.transport.changed.wait()

    def _next(self, method: str) -> Sent | None:
        """The next answer, taken apart without the code of the service; None before it has come whole."""
        data = self.transport.written
        end = data.find(b"\r\n\r\n", self._read)
        if end < 0:
            return None
        head, begin = bytes(data[self._read : end]), end + 4
        lines = head.decode("latin-1").split("\r\n")
        assert lines[0].startswith("HTTP/1.1 "), lines[0]
        status = int(lines[0].split(" ")[1])
        headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines[1:])]
        named = dict(headers)
        size, body = 0, b""
        if status == 100:
            self._read = begin
            return self._next(method)
        if method != "HEAD" and status not in {204, 304}:
            if "content-length" in named:
                size = int(named["content-length"])
                body = bytes(data[begin : begin + size])
            else:
                assert named["transfer-encoding"] == "chunked"
                size, body = _chunks(bytes(data[begin:]))
        if len(data) < begin + size:
            return None
        self._read = begin + size
        return Sent(status, headers, body)


def _chunks(data: bytes) -> tuple[int, bytes]:
    """How many bytes a chunked body takes, and what it holds; more than there are where it has not ended."""
    body, at = b"", 0
    while True:
        line, found, _ = data[at:].partition(b"\r\n")
        if not found:
            return len(data) + 1, b""
        size = int(line, 16)
        at += len(line) + 2
        body += data[at : at + size]
        at += size + 2
        if size == 0:
            return at, body


def written(target: str, method: str = "GET", headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> bytes:
    """A request in bytes."""
    lines = [f"{method} {target} HTTP/1.1".encode("latin-1")]
    every = list(headers)
    if "host" not in {name.lower() for name, _ in every}:
        every.insert(0, ("Host", "belref.test"))
    if body:
        every.append(("Content-Length", str(len(body))))
    lines += [f"{name}: {value}".encode("latin-1") for name, value in every]
    return b"\r\n".join([*lines, b"", body])


class WireTransport(httpx2.AsyncBaseTransport):
    """Lets a client of httpx2 speak to the protocol."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._connection: Connection | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        lines = [b"%b %b HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
        lines += [b"%b: %b" % header for header in request.headers.raw]
        if self._connection is None or self._connection.transport.is_over():
            self._connection = self._wire.connect()
        connection = self._connection
        connection.send(b"\r\n".join([*lines, b"", body]))
        (answer,) = await connection.answers(1, [request.method])
        return httpx2.Response(answer.status, headers=answer.headers, content=answer.body)
