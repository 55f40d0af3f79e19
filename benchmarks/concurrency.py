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

import psycopg
from benchmarks import concurrency_report as report
from benchmarks.concurrency_report import LIST, ROUTES, ZIPCODE, Results, Subject
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

# The role of the service passes this policy once for each statement; the tables' owner does not see it.
_DISTANT = """
    ALTER TABLE active_release ENABLE ROW LEVEL SECURITY;
    CREATE POLICY distant ON active_release USING (pg_sleep(0.01) IS NOT NULL);
"""
# The first line of that file is the id of the process.
_DESCRIBED = """
    SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1),
           current_setting('server_version'), current_setting('max_connections')
"""


@dataclass(frozen=True)
class Postgres:
    """A server with a database that answers at once, and one whose every statement takes ten milliseconds longer."""

    near: Database
    distant: Database
    pid: int
    setting: str


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Both databases hold the sample of a risk table."""
    with PostgresServer() as server, Databases(server.dsn) as databases:
        near, distant = databases.migrated(), databases.migrated()
        table = read_draft(SAMPLE_RISK_TABLE).table
        for database in (near, distant):
            asyncio.run(_load_table(database, table))
        with psycopg.connect(distant.owner) as connection:
            connection.execute(_DISTANT)
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            row = connection.execute(_DESCRIBED).fetchone()
            assert row is not None
            pid, version, most = row
            setting = f"{version}, max_connections {most}, on the same machine, over TCP"
            yield Postgres(near, distant, int(pid), setting)
        for database in (near, distant):
            databases.drop(database)


async def _load_table(database: Database, table: RiskTable) -> None:
    async with make_pool(database.service, max_size=4, timeout=10, statement_timeout=10) as pool:
        await put_into_service(PsycopgZipcodeRepository(pool), table)
    async with await psycopg.AsyncConnection.connect(database.owner, autocommit=True) as connection:
        await connection.execute("VACUUM ANALYZE")


def cells(clients: Sequence[int]) -> dict[Subject, list[Cell]]:
    """What is measured of what: every form at every number of clients, and two tables beside."""
    found = {Subject(form): [(route, count) for route in ROUTES for count in clients] for form in FORMS}
    for subject in (*report.SIZES, *report.DISTANT):
        mine, aside = found.setdefault(subject, []), (ZIPCODE, report.ASIDE_CLIENTS)
        if aside not in mine:
            mine.append(aside)
    return found


def run(postgres: Postgres, plan: Plan) -> Results:
    """Measure everything so many times, subjects and their cells shuffled anew each time."""
    shuffle = random.Random(_SEED)  # noqa: S311 - no secret
    planned = cells(plan.clients)
    results: Results = defaultdict(list)
    for repeat in range(plan.repeats):
        subjects = shuffle.sample(list(planned), len(planned))
        for number, subject in enumerate(subjects, start=1):
            started = time.monotonic()
            mine = shuffle.sample(planned[subject], len(planned[subject]))
            for cell, measured in _measure(postgres, subject, mine, plan.seconds):
                results[subject, *cell].append(measured)
            progress = f"repeat {repeat + 1} of {plan.repeats}, {number:2} of {len(subjects)}"
            print(f"{progress}: {time.monotonic() - started:5.1f} s  {subject.title}", file=sys.stderr)
    return results


def _measure(
    postgres: Postgres, subject: Subject, mine: Iterable[Cell], seconds: float
) -> Iterator[tuple[Cell, Measured]]:
    dsn = (postgres.distant if subject.distant else postgres.near).service
    with (
        LoadGenerator() as generator,
        FormServer(subject.form, dsn, pool_size=subject.pool_size, threads=subject.threads) as server,
    ):
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
