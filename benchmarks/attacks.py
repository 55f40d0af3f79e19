"""What one client can do to the others: each attack for a few seconds, while somebody else asks for one zipcode.

    python -m benchmarks.attacks [--seconds 4] [--connections 100] [--only NAME] [--output docs/profile.md]

Prints what the others wait, and the memory of the process before, during and after; with `--output`, writes that into
the page, where the page has a place for it. Everything is on this machine.
"""

import argparse
import asyncio
import itertools
import json
import math
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import NamedTuple

from benchmarks.bench import give_up_after
from benchmarks.load import Request
from benchmarks.processes import resident
from benchmarks.report import machine, table, write
from benchmarks.stage import ask_one
from tests.integration.service import running_service
from tests.worlds.risk_tables import draft

from adapters.folder.repository import FileZipcodeRepository
from domain.risk.tables import FIRST_ZIPCODE, LAST_ZIPCODE, RiskFactor, RiskRange, RiskTable
from domain.use_cases.releases import ReleaseService

_MIB = 1 << 20
_EACH = 0.01  # seconds between two requests of the others
_REST = 3.0  # seconds after an attack until memory is looked at again: timed-out connections go meanwhile
_UNDER_WAY = 1.0  # seconds for the attack to begin
_PATIENCE = 20.0  # seconds for its process to start
_LONGEST = 15 * 60  # seconds for all of them
_HOT = b"GET /v1/zipcodes/9000 HTTP/1.1\r\nHost: a\r\n\r\n"
_MISS = b"GET /v1/indexations?amount=100&from=2010-06&to=2019-08 HTTP/1.1\r\nHost: a\r\n\r\n"


class Found(NamedTuple):
    """Milliseconds that the others waited, and megabytes of the process."""

    median: float
    longest: float
    before: float
    during: float
    after: float


Attack = Callable[[int], Awaitable[None]]
"""What one connection to a port does until it is cancelled, or until it is closed."""


def endless(begin: bytes, again: bytes) -> Attack:
    """Begins once, and goes on for ever."""

    async def attack(port: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begin)
        while True:
            writer.write(again)
            await writer.drain()

    return attack


def pipelining(request: bytes, *, reads: bool) -> Attack:
    """Sends one request after the other without waiting for answers, and reads them or does not."""

    async def attack(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def read() -> None:
            while await reader.read(1 << 16):
                pass

        reading = asyncio.create_task(read()) if reads else None
        try:
            while True:
                writer.write(request * 100)
                await writer.drain()
        finally:
            if reading is not None:
                reading.cancel()

    return attack


async def silent(port: int) -> None:
    """Says nothing."""
    reader, _ = await asyncio.open_connection("127.0.0.1", port)
    await reader.read()


async def slow(port: int) -> None:
    """Says a byte of its head every tenth of a second."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    for byte in b"GET /" + b"a" * 10_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


def asking(*requests: bytes, every: float = 0.05) -> Attack:
    """Asks for what takes long, twenty times a second, one request after the other."""
    in_turn = itertools.cycle(requests)

    async def attack(port: int) -> None:
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(next(in_turn))
            await writer.drain()
            await asyncio.sleep(every)
            writer.close()
            del reader

    return attack


async def differing(port: int) -> None:
    """Asks for the difference of each two releases, the other way round as well."""
    listing = await asyncio.to_thread(ask_one, port, Request("/v1/releases"))
    ids = [release["id"] for release in json.loads(listing.body)["items"]]
    pairs = itertools.permutations(ids, 2)
    requests = [f"GET /v1/releases/{one}/diff?against={other} HTTP/1.1\r\nHost: a\r\n\r\n" for one, other in pairs]
    await asking(*(request.encode() for request in requests))(port)


def _post(target: str, body: object) -> bytes:
    content = json.dumps(body).encode()
    head = (
        f"POST {target} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


_RENT = {"rent": 900, "region": "flanders", "signed_on": "2010-07-01", "starts_on": "2010-08-01", "on": "2022-08-01"}
_CASE = {"amount": 100, "from": "2010-06", "to": "2019-08"}
_KEYS = {"items": [{f"key{number:06}": 0 for number in range(65_000)}]}  # in JSON a little less than 1 MiB

_RELEASES = 36
ATTACKS: dict[str, tuple[Attack, int]] = {
    "nobody attacks": (silent, 0),
    "a header that never ends": (endless(b"GET / HTTP/1.1\r\nA: ", b"a" * 65536), 1),
    "a target that never ends": (endless(b"GET /", b"a" * 65536), 1),
    "small headers without end": (endless(b"GET / HTTP/1.1\r\n", b"a: b\r\n" * 10_000), 1),
    "kept answers, pipelined": (pipelining(_HOT, reads=True), 1),
    "kept answers, pipelined by many": (pipelining(_HOT, reads=True), 0),
    "kept answers, pipelined by many and not read": (pipelining(_HOT, reads=False), 0),
    "answers made anew, pipelined": (pipelining(_MISS, reads=True), 1),
    "answers made anew, pipelined by many": (pipelining(_MISS, reads=True), 0),
    "kept answers, pipelined by two hundred and not read": (pipelining(_HOT, reads=False), 200),
    "answers made anew, pipelined by two hundred and not read": (pipelining(_MISS, reads=False), 200),
    "connections that say nothing": (silent, 0),
    "connections that say a byte now and then": (slow, 0),
    "1,000 rents, 20 times a second": (asking(_post("/v1/rent-indexations", {"items": [_RENT] * 1000})), 1),
    "1,000 indexations, 20 times a second": (asking(_post("/v1/indexations", {"items": [_CASE] * 1000})), 1),
    "1 MiB of keys, 20 times a second": (asking(_post("/v1/indexations", _KEYS)), 1),
    f"differences of {_RELEASES} releases of 9,000 ranges, 20 times a second": (differing, 1),
    "all zipcodes with a cookie": (asking(b"GET /v1/zipcodes HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\n\r\n"), 1),
    "an Accept of 30 kB": (
        asking(
            b"GET /v1/health-index?base_year=2013 HTTP/1.1\r\nHost: a\r\nAccept: " + b"a/b;q=0.1," * 3000 + b"\r\n\r\n"
        ),
        1,
    ),
    "one parameter 500 times": (
        asking(b"GET /v1/zipcodes?" + b"risk_factor=A&" * 500 + b"page=1 HTTP/1.1\r\nHost: a\r\n\r\n"),
        1,
    ),
}
"""By what it does: an attack, and from how many connections; 0 for as many as are asked for."""


async def _wait(port: int, waited: list[float]) -> None:
    """Somebody else, who asks for one zipcode on a connection that stays open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        began = time.perf_counter()
        writer.write(_HOT)
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"content-length: "))
        await reader.readexactly(size)
        waited.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(_EACH)


