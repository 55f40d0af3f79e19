"""Finished answers, kept for as long as the application would give the same ones.

They are found by what the client wrote: the target of the request, and below it what its `Accept` and `Accept-Encoding`
select, where an answer depends on them. What is kept is bounded in entries and in bytes; once there is no room left,
only what is asked for again is let in.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from domain.clock import Clock
from entrypoints.http.edge.answers import Answer
from entrypoints.http.edge.compression import CODINGS
from entrypoints.http.negotiation import preferred_coding, preferred_type
from entrypoints.metrics import CacheFigures, Series

LONGEST_TARGET = 384
LARGEST_BODY = 1024 * 1024
_ENTRIES, _BYTES = 12_288, 16 * 1024 * 1024  # each zipcode by one route, and all else that is asked often
_AN_ENTRY, _A_FORM = 650, 450  # bytes beside head and body, as measured

Choice = tuple[str | None, str | None]
"""The media type, where there is one to choose, and the content coding."""


class Steady(NamedTuple):
    """Until when answers stay the same while nothing new is learnt; and what a lifetime may count down to, if that
    is later.
    """

    until: datetime
    ends: datetime


class Source:
    """Data that answers are made from."""

    def __init__(
        self, version: Callable[[], object | None], steady: Callable[[datetime], Steady] | None = None
    ) -> None:
        """`version` gives another object with each change of the data, and None while nobody knows of changes.

        `steady` is for data whose answers change with the clock as well.
        """
        self.version, self.steady = version, steady
        self.held: object | None = None  # the version of all that is kept of it


class Kept:
    """An answer in the bytes that are written; between `head` and `tail` the id of the request belongs."""

    __slots__ = ("etag", "head", "max_age", "rest", "series", "since", "status", "tail", "unchanged", "until")

    def __init__(self, answer: Answer, series: Series) -> None:
        self.series, self.status, self.etag = series, answer.status, answer.etag
        self.head = b"".join(b"%b: %b\r\n" % header for header in answer.headers) + b"x-request-id: "
        self.tail = b"\r\n\r\n" + answer.body
        self.rest = answer.rest
        """What follows the id in the body, where that holds it."""
        self.unchanged: Kept | None = None
        """The 304 in its place, where one was asked for."""
        self.since: datetime | None = None
        self.until: datetime | None = None
        self.max_age: int | None = None
        """Its lifetime where that counts down, so that its age must be told."""

    def size(self) -> int:
        """Bytes that it takes, as an estimate."""
        own = _A_FORM + len(self.head) + len(self.tail) + len(self.rest or b"")
        return own if self.unchanged is None else own + self.unchanged.size()


class Entry:
    """What is kept for one target: one answer for everybody, or several to choose from."""

    __slots__ = ("offered", "only", "several", "size", "source", "target", "wanted")

    def __init__(self, target: bytes, source: Source) -> None:
        self.target, self.source = target, source
        self.offered: tuple[str, ...] = ()
        self.only: Kept | None = None
        self.several: dict[Choice, Kept] = {}
        self.size = 0
        self.wanted = False  # since room was needed last

    def weight(self) -> int:
        """Bytes that it takes, as an estimate."""
        forms = {id(kept): kept for kept in self.several.values()} if self.only is None else {0: self.only}
        return _AN_ENTRY + len(self.target) + 100 * len(self.several) + sum(kept.size() for kept in forms.values())


class Doorkeeper:
    """Remembers, in bits of a fixed number, what was asked for lately; it is wrong about one in a hundred."""

    _BITS = 1 << 20
    _REMEMBERED = 1 << 15

    def __init__(self) -> None:
        self._now, self._before = bytearray(self._BITS // 8), bytearray(self._BITS // 8)
        self._count = 0

    def knows(self, target: bytes) -> bool:
        """Whether it was asked for lately; it has been from now on."""
        mixed = hash(target)
        places = [mixed >> shift & self._BITS - 1 for shift in (0, 21, 42)]
        if any(all(bits[place >> 3] >> (place & 7) & 1 for place in places) for bits in (self._now, self._before)):
            return True
        for place in places:
            self._now[place >> 3] |= 1 << (place & 7)
        self._count += 1
        if self._count >= self._REMEMBERED:
            self._now, self._before, self._count = bytearray(self._BITS // 8), self._now, 0
        return False


class Made(NamedTuple):
    """What the application made of a request, for `Miss.keep`."""

    source: str
    answer: Answer
    series: Series
    offered: tuple[str, ...]
    choice: Choice
    coded: bool
    """Whether the answer depends on the content codings that the client accepts."""
    unchanged: tuple[Answer, Series] | None


class Miss:
    """A request that nothing kept answers, and the versions and the time before the application was asked."""

    __slots__ = ("_answers", "at", "target", "versions")

    def __init__(
        self, answers: "KeptAnswers", target: bytes, versions: Mapping[str, object | None], at: datetime
    ) -> None:
        self._answers, self.target, self.versions, self.at = answers, target, versions, at

    def keep(self, made: Made) -> bool:
        """Let its answer in, or refuse it: there may be no room for what nobody has asked for before."""
        return self._answers.keep(self, made)


class KeptAnswers:
    """All that is kept, and the one bound of it."""

    def __init__(
        self, sources: Mapping[str, Source], clock: Clock, *, entries: int = _ENTRIES, size: int = _BYTES
    ) -> None:
        """`size` is in bytes."""
        self._sources, self._clock = sources, clock
        self._most, self._largest = entries, size
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._size = 0
        self._doorkeeper = Doorkeeper()
        self.hits = self.misses = self._refused = self._evicted = 0

    def figures(self) -> CacheFigures:
        return CacheFigures(self.hits, self.misses, self._refused, self._evicted, len(self._entries), self._size)

    def find(self, target: bytes, accept: bytes, accept_encoding: bytes) -> Kept | None:
        """The answer to this, if the application would give it now."""
        entry = self._entries.get(target)
        if entry is None:
            return None
        source = entry.source
        if source.version() is not source.held:
            return None
        kept = entry.only
        if kept is None:
            media = preferred_type(accept.decode("latin-1"), entry.offered) if entry.offered else None
            kept = entry.several.get((media, preferred_coding(accept_encoding, CODINGS)))
            if kept is None:
                return None
        if kept.until is not None and not kept.since <= self._clock() < kept.until:  # type: ignore[operator]  # both
            return None
        entry.wanted = True
        return kept

    def age(self, kept: Kept) -> int:
        """Seconds, rounded up, but no more than the lifetime."""
        now = self._clock()
        return min(math.ceil((now - (kept.since or now)).total_seconds()), kept.max_age or 0)

    def miss(self, target: bytes) -> Miss:
        """To be taken before the application is asked: its answer is kept only if nothing has changed meanwhile."""
        versions = {name: source.version() for name, source in self._sources.items()}
        return Miss(self, target, versions, self._clock())

    def keep(self, miss: Miss, made: Made) -> bool:
        self.misses += 1
        source, version, target = self._sources[made.source], miss.versions[made.source], miss.target
        if version is None or source.version() is not version:
            return self._refuse()
        if len(target) > LONGEST_TARGET or len(made.answer.body) > LARGEST_BODY:
            return self._refuse()
        if source.held is not version:
            self._drop(source)
            source.held = version
        entry, kept = self._entries.get(target), self._timed(made, source, miss.at)
        if entry is None:
            entry = Entry(target, source)
            is_room = len(self._entries) < self._most and self._size + _AN_ENTRY + kept.size() <= self._largest
            if not is_room and not self._doorkeeper.knows(target):
                return self._refuse()
            self._entries[target] = entry
        entry.offered = made.offered
        if made.offered or made.coded:
            entry.only = None
            codings = [made.choice[1]] if made.coded else [None, *CODINGS]
            entry.several |= {(made.choice[0], coding): kept for coding in codings}
        else:
            entry.only, entry.several = kept, {}
        self._size -= entry.size
        entry.size = entry.weight()
        self._size += entry.size
        while self._entries and (len(self._entries) > self._most or self._size > self._largest):
            self._evict(entry)
        return target in self._entries

    def _timed(self, made: Made, source: Source, at: datetime) -> Kept:
        kept = Kept(made.answer, made.series)
        if made.unchanged is not None:
            kept.unchanged = Kept(*made.unchanged)
        if source.steady is not None:
            kept.since, (kept.until, ends) = at, source.steady(at)
            lifetime = made.answer.max_age
            counts_down = lifetime is not None and kept.until < ends
            if counts_down and _whole_seconds(self._clock(), ends) <= (lifetime or 0) <= _whole_seconds(at, ends):
                kept.max_age = lifetime
        if kept.unchanged is not None:
            kept.unchanged.since, kept.unchanged.max_age = kept.since, kept.max_age
        return kept

    def _evict(self, newest: Entry) -> None:
        """Take out the first entry that nobody asked for since it was last looked at."""
        while True:
            target, entry = self._entries.popitem(last=False)
            if (entry.wanted or entry is newest) and self._entries:
                entry.wanted = False
                self._entries[target] = entry
            else:
                break
        self._size -= entry.size
        self._evicted += 1

    def _drop(self, source: Source) -> None:
        for target in [target for target, entry in self._entries.items() if entry.source is source]:
            self._size -= self._entries.pop(target).size

    def _refuse(self) -> bool:
        self._refused += 1
        return False


def _whole_seconds(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds())
