"""`kill -9` at random moments of loading a table and putting it into service, on a folder and on Postgres.

Most of a command's time is the start of the interpreter, where a kill proves nothing. So most of these kills meet a
process that was forked from one that had imported everything and read the table, and had nothing left but the work.
"""

import asyncio
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import NoReturn

import pytest
from tests.integration.postgres_databases import Database
from tests.integration.service import BELREF, environment
from tests.worlds.risk_tables import draft

from adapters.folder.repository import FileZipcodeRepository
from adapters.postgres.connections import make_pool
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from domain.ports import ZipcodeRepository
from domain.risk.releases import ActiveReleaseChanged, Draft, Release
from domain.risk.tables import RiskFactor, RiskRange, RiskTable
from domain.use_cases.releases import ReleaseService

KILLS = 30
COMMANDS_KILLED = 3
ROOT = Path(__file__).parents[2]


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a choice that can be made again, no secret


def numbered(number: int) -> Draft:
    """A table of 1,000 ranges, another one for every number."""
    factors = chance(number).choices(tuple(RiskFactor), k=1000)
    return draft(RiskTable(RiskRange(z, z + 8, f) for z, f in zip(range(1000, 10_000, 9), factors, strict=True)))


@dataclass(frozen=True)
class Store:
    """Where releases are: the setting of the service that says so, and its value."""

    setting: str
    value: str

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[ZipcodeRepository]:
        """As another process finds it."""
        if self.setting == "DATA_DIR":
            yield FileZipcodeRepository(Path(self.value))
        else:
            async with make_pool(self.value, max_size=4, timeout=10, statement_timeout=10) as pool:
                await pool.wait()
                yield PsycopgZipcodeRepository(pool)


async def serve(repository: ZipcodeRepository, wanted: Draft) -> Release:
    """What is to be killed, and what is done again when it was."""
    service = ReleaseService(repository)
    release = (await service.load(wanted, "operator")).release
    while True:
        # Postgres may still be carrying out the last words of a client that was killed.
        with suppress(ActiveReleaseChanged):
            return (await service.activate(release.id, "operator", force=True)).release


@dataclass
class Tally:
    """How the kills ended. A release that was loaded and not put into service is the middle."""

    store: Store
    what: str
    seed: int
    outcomes: Counter[str] = field(default_factory=Counter)
    survived: int = 0

    @property
    def kills(self) -> int:
        return self.outcomes.total()

    async def examine(self, before: Release, wanted: Draft, *, killed: bool) -> Release:
        """Hold what a kill left against what it may leave, and finish its work; the release in service then."""
        async with self.store.opened() as repository:
            current = await repository.current()
            active, history = current.release, current.history
            loaded = history.of_table(wanted.table)
            assert current.table.digest == active.table_sha256
            assert active in (before, loaded)
            assert history.activations[-1].release == active.id
            assert [event.number for event in history.events] == list(range(1, len(history.events) + 1))
            if loaded is not None:
                assert await repository.table(loaded.id) == wanted.table
            if killed:
                self.outcomes["old" if loaded is None else "middle" if active == before else "new"] += 1
            else:
                assert active == loaded
                self.survived += 1
            after = await serve(repository, wanted)
        assert after.table_sha256 == wanted.table.digest
        assert loaded in (None, after)
        return after

    def report(self, capsys: pytest.CaptureFixture[str], duration: float) -> None:
        ends = ", ".join(f"{self.outcomes[end]} {end}" for end in ("old", "middle", "new"))
        with capsys.disabled():
            print(  # noqa: T201 - where the kills fell is worth knowing whenever this runs
                f"\n{self.store.setting}, {self.what}: {self.kills} kills within {duration * 1000:.0f} ms: {ends}; "
                f"{self.survived} came too late (seed {self.seed})"
            )


@pytest.fixture
def seed() -> int:
    return secrets.randbits(32)


