"""The service on a real Postgres and a real Redis: what it starts with, and what it does without them."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool
from tests.integration.postgres_databases import Database, password_of
from tests.integration.service import (
    BELREF,
    Service,
    environment,
    run_belref,
    running_service,
    running_services,
    wait_until,
)
from tests.integration.statbel_server import OPEN_DATA, UNAVAILABLE, VIEW, StatbelServer
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.worlds.risk_tables import put_into_service

from adapters.bundled import load_snapshot
from adapters.postgres.migrate import migrate
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from domain.health_index.figures import Figure, Month
from domain.risk.tables import RiskFactor, RiskRange, RiskTable

SNAPSHOT = {"HEALTH_INDEX_SOURCE": "snapshot"}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "ours.csv"
    path.write_text("9000,C\n9170 - 9172,A\n")
    return path


@pytest.fixture
def postgres_server() -> Iterator[PostgresServer]:
    """A migrated server of the test's own, which it may stop."""
    with PostgresServer() as server:
        migrate(server.dsn)
        yield server


def _factor(service: Service, zipcode: int = 9000) -> Any:
    return service.client.get(f"/zipcodes/{zipcode}").json()["risk_factor"]


def _check(service: Service, name: str) -> dict[str, str]:
    check: dict[str, str] = service.client.get("/health").json()["checks"][name]
    return check


class TestSeeding:
    def test_an_empty_database_gets_the_table_once(self, tmp_path: Path, database: Database, table: Path) -> None:
        settings = {**SNAPSHOT, "DB_DSN": database.service, "RISK_TABLE_FILE": str(table)}
        with running_service(tmp_path, **settings) as service:
            assert service.wait_for_line("risk table loaded")["label"] == "ours.csv"
            assert _factor(service) == "C"
        table.write_text("9000,A\n")
        with running_service(tmp_path, **settings) as service:
            service.wait_for_line("risk table is there already")
            assert _factor(service) == "C"

    def test_without_a_file_it_gets_the_sample(self, tmp_path: Path, database: Database) -> None:
        with running_service(tmp_path, **SNAPSHOT, DB_DSN=database.service) as service:
            assert service.wait_for_line("risk table loaded")["label"] == "risk_table.sample.csv"
            assert _factor(service) == "B"

    def test_replicas_that_start_together_load_it_once(self, tmp_path: Path, database: Database, table: Path) -> None:
        settings = {**SNAPSHOT, "DB_DSN": database.service, "RISK_TABLE_FILE": str(table)}

        def start(name: str) -> str:
            folder = tmp_path / name
            folder.mkdir()
            with running_service(folder, **settings) as service:
                assert _factor(service) == "C"
                return service.text()

        with ThreadPoolExecutor(3) as pool:
            logs = list(pool.map(start, "abc"))
        assert sum(log.count('"risk table loaded"') for log in logs) == 1
        assert sum(log.count('"risk table is there already"') for log in logs) == 2

    def test_it_can_be_switched_off(self, tmp_path: Path, database: Database) -> None:
        with running_service(tmp_path, **SNAPSHOT, DB_DSN=database.service, RUN_SEEDER="false") as service:
            assert service.client.get("/health/ready").status_code == 503
            assert service.client.get("/zipcodes/9000").status_code == 503

    def test_a_bad_file_changes_nothing_and_is_logged_line_by_line(
        self, tmp_path: Path, database: Database, table: Path
    ) -> None:
        settings = {**SNAPSHOT, "DB_DSN": database.service, "RISK_TABLE_FILE": str(table)}
        table.write_text("9000,D\n9001,A\n9001,B\n")
        with running_service(tmp_path, **settings) as service:
            service.wait_for_line("risk table not loaded", faults=2)
            assert [line["line"] for line in service.lines() if line["event"] == "fault in the risk table"] == [1, 3]
            assert service.client.get("/health/ready").status_code == 503
        table.write_text("9000,C\n")
        with running_service(tmp_path, **settings) as service:
            assert _factor(service) == "C"
        table.write_text("9000,D\n")
        with running_service(tmp_path, **settings) as service:
            service.wait_for_line("risk table not loaded")
            assert _factor(service) == "C"


WHY = {
    "nobody listens": "Connection refused",
    "wrong password": "password authentication failed",
    "no such database": "does not exist",
    "not migrated": "it is not migrated",
}


