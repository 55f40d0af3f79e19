"""Stores in trouble: no connection left, a full disk, a folder that may not be read, a process that is killed.

Each has its message, and look-ups of the held table are answered all the while.
"""

import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import FileIO
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
from tests.integration.service import BELREF, Service, environment, run_belref, running_service, wait_until
from tests.servers.postgres import PostgresServer

from adapters.folder.store import ReleaseFolder
from adapters.postgres.migrate import migrate
from domain.errors import StorageUnavailable
from entrypoints.container import utc_now

SNAPSHOT = {"HEALTH_INDEX_SOURCE": "snapshot", "BELREF_OPERATOR": "anna"}
LOOKUP = "/v1/zipcodes/1315"
NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user, and mount a small disk")


def await_degraded(service: Service, part: str, words: str) -> None:
    """Wait until `/health` says so of a part, in these words. Look-ups are answered meanwhile."""
    said = ""

    def detail() -> bool | None:
        nonlocal said
        assert service.client.get(LOOKUP).status_code == 200
        answer = service.client.get("/health")
        assert answer.status_code == 200
        check = answer.json()["checks"][part]
        said = check["detail"]
        return (check["status"] == "DEGRADED" and words in said) or None

    wait_until(detail, f"{part} to be DEGRADED, with '{words}'")


def is_up(service: Service, part: str) -> None:
    def up() -> bool | None:
        assert service.client.get(LOOKUP).status_code == 200
        return service.client.get("/health").json()["checks"][part]["status"] == "UP" or None

    wait_until(up, f"{part} to be UP")


def table(folder: Path, name: str, factor: str = "B") -> str:
    """A file with every second zipcode, and 1315."""
    (folder / name).write_text("".join(f"{zipcode},{factor}\n" for zipcode in range(1001, 10_000, 2)))
    return name


class TestTooManyClients:
    @pytest.fixture
    def crowded(self) -> Iterator[PostgresServer]:
        with PostgresServer(max_connections=12) as server:
            migrate(server.dsn)
            yield server

    def test_look_ups_go_on_and_everybody_is_told(self, crowded: PostgresServer, tmp_path: Path) -> None:
        settings = {"DB_DSN": crowded.dsn, "DB_TIMEOUT_SECONDS": "1", **SNAPSHOT}
        with running_service(tmp_path, **settings) as service:
            held = service.client.get(LOOKUP).headers["x-release"]
            run_belref(tmp_path, "risk", "load", table(tmp_path, "b.csv"), "--activate", "--force", **settings)
            wait_until(lambda: service.client.get(LOOKUP).headers["x-release"] != held or None, "the other table")
            with everything_taken(crowded.dsn):
                await_degraded(service, "postgres", "it has no connection left (too many clients)")
                assert service.client.get(f"{LOOKUP}?release={held}").status_code == 503
                command = run_belref(tmp_path, "risk", "releases", **settings)
                assert command.returncode == 3
                assert "too many clients" in command.stderr
                start = run_belref(tmp_path, "serve", DB_WAIT_SECONDS="0", PORT="0", **settings)
                assert start.returncode == 1
                assert "too many clients" in start.stderr
            is_up(service, "postgres")
            assert service.client.get(f"{LOOKUP}?release={held}").status_code == 200


@contextmanager
def everything_taken(dsn: str) -> Iterator[None]:
    """Every connection is another's, those that the service had included."""
    with ExitStack() as taken, psycopg.connect(dsn, autocommit=True) as killer:
        for _ in range(100):
            killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'belref' AND pid <> pg_backend_pid()"
            )
            with pytest.raises(psycopg.OperationalError, match="too many clients"):
                take_all(taken, dsn)
            if not killer.execute("SELECT 1 FROM pg_stat_activity WHERE application_name = 'belref'").fetchall():
                break
        yield


@needs_root
class TestFullDisk:
    @pytest.fixture
    def small_disk(self) -> Iterator[Path]:
        disk = Path(tempfile.mkdtemp(prefix="belref-disk-"))
        command = ["mount", "-t", "tmpfs", "-o", "size=400m", "belref-test", str(disk)]
        mounted = subprocess.run(command, capture_output=True, check=False)
        if mounted.returncode:
            disk.rmdir()
            pytest.skip("this machine lets nobody mount a disk")
        disk.chmod(0o755)  # Postgres runs as another user
        try:
            yield disk
        finally:
            command = ["umount", "--lazy", str(disk)]
            subprocess.run(command, check=True)
            disk.rmdir()

    def test_look_ups_go_on_and_who_loads_is_told(self, small_disk: Path, tmp_path: Path) -> None:
        with PostgresServer(small_disk / "postgres") as server:
            migrate(server.dsn)
            settings = {"DB_DSN": server.dsn, **SNAPSHOT}
            with running_service(tmp_path, **settings) as service:
                held = service.client.get(LOOKUP).headers["x-release"]
                fill(small_disk / "filler")
                refused = load_until_refused(tmp_path, settings)
                assert refused.returncode == 3
                assert "its disk is full (53100)" in refused.stderr
                for path in (LOOKUP, "/health", "/v1/zipcodes?risk_factor=A", "/v1/health-index/latest"):
                    assert service.client.get(path).status_code == 200
                assert service.client.get(LOOKUP).headers["x-release"] == held
                (small_disk / "filler").unlink()
                loaded = run_belref(
                    tmp_path, "risk", "load", table(tmp_path, "last.csv", "C"), "--activate", "--force", **settings
                )
                assert loaded.returncode == 0, loaded.stderr
                wait_until(lambda: service.client.get(LOOKUP).headers["x-release"] != held or None, "the new table")

    def test_a_folder_on_a_full_disk_keeps_what_it_has(self, small_disk: Path, tmp_path: Path) -> None:
        settings = {"DATA_DIR": str(small_disk / "data"), **SNAPSHOT}
        with running_service(tmp_path, **settings) as service:
            held = service.client.get(LOOKUP).headers["x-release"]
            fill(small_disk / "filler")
            refused = run_belref(
                tmp_path, "risk", "load", table(tmp_path, "b.csv"), "--activate", "--force", **settings
            )
            assert refused.returncode == 3
            assert "No space left on device" in refused.stderr
            assert service.client.get(LOOKUP).headers["x-release"] == held
            (small_disk / "filler").unlink()
            loaded = run_belref(tmp_path, "risk", "load", "b.csv", "--activate", "--force", **settings)
            assert loaded.returncode == 0, loaded.stderr
            wait_until(lambda: service.client.get(LOOKUP).headers["x-release"] != held or None, "the new table")


