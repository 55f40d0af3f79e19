"""A cache that several services share, and an answer in it that is not believed."""

from tests.worlds.cached_source import KNOWN, LIMITS, Clock, Source, WithCachedSource, number

from adapters.caching.health_index import CachedHealthIndexProvider, key_of
from adapters.memory import InMemoryCache


class TestShared(WithCachedSource):
    async def test_two_environments_that_read_other_addresses_share_a_cache_and_no_answer(
        self, cache: InMemoryCache, clock: Clock
    ) -> None:
        answers: list[int] = []
        for address in ("https://statbel.fgov.be/cpi.zip", "https://mirror.test/cpi.zip"):
            source = Source(clock)
            source.asked = len(answers)
            provider = CachedHealthIndexProvider(
                source, cache, limits=lambda *_: LIMITS, clock=clock, addresses=[address]
            )
            answers += [number(await provider.publication(KNOWN)), number(await provider.publication(KNOWN))]
        assert answers == [1, 1, 3, 3]

    async def test_replicas_that_read_the_same_share_the_answer(self, cache: InMemoryCache, clock: Clock) -> None:
        for _ in range(2):
            provider = CachedHealthIndexProvider(
                Source(clock), cache, limits=lambda *_: LIMITS, clock=clock, addresses=["https://statbel.fgov.be"]
            )
            assert number(await provider.publication(KNOWN)) == 1

    def test_a_key_shows_no_address(self) -> None:
        key = key_of(["https://user:secret@mirror.test/cpi.zip"])
        assert "secret" not in key
        assert key != key_of(["https://user:secret@mirror.test/cpi.zip", "https://views.test/1"])


class TestForgotten(WithCachedSource):
    async def test_an_answer_that_was_not_believed_is_not_given_again(
        self, provider: CachedHealthIndexProvider, source: Source
    ) -> None:
        assert number(await provider.publication(KNOWN)) == 1
        await provider.forget()
        assert number(await provider.publication(KNOWN)) == 2
        assert source.asked == 2