class TestStartWithoutPostgres:
    @pytest.mark.parametrize("fault", list(WHY))
    def test_it_waits_visibly_and_then_stops_with_one_line(
        self, tmp_path: Path, database: Database, empty_database: Database, fault: str
    ) -> None:
        password = password_of(database.service)
        dsn = {
            "nobody listens": f"postgresql://belref:{password}@127.0.0.1:1/belref",
            "wrong password": database.service.replace(password, "wrong-secret"),
            "no such database": database.service.replace(database.name, "nothing"),
            "not migrated": empty_database.service,
        }[fault]
        done = run_belref(tmp_path, "serve", **SNAPSHOT, DB_DSN=dsn, DB_WAIT_SECONDS="1", DB_TIMEOUT_SECONDS="1")
        assert (done.returncode, done.stdout) == (1, "")
        *log, last = done.stderr.splitlines()
        problem = "cannot be used" if fault == "not migrated" else "did not answer"
        assert last.startswith(f"Postgres {problem} within 1 s: ")
        assert WHY[fault] in last
        assert any('"waiting for postgres"' in line for line in log)
        assert "Traceback" not in done.stderr
        assert password not in done.stderr
        assert "wrong-secret" not in done.stderr

    def test_a_signal_ends_the_waiting_at_once(self, tmp_path: Path) -> None:
        log = tmp_path / "service.log"
        settings = {**SNAPSHOT, "DB_DSN": "postgresql://belref@127.0.0.1:1/belref", "DB_WAIT_SECONDS": "60"}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [BELREF, "serve"], cwd=tmp_path, env=environment(**settings), stdout=output, stderr=output
            )
        try:
            wait_until(lambda: "waiting for postgres" in log.read_text("utf-8") or None, "the waiting")
            process.terminate()
            assert process.wait(10) == 0
        finally:
            process.kill()
            process.wait()
        assert "Traceback" not in log.read_text("utf-8")

    @pytest.mark.parametrize(
        ("settings", "line"),
        [
            ({"DB_DSN": "postgresql://u:hunter2@[bad"}, "DB_DSN: its DSN cannot be read"),
            ({"REDIS_URL": "http://u:hunter2@cache"}, "REDIS_URL: the address of Redis cannot be used"),
        ],
    )
    def test_an_address_that_cannot_be_read_is_one_line(
        self, tmp_path: Path, settings: dict[str, str], line: str
    ) -> None:
        done = run_belref(tmp_path, "serve", **SNAPSHOT, **settings)
        assert done.returncode == 1
        assert done.stderr.startswith(line)
        assert len(done.stderr.splitlines()) == 1
        assert "hunter2" not in done.stderr

    def test_it_answers_from_the_file_when_told_so_and_moves_to_postgres_when_that_is_there(
        self, tmp_path: Path, postgres_server: PostgresServer, table: Path
    ) -> None:
        postgres_server.crash()
        with running_service(
            tmp_path,
            **SNAPSHOT,
            DB_DSN=postgres_server.dsn,
            DB_WAIT_SECONDS="0.5",
            DB_TIMEOUT_SECONDS="1",
            STORAGE_FALLBACK="true",
            RISK_TABLE_FILE=str(table),
        ) as service:
            service.wait_for_line("answering without postgres", label="ours.csv")
            assert _factor(service) == "C"
            assert service.client.get("/health").json()["status"] == "DEGRADED"
            assert _check(service, "postgres")["status"] == "DEGRADED"
            postgres_server.start()
            service.wait_for_line("risk table loaded", label="ours.csv")
            wait_until(lambda: _check(service, "postgres")["status"] == "UP" or None, "postgres to be UP")
            assert _factor(service) == "C"


class TestOutages:
    def test_look_ups_go_on_without_postgres_and_health_says_so(
        self, tmp_path: Path, postgres_server: PostgresServer, table: Path
    ) -> None:
        settings = {**SNAPSHOT, "DB_DSN": postgres_server.dsn, "RISK_TABLE_FILE": str(table)}
        with running_service(tmp_path, **settings, DB_TIMEOUT_SECONDS="1") as service:
            wait_until(lambda: _check(service, "postgres")["status"] == "UP" or None, "postgres to be UP")
            postgres_server.crash()
            check = wait_until(
                lambda: c if (c := _check(service, "postgres"))["status"] == "DEGRADED" else None, "DEGRADED"
            )
            assert "does not answer" in check["detail"]
            assert _factor(service) == "C"
            assert service.client.get("/health/ready").status_code == 200
            postgres_server.start()
            wait_until(lambda: _check(service, "postgres")["status"] == "UP" or None, "postgres to be UP again")
            assert _factor(service) == "C"

    def test_look_ups_go_on_without_redis_and_health_says_so(
        self, tmp_path: Path, redis_server: RedisServer, statbel: StatbelServer
    ) -> None:
        with running_service(tmp_path, **_sources(statbel), REDIS_URL=redis_server.url) as service:
            service.wait_for_line("health index refreshed")
            assert _check(service, "redis")["status"] == "UP"
            redis_server.crash()
            assert _check(service, "redis") == {"status": "DEGRADED", "detail": "ConnectionError"}
            assert _factor(service) == "B"
            assert service.client.get("/v1/health-index/latest").status_code == 200

    def test_a_redis_that_never_answers_costs_no_request_anything(
        self, tmp_path: Path, redis_server: RedisServer, statbel: StatbelServer
    ) -> None:
        redis_server.freeze()
        with running_service(tmp_path, **_sources(statbel), REDIS_URL=redis_server.url) as service:
            assert service.client.get("/index?year=2013").status_code == 200
            assert not [line for line in service.lines() if line["event"] == "health index refreshed"]
            service.wait_for_line("health index refreshed")
            assert _check(service, "redis") == {"status": "DEGRADED", "detail": "TimeoutError"}
            assert service.client.get("/health").json()["status"] == "DEGRADED"
        redis_server.thaw()


