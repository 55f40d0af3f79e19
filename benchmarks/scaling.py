"""What more replicas bring, and what Postgres sees of them: `python -m benchmarks.scaling [--output docs/scaling.md]`.

1, 2 and 4 replicas on one real Postgres, each at rest, then under look-ups, then while risk tables are activated. The
processes, Postgres and the load generators share the cores of this machine. Prints its figures as Markdown, or puts
them between the marks of a document. Takes about five minutes, and stops by itself. Linux only: it reads /proc.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psycopg
from benchmarks import scaling_report as report
from benchmarks.load import Load, LoadGenerator, Measured
from benchmarks.scaling_report import Observed
from tests.integration.postgres_databases import Database, Databases
from tests.integration.service import Service, running_service
from tests.servers.postgres import PostgresServer

from adapters.bundled import SAMPLE_RISK_TABLE
from adapters.postgres.connections import make_pool
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from adapters.risk_files.reading import read_draft
from domain.risk.releases import Activation, Draft
from domain.risk.tables import RiskTable

REPLICAS = (1, 2, 4)
CLIENTS = 32
_ACTIVATIONS = 10
_BY = "benchmarks.scaling"
_KEPT_BACK = 11.0  # seconds; an idle connection of Postgres tells its counters after ten at the latest
_PATIENCE = 20.0  # seconds; reached only when something is broken


@dataclass(frozen=True)
class Postgres:
    """A server, the database of the service on it, and a connection to another database of the server."""

    database: Database
    watcher: psycopg.Connection
    pid: int

    def transactions(self) -> int:
        """Transactions of the service's database so far, once everyone has told; each statement by itself is one."""
        time.sleep(_KEPT_BACK)
        return self._number("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = %s")

    def connections(self) -> int:
        return self._number("SELECT count(*) FROM pg_stat_activity WHERE datname = %s")

    def listening(self) -> int:
        """Connections that do nothing but wait for announcements."""
        return self._number("SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND query LIKE 'LISTEN%%'")

    def _number(self, statement: str) -> int:
        row = self.watcher.execute(statement, [self.database.name]).fetchone()
        assert row is not None
        return int(row[0])


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server of its own with a migrated database; the first replica loads the sample into it."""
    with PostgresServer() as server, Databases(server.dsn) as databases:
        database = databases.migrated()
        with psycopg.connect(server.dsn, autocommit=True) as watcher:
            backend = Path(f"/proc/{watcher.info.backend_pid}/stat").read_text("ascii", "replace")
            yield Postgres(database, watcher, pid=int(backend.rpartition(")")[2].split()[1]))
        databases.drop(database)


def observe(postgres: Postgres, replicas: int, seconds: float) -> Observed:
    """Start so many replicas, look at them, and stop them."""
    tables = _tables()
    paths = [f"/v1/zipcodes/{zipcode}" for item in tables[1].ranges for zipcode in range(item.first, item.last + 1)]
    with ExitStack() as stack:
        services = []
        for _ in range(replicas):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            settings = {"HEALTH_INDEX_SOURCE": "snapshot", "DB_DSN": postgres.database.service}
            services.append(stack.enter_context(running_service(folder, **settings)))
        before = postgres.transactions()
        time.sleep(seconds)
        rested = postgres.transactions()
        measured = _look_up(services, postgres, paths[:: max(len(paths) // 500, 1)], seconds)
        loaded = postgres.transactions()
        connections, listening = postgres.connections(), postgres.listening()
        reached = asyncio.run(_activate(services, postgres.database.service, tables, paths[0]))
        activated = postgres.transactions()
        return Observed(
            replicas=replicas,
            seconds=seconds + _KEPT_BACK,
            measured=measured,
            at_rest=rested - before,
            under_load=loaded - rested,
            activating=activated - loaded,
            connections=connections,
            listening=listening,
            memory=[_resident(service.process.pid) for service in services],
            reached=reached,
        )


def _look_up(services: Sequence[Service], postgres: Postgres, paths: Sequence[str], seconds: float) -> list[Measured]:
    """All replicas at the same time, each with its share of the clients and a generator of its own."""
    with ExitStack() as stack, ThreadPoolExecutor(len(services)) as pool:
        generators = [stack.enter_context(LoadGenerator()) for _ in services]
        loads = [
            Load(
                port=service.port,
                paths=paths,
                clients=CLIENTS // len(services),
                seconds=seconds,
                warm_up=1.0,
                watch={"service": service.process.pid, "postgres": postgres.pid},
            )
            for service in services
        ]
        return list(pool.map(lambda pair: pair[0].measure(pair[1]), zip(generators, loads, strict=True)))


def _tables() -> tuple[RiskTable, RiskTable]:
    """The sample, and the sample without its last range."""
    sample = read_draft(SAMPLE_RISK_TABLE).table
    return sample, RiskTable(sample.ranges[:-1])


async def _activate(
    services: Sequence[Service], dsn: str, tables: tuple[RiskTable, RiskTable], path: str
) -> list[float]:
    """Put the tables into service in turn; for each, seconds until every replica answered from it.

    From before the transaction that activates to the answer of the last replica, asked without a pause.
    """
    reached = []
    async with (
        make_pool(dsn, max_size=4, timeout=10, statement_timeout=10) as pool,
        httpx2.AsyncClient(timeout=10) as client,
    ):
        repository = PsycopgZipcodeRepository(pool)
        releases = [(await repository.add(Draft(table, "scaling", table.digest), _BY)).id for table in tables]
        active = (await repository.history()).active.id

        async def until_answered(service: Service, release: str) -> float:
            while True:
                answer = await client.get(f"http://127.0.0.1:{service.port}{path}")
                if answer.json()["release"] == release:
                    return time.perf_counter()

        for _ in range(_ACTIVATIONS):
            release = releases[active == releases[0]]
            started = time.perf_counter()
            async with asyncio.timeout(_PATIENCE):
                await repository.activate(Activation(release, _BY), expected=active)
                answered = await asyncio.gather(*(until_answered(service, release) for service in services))
            reached.append(max(answered) - started)
            active = release
    return reached


def _resident(pid: int) -> int:
    """Memory of a process, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def main() -> int:
    """Measure, and print or write; 1 when a look-up failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=19.0, help="of each look; the counters add 11 (default: 19)")
    parser.add_argument("--output", type=Path, help="the document whose figures are replaced")
    arguments = parser.parse_args()
    if not 1 <= arguments.seconds <= 120:
        parser.error("--seconds: from 1 to 120")
    setting = report.Setting.here()
    observations = []
    with running_postgres() as postgres:
        for replicas in REPLICAS:
            observations.append(observe(postgres, replicas, arguments.seconds))
            print(f"{replicas} replicas: done", file=sys.stderr)
        server = postgres.watcher.info.server_version // 10000
    parts = {
        "machine": setting.line(server, CLIENTS),
        "measured": report.measured(observations),
        "cores": report.per_core(observations),
        "front": report.in_front(),
    }
    if arguments.output is None:
        print("\n\n".join(parts.values()))
    else:
        report.write(arguments.output, parts)
    return 1 if any(observed.errors for observed in observations) else 0


if __name__ == "__main__":
    sys.exit(main())
