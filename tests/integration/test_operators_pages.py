"""What the pages for operators tell to type is typed, as it stands there, on a Postgres of the test's own."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from tests.contracts.zipcode_repository import ALL_A, AUTUMN, SPRING, serve
from tests.integration.service import BELREF, Service, environment, running_service, running_services, wait_until
from tests.servers.postgres import PostgresServer, installed_tree
from tests.worlds.risk_tables import draft

from adapters.folder.repository import FileZipcodeRepository
from adapters.postgres.connections import make_pool
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from domain.risk.releases import Draft
from domain.risk.tables import RiskFactor, RiskRange, RiskTable

ROOT = Path(__file__).parents[2]
_SHELL = ("/usr/bin/env", "bash", "-euo", "pipefail", "-c")
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: str) -> list[str]:
    """The commands of a page, block by block."""
    return _BLOCK.findall((ROOT / "docs" / page).read_text("utf-8"))


class Operator:
    """Types commands in a folder, as the administrator of a Postgres."""

    def __init__(self, folder: Path, dsn: str) -> None:
        server = conninfo_to_dict(dsn)
        self.folder = folder
        self.variables = environment(
            PGHOST=str(server["host"]),
            PGPORT=str(server["port"]),
            PGUSER=str(server["user"]),
            PGPASSWORD=str(server["password"]),
            HEALTH_INDEX_SOURCE="snapshot",
            PORT="0",
        )
        programs = (BELREF.parent, installed_tree() / "pginstall" / "bin")
        self.variables["PATH"] = os.pathsep.join([*map(str, programs), self.variables["PATH"]])

    def types(self, commands: str) -> str:
        """Run commands in a shell that ends with the first one that fails; what they say."""
        done = subprocess.run(
            [*_SHELL, commands],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        return done.stdout

    def setting(self, name: str) -> str:
        """A setting that a command has put into `.env`."""
        [value] = re.findall(rf"^{name}=(.*)$", (self.folder / ".env").read_text("utf-8"), re.MULTILINE)
        return str(value)


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    for program in ("bash", "python3"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} on the PATH")
    try:
        server = PostgresServer()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    with server:
        yield Operator(tmp_path, server.dsn)


def test_the_first_hour_goes_as_its_page_says(operator: Operator) -> None:
    begin, ask, load = blocks("first-hour.md")
    log = operator.folder / "service.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_SHELL, begin],
            cwd=operator.folder,
            env=operator.variables,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        service = Service(process, log)
        operator.variables["PORT"] = str(service.port)
        asked = operator.types(ask.replace(":5000", f":{service.port}"))
        assert "and is UP" in asked or "already, and is DEGRADED; health_index" in asked, asked
        assert "the sample, whose factors are invented" in asked
        assert " 0 failed" in asked
        assert operator.setting("DB_DSN").split("@")[0].split(":")[2] not in asked

        (operator.folder / "table.csv").write_text("1000 - 1310,C\n1315,B\n1320,A\n")
        assert "1000 C" in operator.types(load)
        service.client.close()
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def condition(replica: Service, part: str) -> str:
    """What `/health` says of a part: its condition and the detail."""
    check = replica.client.get("/health").json()["checks"][part]
    return f"{check['status']}: {check['detail']}"


def in_service(replica: Service) -> str:
    """The release that a replica answers from."""
    releases = replica.client.get("/v1/releases").json()["items"]
    return str(next(each["id"] for each in releases if each["status"] == "active"))


def wait_for_release(replica: Service, release: str) -> None:
    wait_until(lambda: in_service(replica) == release or None, f"a replica that answers from {release}")


async def put_into_postgres(dsn: str, *drafts: Draft) -> list[str]:
    """Put tables into service, one after the other; their releases."""
    async with make_pool(dsn, max_size=1, timeout=5, statement_timeout=5) as pool:
        return [(await serve(PsycopgZipcodeRepository(pool), each)).id for each in drafts]


async def put_into_folder(folder: str, *drafts: Draft) -> list[str]:
    """The same, for a folder."""
    return [(await serve(FileZipcodeRepository(Path(folder)), each)).id for each in drafts]


@contextmanager
def restored_under_replicas(
    operator: Operator,
    backup: str,
    restore: str,
    part: str,
    put: Callable[[Draft], list[str]],
) -> Iterator[Service]:
    """Backup, two more releases, restore. One replica was told to take an older history, and the other one refuses it.

    Gives the one that refuses, which still answers from the last release.
    """
    [first] = put(AUTUMN)
    operator.types(backup)
    folders = [operator.folder / name for name in ("obedient", "faithful")]
    for folder in folders:
        folder.mkdir()
    (folders[0] / ".env").write_text("ACCEPT_OLDER_HISTORY=true\n")
    settings = {name: operator.variables[name] for name in ("DB_DSN", "DATA_DIR") if name in operator.variables}
    with running_services(folders, HEALTH_INDEX_SOURCE="snapshot", **settings) as [obedient, faithful]:
        put(SPRING)
        [last] = put(ALL_A)
        wait_for_release(faithful, last)
        wait_for_release(obedient, last)
        operator.types(restore)

        wait_for_release(obedient, first)
        wait_until(lambda: condition(obedient, part).startswith("UP") or None, "a replica that follows again")
        wait_until(lambda: "it is not taken over" in condition(faithful, part) or None, "a refusal")
        told = condition(faithful, part)
        assert told.startswith("DEGRADED: its history (2 events) lacks some of the 6 that are known here")
        assert "to do so, restart, or set ACCEPT_OLDER_HISTORY=true" in told
        assert in_service(faithful) == last
        assert "belref_risk_history_refused 1.0" in faithful.client.get("/metrics").text
        yield faithful


def test_a_dump_of_postgres_is_restored_under_replicas_that_answer(operator: Operator) -> None:
    begin = blocks("first-hour.md")[0]
    operator.types(begin.replace("\nbelref serve\n", "\n"))
    dump, restore, *_ = blocks("backup.md")
    dsn = operator.setting("DB_DSN").replace("@localhost/", f"@localhost:{operator.variables['PGPORT']}/")
    operator.variables["DB_DSN"] = dsn

    def put(draft: Draft) -> list[str]:
        return asyncio.run(put_into_postgres(dsn, draft))

    with restored_under_replicas(operator, dump, restore, "postgres", put) as faithful:
        # What only this replica still has is given out as a file that can be loaded again.
        ranges = faithful.client.get("/v1/risk-ranges", headers={"Accept": "text/csv"})
    (operator.folder / "rescued.csv").write_text(ranges.text)
    report = json.loads(operator.types("belref risk load rescued.csv --activate --force --json"))
    assert report["release"]["table_sha256"] == ALL_A.table.digest
    report = json.loads(operator.types("belref doctor --json --offline"))
    found = {check["name"]: check["outcome"] for check in report["checks"]}
    assert (found["schema"], found["rights"], found["risk_table"]) == ("ok", "ok", "ok")
    with running_service(operator.folder / "again", HEALTH_INDEX_SOURCE="snapshot", DB_DSN=dsn) as again:
        assert condition(again, "postgres").startswith("UP")
        assert again.client.get("/v1/zipcodes/9999").json()["risk_factor"] == "A"


def test_an_archive_of_the_folder_is_restored_under_replicas_that_answer(tmp_path: Path) -> None:
    operator = without_postgres(tmp_path)
    operator.variables["DATA_DIR"] = data = str(tmp_path / "data")
    *_, archive, restore = blocks("backup.md")

    def put(draft: Draft) -> list[str]:
        return asyncio.run(put_into_folder(data, draft))

    with restored_under_replicas(operator, archive, restore, "data_dir", put):
        pass
    assert asyncio.run(FileZipcodeRepository(Path(data)).current()).table == AUTUMN.table


def test_an_archive_that_is_made_while_releases_come_and_go_is_a_whole_history(tmp_path: Path) -> None:
    operator, data = without_postgres(tmp_path), tmp_path / "data"
    *_, archive, _ = blocks("backup.md")
    repository, done = FileZipcodeRepository(data), threading.Event()
    asyncio.run(serve(repository, numbered(0)))

    def write() -> None:
        for number in count(1):
            if done.is_set():
                return
            asyncio.run(serve(FileZipcodeRepository(data), numbered(number)))

    writer = threading.Thread(target=write)
    writer.start()
    copies = [tmp_path / f"copy {number}" for number in range(5)]
    try:
        for copy in copies:
            before = asyncio.run(repository.history())
            wait_until(
                lambda before=before: asyncio.run(repository.history()) != before or None,  # type: ignore[misc]
                "a writer at work",
            )
            copy.mkdir()
            operator.types(f"{archive}tar --extract --file=belref-data.tar.gz --directory='{copy}'")
    finally:
        done.set()
        writer.join()
    truth = asyncio.run(repository.history())
    for copy in copies:
        copied = FileZipcodeRepository(copy / "data")
        history = asyncio.run(copied.history())
        assert truth.continues(history)
        for release in history.releases:
            assert asyncio.run(copied.table(release.id)).digest == release.table_sha256


def test_an_archive_is_made_while_nobody_else_can_write(tmp_path: Path) -> None:
    operator = without_postgres(tmp_path)
    asyncio.run(put_into_folder(str(tmp_path / "data"), AUTUMN))
    programs = tmp_path / "programs"
    programs.mkdir()
    # In place of tar: somebody else tries to take the lock meanwhile.
    (programs / "tar").write_text(
        "#!/bin/sh\nif flock --nonblock data/lock true; then touch written; fi\ntouch tried\n"
    )
    (programs / "tar").chmod(0o755)
    operator.variables["PATH"] = f"{programs}{os.pathsep}{operator.variables['PATH']}"
    *_, archive, _ = blocks("backup.md")
    operator.types(archive)
    assert (tmp_path / "tried").exists()
    assert not (tmp_path / "written").exists()


def numbered(number: int) -> Draft:
    """A table of its own for each number."""
    ranges = [RiskRange(1000, 1000 + number, RiskFactor.A), RiskRange(5000, 9999, RiskFactor.B)]
    return draft(RiskTable(ranges), f"{number}.csv")


def without_postgres(folder: Path) -> Operator:
    """An operator of a folder."""
    for program in ("bash", "flock", "tar"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} on the PATH")
    return Operator(folder, "host=127.0.0.1 port=1 user=nobody password=none")