def take_all(taken: ExitStack, dsn: str) -> NoReturn:
    while True:
        taken.enter_context(psycopg.connect(dsn, application_name="other"))


def write_to_the_end(file: FileIO, size: int) -> NoReturn:
    while True:
        file.write(bytes(size))


def fill(filler: Path) -> None:
    """Take all that is left of a disk."""
    with filler.open("wb", buffering=0) as file:
        for size in (2**20, 2**12):
            with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
                write_to_the_end(file, size)


def load_until_refused(folder: Path, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Load one table after another: Postgres has some room of its own at first."""
    for number in range(60):
        name = f"{number}.csv"
        (folder / name).write_text("".join(f"{zipcode},A\n" for zipcode in range(1001 + number, 10_000, 2)))
        loaded = run_belref(folder, "risk", "load", name, **settings)
        if loaded.returncode:
            return loaded
    raise AssertionError("the disk is not full")


BECOME_NOBODY = f"""
import os, signal, sys
signal.signal(signal.SIGUSR1, lambda *_: os.setresuid({NOBODY}, {NOBODY}, {NOBODY}))
from entrypoints.cli.main import main
main(["serve"])
"""
"""The interpreter may lie where another user cannot read it: so the process becomes that user once it has started."""


@needs_root
class TestPermissions:
    def test_look_ups_go_on_when_the_folder_may_not_be_read_any_more(self, tmp_path: Path) -> None:
        data = tmp_path / "data"
        with serving(tmp_path, BECOME_NOBODY, DATA_DIR=str(data), **SNAPSHOT) as service:
            assert service.client.get("/health").json()["checks"]["data_dir"]["status"] == "UP"
            service.client.get(LOOKUP)
            make_reachable(data)
            service.process.send_signal(signal.SIGUSR1)
            data.chmod(0o000)
            await_degraded(service, "data_dir", "log.jsonl cannot be found: Permission denied")
            data.chmod(0o755)
            is_up(service, "data_dir")

    def test_a_start_names_the_file_that_may_not_be_read(self, tmp_path: Path) -> None:
        data = tmp_path / "data"
        run_belref(tmp_path, "risk", "load", table(tmp_path, "a.csv"), "--activate", DATA_DIR=str(data), **SNAPSHOT)
        make_reachable(data)
        folder = ReleaseFolder(data, utc_now)
        release = folder.log().history.active
        for path, reason in (
            (
                data / "releases" / f"{release.id}.json",
                rf"releases/{release.id}\.json cannot be read: Permission denied",
            ),
            (data / "log.jsonl", r"log\.jsonl cannot be read: Permission denied"),
            (data, r"cannot be found: Permission denied"),
        ):
            mode = path.stat().st_mode
            path.chmod(0o000)
            try:
                with as_nobody(), pytest.raises(StorageUnavailable, match=reason):
                    read_anew(data)
            finally:
                path.chmod(mode)


def read_anew(data: Path) -> None:
    folder = ReleaseFolder(data, utc_now)
    folder.table(folder.log().history.active)


def make_reachable(data: Path) -> None:
    """Let everybody reach the folder, as where it is mounted."""
    shared = Path(tempfile.gettempdir())
    for folder in (data, *data.parents):
        if folder.stat().st_uid == os.geteuid() and shared in folder.parents:
            folder.chmod(folder.stat().st_mode | 0o055)


@contextmanager
def as_nobody() -> Iterator[None]:
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def serving(folder: Path, program: str, **settings: str) -> Iterator[Service]:
    log = folder / "service.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=folder,
            env=environment(PORT="0", **settings),
            stdout=output,
            stderr=output,
        )
    try:
        service = Service(process, log)
        with service.client:
            yield service
    finally:
        process.kill()
        process.wait()


class TestKilled:
    def test_a_service_that_is_killed_starts_again_with_what_was_in_service(self, tmp_path: Path) -> None:
        settings = {"DATA_DIR": str(tmp_path / "data"), **SNAPSHOT}
        name = table(tmp_path, "b.csv")
        with running_service(tmp_path, **settings) as service:
            sample = service.client.get(LOOKUP).headers["x-release"]
            run_belref(tmp_path, "risk", "load", name, "--activate", "--force", **settings)
            wait_until(lambda: service.client.get(LOOKUP).headers["x-release"] != sample or None, "the new table")
            active = service.client.get(LOOKUP).headers["x-release"]
            activating = subprocess.Popen(
                [BELREF, "risk", "activate", "1", "--force"], cwd=tmp_path, env=environment(**settings)
            )
            service.process.send_signal(signal.SIGKILL)
            service.process.wait()
            activating.kill()
            activating.wait()
        with running_service(tmp_path, **settings) as again:
            assert again.client.get(LOOKUP).headers["x-release"] in {active, sample}
            assert again.client.get("/health/ready").status_code == 200
            assert again.client.get(f"{LOOKUP}?release={active}").status_code == 200