def _attack(name: str, port: int, connections: int, begun: Event) -> None:
    """In a process of its own: who measures must not wait for who attacks."""

    async def all_of_them() -> None:
        await asyncio.gather(*(_keep_on(ATTACKS[name][0], port) for _ in range(connections)))

    begun.set()
    asyncio.run(all_of_them())


async def _keep_on(attack: Attack, port: int) -> None:
    """Whoever is thrown out comes again."""
    while True:
        with suppress(OSError, asyncio.IncompleteReadError):
            await attack(port)
        await asyncio.sleep(0.01)


async def measure(name: str, port: int, pid: int, connections: int, seconds: float) -> Found:
    """What an attack from so many connections does to somebody else, and to the memory of a process."""
    waited: list[float] = []
    other = asyncio.create_task(_wait(port, waited))
    apart = get_context("spawn")
    begun = apart.Event()
    attackers = apart.Process(target=_attack, args=(name, port, connections, begun), daemon=True)
    attackers.start()
    before, highest = resident(pid), 0
    if not await asyncio.to_thread(begun.wait, _PATIENCE):
        raise RuntimeError(f"{name}: the attackers did not start")
    await asyncio.sleep(_UNDER_WAY)
    waited.clear()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        highest = max(highest, resident(pid))
        await asyncio.sleep(0.05)
    attackers.kill()
    attackers.join()
    other.cancel()
    await asyncio.gather(other, return_exceptions=True)
    during = sorted(waited) or [math.inf]
    await asyncio.sleep(_REST)
    return Found(during[len(during) // 2], during[-1], before / _MIB, highest / _MIB, resident(pid) / _MIB)


async def fill(folder: Path, releases: int = _RELEASES) -> None:
    """Releases of as many ranges as there are zipcodes, so that no two neighbours have one factor."""
    service, factors = ReleaseService(FileZipcodeRepository(folder)), list(RiskFactor)
    zipcodes = range(FIRST_ZIPCODE, LAST_ZIPCODE + 1)
    for turn in range(releases):
        steps = random.Random(turn).choices((1, 2), k=len(zipcodes))  # noqa: S311 - no secret
        of_each = zip(zipcodes, itertools.accumulate(steps), strict=True)
        every = RiskTable(RiskRange(zipcode, zipcode, factors[at % len(factors)]) for zipcode, at in of_each)
        loaded = await service.load(draft(every, f"{turn}.csv"), "attacks")
        await service.activate(loaded.release.id, "attacks", force=True)


def main() -> None:
    """Print what each attack does."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--seconds", type=float, default=4.0)
    arguments.add_argument("--only", default="", help="the attacks whose names begin so")
    arguments.add_argument("--connections", type=int, default=100, help="of the attacks that many take part in")
    arguments.add_argument("--output", type=Path, help="a page that has a place for the attacks")
    given = arguments.parse_args()
    give_up_after(_LONGEST)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(fill(folder / "releases"))
        for attack, (_, connections) in ATTACKS.items():
            if not attack.startswith(given.only):
                continue
            settings = {"HEALTH_INDEX_SOURCE": "snapshot", "DATA_DIR": str(folder / "releases")}
            with running_service(folder / "service", **settings) as service:
                many = connections if connections or attack == "nobody attacks" else given.connections
                found = asyncio.run(measure(attack, service.port, service.process.pid, many, given.seconds))
            memory = f"{found.before:.0f} / {found.during:.0f} / {found.after:.0f}"
            rows.append([f"{attack} ({many})", f"{found.median:.1f} / {found.longest:.0f}", memory])
            print(*rows[-1], sep=" | ", flush=True)
    if given.output is not None:
        shown = table(["", "others wait, ms: median / longest", "MB before / during / after"], rows)
        setting = machine()
        about = f"{setting['date']}, {setting['machine']}, {given.seconds:g} s each; in brackets, connections."
        write({"attacks": f"{about}\n\n{shown}"}, page=given.output, output=given.output)


if __name__ == "__main__":
    main()
