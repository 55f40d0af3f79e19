"""The cached source of figures: how old an answer may be, how callers share a reading, and how it is closed."""

import asyncio
import gc
from collections.abc import Sequence
from contextlib import suppress
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
    under_way,
    until,
)

from adapters.caching.health_index import CachedHealthIndexProvider
from adapters.memory import InMemoryCache, InMemoryHealthIndexProvider
from domain.errors import Rejection, SourceRejected, SourceUnavailable
from domain.health_index.calendar import PublicationCalendar
from domain.health_index.figures import Figure, Publication
from domain.health_index.table import IndexTable
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


class TestManyCallers(WithCachedSource):
    async def test_they_share_one_reading(self, provider: CachedHealthIndexProvider, source: Source) -> None:
        source.gate.clear()
        callers = [asyncio.create_task(provider.publication(KNOWN)) for _ in range(100)]
        await until(lambda: source.asked)
        later = asyncio.create_task(provider.publication(KNOWN))
        source.gate.set()
        assert {number(answer) for answer in await asyncio.gather(*callers, later)} == {1}
        assert source.asked == 1

    async def test_they_share_one_failure_and_the_next_one_tries_again(
        self, provider: CachedHealthIndexProvider, source: Source
    ) -> None:
        source.failure = SILENT
        answers = await asyncio.gather(*(provider.publication(KNOWN) for _ in range(100)), return_exceptions=True)
        assert (set(answers), source.asked) == ({SILENT}, 1)
        source.failure = None
        assert number(await provider.publication(KNOWN)) == 2

    async def test_one_that_gives_up_leaves_the_reading_to_the_others(
        self, provider: CachedHealthIndexProvider, source: Source
    ) -> None:
        source.gate.clear()
        first, second = [asyncio.create_task(provider.publication(KNOWN)) for _ in range(2)]
        await until(lambda: source.asked)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        source.gate.set()
        assert (number(await second), source.asked, source.given_up) == (1, 1, 0)

    async def test_a_reading_is_kept_even_when_all_of_them_gave_up(
        self, provider: CachedHealthIndexProvider, source: Source
    ) -> None:
        caller = await under_way(source, provider)
        caller.cancel()
        await asyncio.wait([caller])
        source.gate.set()
        await until(lambda: provider._reading is None)
        assert (number(await provider.publication(KNOWN)), source.asked) == (1, 1)

    async def test_a_reading_that_fails_when_all_of_them_gave_up_is_no_news(
        self, provider: CachedHealthIndexProvider, source: Source, complaints: list[dict[str, Any]]
    ) -> None:
        source.failure = SILENT
        caller = await under_way(source, provider)
        caller.cancel()
        await asyncio.wait([caller])
        source.gate.set()
        await until(lambda: provider._reading is None)
        del caller
        gc.collect()
        assert (provider.last_failure, complaints) == (SILENT, [])


class TestClose(WithCachedSource):
    async def test_it_is_quiet_when_nothing_is_read(self, provider: CachedHealthIndexProvider) -> None:
        await provider.aclose()
        await provider.publication(KNOWN)
        for _ in range(2):
            await provider.aclose()
        assert provider.last_failure is None

    async def test_who_waits_is_told_that_the_source_is_unavailable(
        self, provider: CachedHealthIndexProvider, source: Source, complaints: list[dict[str, Any]]
    ) -> None:
        source.gate.clear()
        callers = [asyncio.create_task(provider.publication(KNOWN)) for _ in range(3)]
        await until(lambda: source.asked)
        await provider.aclose()
        answers = await asyncio.gather(*callers, return_exceptions=True)
        assert [type(answer) for answer in answers] == [SourceUnavailable] * 3
        assert (source.given_up, complaints) == (1, [])

    async def test_who_waits_is_given_an_older_answer_where_there_is_one(
        self, provider: CachedHealthIndexProvider, source: Source, clock: Clock
    ) -> None:
        first = await provider.publication(KNOWN)
        clock.now += LIMITS.stale
        caller = await under_way(source, provider)
        await provider.aclose()
        assert await caller == first

    async def test_a_caller_that_was_cancelled_too_stays_cancelled(
        self, provider: CachedHealthIndexProvider, source: Source
    ) -> None:
        caller = await under_way(source, provider)
        closing = asyncio.create_task(provider.aclose())
        await until(lambda: source.given_up)
        caller.cancel()
        await asyncio.wait([closing, caller])
        assert caller.cancelled()

    async def test_a_reading_behind_an_answer_is_given_up_and_is_no_failure(
        self, provider: CachedHealthIndexProvider, source: Source, clock: Clock
    ) -> None:
        await provider.publication(KNOWN)
        clock.now += LIMITS.fresh
        source.gate.clear()
        await provider.publication(KNOWN)
        await until(lambda: source.asked == 2)
        await provider.aclose()
        assert (source.given_up, provider.last_failure) == (1, None)

    async def test_closing_may_be_given_up_itself(self, cache: InMemoryCache, clock: Clock) -> None:
        class Stubborn(Source):
            async def publication(self, known: IndexTable) -> Publication:
                with suppress(asyncio.CancelledError):
                    await super().publication(known)
                self.gate.clear()
                self.failure = SILENT
                return await super().publication(known)

        source = Stubborn(clock)
        provider = cached(source, cache, clock)
        caller = await under_way(source, provider)
        closing = asyncio.create_task(provider.aclose())
        await until(lambda: source.asked == 2)
        closing.cancel()
        await asyncio.wait([closing])
        assert closing.cancelled()
        source.gate.set()
        with pytest.raises(SourceUnavailable, match="silence"):
            await caller
