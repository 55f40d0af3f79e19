"""A folder of releases, and how it changes: calls that block, one step at a time.

`releases/<id>.json` has the ranges of a release and never changes. `log.jsonl` has a line for every event, and is the
one truth: what is in service is a replay of it, and a table that it does not name is not there. An event happens when
the newline of its line is written. `log.head` says how far the log once went, so that one that lost its end is noticed.
Whoever writes holds `lock`; whoever reads needs no lock.
"""

import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from adapters.folder.files import Stamp, look, opened, read, replace, stamp_of, sync, translated, write
from adapters.folder.log import (
    START,
    Head,
    Link,
    decode_head,
    decode_table,
    encode_event,
    encode_head,
    encode_table,
    replay,
)
from domain.clock import Clock
from domain.errors import StorageUnavailable
from domain.risk.releases import Activation, ActiveReleaseChanged, Draft, Event, EventKind, Release, ReleaseHistory
from domain.risk.tables import RiskTable

Written = TypeVar("Written")

MAX_LOG_BYTES = 64 * 2**20
MAX_TABLE_BYTES = 2**20
"""A table that gives every zipcode a factor one by one takes 150 kB."""

MAX_HEAD_BYTES = 1024

_LOG = "log.jsonl"
_HEAD = "log.head"
_TABLE = re.compile(r"[0-9]{4,9}-[0-9a-f]{8}\.json")
_WAY_OUT = (
    f"put {_LOG} back from a copy; or, to go on with what is left, remove {_HEAD} and, from releases/, the tables that "
    f"{_LOG} does not name"
)


@dataclass(frozen=True, slots=True)
class Log:
    """What was read of the log when it looked like `stamp`; the first `whole` of its bytes are events.

    `digest` is that of these bytes.
    """

    history: ReleaseHistory
    stamp: Stamp | None = None
    whole: int = 0
    digest: bytes = sha256().digest()
    link: Link = START

    @property
    def torn(self) -> int:
        """How many bytes follow the last event: somebody was stopped while writing, or is writing now."""
        return 0 if self.stamp is None else self.stamp[0] - self.whole


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
        with translated(f"{_LOG} cannot be found"):
            return stamp_of(self._log)

    def log(self) -> Log:
        """Everything that happened. Only lines that are new since the last call are read as such."""
        known = self._known
        look(self._folder, self._tables)
        # Before the log: whoever adds a line writes a table before it and the head after it.
        head, tables = self._head(), self._tables_there() if known.whole == 0 else []
        with translated(f"{_LOG} cannot be read"):
            found = read(self._log, MAX_LOG_BYTES, _LOG)
        stamp, content = found or (None, b"")
        if sha256(content[: known.whole]).digest() != known.digest:  # not what it was: another file in its place
            known = Log(ReleaseHistory())
        history, link, added = replay(content[known.whole :], _LOG, known.history, known.link, self._clock())
        whole = known.whole + added
        log = Log(history, stamp, whole, sha256(content[:whole]).digest(), link)
        if head is not None:
            _compare(log, head)
        _look_for_lost(tables, history)
        self._known = log
        return log

    def table(self, release: Release) -> RiskTable:
        """The table of a release that the log names."""
        name = f"releases/{release.id}.json"
        look(self._folder, self._tables)
        with translated(f"{name} cannot be read"):
            found = read(self._folder / name, MAX_TABLE_BYTES, name)
        if found is None:
            raise StorageUnavailable(f"{name} cannot be read: No such file or directory")
        return decode_table(found[1], release, name)

    def refuse_to_begin_anew(self, draft: Draft) -> None:
        """As `FileZipcodeRepository.refuse_to_begin_anew`."""
        log = self.log()
        if log.history.events:
            return
        # A table of this draft is what a first start leaves that was killed.
        begun = Release.of(draft, log.history.next_number(), self._clock(), "").id
        others = [name for name in self._tables_there() if name != begun]
        if others:
            raise StorageUnavailable(f"{_LOG} has no line, and releases/ has {others[0]}; {_WAY_OUT}")

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

        with translated("the folder cannot be written"):
            if not self._tables.is_dir():
                self._tables.mkdir(parents=True, exist_ok=True)
                sync(self._folder.parent)
            look(self._folder, self._tables)
            lock = opened(self._folder / "lock", os.O_RDWR | os.O_CREAT)
        try:
            with translated("the lock cannot be taken"):
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
        event = Event(number, now, EventKind.LOADED, release.id, by)
        line = encode_event(log.history, log.link, event, release)
        name = f"releases/{release.id}.json"
        with translated(f"{name} cannot be written"):
            replace(self._folder / name, encode_table(release, draft.table))
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
        self._append(log, encode_event(log.history, log.link, event))
        return event

    def _head(self) -> Head | None:
        with translated(f"{_HEAD} cannot be read"):
            found = read(self._folder / _HEAD, MAX_HEAD_BYTES, _HEAD)
        return None if found is None else decode_head(found[1], _HEAD)

    def _tables_there(self) -> list[str]:
        """The ids of all tables in the folder, in order, whether or not they are releases."""
        with translated("releases/ cannot be read"):
            try:
                names = os.listdir(self._tables)  # noqa: PTH208 - as the other calls of its kind
            except FileNotFoundError:
                return []
        return sorted(name.removesuffix(".json") for name in names if _TABLE.fullmatch(name))

    def _append(self, log: Log, line: bytes) -> None:
        if log.whole + len(line) > MAX_LOG_BYTES:
            raise StorageUnavailable(f"{_LOG} is full: it would be larger than {MAX_LOG_BYTES // 2**20} MiB")
        with translated(f"{_LOG} cannot be written"):
            file = opened(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            try:
                if log.torn:
                    replace(self._folder / _HEAD, encode_head(len(log.history.events), log.link))
                    os.ftruncate(file, log.whole)
                write(file, line)
                os.fsync(file)
                if log.whole == 0:
                    sync(self._folder)
            except OSError:
                with suppress(OSError):  # what is left of an unfinished line is no event, and cut off by the next one
                    os.ftruncate(file, log.whole)
                raise
            finally:
                os.close(file)
        with suppress(OSError):  # the event has happened; a head that lags behind says less, and nothing wrong
            link = Link(sha256(line[:-1]).hexdigest(), bound=True)
            replace(self._folder / _HEAD, encode_head(len(log.history.events) + 1, link))


def _look_for_lost(tables: Sequence[str], history: ReleaseHistory) -> None:
    """:raises StorageUnavailable: for a table that the log must once have named

    One whose loading was stopped has at most the number of the next release.
    """
    known, following = {release.id for release in history.releases}, history.next_number()
    lost = [name for name in tables if name not in known and int(name.split("-")[0]) > following]
    if lost:
        raise StorageUnavailable(f"{_LOG} has lost lines: it does not name {lost[0]}; {_WAY_OUT}")


def _compare(log: Log, head: Head) -> None:
    """:raises StorageUnavailable: for a log that lost lines which it once had

    One that is torn has lost its last line, and says so; that is how a writer who was stopped leaves it, too.
    """
    left = len(log.history.events)
    if left + bool(log.torn) < head.events:
        raise StorageUnavailable(f"{_LOG} has lost lines: {left} of {head.events} are left; {_WAY_OUT}")
    if left == head.events and log.link.digest != head.line:
        raise StorageUnavailable(f"{_LOG} is not what was written here last: its last line is another one; {_WAY_OUT}")
