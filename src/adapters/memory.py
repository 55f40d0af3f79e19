"""The ports in memory: the embedded mode of the service, and what tests use in place of servers."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from domain.errors import NoActiveRelease
from domain.health_index import Month, Publication
from domain.index_table import IndexTable
from domain.ports import (
    Cache,
    FigureHistory,
    HealthIndexProvider,
    Listing,
    Lookup,
    Sighting,
    Turn,
    ZipcodeRepository,
)
from domain.zipcodes import Release, RiskFactor, Zipcode


class InMemoryZipcodeRepository(ZipcodeRepository):
    """Holds one release. Replacing it is one assignment, so a reader sees the old one or the new one, whole."""

    def __init__(self, release: Release | None = None) -> None:
        self._release = release

    async def find(self, zipcode: Zipcode) -> Lookup:
        release = await self.active()
        return Lookup(zipcode, release.table.factor(zipcode), release.id)

    async def select(self, factors: Collection[RiskFactor]) -> Listing:
        release = await self.active()
        return Listing(release.table.select(factors), release.id)

    async def active(self) -> Release:
        if self._release is None:
            raise NoActiveRelease
        return self._release

    async def activate(self, release: Release) -> None:
        self._release = release

    async def seed(self, release: Release) -> bool:
        if self._release is not None:
            return False
        self._release = release
        return True


class InMemoryHealthIndexProvider(HealthIndexProvider):
    """Publishes what it was given, as read when it was given, or read just now where there is a clock."""

    def __init__(self, publication: Publication, clock: Callable[[], datetime] | None = None) -> None:
        self._publication = publication
        self._clock = clock

    async def publication(self, known: IndexTable) -> Publication:  # noqa: ARG002 - its figures name their base year
        if self._clock is None:
            return self._publication
        return replace(self._publication, as_of=self._clock())


class InMemoryCache(Cache):
    """Bounded in entries and in bytes; what was not used for the longest time goes first."""

    def __init__(
        self,
        *,
        max_entries: int = 1024,
        max_bytes: int = 16 * 1024 * 1024,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`monotonic` gives seconds."""
        self._max_entries, self._max_bytes = max_entries, max_bytes
        self._monotonic = monotonic
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0

    async def get(self, key: str) -> bytes | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        expires, value = entry
        if expires <= self._monotonic():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return value

    async def set(self, key: str, value: bytes, ttl: timedelta) -> None:
        self._drop(key)
        if ttl <= timedelta() or len(value) > self._max_bytes:
            return
        self._entries[key] = (self._monotonic() + ttl.total_seconds(), value)
        self._bytes += len(value)
        while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    async def delete(self, key: str) -> None:
        self._drop(key)

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= len(entry[1])


class InMemoryFigureHistory(FigureHistory):
    """Keeps what it was given for as long as the process lives."""

    def __init__(self) -> None:
        self._recorded: list[Sighting] = []
        self._known: dict[tuple[Month, int], IndexTable] = {}  # each of one figure, what all sightings of it say

    async def sightings(self) -> Sequence[Sighting]:
        return tuple(self._recorded)

    async def record(self, sightings: Sequence[Sighting]) -> Sequence[Sighting]:
        news = []
        for sighting in sightings:
            key = sighting.figure.month, sighting.figure.base_year
            table, added, changed = self._known.get(key, IndexTable()).merged([sighting.figure])
            if added or changed:
                self._known[key] = table
                news.append(sighting)
        self._recorded += news
        return news


class AlwaysMyTurn(Turn):
    """For a replica that knows of no other."""

    async def take(self) -> bool:
        return True
