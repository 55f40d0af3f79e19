"""`belref doctor` as an operator runs it, against servers that are well, and against those that are not."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.integration.postgres_databases import Database, password_of
from tests.integration.service import BELREF, environment, run_belref, running_service
from tests.integration.statbel_server import StatbelServer
from tests.servers.redis import RedisServer

from adapters.bundled import load_snapshot
from adapters.postgres.migrate import MIGRATIONS

LAST = max(MIGRATIONS.glob("*.sql")).stem
SYSTEM = Path("/sys/kernel")
"""A folder in which nobody can make a file, not even root."""


@pytest.fixture(scope="module")
def statbel() -> Iterator[StatbelServer]:
    with StatbelServer() as server:
        server.publish(load_snapshot().figures)
        yield server


def doctor(folder: Path, *options: str, **settings: str) -> tuple[int, dict[str, dict[str, Any]], dict[str, Any]]:
    """The exit code, the checks by their names, and all of the JSON."""
    done = run_belref(folder, "doctor", "--json", *options, **{"PORT": "0", **settings})
    assert done.stderr == ""
    told = json.loads(done.stdout)
    return done.returncode, {check["name"]: check for check in told["checks"]}, told


def outcomes(checks: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: check["outcome"] for name, check in checks.items()}


def test_a_healthy_deployment_is_well_throughout(
    tmp_path: Path, database: Database, redis_url: str, statbel: StatbelServer
) -> None:
    table = tmp_path / "table.csv"
    table.write_text("1000 - 1310,C\n1315,B\n1320,A\n")
    settings = {
        "DB_DSN": database.service,
        "REDIS_URL": redis_url,
        "STATBEL_OPEN_DATA_URL": statbel.open_data_url,
        "STATBEL_VIEW_URLS": "",
        "MAX_CONNECTIONS": "100",
    }
    assert run_belref(tmp_path, "risk", "load", "table.csv", "--activate", **settings).returncode == 0
    with psycopg.connect(database.superuser) as connection:
        before = connection.execute("SELECT count(*) FROM figures").fetchone()
        code, checks, told = doctor(tmp_path, **settings)
        assert connection.execute("SELECT count(*) FROM figures").fetchone() == before
    assert (code, {name: each for name, each in outcomes(checks).items() if each != "ok"}) == (0, {})
    assert checks["schema"]["detail"].startswith(LAST)
    assert "Postgres and Statbel agree" in checks["clock"]["detail"]
    assert "statbel open data answered" in checks["statbel"]["detail"]
    assert password_of(database.service) not in json.dumps(told)
    origins = {each["name"]: each["origin"] for each in told["settings"]}
    assert (origins["DB_DSN"], origins["HOST"]) == ("environment", "default")


def test_one_line_for_each_thing_and_the_settings_first(tmp_path: Path, database: Database) -> None:
    (tmp_path / ".env").write_text(f"DB_DSN={database.service}\nHEALTH_INDEX_SOURCE=snapshot\nPROT=1\n")
    done = run_belref(tmp_path, "doctor", PORT="0")
    lines = done.stdout.splitlines()
    assert password_of(database.service) not in done.stdout
    assert [line.split()[0] for line in lines[:3]] == ["PORT", "DB_DSN", "HEALTH_INDEX_SOURCE"], done.stdout
    assert lines[1].endswith("(.env)")
    assert "warning settings: PROT in .env is no setting, and has no effect. Write PORT, if that is meant" in lines
    assert lines[-1].endswith(" 0 failed, 0 skipped")
    assert done.returncode == 0


def test_a_database_that_is_not_migrated_fails_with_the_command_that_does_it(
    tmp_path: Path, empty_database: Database
) -> None:
    code, checks, _ = doctor(tmp_path, "--offline", DB_DSN=empty_database.service)
    assert (code, outcomes(checks)["postgres"], outcomes(checks)["schema"]) == (1, "ok", "failed")
    assert "belref migrate" in checks["schema"]["advice"]
    assert (outcomes(checks)["rights"], outcomes(checks)["risk_table"]) == ("skipped", "skipped")
    with psycopg.connect(empty_database.superuser) as connection:  # and the doctor did not do it
        assert connection.execute("SELECT to_regclass('releases')").fetchone() == (None,)


def test_rights_are_those_of_the_role(tmp_path: Path, database: Database) -> None:
    code, checks, _ = doctor(tmp_path, "--offline", DB_DSN=database.owner)
    assert (code, outcomes(checks)["rights"]) == (0, "warning")
    with psycopg.connect(database.owner) as connection:
        connection.execute("REVOKE INSERT ON releases FROM belref_service")
        connection.execute("REVOKE UPDATE (release, since) ON active_release FROM belref_service")
    code, checks, _ = doctor(tmp_path, "--offline", DB_DSN=database.service)
    assert (code, outcomes(checks)["rights"]) == (1, "failed")
    assert "INSERT on releases, UPDATE on active_release" in checks["rights"]["detail"]


def test_a_wrong_password_is_told_without_the_password(tmp_path: Path, database: Database) -> None:
    wrong = make_conninfo(database.service, password="not the one")
    done = run_belref(tmp_path, "doctor", "--offline", DB_DSN=wrong, PORT="0")
    assert done.returncode == 1
    [line] = [line for line in done.stdout.splitlines() if line.startswith("failed")]
    assert "password authentication failed" in line
    assert "Correct the user and the password in DB_DSN" in line
    assert "not the one" not in done.stdout + done.stderr


def test_a_redis_that_was_stopped_fails_and_one_without_its_password_does_too(tmp_path: Path) -> None:
    with RedisServer(password="secret") as server:
        code, checks, _ = doctor(tmp_path, "--offline", REDIS_URL=server.url)
        assert (code, outcomes(checks)["redis"]) == (0, "ok")
        code, checks, _ = doctor(tmp_path, "--offline", REDIS_URL=server.url.replace("secret", "wrong"))
        assert (code, checks["redis"]["advice"]) == (1, "correct the user and the password in REDIS_URL")
        server.crash()
        code, checks, _ = doctor(tmp_path, "--offline", REDIS_URL=server.url)
        assert (code, outcomes(checks)["redis"]) == (1, "failed")
        assert "start Redis" in checks["redis"]["advice"]


@pytest.mark.skipif(not SYSTEM.is_dir(), reason="this machine has no folder that even root cannot write to")
def test_a_folder_that_cannot_be_written_fails(tmp_path: Path) -> None:
    code, checks, _ = doctor(tmp_path, "--offline", DATA_DIR=str(SYSTEM))
    assert (code, outcomes(checks)["data_dir"]) == (1, "failed")


def test_a_folder_that_is_missing_is_not_made(tmp_path: Path) -> None:
    code, checks, _ = doctor(tmp_path, "--offline", DATA_DIR="data")
    assert (code, outcomes(checks)["data_dir"]) == (0, "ok")
    assert "made by the first start" in checks["data_dir"]["detail"]
    assert not (tmp_path / "data").exists()


def test_a_service_that_runs_is_recognised_and_its_condition_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_service(tmp_path / "service", DATA_DIR=str(data), HEALTH_INDEX_SOURCE="snapshot") as service:
        port = str(service.port)
        code, checks, _ = doctor(tmp_path, PORT=port, DATA_DIR=str(data), HEALTH_INDEX_SOURCE="snapshot")
        assert "belref answers on" in checks["port"]["detail"]
        assert code == 0, checks
        assert outcomes(checks)["data_dir"] == "ok"
        assert "the sample" in checks["risk_table"]["detail"]


def test_a_port_of_another_program_fails(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        code, checks, _ = doctor(tmp_path, "--offline", PORT=str(other.getsockname()[1]))
    assert (code, "another program" in checks["port"]["detail"]) == (1, True)


def test_a_setting_that_is_none_ends_with_2(tmp_path: Path) -> None:
    done = run_belref(tmp_path, "doctor", PORT="a lot")
    assert (done.returncode, "PORT" in done.stderr) == (2, True)


def test_a_server_that_accepts_and_says_nothing_holds_nothing_else_up(tmp_path: Path) -> None:
    # The kernel accepts for it, as for a server that is stopped without being dead.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        dsn, url = f"postgresql://u:p@127.0.0.1:{port}/b", f"redis://127.0.0.1:{port}/0"
        statbel = f"http://127.0.0.1:{port}/"
        code, checks, _ = doctor(
            tmp_path, DB_DSN=dsn, REDIS_URL=url, STATBEL_OPEN_DATA_URL=statbel, DB_TIMEOUT_SECONDS="0.5",
            STATBEL_TIMEOUT_SECONDS="0.5", STATBEL_VIEW_URLS="",
        )  # fmt: skip
    found = outcomes(checks)
    assert (code, found["postgres"], found["redis"], found["statbel"]) == (1, "failed", "failed", "warning")
    assert found["python"] == "ok"


@pytest.fixture
def heard() -> Iterator[None]:
    """Processes that are started here hear of an interruption, also where ours was started to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_an_interruption_ends_it_with_130(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        process = subprocess.Popen(
            [BELREF, "doctor"],
            cwd=tmp_path,
            env=environment(STATBEL_OPEN_DATA_URL=url, STATBEL_VIEW_URLS="", PORT="0"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = silent.accept()  # it asks Statbel, and waits
        with connection:
            os.kill(process.pid, signal.SIGINT)
            _, complaints = process.communicate(timeout=20)
    assert (process.returncode, "Traceback" in complaints) == (130, False)
