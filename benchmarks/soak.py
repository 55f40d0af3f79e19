"""A soak: mixed requests at full speed while what is answered changes: `python -m benchmarks.soak [--seconds 600]`.

The service runs on Postgres and reads its figures from a server on this machine that plays Statbel. Every few seconds a
release is put into service, or Statbel corrects its latest figure and `belref index refresh` takes that over. Every
answer is looked at: its status, and that it is not older than what the process had answered when the request was sent.
Memory is printed each minute. Ends with 1 on an error, a stale answer or growth, and after `--seconds` in any case.
"""

import argparse
import asyncio
import itertools
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial

import uvloop
from benchmarks.bench import give_up_after
from benchmarks.figures import MB
from benchmarks.load import Load, Request
from benchmarks.load_run import Client, Run, measure
from benchmarks.processes import resident
from benchmarks.scenarios import distinct
from benchmarks.stage import ServiceProcess, service_process
from tests.integration.postgres_databases import Databases
from tests.integration.service import run_belref
from tests.integration.statbel_server import StatbelServer
from tests.servers.postgres import PostgresServer
from tests.worlds.risk_tables import put_into_service

from adapters.bundled import load_snapshot
from adapters.postgres.connections import make_pool
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from domain.risk.tables import RiskFactor, RiskRange, RiskTable

_CLIENTS, _DISTINCT, _PART = 32, 30_000, 60.0  # the last in seconds: until memory is looked at again
_FOLLOWED_WITHIN = 10.0  # seconds; a change is promised to be in force after one, and the machine is busy
_GROWTH = 16  # MB beyond what it held after the first part, when it had kept as much as it ever keeps
_HOT = ("/zipcodes/9000", "/v1/zipcodes/9000", "/v1/zipcodes?risk_factor=A&page_size=100", "/index?year=2013")
_KNOWN = [figure for figure in load_snapshot().figures if figure.base_year == 2013]
_LATEST = max(_KNOWN, key=lambda figure: figure.month)
_INDEX = re.compile(rb'"base_year":2013,"index":([0-9.]+)')


class Seen:
    """By what changes, the highest number that the process has answered, and what was older than it should be.

    Releases are numbered by themselves, in the order in which they come into service; a figure by its hundredths.
    """

    def __init__(self) -> None:
        self.newest: Counter[str] = Counter()
        self.stale: Counter[str] = Counter()

    def answer(self, kind: str, number: int, before: Counter[str]) -> None:
        if number < before[kind]:
            self.stale[f"{kind} {number} after {before[kind]}"] += 1
        self.newest[kind] = max(self.newest[kind], number)

    async def follows(self, kind: str, number: int) -> None:
        """Wait until the process answers from this one.

        :raises RuntimeError: when it does not
        """
        end = time.monotonic() + _FOLLOWED_WITHIN
        while self.newest[kind] < number:
            if time.monotonic() > end:
                raise RuntimeError(f"{kind} {number} was not followed: {self.newest[kind]} is answered")
            await asyncio.sleep(0.01)


class Checked(Client):
    """A client that reads the release of an answer from its header, and the latest figure from its body."""

    def __init__(self, run: Run, number: int, seen: Seen) -> None:
        super().__init__(run, number)
        self.seen = seen

    def ask(self, now: float) -> None:
        self._before = self.seen.newest.copy()
        super().ask(now)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-release":
            self.seen.answer("release", int(value.partition(b"-")[0]), self._before)

    def on_body(self, body: bytes) -> None:
        if found := _INDEX.search(body):
            self.seen.answer("figure", int(found[1].replace(b".", b"")), self._before)


def _requests() -> Sequence[Request]:
    hot = itertools.cycle(map(Request, _HOT))
    return [request for other in distinct(_DISTINCT) for request in (next(hot), next(hot), other)]


async def _change(seen: Seen, service: ServiceProcess, statbel: StatbelServer, dsn: str, pause: float) -> None:
    """Another release and another correction in turn, until cancelled; each once the process has followed the last."""
    settings = {"DB_DSN": dsn, "STATBEL_OPEN_DATA_URL": statbel.open_data_url, "STATBEL_VIEW_URLS": ""}
    async with make_pool(dsn, max_size=1, timeout=10, statement_timeout=10) as pool:
        for number in itertools.count(1):
            await asyncio.sleep(pause)
            middle, factor = 1000 + number, list(RiskFactor)[1 + number % 2]
            table = RiskTable([RiskRange(1000, middle, RiskFactor.A), RiskRange(middle + 1, 9999, factor)])
            release = await put_into_service(PsycopgZipcodeRepository(pool), table, f"{number}.csv")
            await seen.follows("release", int(release.id.partition("-")[0]))
            await asyncio.sleep(pause)
            value = _LATEST.value + Decimal(number) / 100
            statbel.publish([*_KNOWN, replace(_LATEST, month=_LATEST.month.plus(1), value=value, smoothed=None)])
            done = await asyncio.to_thread(run_belref, service.log.parent, "index", "refresh", **settings)
            if done.returncode:
                raise RuntimeError(f"the figures were not refreshed: {done.stderr}")
            await seen.follows("figure", int(value * 100))
            service.trim_log()


async def soak(seconds: float, service: ServiceProcess, statbel: StatbelServer, dsn: str) -> bool:
    """Whether all went well."""
    seen = Seen()
    errors: Counter[str] = Counter()
    held: list[float] = []
    load = Load(port=service.port, requests=_requests(), clients=_CLIENTS, seconds=_PART, at_most=10**9)
    changing = asyncio.create_task(_change(seen, service, statbel, dsn, pause=max(2.0, seconds / 700)))
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not changing.done():
        measured = await measure(replace(load, seconds=min(left, _PART)), partial(Checked, seen=seen))
        errors.update(measured.errors)
        held.append(resident(service.pid) / MB)
        now, stale = ", ".join(f"{kind} {number}" for kind, number in seen.newest.items()), seen.stale.total()
        counts = f"{measured.rate:,.0f} answers/s, {errors.total()} errors, {stale} stale"
        print(f"{seconds - end + time.monotonic():4.0f} s  {held[-1]:.0f} MB, {counts}, at {now}", flush=True)
    changing.cancel()
    (failure,) = await asyncio.gather(changing, return_exceptions=True)
    wrong = [f"{count} times {what}" for what, count in (errors + seen.stale).items()]
    wrong += [str(failure)] if isinstance(failure, Exception) else []
    wrong += [f"memory grew from {held[0]:.0f} to {held[-1]:.0f} MB"] if held[-1] - held[0] > _GROWTH else []
    print("\n".join(wrong) or "no errors, nothing stale, no growth")
    return not wrong


def main() -> int:
    parser = argparse.ArgumentParser(description="Ask at full speed while what is answered changes.")
    parser.add_argument("--seconds", type=float, default=600.0)
    seconds = parser.parse_args().seconds
    give_up_after(seconds + 120)
    with PostgresServer() as postgres, Databases(postgres.dsn) as databases, StatbelServer() as statbel:
        database = databases.migrated()
        statbel.publish(_KNOWN)
        source = {"STATBEL_OPEN_DATA_URL": statbel.open_data_url, "STATBEL_VIEW_URLS": ""}
        try:
            with service_process(HEALTH_INDEX_SOURCE="statbel", DB_DSN=database.service, **source) as service:
                return 0 if uvloop.run(soak(seconds, service, statbel, database.service)) else 1
        finally:
            databases.drop(database)


if __name__ == "__main__":
    sys.exit(main())
