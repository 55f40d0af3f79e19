"""The cached source of figures: how old an answer may be."""

import gc
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.contracts.health_index_provider import FallibleHealthIndexProviderContract
from tests.worlds.cached_source import (
    INSTANT,
    KNOWN,
    LIMITS,
    SILENT,
    START,
    Clock,
    Source,
    WithCachedSource,
    cached,
    number,
    until,
)

from adapters.caching.health_index import CachedHealthIndexProvider
from adapters.memory import InMemoryCache, InMemoryHealthIndexProvider
from domain.errors import Rejection, SourceRejected, SourceUnavailable
from domain.health_index.calendar import PublicationCalendar
from domain.health_index.figures import Figure, Publication
from domain.ports import HealthIndexProvider

AGE_LIMITS = PublicationCalendar().age_limits


class TestContract(FallibleHealthIndexProviderContract):
    def make_provider(self, figures: Sequence[Figure]) -> HealthIndexProvider:
        source = InMemoryHealthIndexProvider(Publication(tuple(figures), START, "test"), Clock())
        return CachedHealthIndexProvider(source, InMemoryCache(), limits=AGE_LIMITS, clock=Clock())

    def make_silent_provider(self) -> HealthIndexProvider:
        source = Source(Clock())
        source.failure = SILENT
        return CachedHealthIndexProvider(source, InMemoryCache(), limits=AGE_LIMITS, clock=Clock())


class TestAge(WithCachedSource):
    async def test_the_first_answer_is_what_the_source_says_now(self, provider: CachedHealthIndexProvider) -> None:
        first = await provider.publication(KNOWN)
        assert (number(first), first.as_of, first.source) == (1, START, "test")

    async def test_the_source_is_not_asked_while_an_answer_is_fresh(
        self, provider: CachedHealthIndexProvider, source: Source, clock: Clock
    ) -> None:
        first = await provider.publication(KNOWN)
        clock.now += LIMITS.fresh - INSTANT
        assert await provider.publication(KNOWN) == first
        assert source.asked == 1

    async def test_another_process_finds_what_this_one_has_read(
        self, provider: CachedHealthIndexProvider, source: Source, cache: InMemoryCache, clock: Clock
    ) -> None:
        first = await provider.publication(KNOWN)
        assert await cached(source, cache, clock).publication(KNOWN) == first
        assert source.asked == 1

    @pytest.mark.parametrize("age", [LIMITS.fresh, LIMITS.stale - INSTANT])
    async def test_a_stale_answer_is_given_at_once_and_renewed_behind_it(
        self, provider: CachedHealthIndexProvider, source: Source, clock: Clock, age: timedelta
    ) -> None:
        await provider.publication(KNOWN)
        clock.now += age
        source.gate.clear()
        assert [number(await provider.publication(KNOWN)) for _ in range(3)] == [1, 1, 1]
        await until(lambda: source.asked == 2)
        source.gate.set()
        await until(lambda: provider._reading is None)
        renewed = await provider.publication(KNOWN)
        assert (number(renewed), renewed.as_of, source.asked) == (2, clock.now, 2)

    async def test_an_older_answer_is_not_given_while_the_source_answers(
        self, provider: CachedHealthIndexProvider, clock: Clock
    ) -> None:
        await provider.publication(KNOWN)
        clock.now += LIMITS.stale
        assert number(await provider.publication(KNOWN)) == 2

    @pytest.mark.parametrize("failure", [SILENT, SourceRejected("test", Rejection.JUMP, "too high")])
    @pytest.mark.parametrize("age", [LIMITS.stale, LIMITS.last_resort - INSTANT])
    async def test_an_older_answer_is_better_than_none(
        self, provider: CachedHealthIndexProvider, source: Source, clock: Clock, failure: Exception, age: timedelta
    ) -> None:
        first = await provider.publication(KNOWN)
        clock.now += age
        source.failure = failure
        assert await provider.publication(KNOWN) == first
        assert provider.last_failure is failure

    async def test_there_is_an_age_at_which_none_is_better(
        self, source: Source, cache: InMemoryCache, clock: Clock
    ) -> None:
        keeps_for_ever = InMemoryCache(monotonic=lambda: 0.0)
        for kept_in in (cache, keeps_for_ever):
            provider = cached(source, kept_in, clock)
            source.failure = None
            await provider.publication(KNOWN)
            clock.now += LIMITS.last_resort
            source.failure = SILENT
            with pytest.raises(SourceUnavailable):
                await provider.publication(KNOWN)

    async def test_a_defect_is_not_covered_up_by_an_older_answer(
        self, provider: CachedHealthIndexProvider, source: Source, clock: Clock
    ) -> None:
        await provider.publication(KNOWN)
        clock.now += LIMITS.stale
        source.failure = ZeroDivisionError("a defect")
        with pytest.raises(ZeroDivisionError):
            await provider.publication(KNOWN)

    async def test_an_answer_from_the_future_is_renewed(
        self, provider: CachedHealthIndexProvider, source: Source, clock: Clock
    ) -> None:
        clock.now += timedelta(days=365)  # set wrongly, then put right
        await provider.publication(KNOWN)
        clock.now = START
        assert number(await provider.publication(KNOWN)) == 1
        await until(lambda: provider._reading is None)
        assert number(await provider.publication(KNOWN)) == 2
        clock.now -= timedelta(seconds=1)  # as clocks of two machines may differ
        assert number(await provider.publication(KNOWN)) == 2
        assert source.asked == 2

    async def test_a_failure_behind_an_answer_is_recorded_and_nobody_hears_of_it(
        self, provider: CachedHealthIndexProvider, source: Source, clock: Clock, complaints: list[dict[str, Any]]
    ) -> None:
        first = await provider.publication(KNOWN)
        clock.now += LIMITS.fresh
        source.failure = SILENT
        assert await provider.publication(KNOWN) == first
        await until(lambda: provider._reading is None)
        gc.collect()
        assert (provider.last_failure, complaints) == (SILENT, [])
        source.failure = None
        await provider.publication(KNOWN)
        await until(lambda: provider._reading is None)
        assert provider.last_failure is None


class TestCache(WithCachedSource):
    async def test_an_answer_without_figures_is_not_kept(
        self, cache: InMemoryCache, source: Source, clock: Clock
    ) -> None:
        empty = InMemoryHealthIndexProvider(Publication((), START, "test"))
        assert (await cached(empty, cache, clock).publication(KNOWN)).figures == ()
        assert number(await cached(source, cache, clock).publication(KNOWN)) == 1

    async def test_without_a_cache_that_keeps_anything_the_source_is_asked_each_time(
        self, source: Source, clock: Clock
    ) -> None:
        provider = cached(source, InMemoryCache(max_entries=0), clock)
        assert [number(await provider.publication(KNOWN)) for _ in range(3)] == [1, 2, 3]