@pytest.fixture
def folder_store(tmp_path: Path) -> Store:
    return Store("DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def postgres_store(database: Database) -> Store:
    return Store("DB_DSN", database.service)


@pytest.fixture(params=["folder_store", "postgres_store"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(request.param)
    return found


async def test_a_kill_at_any_moment_of_the_work_leaves_the_old_or_the_new_release_whole(
    store: Store, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    tally, moments = Tally(store, "the work alone", seed), chance(seed)
    with nursery(store) as born:
        duration = median([born(number).finish() for number in range(5)])
        async with store.opened() as repository:
            before = await serve(repository, numbered(4))
        # Until both ends were seen as well: kills that all come before the first change would prove little.
        while tally.kills < KILLS or not (tally.outcomes["old"] and tally.outcomes["middle"] + tally.outcomes["new"]):
            number = 5 + tally.kills + tally.survived
            assert number < 10 * KILLS, f"kills fall on one side: {tally}"
            killed = born(number).kill(moments.uniform(0, duration))
            before = await tally.examine(before, numbered(number), killed=killed)
    tally.report(capsys, duration)
    async with store.opened() as repository:
        for release in (await repository.history()).releases:
            assert (await repository.table(release.id)).digest == release.table_sha256


async def test_a_kill_at_any_moment_of_the_command_leaves_the_old_or_the_new_release_whole(
    store: Store, seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tally, moments = Tally(store, "the command", seed), chance(seed)
    start = time.monotonic()
    assert command(store, tmp_path, 0).wait(30) == 0
    duration = time.monotonic() - start
    async with store.opened() as repository:
        before = (await repository.current()).release
    while tally.kills < COMMANDS_KILLED:
        number = 1 + tally.kills + tally.survived
        assert number < 10 * COMMANDS_KILLED
        process = command(store, tmp_path, number)
        await asyncio.sleep(moments.uniform(0, duration))
        process.kill()
        killed = process.wait(30) == -signal.SIGKILL
        before = await tally.examine(before, numbered(number), killed=killed)
    tally.report(capsys, duration)


def command(store: Store, folder: Path, number: int) -> subprocess.Popen[bytes]:
    """`belref risk load` of a numbered table."""
    file = folder / f"{number}.csv"
    file.write_text("".join(f"{item},{item.factor}\n" for item in numbered(number).table.ranges), "utf-8")
    settings = environment(**{store.setting: store.value})
    return subprocess.Popen(
        [BELREF, "risk", "load", file, "--activate", "--force"], cwd=folder, env=settings, stdout=subprocess.DEVNULL
    )


# -- The nursery -----------------------------------------------------------------------------------


class Child:
    """A process that has just begun to load a table and to put it into service."""

    def __init__(self, parent: subprocess.Popen[str], number: int) -> None:
        self._parent = parent
        self._pid = int(self._say(number))

    def finish(self) -> float:
        """Let it work to its end; how long that took, in seconds."""
        start = time.monotonic()
        assert self._say("bury") == "0\n"
        return time.monotonic() - start

    def kill(self, after: float) -> bool:
        """Kill it after so many seconds; False when it was done before."""
        time.sleep(after)
        os.kill(self._pid, signal.SIGKILL)  # it keeps its id until it is buried
        status = os.waitstatus_to_exitcode(int(self._say("bury")))
        assert status in {0, -signal.SIGKILL}
        return status != 0

    def _say(self, words: object) -> str:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(f"{words}\n")
        self._parent.stdin.flush()
        return self._parent.stdout.readline()


class Nursery:
    """Gives birth to processes that load the table with a number."""

    def __init__(self, parent: subprocess.Popen[str]) -> None:
        self._parent = parent

    def __call__(self, number: int) -> Child:
        return Child(self._parent, number)


@contextmanager
def nursery(store: Store) -> Iterator[Nursery]:
    arguments = [sys.executable, "-m", "tests.integration.test_risk_kills", store.setting, store.value]
    with subprocess.Popen(
        arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as parent:
        yield Nursery(parent)


def give_birth(store: Store) -> None:
    """For each number on a line of the input: a child, which says its id, and after another line how it ended."""
    for line in iter(sys.stdin.readline, ""):
        wanted = numbered(int(line))
        child = os.fork()
        if child == 0:
            asyncio.run(_live(store, wanted))
        sys.stdin.readline()
        _answer(os.waitpid(child, 0)[1])


async def _live(store: Store, wanted: Draft) -> NoReturn:
    async with store.opened() as repository:
        _answer(os.getpid())
        await serve(repository, wanted)
        os._exit(0)


def _answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    give_birth(Store(*sys.argv[1:]))
