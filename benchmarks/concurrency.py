"""The concurrency study: the same two routes, in several forms, on the same Postgres, in one run.

    python benchmarks/concurrency.py [--seconds S] [--repeats N] [--clients 1,8,...] [--output docs/concurrency.md]

Every repeat takes the forms in another order (the same orders in every run). Each form is a uvicorn process of its own
with one worker; Postgres and the load generator are processes of their own. All of it is on this machine, and stops
with this script. What the processes cost is read from /proc: Linux only.
"""

import argparse
import asyncio
import math
import random
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a script, it would find neither benchmarks nor tests

from benchmarks import concurrency_report as report
from benchmarks.concurrency_report import LIST, ROUTES, ZIPCODE, Cell, Results, Subject
from benchmarks.forms.applications import FORMS
from benchmarks.forms.server import FormServer
from benchmarks.load import Load, LoadGenerator, Measured
from tests.integration.postgres_databases import Database, Databases
from tests.risk_tables import put_into_service
from tests.servers.postgres import PostgresServer

from adapters.bundled import SAMPLE_RISK_TABLE
from adapters.postgres.connections import make_pool
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from adapters.risk_files.reading import read_draft
from domain.risk.tables import FIRST_ZIPCODE, LAST_ZIPCODE, RiskTable

DOCUMENT = Path(__file__).parents[1] / "docs" / "concurrency.md"
CLIENTS = (1, 8, 32, 128, 256)
_SEED = 20261122
_ZIPCODES = random.Random(_SEED).sample(range(FIRST_ZIPCODE, LAST_ZIPCODE + 1), 500)  # noqa: S311 - no secret
_PATHS = {ZIPCODE: [f"/zipcodes/{zipcode}" for zipcode in _ZIPCODES], LIST: ["/databases/zipcodes?risk_factor=A"]}

# The role of the service passes this policy once for each statement; the tables' owner does not see it.
_DISTANT = f"""
    ALTER TABLE active_release ENABLE ROW LEVEL SECURITY;
    CREATE POLICY distant ON active_release USING (pg_sleep({report.DISTANCE}) IS NOT NULL);
"""


@dataclass(frozen=True)
class Postgres:
    """A server with a database that answers at once, and one whose every statement takes `report.DISTANCE` longer."""

    near: Database
    distant: Database
    pid: int
    version: str
    max_connections: str


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
            yield Postgres(
                near,
                distant,
                pid=_parent(connection.info.backend_pid),
                version=_show(connection, "server_version"),
                max_connections=_show(connection, "max_connections"),
            )
        for database in (near, distant):
            databases.drop(database)


async def _load_table(database: Database, table: RiskTable) -> None:
    async with make_pool(database.service, max_size=4, timeout=10, statement_timeout=10) as pool:
        await put_into_service(PsycopgZipcodeRepository(pool), table)
    async with await psycopg.AsyncConnection.connect(database.owner, autocommit=True) as connection:
        await connection.execute("VACUUM ANALYZE")


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[1])


def _show(connection: psycopg.Connection, setting: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
    return str(row and row[0])


# -- the plan ----------------------------------------------------------------------------------------


def plan(clients: Sequence[int]) -> dict[Subject, list[Cell]]:
    """What is measured of what: every form at every number of clients, and two tables beside."""
    everything = [(route, count) for route in ROUTES for count in clients]
    main = {Subject(form): everything for form in FORMS}
    aside = {subject: [(ZIPCODE, report.ASIDE_CLIENTS)] for subject in (*report.SIZES, *report.DISTANT)}
    return {subject: [*main.get(subject, []), *aside.get(subject, [])] for subject in (*main, *aside)}


def run(postgres: Postgres, planned: dict[Subject, list[Cell]], *, seconds: float, repeats: int) -> Results:
    """Measure everything so many times, subjects and their cells shuffled anew each time."""
    shuffle = random.Random(_SEED)  # noqa: S311 - no secret
    results: Results = defaultdict(list)
    for repeat in range(repeats):
        subjects = shuffle.sample(list(planned), len(planned))
        for number, subject in enumerate(subjects, start=1):
            cells = dict.fromkeys(planned[subject])
            started = time.monotonic()
            for cell, measured in _measure(postgres, subject, shuffle.sample(list(cells), len(cells)), seconds):
                results[subject, *cell].append(measured)
            progress = f"repeat {repeat + 1} of {repeats}, {number:2} of {len(subjects)}"
            print(f"{progress}: {time.monotonic() - started:5.1f} s  {subject.title}", file=sys.stderr)
    return results


def _measure(
    postgres: Postgres, subject: Subject, cells: Iterable[Cell], seconds: float
) -> Iterator[tuple[Cell, Measured]]:
    dsn = (postgres.distant if subject.distant else postgres.near).service
    with (
        LoadGenerator() as generator,
        FormServer(subject.form, dsn, pool_size=subject.pool_size, threads=subject.threads) as server,
    ):
        _warm_up(server)
        for route, clients in cells:
            load = Load(
                port=server.port,
                paths=_PATHS[route],
                clients=clients,
                seconds=seconds,
                at_least=clients,
                watch={"server": server.pid, "postgres": postgres.pid},
            )
            yield (route, clients), generator.measure(load)


def _warm_up(server: FormServer) -> None:
    """Ask each route often enough that statements are prepared on every connection and caches are filled."""
    for path in (*_PATHS[ZIPCODE][:20], *_PATHS[LIST] * 20):
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=20) as answer:
            answer.read()


# -- the command -------------------------------------------------------------------------------------


def main() -> None:
    arguments = _arguments()
    planned = plan(arguments.clients)
    started = time.monotonic()
    load_before = Path("/proc/loadavg").read_text("ascii").split()[0]
    with running_postgres() as postgres:
        results = run(postgres, planned, seconds=arguments.seconds, repeats=arguments.repeats)
    minutes = (time.monotonic() - started) / 60
    setting = report.Setting(
        seconds=arguments.seconds,
        repeats=arguments.repeats,
        minutes=minutes,
        load_before=load_before,
        postgres=postgres.version,
        max_connections=postgres.max_connections,
    )
    report.write(arguments.output, results, setting, arguments.clients)
    print(f"{arguments.output} written after {minutes:.1f} minutes", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the two routes of the brief in several forms.")
    parser.add_argument("--seconds", type=_positive, default=1.0, help="of each measurement (default: 1)")
    parser.add_argument("--repeats", type=int, default=3, choices=range(1, 21), metavar="N", help="default: 3")
    parser.add_argument("--clients", type=_counts, default=CLIENTS, help="default: 1,8,32,128,256")
    parser.add_argument("--output", type=Path, default=DOCUMENT, help="the document whose figures are replaced")
    return parser.parse_args()


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 60 or math.isnan(value):
        raise argparse.ArgumentTypeError("more than 0 and at most 60")
    return value


def _counts(text: str) -> tuple[int, ...]:
    counts = tuple(sorted({int(part) for part in text.split(",")}))
    if not counts or not 1 <= counts[0] <= counts[-1] <= 1000:
        raise argparse.ArgumentTypeError("numbers from 1 to 1000")
    return counts


if __name__ == "__main__":
    main()
