"""What the cache in front of the source had is counted, each question once."""

from tests.worlds.cached_source import INSTANT, KNOWN, LIMITS, SILENT, Clock, Source, WithCachedSource, until

from adapters.caching.health_index import CachedHealthIndexProvider, Found


class TestLookups(WithCachedSource):
    async def test_each_question_is_counted_by_what_the_cache_had(
        self, provider: CachedHealthIndexProvider, source: Source, clock: Clock
    ) -> None:
        assert provider.lookups == {Found.FRESH: 0, Found.STALE: 0, Found.TOO_OLD: 0, Found.NOTHING: 0}
        await provider.publication(KNOWN)
        assert provider.lookups[Found.NOTHING] == 1
        clock.now += LIMITS.fresh - INSTANT
        await provider.publication(KNOWN)
        assert provider.lookups[Found.FRESH] == 1
        clock.now += INSTANT
        await provider.publication(KNOWN)
        assert provider.lookups[Found.STALE] == 1
        await until(lambda: source.asked == 2)
        clock.now += LIMITS.stale
        source.failure = SILENT
        await provider.publication(KNOWN)  # the last answer, as the source fails
        assert provider.lookups == {Found.FRESH: 1, Found.STALE: 1, Found.TOO_OLD: 1, Found.NOTHING: 1}