@pytest.fixture
def statbel() -> Iterator[StatbelServer]:
    with StatbelServer() as server:
        server.publish([figure for figure in load_snapshot().figures if figure.base_year == 2013])
        yield server


def _sources(statbel: StatbelServer) -> dict[str, str]:
    return {"STATBEL_OPEN_DATA_URL": statbel.open_data_url, "STATBEL_VIEW_URLS": statbel.view_url}


def test_what_was_read_survives_a_restart_in_redis(
    tmp_path: Path, redis_server: RedisServer, statbel: StatbelServer
) -> None:
    settings = {**_sources(statbel), "REDIS_URL": redis_server.url}
    with running_service(tmp_path, **settings) as service:
        service.wait_for_line("health index refreshed")
        before = service.client.get("/v1/health-index/latest").json()["freshness"]
    statbel.answer(OPEN_DATA, UNAVAILABLE)
    statbel.answer(VIEW, UNAVAILABLE)
    with running_service(tmp_path, **settings) as service:
        service.wait_for_line("health index refreshed", source="statbel")
        assert service.client.get("/v1/health-index/latest").json()["freshness"] == before


async def test_an_activation_reaches_every_replica_before_it_looks_for_itself(
    tmp_path: Path, database: Database, pool: AsyncConnectionPool
) -> None:
    """Each looks once in half a minute, which is longer than this test waits."""
    with running_services([tmp_path / name for name in "abc"], **SNAPSHOT, DB_DSN=database.service) as services:
        for service in services:
            wait_until(lambda s=service: _check(s, "postgres")["status"] == "UP" or None, "UP")  # type: ignore[misc]
        assert [_factor(service) for service in services] == ["B"] * 3
        table = RiskTable([RiskRange(9000, 9000, RiskFactor.A)])
        await put_into_service(PsycopgZipcodeRepository(pool), table)
        for service in services:
            wait_until(lambda s=service: _factor(s) == "A" or None, "the new table")  # type: ignore[misc]


INJECTIONS = [
    "' OR '1'='1",
    "A'; DROP TABLE releases; --",
    "A' UNION SELECT id, label FROM releases --",
    "A/**/OR/**/1=1",
    "1; SELECT pg_sleep(10)",
    "%27%20OR%201%3D1",
    "A\x00",
    "\uff07 OR 1=1",
    "\\'; --",
    "$$; DROP TABLE releases; $$",
    "A" * 5000,
]


