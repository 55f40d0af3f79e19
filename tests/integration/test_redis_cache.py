"""The Redis cache on a real server that is well."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis
from tests.contracts.cache import CacheContract
from tests.servers.redis import RedisServer

from adapters.bundled import load_snapshot
from adapters.caching.health_index import CachedHealthIndexProvider
from adapters.memory import InMemoryHealthIndexProvider
from adapters.redis_cache import PREFIX, RedisCache
from domain.errors import SourceUnavailable
from domain.health_index.calendar import PublicationCalendar
from domain.health_index.figures import Publication
from domain.health_index.table import IndexTable
from domain.ports import HealthIndexProvider

HOUR = timedelta(hours=1)
PATIENT = timedelta(seconds=10)


@pytest.fixture
async def cache(redis_url: str, redis_prefix: str) -> AsyncIterator[RedisCache]:
    """A cache that must never have failed, save where a test says so."""
    cache = RedisCache(redis_url, prefix=redis_prefix, timeout=PATIENT)
    yield cache
    await cache.aclose()


class TestRedisCache(CacheContract):
    TICK = timedelta(milliseconds=30)

    @pytest.fixture
    async def cache(self, redis_url: str, redis_prefix: str) -> AsyncIterator[RedisCache]:
        cache = RedisCache(redis_url, prefix=redis_prefix, timeout=PATIENT)
        yield cache
        failure = cache.last_failure  # a contract of misses could be met by a server that is away
        await cache.aclose()
        assert failure is None

    async def wait(self, span: timedelta) -> None:
        await asyncio.sleep(span.total_seconds() + 0.002)  # the server counts whole milliseconds


class TestTime:
    @pytest.mark.parametrize(
        "ttl", [timedelta(seconds=90), timedelta(days=60), timedelta(milliseconds=90_001, microseconds=999)]
    )
    async def test_a_value_lives_as_long_as_it_was_told_to(
        self, cache: RedisCache, redis: Redis, redis_prefix: str, ttl: timedelta
    ) -> None:
        await cache.set("key", b"value", ttl)
        left = timedelta(milliseconds=await redis.pttl(f"{redis_prefix}key"))
        assert ttl - timedelta(seconds=10) < left <= ttl

    async def test_no_value_lives_for_ever(self, cache: RedisCache, redis: Redis, redis_prefix: str) -> None:
        for ttl in (timedelta.resolution, HOUR, timedelta.max):
            await cache.set("key", b"value", ttl)
            assert await redis.pttl(f"{redis_prefix}key") != -1  # which says that there is no end

    async def test_a_new_value_does_not_inherit_the_end_of_the_one_before(
        self, cache: RedisCache, redis: Redis, redis_prefix: str
    ) -> None:
        await cache.set("key", b"first", HOUR)
        await cache.set("key", b"second", 3 * HOUR)
        assert await redis.pttl(f"{redis_prefix}key") > 2 * HOUR / timedelta(milliseconds=1)


class TestNamespace:
    async def test_every_key_lies_in_it(self, cache: RedisCache, redis: Redis, redis_prefix: str) -> None:
        await cache.set("a key: é", b"value", HOUR)
        assert await redis.get(f"{redis_prefix}a key: é") == b"value"

    def test_it_is_named_for_the_service_and_has_a_version(self) -> None:
        name, version, rest = PREFIX.split(":")
        assert (name, version[0], version[1:].isdigit(), rest) == ("belref", "v", True, "")

    async def test_two_of_them_do_not_meet(self, cache: RedisCache, redis_url: str, redis_prefix: str) -> None:
        other = RedisCache(redis_url, prefix=f"{redis_prefix}other:", timeout=PATIENT)
        await cache.set("key", b"one", HOUR)
        await other.set("key", b"other", HOUR)
        await other.delete("key")
        assert (await cache.get("key"), await other.get("key")) == (b"one", None)
        await other.aclose()

    async def test_a_key_of_another_application_is_neither_seen_nor_touched(
        self, cache: RedisCache, redis: Redis, redis_prefix: str
    ) -> None:
        outside = f"outside-{redis_prefix}key"
        await redis.rpush(outside, "theirs")
        try:
            for key in (outside, "key"):
                await cache.set(key, b"ours", HOUR)
                await cache.delete(key)
                assert await cache.get(key) is None
            assert await redis.lrange(outside, 0, -1) == [b"theirs"]
            assert await redis.pttl(outside) == -1
        finally:
            await redis.delete(outside)

    async def test_a_key_of_another_type_inside_it_is_a_miss_and_soon_ours(
        self, cache: RedisCache, redis: Redis, redis_prefix: str
    ) -> None:
        await redis.rpush(f"{redis_prefix}list", "theirs")
        await cache.set("other", b"value", HOUR)
        assert await cache.get("list") is None
        assert cache.last_failure == "ResponseError"
        assert await cache.get("other") == b"value"  # one bad key is no reason to leave the rest alone
        await cache.set("list", b"ours", HOUR)
        assert await cache.get("list") == b"ours"
        assert cache.last_failure is None


class TestBounds:
    async def test_a_value_is_kept_up_to_the_bound(self, redis_url: str, redis_prefix: str) -> None:
        cache = RedisCache(redis_url, prefix=redis_prefix, timeout=PATIENT, max_value_bytes=10)
        await cache.set("most", bytes(10), HOUR)
        await cache.set("more", bytes(11), HOUR)
        assert (await cache.get("most"), await cache.get("more")) == (bytes(10), None)
        await cache.aclose()

    async def test_callers_take_turns_when_there_are_more_of_them_than_connections(
        self, redis_server: RedisServer
    ) -> None:
        cache = RedisCache(redis_server.url, timeout=PATIENT, max_connections=3)
        await cache.set("key", b"value", HOUR)
        assert await asyncio.gather(*(cache.get("key") for _ in range(300))) == [b"value"] * 300
        assert cache.last_failure is None
        async with Redis.from_url(redis_server.url) as redis:
            assert len(await redis.client_list()) == 3 + 1
        await cache.aclose()

    async def test_settings_of_the_driver_in_the_address_change_nothing(self, redis_server: RedisServer) -> None:
        options = "decode_responses=yes&max_connections=1&socket_timeout=0.000001&retry_on_timeout=yes&protocol=3"
        cache = RedisCache(f"{redis_server.url}?{options}", timeout=PATIENT)
        await cache.set("key", b"\xff", HOUR)
        assert await asyncio.gather(*(cache.get("key") for _ in range(50))) == [b"\xff"] * 50
        assert cache.last_failure is None
        await cache.aclose()

    async def test_every_connection_is_closed_with_the_cache(self, redis_server: RedisServer) -> None:
        for steps in range(20):  # the calls have come more or less far when it is closed
            cache = RedisCache(redis_server.url, timeout=PATIENT)
            calls = [asyncio.create_task(cache.set(f"key {number}", b"value", HOUR)) for number in range(20)]
            for _ in range(steps):
                await asyncio.sleep(0)
            await asyncio.gather(cache.aclose(), cache.aclose())
            await asyncio.gather(*calls)
            assert await cache.get("key 0") is None
        async with Redis.from_url(redis_server.url) as redis, asyncio.timeout(5):
            assert await redis.get(f"{PREFIX}key 0") == b"value"
            while len(await redis.client_list()) > 1:  # noqa: ASYNC110 - the server notices a moment later
                await asyncio.sleep(0.001)


class Unreachable(HealthIndexProvider):
    async def publication(self, known: IndexTable) -> Publication:
        raise SourceUnavailable("test", "silence")


async def test_figures_survive_a_restart_of_the_service(redis_url: str, redis_prefix: str) -> None:
    now = datetime(2026, 9, 10, 12, tzinfo=UTC)
    read = Publication(load_snapshot().figures, now, "statbel")  # the whole history: it must fit the bound
    answers = []
    for source in (InMemoryHealthIndexProvider(read), Unreachable()):
        cache = RedisCache(redis_url, prefix=redis_prefix, timeout=PATIENT)
        provider = CachedHealthIndexProvider(source, cache, limits=PublicationCalendar().age_limits, clock=lambda: now)
        answers.append(await provider.publication(IndexTable()))
        await provider.aclose()
        await cache.aclose()
    assert answers == [read, read]
