"""Whatever stops a writer, and wherever: what is there is whole, old or new, and the next writer goes on from it."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from tests.contracts.zipcode_repository import ALL_A, AUTUMN, EVERY_NUMBER, SPRING

from adapters.folder.store import ReleaseFolder
from domain.errors import StorageUnavailable
from domain.risk.releases import Activation, Event, EventKind, ReleaseHistory

TOUCHING = ("mkdir", "open", "write", "ftruncate", "fsync", "replace")
"""Every call of the system by which the store changes something."""

Change = Callable[[ReleaseFolder], object]


def opened(folder: Path) -> ReleaseFolder:
    return ReleaseFolder(folder, lambda: datetime.now(UTC))


def activate(folder: ReleaseFolder, number: int) -> Event:
    history = folder.log().history
    before = history.active.id if history.activations else None
    return folder.activate(Activation(history.numbered(str(number)).id, "tester"), before)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what does not depend on whether a disk has it."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def prepared(path: Path) -> ReleaseFolder:
    """A folder with two releases, the first one in service."""
    folder = opened(path)
    folder.add(AUTUMN, "tester")
    folder.add(SPRING, "tester")
    activate(folder, 1)
    return folder


def assert_whole(path: Path) -> ReleaseHistory:
    """Every table that the log names is there, and the next writers go on; the history before they did."""
    history = opened(path).log().history
    for release in history.releases:
        assert opened(path).table(release).digest == release.table_sha256
    added = opened(path).add(EVERY_NUMBER, "next writer")
    last = activate(opened(path), added.number)
    after = opened(path).log().history
    assert after.active == added
    kinds = [event.kind for event in after.events[len(history.events) :]]
    known = EVERY_NUMBER.table.digest in {release.table_sha256 for release in history.releases}
    assert kinds == [EventKind.LOADED, EventKind.ACTIVATED][known:]
    assert after.events[-1] == last
    return history


class _KilledError(BaseException):
    """Nothing more is done."""


@dataclass
class Interruption:
    """Lets calls that change something fail: the `at`th one, or that and every one after it."""

    at: int
    error: BaseException
    for_good: bool
    calls: int = 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patched:
            for name in TOUCHING:
                patched.setattr(os, name, self._failing(name, getattr(os, name)))
            yield

    def _failing(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            self.calls += 1
            if self.calls == self.at and name == "write":
                file, content = arguments
                assert isinstance(content, memoryview)
                real(file, content[: len(content) // 2])
            if self.calls == self.at or (self.for_good and self.calls > self.at):
                raise self.error
            return real(*arguments, **options)

        return call


def interruptions(
    error: BaseException, *, for_good: bool, change: Change, tmp_path: Path
) -> Iterator[tuple[Path, bool]]:
    """Interrupt a change at each of its steps; a folder, and whether it was told to have failed, for each."""
    for at in count(1):
        path = tmp_path / str(at)
        folder, interruption, failed = prepared(path), Interruption(at, error, for_good), False
        try:
            with interruption():
                change(folder)
        except (StorageUnavailable, _KilledError):
            failed = True
        if interruption.calls < at:
            assert not failed
            assert at > 4, "there are more steps than that"
            return
        yield path, failed


CHANGES = pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda folder: folder.add(ALL_A, "tester"), EventKind.LOADED),
        (lambda folder: activate(folder, 2), EventKind.ACTIVATED),
    ],
    ids=["add", "activate"],
)


class TestInterruptions:
    @CHANGES
    def test_a_writer_that_is_killed_leaves_what_was_or_what_it_wanted(
        self, tmp_path: Path, change: Change, kind: EventKind, quick: None
    ) -> None:
        outcomes = set()
        for path, failed in interruptions(_KilledError(), for_good=True, change=change, tmp_path=tmp_path):
            assert failed
            for table in (path / "releases").glob("*.json"):
                assert table.read_bytes().endswith(b"]}\n")  # half a table never has the name of one
            events = assert_whole(path).events
            assert [event.kind for event in events[3:]] in ([], [kind])
            outcomes.add(len(events))
        assert outcomes == {3, 4}

    @CHANGES
    def test_a_disk_that_fails_once_leaves_everything_as_it_was_unless_the_change_is_made(
        self, tmp_path: Path, change: Change, kind: EventKind, quick: None
    ) -> None:
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        outcomes = []
        for path, failed in interruptions(full, for_good=False, change=change, tmp_path=tmp_path):
            made = not failed  # the line was written, and what failed came after it: the note of how far the log goes
            log = (path / "log.jsonl").read_bytes()
            assert (log.count(b"\n"), log[-1:]) == (3 + made, b"\n")
            assert [event.kind for event in assert_whole(path).events[3:]] == [kind] * made
            outcomes.append(failed)
        assert outcomes == sorted(outcomes, reverse=True)
        assert sum(outcomes) > 4

    @CHANGES
    def test_a_disk_that_fails_for_good_leaves_what_was_or_what_was_wanted(
        self, tmp_path: Path, change: Change, kind: EventKind, quick: None
    ) -> None:
        broken = OSError(errno.EIO, os.strerror(errno.EIO))
        for path, failed in interruptions(broken, for_good=True, change=change, tmp_path=tmp_path):
            assert [event.kind for event in assert_whole(path).events[3:]] in ([[], [kind]] if failed else [[kind]])

    def test_the_very_first_writer_may_be_killed_as_well(self, tmp_path: Path, quick: None) -> None:
        steps = 0
        for at in count(1):
            interruption = Interruption(at, _KilledError(), for_good=True)
            with suppress(_KilledError), interruption():
                opened(tmp_path / str(at)).add(AUTUMN, "tester")
            if interruption.calls < at:
                break
            steps = at
            assert len(assert_whole(tmp_path / str(at)).releases) in {0, 1}
        assert steps > 8

    def test_an_unfinished_table_is_replaced_by_the_next_one(self, tmp_path: Path, quick: None) -> None:
        for path, _ in interruptions(
            _KilledError(), for_good=True, change=lambda folder: folder.add(ALL_A, "killed"), tmp_path=tmp_path
        ):
            release = opened(path).add(ALL_A, "next writer")
            assert opened(path).table(release) == ALL_A.table
            names = {file.name for file in (path / "releases").iterdir()}
            assert names == {f"{each.id}.json" for each in opened(path).log().history.releases} | (
                names & {"unfinished"}
            )


class TestTornLines:
    @pytest.mark.parametrize("kind", [EventKind.LOADED, EventKind.ACTIVATED])
    def test_a_last_line_that_is_cut_off_anywhere_never_happened(
        self, tmp_path: Path, kind: EventKind, quick: None
    ) -> None:
        folder, log = prepared(tmp_path), tmp_path / "log.jsonl"
        before, start = folder.log().history, log.stat().st_size
        if kind is EventKind.LOADED:
            folder.add(ALL_A, "tester")
        else:
            activate(folder, 2)
        whole = log.read_bytes()
        assert len(whole) > start + 90
        for end in range(start + 1, len(whole)):
            log.write_bytes(whole[:end])
            assert opened(tmp_path).log().history == before
            event = activate(opened(tmp_path), 2)
            assert opened(tmp_path).log().history.events == (*before.events, event)
            assert log.read_bytes()[:start] == whole[:start]

    @pytest.mark.parametrize("rest", [b"\x00" * 5000, b"{" * 2_000_000, b'{"number":4', "é".encode()[:1]])
    def test_whatever_follows_the_last_newline_is_no_event(self, tmp_path: Path, rest: bytes) -> None:
        folder = prepared(tmp_path)
        before = folder.log().history
        with (tmp_path / "log.jsonl").open("ab") as log:
            log.write(rest)
        assert assert_whole(tmp_path) == before

    def test_a_reader_leaves_the_line_of_a_writer_alone(self, tmp_path: Path) -> None:
        folder = prepared(tmp_path)
        with (tmp_path / "log.jsonl").open("ab", buffering=0) as log:
            log.write(b'{"number":4')
            before = (tmp_path / "log.jsonl").read_bytes()
            folder.table(folder.log().history.active)
            assert (tmp_path / "log.jsonl").read_bytes() == before


WRITER = """
import asyncio, sys
from contextlib import suppress
from pathlib import Path
from adapters.folder.repository import FileZipcodeRepository
from domain.risk.releases import ActiveReleaseChanged, Draft
from domain.use_cases.releases import ReleaseService
from domain.risk.tables import RiskFactor, RiskRange, RiskTable

async def work(name):
    service = ReleaseService(FileZipcodeRepository(Path(sys.argv[1])))
    for number in range(12):
        zipcode = 1000 + 100 * ord(name) % 5000 + number
        draft = Draft(RiskTable([RiskRange(zipcode, zipcode, RiskFactor.A)]), name, "0" * 64)
        release = (await service.load(draft, name)).release
        with suppress(ActiveReleaseChanged):
            await service.activate(release.id, name, force=True)

asyncio.run(work(sys.argv[2]))
"""


def test_two_processes_write_the_log_in_turns(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, name]) for name in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    history = assert_whole(tmp_path)
    assert [release.number for release in history.releases] == list(range(1, 25))
    assert {name: sum(release.created_by == name for release in history.releases) for name in "ab"} == {
        "a": 12,
        "b": 12,
    }
    assert len(history.activations) >= 12
