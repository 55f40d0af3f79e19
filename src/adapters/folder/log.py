"""What releases look like as bytes: one line of JSON for each event, and one document for each table.

What is read is believed when it is whole and agrees with itself, and refused otherwise; nothing is guessed. Each line
holds the digest of the line before, so that none can be changed or left out, but at the end, without all later ones.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta

from domain.errors import StorageUnavailable
from domain.risk.releases import MOST_AHEAD, Event, EventKind, Release, ReleaseHistory
from domain.risk.tables import FIRST_ZIPCODE, LAST_ZIPCODE, InvalidRiskTable, RiskFactor, RiskRange, RiskTable

MAX_LINE_BYTES = 2**20
"""A line in which every zipcode loses its factor one by one takes 150 kB."""

_Zipcode = Annotated[int, Meta(ge=FIRST_ZIPCODE, le=LAST_ZIPCODE)]
_Range = tuple[_Zipcode, _Zipcode, RiskFactor]
_Natural = Annotated[int, Meta(ge=0)]
_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class _Loaded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a release, apart from what its event says."""

    number: _Natural
    label: str
    source_sha256: str
    table_sha256: _Digest
    counts: dict[RiskFactor, _Natural]
    ranges: _Natural


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    number: int
    at: Annotated[datetime, Meta(tz=True)]
    kind: EventKind
    release: str
    by: str
    forced: bool = False
    withdrawn: tuple[_Range, ...] = ()
    loaded: _Loaded | None = None
    previous: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    release: str
    ranges: tuple[_Range, ...]


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the log was when a line was last added to it: how many events it had, and the digest of their last line."""

    events: _Natural
    line: _Digest


@dataclass(frozen=True, slots=True)
class Link:
    """The digest of the last line of a log; `bound` says that this line holds that of the line before it.

    Lines that were written before there was a chain hold none; from the first one that does on, each must.
    """

    digest: str = sha256().hexdigest()
    bound: bool = False


START = Link()
"""That of a log without a line."""

_encoder = msgspec.json.Encoder()
_line_decoder = msgspec.json.Decoder(_Line)
_head_decoder = msgspec.json.Decoder(Head)
_table_decoder = msgspec.json.Decoder(_Table)


def replay(
    content: bytes, name: str, after: ReleaseHistory, link: Link, now: datetime
) -> tuple[ReleaseHistory, Link, int]:
    """The history that the lines of a log tell which come after that one, their link, and how many bytes they have.

    What follows the last newline was cut off while it was written, and is no event. `name` is that of the log.

    :raises StorageUnavailable: for a line that is not believed, with its number
    """
    whole = content.rfind(b"\n") + 1
    if whole == 0:
        return after, link, 0
    story = _Story(after, link, now)
    for line in content[:whole].split(b"\n")[:-1]:
        try:
            story.take(line)
        except ValueError as error:  # msgspec's own errors are such
            raise StorageUnavailable(f"{name}, line {len(story.events) + 1}: {_shortened(error)}") from error
    return ReleaseHistory(story.releases, story.events), story.link, whole


def encode_event(history: ReleaseHistory, link: Link, event: Event, release: Release | None = None) -> bytes:
    """The line for the event that comes next in a history; `release` is what a loading makes.

    :raises StorageUnavailable: for a line that could not be read again
    """
    loaded = None
    if release is not None:
        loaded = _Loaded(
            release.number,
            release.label,
            release.source_sha256,
            release.table_sha256,
            dict(release.counts),
            release.ranges,
        )
    line = _Line(
        event.number,
        event.at,
        event.kind,
        event.release,
        event.by,
        event.forced,
        tuple((item.first, item.last, item.factor) for item in event.withdrawn),
        loaded,
        link.digest,
    )
    try:
        encoded = _encoder.encode(line)
        _Story(history, link, event.at).take(encoded)
    except UnicodeError as error:
        raise StorageUnavailable("it was given text that is not Unicode") from error
    except ValueError as error:
        raise StorageUnavailable(f"the event is not one to keep: {_shortened(error)}") from error
    return encoded + b"\n"


def encode_head(events: int, link: Link) -> bytes:
    """The document that says what the log is with so many events."""
    return _encoder.encode(Head(events, link.digest)) + b"\n"


def decode_head(content: bytes, name: str) -> Head:
    """What the document says; `name` is its own.

    :raises StorageUnavailable: for one that is not understood
    """
    try:
        return _head_decoder.decode(content)
    except ValueError as error:
        raise StorageUnavailable(f"{name}: {_shortened(error)}") from error


def encode_table(release: Release, table: RiskTable) -> bytes:
    """The document of a release's table."""
    ranges = tuple((item.first, item.last, item.factor) for item in table.ranges)
    return _encoder.encode(_Table(release.id, ranges)) + b"\n"