def test_no_parameter_of_any_route_ever_becomes_sql(tmp_path: Path, database: Database) -> None:
    with running_service(tmp_path, **SNAPSHOT, DB_DSN=database.service) as service:
        tag = service.client.get("/v1/zipcodes").headers["etag"]
        document = service.client.get("/schema/openapi.json").json()
        tried = 0
        good = {"base_year": "2013", "risk_factor": "A", "zipcode": "9000", "month": "2020-01"}
        good["release"] = service.client.get("/v1/releases").json()["items"][0]["id"]
        operations = [
            (method, path, operation) for path, item in document["paths"].items() for method, operation in item.items()
        ]
        for method, path, operation in operations:
            for parameter in operation.get("parameters", []):
                for payload in INJECTIONS:
                    required = {p["name"] for p in operation["parameters"] if p["required"]}
                    query = {
                        name: value
                        for name, value in good.items()
                        if name in required and f"{{{name}}}" not in path and name != parameter["name"]
                    }
                    if parameter["in"] == "query":
                        query[parameter["name"]] = payload
                        url = path.format(**good)
                    else:
                        url = path.format(**{parameter["name"]: _quoted(payload)})
                    body = {"zipcodes": [9000]} if method == "post" else None
                    answer = service.client.request(method, url, params=query, json=body)
                    # A slash makes it another path, which names nothing; nor does the id of no release.
                    nothing = "/" in payload or parameter["name"] == "release"
                    expected = 404 if parameter["in"] == "path" and nothing else 400
                    if parameter["in"] == "path" and len(payload) == 5000:  # the server reads no target of that length
                        expected = 414
                    assert answer.status_code == expected, (url, query, answer.text)
                    tried += 1
        assert tried >= 11 * len(INJECTIONS)
        assert service.client.get("/v1/zipcodes").headers["etag"] == tag
        assert not [line for line in service.lines() if line["level"] == "error"]


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def test_migrating_twice_does_nothing_the_second_time(tmp_path: Path, empty_database: Database) -> None:
    first, second = (run_belref(tmp_path, "migrate", MIGRATION_DSN=empty_database.owner) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert "applied 0001.releases" in first.stdout
    assert second.stdout == "Nothing to do.\n"


def test_migrating_without_an_address_says_what_is_missing(tmp_path: Path) -> None:
    done = run_belref(tmp_path, "migrate")
    assert done.returncode == 2
    assert done.stderr.startswith("MIGRATION_DSN is not set")


def test_the_command_line_answers_from_postgres(tmp_path: Path, database: Database, table: Path) -> None:
    settings = {**SNAPSHOT, "DB_DSN": database.service, "RISK_TABLE_FILE": str(table)}
    empty = run_belref(tmp_path, "zipcode", "9000", **settings)
    assert (empty.returncode, empty.stderr) == (1, "No risk table has been loaded yet\n")  # a question loads nothing
    with running_service(tmp_path, **settings) as service:
        service.wait_for_line("risk table loaded")
    done = run_belref(tmp_path, "zipcode", "9000", **settings)
    assert done.stdout.startswith("9000 C (release "), done.stderr


class TestFiguresKeptForGood:
    @pytest.fixture(autouse=True)
    def _september(self, statbel: StatbelServer) -> None:
        base_2013 = [figure for figure in load_snapshot().figures if figure.base_year == 2013]
        statbel.publish([*base_2013, Figure(Month(2026, 9), 2013, Decimal("140.85"))])

    def test_a_restart_with_statbel_gone_loses_nothing(
        self, tmp_path: Path, database: Database, statbel: StatbelServer
    ) -> None:
        settings = {**_sources(statbel), "DB_DSN": database.service}
        with running_service(tmp_path, **settings) as service:
            service.wait_for_line("health index refreshed", latest_month="2026-09", added=1)
            permalink = service.client.get("/v1/indexations?amount=500&from=2020-01&to=2026-09").json()["permalink"]
            receipt = service.client.get(permalink).content
        with running_service(tmp_path, **SNAPSHOT, DB_DSN=database.service) as service:
            assert service.client.get("/index?year=2013").json() == {
                "base_year": 2013,
                "index": 140.85,
                "month": "2026-09",
                "provenance": "published",
            }
            assert service.client.get(permalink).content == receipt
            earlier = service.client.get("/v1/health-index/latest?base_year=2013&as_of=2026-09-15").json()
            assert earlier["month"] == "2026-08"

    def test_one_replica_asks_and_the_others_follow(
        self, tmp_path: Path, database: Database, statbel: StatbelServer
    ) -> None:
        settings = {**_sources(statbel), "DB_DSN": database.service}
        with running_services([tmp_path / name for name in "ab"], **settings) as services:
            for service in services:
                wait_until(
                    lambda s=service: s.client.get("/v1/health-index/2026-09").status_code == 200 or None,  # type: ignore[misc]
                    "September",
                )
            assert len([request for request in statbel.requests if request.path == OPEN_DATA]) == 1

    def test_refresh_on_the_command_line_reaches_a_running_service(
        self, tmp_path: Path, database: Database, statbel: StatbelServer
    ) -> None:
        with running_service(tmp_path, **SNAPSHOT, DB_DSN=database.service) as service:
            assert service.client.get("/v1/health-index/2026-09").status_code == 404
            done = run_belref(tmp_path, "index", "refresh", **_sources(statbel), DB_DSN=database.service)
            assert "New: 1" in done.stdout, done.stderr
            wait_until(lambda: service.client.get("/v1/health-index/2026-09").status_code == 200 or None, "September")

    def test_without_its_table_the_service_goes_on_from_memory_and_says_so(
        self, tmp_path: Path, database: Database, statbel: StatbelServer
    ) -> None:
        with psycopg.connect(database.superuser, autocommit=True) as connection:
            connection.execute("DROP TABLE figures")
        with running_service(tmp_path, **_sources(statbel), DB_DSN=database.service) as service:
            service.wait_for_line("figures not read from the store")
            service.wait_for_line("figures not stored")
            assert _check(service, "figures") == {
                "status": "DEGRADED",
                "detail": "it is not migrated: set MIGRATION_DSN and run `belref migrate`",
            }
            assert service.client.get("/v1/health-index/2026-09").status_code == 200
