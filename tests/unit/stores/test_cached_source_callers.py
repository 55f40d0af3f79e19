"""The cached source of figures among callers: they share a reading, some give up, and it is closed."""

import asyncio
import gc
from contextlib import suppress
from typing import Any

import pytest
from tests.worlds.cached_source import KNOWN, LIMITS, SILENT, Clock, Source, WithCachedSource, cached, number, until

from adapters.caching.health_index import CachedHealthIndexProvider
from adapters.memory import InMemoryCache
from domain.errors import SourceUnavailable
from domain.health_index.figures import Publication
from domain.health_index.table import IndexTable


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
        source.gate.clear()
        caller = asyncio.create_task(provider.publication(KNOWN))
        await until(lambda: source.asked)
        caller.cancel()
        await asyncio.wait([caller])
        source.gate.set()
        await until(lambda: provider._reading is None)
        assert (number(await provider.publication(KNOWN)), source.asked) == (1, 1)

    async def test_a_reading_that_fails_when_all_of_them_gave_up_is_no_news(
        self, provider: CachedHealthIndexProvider, source: Source, complaints: list[dict[str, Any]]
    ) -> None:
        source.gate.clear()
        source.failure = SILENT
        caller = asyncio.create_task(provider.publication(KNOWN))
        await until(lambda: source.asked)
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
        source.gate.clear()
        caller = asyncio.create_task(provider.publication(KNOWN))
        await until(lambda: source.asked == 2)
        await provider.aclose()
        assert await caller == first

    async def test_a_caller_that_was_cancelled_too_stays_cancelled(
        self, provider: CachedHealthIndexProvider, source: Source
    ) -> None:
        source.gate.clear()
        caller = asyncio.create_task(provider.publication(KNOWN))
        await until(lambda: source.asked)
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
        source.gate.clear()
        provider = cached(source, cache, clock)
        caller = asyncio.create_task(provider.publication(KNOWN))
        await until(lambda: source.asked)
        closing = asyncio.create_task(provider.aclose())
        await until(lambda: source.asked == 2)
        closing.cancel()
        await asyncio.wait([closing])
        assert closing.cancelled()
        source.gate.set()
        with pytest.raises(SourceUnavailable, match="silence"):
            await caller