def decode_table(content: bytes, release: Release, name: str) -> RiskTable:
    """The table of a release; `name` is that of the document.

    :raises StorageUnavailable: for a document that does not say what was loaded as this release
    """
    try:
        document = _table_decoder.decode(content)
        table = RiskTable(RiskRange(*item) for item in document.ranges)
    except (ValueError, InvalidRiskTable) as error:
        raise StorageUnavailable(f"{name}: {_shortened(error)}") from error
    if (table.digest, len(table.ranges)) != (release.table_sha256, release.ranges) or document.release != release.id:
        raise StorageUnavailable(f"{name}: it was changed after it was loaded")
    return table


class _Story:
    """A history to which events are added, one line after the other."""

    def __init__(self, history: ReleaseHistory, link: Link, now: datetime) -> None:
        self.link, self._latest = link, now + MOST_AHEAD
        self.releases, self.events = list(history.releases), list(history.events)
        self._ids = {release.id for release in self.releases}
        self._digests = {release.table_sha256 for release in self.releases}

    def take(self, encoded: bytes) -> None:
        """:raises ValueError: for a line that cannot come next; then nothing was added"""
        if len(encoded) > MAX_LINE_BYTES:
            raise ValueError(f"it has more than {MAX_LINE_BYTES} bytes")
        line = _line_decoder.decode(encoded)
        event = _event(line)
        if event.number != len(self.events) + 1:
            raise ValueError(f"it says that it is event {event.number}")
        if self.events and event.at <= self.events[-1].at:
            raise ValueError("it is no later than the line before")
        if line.loaded is not None:
            self._add(_release(line, line.loaded), event)
        elif event.kind is EventKind.LOADED:
            raise ValueError("it does not say what was loaded")
        elif event.release not in self._ids:
            raise ValueError("its release was never loaded")
        if event.at > self._latest:
            raise ValueError(f"it is dated {event.at:%Y-%m-%d}, more than a day ahead of the clock of this machine")
        if (line.previous or self.link.bound) and line.previous != self.link.digest:
            raise ValueError("it does not follow the line before, which was changed, or lines between them are missing")
        self.events.append(event)
        self.link = Link(sha256(encoded).hexdigest(), bound=bool(line.previous))

    def _add(self, release: Release, event: Event) -> None:
        if event.kind is not EventKind.LOADED or event.forced or event.withdrawn:
            raise ValueError("it is two events in one")
        if release.number != len(self.releases) + 1:
            raise ValueError(f"it says that it loads release {release.number}")
        if release.id != f"{release.number:04}-{release.table_sha256[:8]}":
            raise ValueError("the id is not that of its table")
        if release.table_sha256 in self._digests:
            raise ValueError("its table was loaded before")
        self.releases.append(release)
        self._ids.add(release.id)
        self._digests.add(release.table_sha256)


def _event(line: _Line) -> Event:
    withdrawn = tuple(RiskRange(*item) for item in line.withdrawn)
    if any(item.first > item.last for item in withdrawn):
        raise ValueError("a range is reversed")
    return Event(line.number, line.at, line.kind, line.release, line.by, forced=line.forced, withdrawn=withdrawn)


def _release(line: _Line, loaded: _Loaded) -> Release:
    return Release(
        id=line.release,
        number=loaded.number,
        label=loaded.label,
        source_sha256=loaded.source_sha256,
        table_sha256=loaded.table_sha256,
        counts=loaded.counts,
        ranges=loaded.ranges,
        created_at=line.at,
        created_by=line.by,
    )


def _shortened(error: Exception) -> str:
    return str(error)[:200]
