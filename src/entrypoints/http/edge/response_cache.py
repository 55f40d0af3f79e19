"""Whole answers, kept ready to send for as long as the application would give the same ones.

What is kept is bounded in entries and in bytes; once there is no room left, only what is asked for again is let in.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from domain.clock import Clock
from entrypoints.http.edge.replies import Answer
from entrypoints.http.negotiation import preferred_type
from entrypoints.metrics import CacheFigures

Key = str | tuple[str, bytes] | tuple[str, bytes, str]
"""A path; with its query, where it has one; with a media type, for another than the one that was kept first."""

LONGEST_PATH, LONGEST_QUERY = 128, 256
LARGEST_BODY = 1024 * 1024
_LARGE = 4096  # bytes of a body
_A_NAME = 250  # bytes of a name beside its text, as measured
_SPELLINGS = 2  # orders of parameters by which an entry is found at once; the others are put in order each time


class Steady(NamedTuple):
    """Until when answers stay the same while nothing new is learnt; and what a lifetime may count down to, if that
    is later.
    """

    until: datetime
    ends: datetime


class Moment(NamedTuple):
    """What there was before an answer was made: the versions of all sources, and the time."""

    versions: Mapping[str, object | None]
    at: datetime


class Source:
    """Data that answers are made from, and the room that there is for these answers."""

    def __init__(
        self,
        version: Callable[[], object | None],
        steady: Callable[[datetime], Steady] | None = None,
        *,
        small: "Room",
        large: "Room",
    ) -> None:
        """`version` gives another object with each change of the data, and None while nobody knows of changes.

        `steady` is for data whose answers change with the clock as well. Large answers have a room of their own, so
        that a few of them cannot displace many small ones.
        """
        self.version, self.steady = version, steady
        self.rooms = (small, large)
        self.held: object | None = None  # the version of all that is in the rooms

    def room_for(self, answer: Answer) -> "Room":
        small, large = self.rooms
        return large if len(answer.plain.body) > _LARGE else small


class Kept:
    """An answer, and what must still hold for it to be sent again."""

    __slots__ = (
        *("answer", "counted", "key", "media", "offered", "plain", "room"),
        *("since", "size", "source", "spellings", "until", "version", "wanted"),
    )

    def __init__(
        self, answer: Answer, source: Source, version: object, media: str | None, offered: tuple[str, ...]
    ) -> None:
        self.answer, self.plain, self.source, self.version = answer, answer.plain, source, version
        self.media, self.offered = media, offered
        self.since: datetime | None = None
        self.until: datetime | None = None
        self.counted = False  # whether its lifetime counts down, so that its age must be told
        self.key: Key = ""
        self.spellings: tuple[Key, ...] = ()
        self.room: Room | None = None
        self.size = 0
        self.wanted = False  # since room was needed last

    def weight(self) -> int:
        """Bytes that it takes with the names by which it is found, as an estimate."""
        names = (self.key, *self.spellings)
        return self.answer.size() + sum(_A_NAME + sum(map(len, name)) for name in names)


class Room:
    """A bounded number of entries. What was asked for since it was last looked at is spared when room is needed."""

    def __init__(self, entries: int, limit: int) -> None:
        """`limit` is in bytes."""
        self._entries, self.limit = entries, limit
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self.size = 0  # bytes

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Kept]:
        return iter(self._kept.values())

    def has(self, size: int) -> bool:
        """Whether there is room for one more entry, of this size; for 0, whether there is no more than fits."""
        return len(self._kept) + (size > 0) <= self._entries and self.size + size <= self.limit

    def put(self, kept: Kept) -> None:
        kept.room, kept.size = self, kept.weight()
        self._kept[kept.key] = kept
        self.size += kept.size

    def weigh(self, kept: Kept) -> None:
        """Take note of what an entry has grown by."""
        before, kept.size = kept.size, kept.weight()
        self.size += kept.size - before

    def take(self, kept: Kept) -> None:
        del self._kept[kept.key]
        self.size -= kept.size
        kept.room = None

    def evict(self) -> Kept:
        """Take the first entry that nobody asked for lately."""
        while True:
            key, kept = self._kept.popitem(last=False)
            if not kept.wanted:
                self.size -= kept.size
                kept.room = None
                return kept
            kept.wanted = False
            self._kept[key] = kept

    def clear(self) -> None:
        for kept in self:
            kept.room = None
        self._kept.clear()
        self.size = 0


class Doorkeeper:
    """Remembers, in bits of a fixed number, what was asked for lately; it is wrong about one in a hundred."""

    _BITS = 1 << 20
    _REMEMBERED = 1 << 15

    def __init__(self) -> None:
        self._now, self._before = bytearray(self._BITS // 8), bytearray(self._BITS // 8)
        self._count = 0

    def knows(self, key: Key) -> bool:
        """Whether it was asked for lately; it has been from now on."""
        mixed = hash(key)
        places = [mixed >> shift & self._BITS - 1 for shift in (0, 21, 42)]
        if any(all(bits[place >> 3] >> (place & 7) & 1 for place in places) for bits in (self._now, self._before)):
            return True
        for place in places:
            self._now[place >> 3] |= 1 << (place & 7)
        self._count += 1
        if self._count >= self._REMEMBERED:
            self._now, self._before, self._count = bytearray(self._BITS // 8), self._now, 0
        return False


class ResponseCache:
    """Finds answers by path, query and media type; the order of the parameters does not matter."""

    def __init__(self, sources: Mapping[str, Source], clock: Clock) -> None:
        self._sources, self._clock = sources, clock
        self._kept: dict[Key, Kept] = {}
        self._doorkeeper = Doorkeeper()
        self.hits = self.misses = self._refused = self._evicted = 0

    def figures(self) -> CacheFigures:
        rooms = [room for source in self._sources.values() for room in source.rooms]
        entries, size = sum(len(room) for room in rooms), sum(room.size for room in rooms)
        return CacheFigures(self.hits, self.misses, self._refused, self._evicted, entries, size)

    def moment(self) -> Moment:
        """To be taken before an answer is made that is to be kept."""
        return Moment({name: source.version() for name, source in self._sources.items()}, self._clock())

    def find(self, path: str, query: bytes, accept: bytes) -> Kept | None:
        """The entry that answers this, if it would be answered so now."""
        kept = self._kept.get((path, query) if query else path)
        if kept is None:
            ordered = in_order(query) if query else None
            if ordered is None or ordered == query:
                return None
            kept = self._kept.get((path, ordered))
            if kept is None:
                return None
            self._also(kept, (path, query))
        if kept.offered:
            media = preferred_type(accept.decode("latin-1"), kept.offered)
            if media != kept.media:
                kept = self._kept.get((path, in_order(query) or b"", media or ""))
                if kept is None:
                    return None
        if kept.source.version() is not kept.version:
            return None
        if kept.until is not None and kept.since is not None and not kept.since <= self._clock() < kept.until:
            return None
        kept.wanted = True
        return kept

    def made(self, name: str, answer: Answer, moment: Moment, accept: bytes, offered: tuple[str, ...]) -> Kept:
        """An entry for an answer that was made from a source since that moment; it is not kept yet."""
        self.misses += 1
        source = self._sources[name]
        media = preferred_type(accept.decode("latin-1"), offered) if offered else None
        kept = Kept(answer, source, moment.versions[name], media, offered)
        if source.steady is not None:
            now = self._clock()
            kept.since, (kept.until, ends) = moment.at, source.steady(moment.at)
            if answer.max_age is not None and kept.until < ends:
                kept.counted = _whole_seconds(now, ends) <= answer.max_age <= _whole_seconds(moment.at, ends)
        return kept

    def age(self, kept: Kept) -> int:
        """Seconds, rounded up, but no more than the lifetime."""
        now = self._clock()
        return min(math.ceil((now - (kept.since or now)).total_seconds()), kept.answer.max_age or 0)

    def keep(self, path: str, query: bytes, kept: Kept) -> bool:
        """Let an entry in, or refuse it: there may be no room for what nobody has asked for before."""
        ordered = in_order(query)
        source, version = kept.source, kept.version
        if version is None or source.version() is not version or ordered is None:
            return self._refuse()
        if kept.offered and kept.media is None:
            return self._refuse()
        if len(path) > LONGEST_PATH or len(kept.answer.plain.body) > LARGEST_BODY:
            return self._refuse()
        if source.held is not version:
            self._drop(source)
            source.held = version
        key: Key = (path, ordered) if ordered else path
        before = self._kept.get(key)
        if before is not None and before.media != kept.media:
            key = (path, ordered, kept.media or "")
            before = self._kept.get(key)
        if before is not None:
            self._forget(before)
        kept.key = key
        room, size = source.room_for(kept.answer), kept.weight()
        if size > room.limit or (before is None and not room.has(size) and not self._doorkeeper.knows(key)):
            return self._refuse()
        self._make_room(room, size)
        self._kept[key] = kept
        room.put(kept)
        return True

    def grown(self, kept: Kept) -> None:
        """To be told when an entry has got a further form."""
        if kept.room is not None:
            kept.room.weigh(kept)
            self._make_room(kept.room, 0)

    def _also(self, kept: Kept, spelling: Key) -> None:
        if len(kept.spellings) < _SPELLINGS:
            kept.spellings += (spelling,)
            self._kept[spelling] = kept
            self.grown(kept)

    def _make_room(self, room: Room, size: int) -> None:
        while len(room) and not room.has(size):
            self._evicted += 1
            self._unlist(room.evict())

    def _refuse(self) -> bool:
        self._refused += 1
        return False

    def _forget(self, kept: Kept) -> None:
        if kept.room is not None:
            kept.room.take(kept)
        self._unlist(kept)

    def _unlist(self, kept: Kept) -> None:
        for key in (kept.key, *kept.spellings):
            self._kept.pop(key, None)

    def _drop(self, source: Source) -> None:
        for room in source.rooms:
            for kept in room:
                self._unlist(kept)
            room.clear()


def in_order(query: bytes) -> bytes | None:
    """The query with its parameters by name; those of one name stay in their order, which may matter.

    None for a query that is too long for a key, and for one whose names are encoded: nobody needs to write them so.
    """
    if len(query) > LONGEST_QUERY:
        return None
    named = [(part.partition(b"=")[0], part) for part in query.split(b"&")]
    if any(b"%" in name or b"+" in name for name, _ in named):
        return None
    if len(named) == 1:
        return query
    return b"&".join(part for _, part in sorted(named, key=_name))


def _name(named: tuple[bytes, bytes]) -> bytes:
    return named[0]


def _whole_seconds(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds())
