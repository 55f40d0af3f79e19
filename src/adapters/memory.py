"""The ports in memory: for the embedded service, and for tests in place of servers."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from domain.errors import NoActiveRelease
from domain.health_index.figures import Publication
from domain.health_index.table import IndexTable
from domain.ports import (
    Cache,
    FigureHistory,
    HealthIndexProvider,
    Sighting,
    Turn,
    ZipcodeRepository,
    news,
)
from domain.risk.releases import (
    Activation,
    ActiveReleaseChanged,
    Draft,
    Event,
    EventKind,
    InService,
    Release,
    ReleaseHistory,
)
from domain.risk.tables import RiskTable


class InMemoryZipcodeRepository(ZipcodeRepository):
    """Keeps releases for as long as the process lives.

    An activation replaces what is in service by one assignment, so that a reader sees the old or the new, whole.
    """

    def __init__(
        self, draft: Draft | None = None, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Put `draft` into service, if one is given."""
        self._clock = clock
        self._tables: dict[str, RiskTable] = {}
        self._history = ReleaseHistory()
        self._current: InService | None = None
        if draft is not None:
            release = self._add(draft, "memory")
            self._activate(Activation(release.id, "memory"))

    async def current(self) -> InService:
        if self._current is None:
            raise NoActiveRelease
        return self._current

    async def history(self) -> ReleaseHistory:
        return self._history

    async def table(self, release: str) -> RiskTable:
        return self._tables[self._history.release(release).id]

    async def add(self, draft: Draft, by: str) -> Release:
        return self._history.of_table(draft.table) or self._add(draft, by)

    async def activate(self, activation: Activation, *, expected: str | None) -> Event:
        self._history.release(activation.release)
        found = self._current.release.id if self._current else None
        if found != expected:
            raise ActiveReleaseChanged(expected, found)
        return self._activate(activation)

    def version(self) -> object:
        return self._history

    def _add(self, draft: Draft, by: str) -> Release:
        number, now = self._history.next_event(self._clock())
        release = Release.of(draft, self._history.next_number(), now, by)
        self._tables[release.id] = draft.table
        self._extend([release], Event(number, now, EventKind.LOADED, release.id, by))
        return release

    def _activate(self, activation: Activation) -> Event:
        event = Event.of(activation, *self._history.next_event(self._clock()))
        self._extend([], event)
        return event

    def _extend(self, releases: list[Release], event: Event) -> None:
        before = self._history
        self._history = ReleaseHistory([*before.releases, *releases], [*before.events, event])
        if self._history.activations:
            self._current = InService(self._history, self._tables[self._history.active.id])


class InMemoryHealthIndexProvider(HealthIndexProvider):
    """Gives one publication, as it was read then or, with a clock, as if it were read just now."""

    def __init__(self, publication: Publication, clock: Callable[[], datetime] | None = None) -> None:
        self._publication = publication
        self._clock = clock

    async def publication(self, known: IndexTable) -> Publication:  # noqa: ARG002 - its figures name their base year
        if self._clock is None:
            return self._publication
        return replace(self._publication, as_of=self._clock())


class InMemoryCache(Cache):
    """Bounded in entries and in bytes; drops the least recently used entry first."""

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
    """Keeps sightings for as long as the process lives."""

    def __init__(self) -> None:
        self._recorded: list[Sighting] = []

    async def sightings(self) -> Sequence[Sighting]:
        return tuple(self._recorded)

    async def record(self, sightings: Sequence[Sighting]) -> Sequence[Sighting]:
        new = news(self._recorded, sightings)
        self._recorded += new
        return new


class AlwaysMyTurn(Turn):
    """For a replica that is alone."""

    async def take(self) -> bool:
        return True
