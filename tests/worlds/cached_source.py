"""A source of figures that tests open and shut, a clock that they set, and the cached provider over both."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.caching.health_index import CachedHealthIndexProvider
from adapters.memory import InMemoryCache
from domain.errors import SourceUnavailable
from domain.health_index.calendar import AgeLimits
from domain.health_index.figures import Figure, Month, Publication
from domain.health_index.table import IndexTable
from domain.ports import Cache, HealthIndexProvider

KNOWN = IndexTable()
START = datetime(2026, 9, 10, 12, tzinfo=UTC)
LIMITS = AgeLimits(fresh=timedelta(hours=1), stale=timedelta(hours=3), last_resort=timedelta(hours=10))
INSTANT = timedelta.resolution
SILENT = SourceUnavailable("test", "silence")


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()


class Source(HealthIndexProvider):
    """Publishes when the gate is open; each reading is one cent higher than the one before."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.asked = self.given_up = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None

    async def publication(self, known: IndexTable) -> Publication:
        self.asked += 1
        figure = Figure(Month(2026, 8), 2013, Decimal("138.00") + Decimal("0.01") * self.asked)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if self.failure is not None:
            raise self.failure
        return Publication((figure,), self.clock(), "test")


def number(publication: Publication) -> int:
    """Which reading of the source this is."""
    return int((publication.figures[0].value - Decimal("138.00")) * 100)


async def until(condition: Callable[[], object]) -> None:
    """Let others run, without any time, until it holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what the tests wait for has no event of its own
            await asyncio.sleep(0)


async def under_way(source: Source, provider: HealthIndexProvider) -> asyncio.Task[Publication]:
    """A caller who waits, with the source asked once more and its gate shut."""
    source.gate.clear()
    asked = source.asked
    caller = asyncio.create_task(provider.publication(KNOWN))
    await until(lambda: source.asked > asked)
    return caller


def cached(source: HealthIndexProvider, cache: Cache, clock: Clock) -> CachedHealthIndexProvider:
    return CachedHealthIndexProvider(source, cache, limits=lambda *_: LIMITS, clock=clock)


class WithCachedSource:
    """The fixtures of tests of the cached source; a test class inherits them."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def cache(self, clock: Clock) -> InMemoryCache:
        return InMemoryCache(monotonic=clock.monotonic)

    @pytest.fixture
    def source(self, clock: Clock) -> Source:
        return Source(clock)

    @pytest.fixture
    async def provider(
        self, source: Source, cache: InMemoryCache, clock: Clock
    ) -> AsyncIterator[CachedHealthIndexProvider]:
        provider = cached(source, cache, clock)
        yield provider
        source.gate.set()
        await provider.aclose()

    @pytest.fixture
    async def complaints(self) -> AsyncIterator[list[dict[str, Any]]]:
        """What asyncio would have logged."""
        found: list[dict[str, Any]] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: found.append(context))
        yield found
        loop.set_exception_handler(None)
