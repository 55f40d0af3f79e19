"""What slow clients do to somebody else who asks for one zipcode, directly and through the proxy of the compose file.

    python -m benchmarks.slow_clients [--seconds 8] [--connections 500]

Prints the table of docs/containers.md. Everything is on this machine; a HAProxy is needed.
"""

import argparse
import asyncio
import itertools
import math
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path

from tests.integration.service import running_service
from tests.servers.haproxy import HAProxyServer

_EACH = 0.01  # seconds between two requests of the others
_UNDER_WAY = 2.0  # seconds for the slow ones to begin
_BYTE = 0.1  # seconds from one byte, or one kilobyte that is read, to the next
_HOT = b"GET /v1/zipcodes/9000 HTTP/1.1\r\nHost: a\r\n\r\n"
_HEAD = b"GET /"
_BODY = (
    b"POST /v1/zipcodes/lookup HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n"
)

Slow = Callable[[int], Awaitable[None]]
"""What one connection to a port does until it is cancelled, or until it is closed."""


def saying(begin: bytes) -> Slow:
    """Says so much at once, then a byte now and then."""

    async def slow(port: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begin)
        while True:
            await writer.drain()
            await asyncio.sleep(_BYTE)
            writer.write(b"a")

    return slow


async def reading(port: int) -> None:
    """Asks for all zipcodes, 124 kB of them, and reads a kilobyte now and then."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(connection, ("127.0.0.1", port))
        await loop.sock_sendall(connection, b"GET /v1/zipcodes HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in range(1000):
            await loop.sock_recv(connection, 1024)
            await asyncio.sleep(_BYTE)


SLOW: dict[str, tuple[Slow, ...]] = {
    "nobody is slow": (),
    "heads and bodies by turns, a byte each tenth of a second": (saying(_HEAD), saying(_BODY)),
    "readers of all zipcodes, a kilobyte each tenth of a second": (reading,),
}


async def _again(slow: Slow, port: int) -> None:
    """Whoever is thrown out comes again."""
    while True:
        with suppress(OSError):
            await slow(port)
        await asyncio.sleep(0.01)


def _all_of_them(name: str, port: int, connections: int) -> None:
    """In a process of its own: who measures must not wait for who is slow."""

    async def together() -> None:
        turns = itertools.islice(itertools.cycle(SLOW[name]), connections)
        await asyncio.gather(*(_again(slow, port) for slow in turns))

    asyncio.run(together())


@contextmanager
def slow_clients(name: str, port: int, connections: int) -> Iterator[None]:
    process = get_context("spawn").Process(target=_all_of_them, args=(name, port, connections), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


async def waits(port: int, seconds: float) -> list[float]:
    """Milliseconds that somebody else waited for each answer, on a connection that stays open, the shortest first."""
    await asyncio.sleep(_UNDER_WAY)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        writer.write(_HOT)
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"content-length: "))
        await reader.readexactly(size)
        found.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(_EACH)
    writer.close()
    return sorted(found)


def in_words(found: list[float]) -> str:
    late = found[math.ceil(len(found) * 0.99) - 1]
    return f"{found[len(found) // 2]:.1f} / {late:.1f} / {found[-1]:.0f}"


def main() -> None:
    """Print what each kind of slow client does."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--seconds", type=float, default=8.0)
    arguments.add_argument("--connections", type=int, default=500)
    given = arguments.parse_args()
    print("| | directly, ms: p50 / p99 / longest | through the proxy |\n| --- | --: | --: |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            running_service(folder, HEALTH_INDEX_SOURCE="snapshot") as service,
            HAProxyServer(folder, [service.port]) as proxy,
        ):
            kept = service.client.get("/v1/zipcodes", headers={"Accept-Encoding": "identity"})
            kept.raise_for_status()  # from now on it is kept, as after a minute of service
            for slow in SLOW:
                columns = []
                for port in (service.port, proxy.port):
                    with slow_clients(slow, port, given.connections):
                        columns.append(in_words(asyncio.run(waits(port, given.seconds))))
                print(f"| {slow} | {' | '.join(columns)} |", flush=True)


if __name__ == "__main__":
    main()
