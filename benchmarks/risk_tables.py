"""What an operator and a client wait for when a risk table is as long as it can be: 9,000 single zipcodes.

    python -m benchmarks.risk_tables [--repeats N]

Prints tables in Markdown: checking, comparing, loading and activating, in a folder and on a Postgres of its own; a
thousand zipcodes at once, from the body of the request to that of the answer, without a client and a server around it;
and how many tables are held in memory once every old release was asked. Medians, and the slowest.
"""

import argparse
import asyncio
import json
import platform
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.integration.postgres_databases import Databases
from tests.servers.postgres import PostgresServer

from adapters.bundled import load_places, load_snapshot
from adapters.caching.risk_tables import CachedZipcodeRepository
from adapters.folder.repository import FileZipcodeRepository, make_watcher
from adapters.memory import InMemoryFigureHistory, InMemoryHealthIndexProvider, InMemoryZipcodeRepository
from adapters.postgres.connections import make_pool
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from adapters.risk_files.reading import read_draft
from domain.health_index.calendar import PublicationCalendar
from domain.ports import ZipcodeRepository
from domain.risk.releases import Draft
from domain.risk.tables import FIRST_ZIPCODE, LAST_ZIPCODE, RiskFactor, RiskRange, RiskTable, Zipcode
from domain.use_cases.health_index import HealthIndexService
from domain.use_cases.releases import ReleaseService
from domain.use_cases.zipcodes import RiskService
from entrypoints.http.app import create_app
from entrypoints.http.edge.application import Edge
from entrypoints.logs import configure_logs
from entrypoints.metrics import Metrics

PATH = "/v1/zipcodes/lookup"
OLD_RELEASES = 200
Milliseconds = dict[str, list[float]]


def any_table(choose: random.Random, last: int = LAST_ZIPCODE) -> RiskTable:
    """A factor for every zipcode, a row each."""
    zipcodes = range(FIRST_ZIPCODE, last + 1)
    return RiskTable(RiskRange(zipcode, zipcode, choose.choice(list(RiskFactor))) for zipcode in zipcodes)


async def operate(repository: ZipcodeRepository, folder: Path, repeats: int, choose: random.Random) -> Milliseconds:
    """What each step of an operator takes, each time with another table."""
    service = ReleaseService(repository)
    taken: Milliseconds = {step: [] for step in ("check", "diff", "load", "check + diff + load", "activate")}
    for _ in range(repeats):
        path = folder / "table.csv"
        lines = (f"{item.first},{item.factor}\n" for item in any_table(choose).ranges)
        path.write_text("".join(lines), encoding="ascii")
        draft: list[Draft] = []

        async def check(file: Path = path, into: list[Draft] = draft) -> None:
            into.append(read_draft(file))

        taken["check"].append(await _milliseconds(check))
        table = draft[0].table
        taken["diff"].append(await _milliseconds(lambda table=table: _compare(service, table)))  # type: ignore[misc]
        taken["load"].append(await _milliseconds(lambda draft=draft[0]: service.load(draft, "bench")))  # type: ignore[misc]
        taken["check + diff + load"].append(sum(taken[step][-1] for step in ("check", "diff", "load")))
        release = (await service.history()).releases[-1].id
        taken["activate"].append(
            await _milliseconds(lambda release=release: service.activate(release, "bench", force=True))  # type: ignore[misc]
        )
    return taken


async def _compare(service: ReleaseService, table: RiskTable) -> None:
    _, comparison = await service.compare(table)
    assert comparison.changes is not None
    assert comparison.by_factor()


