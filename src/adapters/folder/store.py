"""A folder of releases, and how it changes: calls that block, one step at a time.

`releases/<id>.json` has the ranges of a release and never changes. `log.jsonl` has a line for every event, and is the
one truth: what is in service is a replay of it, and a table that it does not name is not there. An event happens when
the newline of its line is written. Whoever writes holds `lock`; whoever reads needs no lock.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, TypeVar

from adapters.folder.log import decode_table, encode_event, encode_table, replay
from domain.clock import Clock
from domain.errors import StorageUnavailable
from domain.risk.releases import Activation, ActiveReleaseChanged, Draft, Event, EventKind, Release, ReleaseHistory
from domain.risk.tables import RiskTable

Written = TypeVar("Written")

MAX_LOG_BYTES = 64 * 2**20
MAX_TABLE_BYTES = 2**20
"""A table that gives every zipcode a factor one by one takes 150 kB."""

_LOG = "log.jsonl"
_MODE = 0o644

Stamp = tuple[int, int, int]
"""What a file looks like from outside: size, time of its last change, and which file it is."""


@dataclass(frozen=True, slots=True)
class Log:
    """What was read of the log when it looked like `stamp`; the first `whole` of its bytes are events.

    `digest` is that of these bytes.
    """

    history: ReleaseHistory
    stamp: Stamp | None = None
    whole: int = 0
    digest: bytes = sha256().digest()

    @property
    def torn(self) -> bool:
        """Whether somebody was stopped while writing, or is writing now."""
        return self.stamp is not None and self.stamp[0] > self.whole


class TakenError(Exception):
    """Another writer has the lock."""


class ReleaseFolder:
    """Every method raises `StorageUnavailable` for what the system refuses, and for what is not believed.

    The reason names a file and not the path of the folder: it may be shown to anyone.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        """It is made by whoever writes first."""
        self._folder, self._tables, self._log = folder, folder / "releases", folder / _LOG
        self._clock = clock
        self._known = Log(ReleaseHistory())

    def stamp(self) -> Stamp | None:
        """What the log looks like now; None while there is none. This does not block for long."""
        with _translated(f"{_LOG} cannot be found"):
            try:
                return _stamp(os.stat(self._log))  # noqa: PTH116 - as the other calls of its kind
            except FileNotFoundError:
                return None

    def log(self) -> Log:
        """Everything that happened. Only lines that are new since the last call are read as such."""
        known = self._known
        with _translated(f"{_LOG} cannot be read"):
            try:
                file = self._log.open("rb")
            except FileNotFoundError:
                return Log(ReleaseHistory())
            with file:
                stamp, content = _read(file, MAX_LOG_BYTES, _LOG)
        if sha256(content[: known.whole]).digest() != known.digest:  # not what it was: another file in its place
            known = Log(ReleaseHistory())
        history, added = replay(content[known.whole :], _LOG, known.history)
        whole = known.whole + added
        log = self._known = Log(history, stamp, whole, sha256(content[:whole]).digest())
        return log

    def table(self, release: Release) -> RiskTable:
        """The table of a release that the log names."""
        name = f"releases/{release.id}.json"
        with _translated(f"{name} cannot be read"), (self._folder / name).open("rb") as file:
            _, content = _read(file, MAX_TABLE_BYTES, name)
        return decode_table(content, release, name)

    def add(self, draft: Draft, by: str) -> Release:
        """As `ZipcodeRepository.add`.

        :raises TakenError: when another writer is at work
        """
        return self._locked(lambda: self._add(draft, by))

    def activate(self, activation: Activation, expected: str | None) -> Event:
        """As `ZipcodeRepository.activate`.

        :raises TakenError: when another writer is at work
        """
        return self._locked(lambda: self._activate(activation, expected))

    def _locked(self, work: Callable[[], Written]) -> Written:
        import fcntl  # noqa: PLC0415 - Windows does not have it, and must be able to import this

        with _translated("the folder cannot be written"):
            if not self._tables.is_dir():
                self._tables.mkdir(parents=True, exist_ok=True)
                _sync_folder(self._folder.parent)
            lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, _MODE)
        try:
            with _translated("the lock cannot be taken"):
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise TakenError from error
            return work()
        finally:
            os.close(lock)

    def _add(self, draft: Draft, by: str) -> Release:
        log = self.log()
        known = log.history.of_table(draft.table)
        if known is not None:
            return known
        number, now = log.history.next_event(self._clock())
        release = Release.of(draft, log.history.next_number(), now, by)
        line = encode_event(log.history, Event(number, now, EventKind.LOADED, release.id, by), release)
        with _translated(f"releases/{release.id}.json cannot be written"):
            self._write_table(release, draft.table)
        self._append(log, line)
        return release

    def _activate(self, activation: Activation, expected: str | None) -> Event:
        log = self.log()
        release = log.history.release(activation.release)
        found = log.history.active.id if log.history.activations else None
        if found != expected:
            raise ActiveReleaseChanged(expected, found)
        self.table(release)  # what is damaged is not put into service
        event = Event.of(activation, *log.history.next_event(self._clock()))
        self._append(log, encode_event(log.history, event))
        return event

    def _write_table(self, release: Release, table: RiskTable) -> None:
        """Under one name until it is whole, so that those who were stopped leave no more than one such file behind."""
        unfinished = self._tables / "unfinished"
        file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
        try:
            _write(file, encode_table(release, table))
            os.fsync(file)
        finally:
            os.close(file)
        os.replace(unfinished, self._tables / f"{release.id}.json")  # noqa: PTH105 - as the other calls of its kind
        _sync_folder(self._tables)

    def _append(self, log: Log, line: bytes) -> None:
        if log.whole + len(line) > MAX_LOG_BYTES:
            raise StorageUnavailable(f"{_LOG} is full: it would be larger than {MAX_LOG_BYTES // 2**20} MiB")
        with _translated(f"{_LOG} cannot be written"):
            file = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _MODE)
            try:
                if log.torn:
                    os.ftruncate(file, log.whole)
                _write(file, line)
                os.fsync(file)
                if log.whole == 0:
                    _sync_folder(self._folder)
            except OSError:
                with suppress(OSError):  # what is left of an unfinished line is no event, and cut off by the next one
                    os.ftruncate(file, log.whole)
                raise
            finally:
                os.close(file)


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(f"{what}: {error.strerror or type(error).__name__}") from error


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_size, found.st_mtime_ns, found.st_ino


def _read(file: BinaryIO, limit: int, name: str) -> tuple[Stamp, bytes]:
    """What a file looks like, and its bytes; those that are added meanwhile belong to another look at it."""
    stamp = _stamp(os.fstat(file.fileno()))
    if stamp[0] > limit:
        raise StorageUnavailable(f"{name} is larger than {limit // 2**20} MiB")
    return stamp, file.read(stamp[0])


def _write(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
