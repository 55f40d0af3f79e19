"""The concurrency study: the same two routes, in several forms, on the same Postgres, in one run.

    python -m benchmarks.concurrency [--quick] [--output FILE]

Every repeat takes the forms in another order (the same orders in every run). Each form is a uvicorn process of its own
with one worker; Postgres and the load generator are processes of their own. All of it is on this machine, and stops
with this script. What the processes cost is read from /proc: Linux only.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psycopg
from benchmarks import concurrency_report as report
from benchmarks.concurrency_report import LIST, ROUTES, ZIPCODE, Results
from benchmarks.forms.applications import FORMS, FormServer
from benchmarks.load import Load, LoadGenerator, Measured, Request
from benchmarks.processes import ROOT
from benchmarks.report import machine, write
from tests.integration.postgres_databases import Database, Databases
from tests.servers.postgres import PostgresServer
from tests.worlds.risk_tables import put_into_service

from adapters.bundled import SAMPLE_RISK_TABLE
from adapters.postgres.connections import make_pool
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from adapters.risk_files.reading import read_draft
from domain.risk.tables import FIRST_ZIPCODE, LAST_ZIPCODE, RiskTable

DOCUMENT, QUICK_DOCUMENT = ROOT / "docs" / "concurrency.md", ROOT / "build" / "concurrency.md"
Cell = tuple[str, int]  # a route and a number of clients


@dataclass(frozen=True)
class Plan:
    """How much is measured: every cell for `seconds`, in each of the repeats."""

    seconds: float
    repeats: int
    clients: Sequence[int]


FULL = Plan(1.0, 3, (1, 8, 32, 128, 256))
QUICK = Plan(0.1, 1, (1, 8))
_SEED = 20261122
_ZIPCODES = random.Random(_SEED).sample(range(FIRST_ZIPCODE, LAST_ZIPCODE + 1), 500)  # noqa: S311 - no secret
_REQUESTS = {
    ZIPCODE: [Request(f"/zipcodes/{zipcode}") for zipcode in _ZIPCODES],
    LIST: [Request("/databases/zipcodes?risk_factor=A")],
}

# The first line of that file is the id of the process.
_DESCRIBED = """
    SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1),
           current_setting('server_version'), current_setting('max_connections')
"""


class Postgres(NamedTuple):
    """A server with a database that holds the sample of a risk table."""

    dsn: str
    pid: int
    setting: str


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    with PostgresServer() as server, Databases(server.dsn) as databases:
        database = databases.migrated()
        asyncio.run(_load_table(database, read_draft(SAMPLE_RISK_TABLE).table))
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            row = connection.execute(_DESCRIBED).fetchone()
            assert row is not None
            pid, version, most = row
            setting = f"{version}, max_connections {most}, on the same machine, over TCP"
            yield Postgres(database.service, int(pid), setting)
        databases.drop(database)


async def _load_table(database: Database, table: RiskTable) -> None:
    async with make_pool(database.service, max_size=4, timeout=10, statement_timeout=10) as pool:
        await put_into_service(PsycopgZipcodeRepository(pool), table)
    async with await psycopg.AsyncConnection.connect(database.owner, autocommit=True) as connection:
        await connection.execute("VACUUM ANALYZE")


def run(postgres: Postgres, plan: Plan) -> Results:
    """Measure everything so many times, forms and their cells shuffled anew each time."""
    shuffle = random.Random(_SEED)  # noqa: S311 - no secret
    planned = [(route, count) for route in ROUTES for count in plan.clients]
    results: Results = defaultdict(list)
    for repeat in range(plan.repeats):
        for form in shuffle.sample(list(FORMS), len(FORMS)):
            for cell, measured in _measure(postgres, form, shuffle.sample(planned, len(planned)), plan.seconds):
                results[form, *cell].append(measured)
            print(f"repeat {repeat + 1} of {plan.repeats}: {FORMS[form].title}", file=sys.stderr)
    return results


def _measure(postgres: Postgres, form: str, mine: Iterable[Cell], seconds: float) -> Iterator[tuple[Cell, Measured]]:
    with LoadGenerator() as generator, FormServer(form, postgres.dsn) as server:
        # Often enough that statements are prepared on every connection and caches are filled.
        warm_up = [*_REQUESTS[ZIPCODE][:20], *_REQUESTS[LIST] * 20]
        generator.measure(Load(port=server.port, requests=warm_up, clients=1, seconds=20, at_most=len(warm_up)))
        for route, clients in mine:
            load = Load(
                port=server.port,
                requests=_REQUESTS[route],
                clients=clients,
                seconds=seconds,
                at_least=clients,
                watch={"server": server.pid, "postgres": postgres.pid},
            )
            yield (route, clients), generator.measure(load)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the two routes of the brief in several forms.")
    parser.add_argument("--quick", action="store_true", help="once, and shortly; writes build/concurrency.md")
    parser.add_argument("--output", type=Path, help="the document; the plot is written beside it")
    arguments = parser.parse_args()
    plan = QUICK if arguments.quick else FULL
    output = arguments.output or (QUICK_DOCUMENT if arguments.quick else DOCUMENT)
    started, setting = time.monotonic(), machine()
    with running_postgres() as postgres:
        results = run(postgres, plan)
    minutes = (time.monotonic() - started) / 60
    setting["Postgres"] = postgres.setting
    setting["run"] = f"{plan.repeats} repeats of {plan.seconds:g} s or longer, {minutes:.1f} minutes in all"
    parts = report.parts(results, plan.clients, setting)
    write(parts, report.plot(results, plan.clients), page=DOCUMENT, output=output)
    print(f"{output} written after {minutes:.1f} minutes", file=sys.stderr)


if __name__ == "__main__":
    main()