async def _milliseconds(work: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await work()
    return (time.perf_counter() - started) * 1000


async def look_up(repeats: int, choose: random.Random) -> Milliseconds:
    """What a thousand zipcodes at once take in the service, by what comes of them."""
    repository = InMemoryZipcodeRepository()
    service = ReleaseService(repository)
    for table in (any_table(choose, last=7999), any_table(choose, last=4999)):
        release = (await service.load(Draft(table, "bench", ""), "bench")).release
        await service.activate(release.id, "bench", force=True)
    app = _application(repository)
    asked: dict[str, Sequence[object]] = {
        "with a factor": [choose.randrange(1000, 5000) for _ in range(1000)],
        "that had one until the last release": [choose.randrange(5000, 8000) for _ in range(1000)],
        "that never had one": [choose.randrange(8000, 10_000) for _ in range(1000)],
        "malformed": [f"x{number}" for number in range(1000)],
    }
    taken: Milliseconds = {}
    for name, zipcodes in asked.items():
        body = json.dumps({"zipcodes": zipcodes}).encode()
        taken[name] = [await _milliseconds(lambda body=body: _post(app, body)) for _ in range(repeats * 20)]  # type: ignore[misc]
    return taken


def _application(repository: ZipcodeRepository) -> Edge:
    def clock() -> datetime:
        return datetime.now(UTC)

    bundled = load_snapshot()
    source, calendar = InMemoryHealthIndexProvider(bundled), PublicationCalendar()
    index = HealthIndexService(source, bundled, InMemoryFigureHistory(), clock, calendar)
    return create_app(
        index=index,
        risks=RiskService(repository, clock),
        clock=clock,
        checks={},
        metrics=Metrics(),
        places=load_places(),
    )


async def _post(app: Edge, body: bytes) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    scope: Any = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http"}
    scope |= {"path": PATH, "raw_path": PATH.encode(), "root_path": "", "query_string": b"", "headers": headers}
    scope |= {"server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "state": {}}
    await app(scope, receive, send)
    assert sent[0]["status"] == 200


async def ask_the_past(folder: Path, choose: random.Random) -> tuple[int, Milliseconds]:
    """How many tables are held after every old release was asked, and what asking took."""
    store = FileZipcodeRepository(folder)
    held = CachedZipcodeRepository(store, listen=make_watcher(folder, 1), check_every=timedelta(days=1))
    service = ReleaseService(held)
    for _ in range(OLD_RELEASES):
        release = (await service.load(Draft(any_table(choose), "bench", ""), "bench")).release
        await service.activate(release.id, "bench", force=True)
    risks = RiskService(held, lambda: datetime.now(UTC))
    instants = [event.at for event in (await held.history()).activations]
    taken: Milliseconds = {"one that is not held": [], "one that is": []}
    for at in instants[:-1]:
        for name in taken:
            taken[name].append(await _milliseconds(lambda at=at: risks.factor(Zipcode(9000), at)))  # type: ignore[misc]
    return len(held._tables), taken  # noqa: SLF001


@asynccontextmanager
async def stores(folder: Path) -> AsyncIterator[dict[str, ZipcodeRepository]]:
    """A store of each kind, empty."""
    with PostgresServer() as server, Databases(server.dsn) as databases:
        database = databases.migrated()
        async with make_pool(database.service, max_size=4, timeout=10, statement_timeout=10) as pool:
            yield {"a folder": FileZipcodeRepository(folder), "Postgres": PsycopgZipcodeRepository(pool)}
        databases.drop(database)


def show(title: str, taken: Milliseconds) -> None:
    """A table in Markdown."""
    print(f"\n{title}\n\n| | median | slowest | repetitions |\n| --- | --: | --: | --: |")
    for name, each in taken.items():
        print(f"| {name} | {statistics.median(each):.2f} | {max(each):.2f} | {len(each)} |")


async def run(repeats: int) -> None:
    """Measure everything and print it."""
    choose = random.Random(1830)  # noqa: S311 - the same tables each time
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with stores(folder / "operator") as made:
            for where, repository in made.items():
                show(f"9,000 rows, {where}, milliseconds", await operate(repository, folder, repeats, choose))
        show("1,000 zipcodes at once, milliseconds", await look_up(repeats, choose))
        count, taken = await ask_the_past(folder / "past", choose)
        show(f"one zipcode in each of {OLD_RELEASES} releases, of which {count} are held, milliseconds", taken)


def main() -> None:
    """Read the arguments, measure and print."""
    parser = argparse.ArgumentParser(description="How long the work with a long risk table takes.")
    parser.add_argument("--repeats", type=int, default=10)
    configure_logs("warning", for_people=True)
    print(f"CPython {platform.python_version()}, {platform.machine()}")
    asyncio.run(run(parser.parse_args().repeats))


if __name__ == "__main__":
    main()
