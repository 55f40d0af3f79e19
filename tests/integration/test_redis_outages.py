"""The Redis cache when Redis is not well: on a server that is killed, frozen, full and locked, and on one that lies.

All of it on both event loops: the service runs on uvloop, which fails in its own ways.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pytest
import uvloop
from redis.asyncio import Redis
from tests.servers.redis import RedisServer

from adapters.bundled import load_snapshot
from adapters.caching.health_index import CachedHealthIndexProvider
from adapters.memory import InMemoryHealthIndexProvider
from adapters.redis_cache import RedisCache
from domain.health_index.calendar import PublicationCalendar
from domain.health_index.figures import Publication
from domain.health_index.table import IndexTable

HOUR = timedelta(hours=1)
REST = timedelta(seconds=5)
SHORT = timedelta(milliseconds=100)
PATIENT = timedelta(seconds=10)  # for calls that must not fail on a busy machine


# Named here, uvloop is imported before a unit test runs: it keeps the `socket` that it finds, be that a forbidden one.
@pytest.fixture(params=["asyncio", pytest.param(("asyncio", {"loop_factory": uvloop.new_event_loop}), id="uvloop")])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, span: timedelta) -> None:
        self.now += span.total_seconds()


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Stub:
    """A server on a free port that counts connections and gives each command that it reads the same answer."""

    def __init__(self, answer: bytes | None) -> None:
        """Nothing is answered where `answer` is None; an empty one hangs up."""
        self.answer = answer
        self.connections = self.commands = 0
        self.asked = asyncio.Event()
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        with suppress(ConnectionError):
            while await reader.read(65_536):
                self.commands += 1
                self.asked.set()
                if self.answer == b"":
                    break
                if self.answer is not None:
                    writer.write(self.answer)
                    await writer.drain()
        writer.close()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()


@asynccontextmanager
async def cache_on(url: str, clock: Clock, **settings: Any) -> AsyncIterator[RedisCache]:
    cache = RedisCache(url, **{"prefix": "test:", "timeout": SHORT, "rest": REST, "monotonic": clock, **settings})
    try:
        yield cache
    finally:
        await cache.aclose()


def many(call: Callable[[], Awaitable[bytes | None]]) -> Awaitable[list[bytes | None]]:
    return asyncio.gather(*(call() for _ in range(50)))


async def spend(cache: RedisCache) -> None:
    """One call of each kind."""
    await cache.set("key", b"value", HOUR)
    await cache.set("key", b"value", -HOUR)
    await cache.delete("key")
    assert await cache.get("key") is None


class TestAServerThatNeverAnswers:
    async def test_costs_one_time_out_and_one_attempt(self, clock: Clock) -> None:
        async with Stub(None) as stub, cache_on(stub.url, clock) as cache:
            assert await cache.get("key") is None
            assert (stub.connections, stub.commands, cache.last_failure) == (1, 1, "TimeoutError")

    async def test_costs_many_callers_one_time_out_between_them(self, clock: Clock) -> None:
        async with Stub(None) as stub, cache_on(stub.url, clock, max_connections=4) as cache:
            assert await many(lambda: cache.get("key")) == [None] * 50
            assert stub.connections <= 4
            assert stub.commands <= 4

    async def test_is_left_alone_for_the_rest_and_then_tried_by_one_caller(self, clock: Clock) -> None:
        async with Stub(None) as stub, cache_on(stub.url, clock) as cache:
            await cache.get("key")
            for attempts in (1, 2, 3):
                clock.advance(REST - timedelta.resolution)
                await many(lambda: cache.get("key"))
                await spend(cache)
                assert (stub.connections, stub.commands) == (attempts, attempts)
                clock.advance(timedelta.resolution * 2)
                await many(lambda: cache.get("key"))
                assert (stub.connections, stub.commands) == (attempts + 1, attempts + 1)

    async def test_only_the_caller_who_tries_again_waits(self, clock: Clock) -> None:
        async with Stub(None) as stub, cache_on(stub.url, clock) as cache:
            await cache.get("key")
            clock.advance(REST)
            stub.asked.clear()
            probe = asyncio.create_task(cache.get("key"))
            await stub.asked.wait()
            await spend(cache)
            assert not probe.done()
            assert await probe is None
            assert stub.connections == 2

    async def test_a_caller_who_gives_up_is_no_failure(self, clock: Clock) -> None:
        async with Stub(None) as stub, cache_on(stub.url, clock, timeout=PATIENT) as cache:
            caller = asyncio.create_task(cache.get("key"))
            await stub.asked.wait()
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
            stub.answer = b"$5\r\nvalue\r\n"
            assert cache.last_failure is None
            assert await cache.get("key") == b"value"

    async def test_when_the_one_who_tries_again_gives_up_another_one_does(self, clock: Clock) -> None:
        async with Stub(b"-LOADING\r\n") as stub, cache_on(stub.url, clock, timeout=PATIENT) as cache:
            await cache.get("key")
            clock.advance(REST)
            stub.answer = None
            stub.asked.clear()
            probe = asyncio.create_task(cache.get("key"))
            await stub.asked.wait()
            probe.cancel()
            await asyncio.wait([probe])
            stub.answer = b"$5\r\nvalue\r\n"
            assert probe.cancelled()
            assert await cache.get("key") == b"value"

    async def test_closing_waits_for_what_is_under_way_and_nothing_more_is_asked(self, clock: Clock) -> None:
        async with Stub(None) as stub, cache_on(stub.url, clock, max_connections=2) as cache:
            callers = [asyncio.create_task(cache.get("key")) for _ in range(10)]
            await stub.asked.wait()
            await cache.aclose()
            assert await asyncio.gather(*callers) == [None] * 10
            asked = stub.commands
            assert asked <= 2
            assert await cache.get("key") is None
            assert stub.commands == asked


class TestAServerThatAnswersSomethingElse:
    @pytest.mark.parametrize(
        ("answer", "failure"),
        [
            (b"", "ConnectionError"),
            (b"-LOADING Redis is loading the dataset in memory\r\n", "BusyLoadingError"),
            (b"-NOAUTH Authentication required.\r\n", "AuthenticationError"),
            (b"-WRONGPASS hunter2 is wrong\r\n", "AuthenticationError"),
            (b"-ERR max number of clients reached\r\n", "ConnectionError"),
            (b"-MOVED hunter2\r\n", "ValueError"),  # the driver takes it for an address
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "InvalidResponse"),
            (b"$99999999999999999999\r\n", "InvalidResponse"),
            (b"$1000\r\nand no more", "TimeoutError"),
        ],
    )
    async def test_is_left_alone_after_one_attempt(self, clock: Clock, answer: bytes, failure: str) -> None:
        async with Stub(answer) as stub, cache_on(stub.url, clock) as cache:
            assert await cache.get("key") is None
            assert (cache.last_failure, stub.connections) == (failure, 1)
            asked = stub.commands
            await spend(cache)
            assert (stub.connections, stub.commands) == (1, asked)

    @pytest.mark.parametrize("answer", [b":42\r\n", b"*1\r\n$1\r\na\r\n", b"*-1\r\n"])
    async def test_is_a_miss_where_it_is_no_value(self, clock: Clock, answer: bytes) -> None:
        async with Stub(answer) as stub, cache_on(stub.url, clock) as cache:
            assert await cache.get("key") is None

    async def test_settings_in_the_address_do_not_change_what_a_call_may_cost(self, clock: Clock) -> None:
        options = "socket_timeout=60&socket_connect_timeout=60&retry_on_timeout=yes"
        async with Stub(None) as stub, cache_on(f"{stub.url}?{options}", clock) as cache:
            assert await cache.get("key") is None
            assert (stub.connections, stub.commands, cache.last_failure) == (1, 1, "TimeoutError")


class TestAServerThatIsKilled:
    async def test_is_missed_quickly_and_is_back_after_the_rest(self, clock: Clock, redis_server: RedisServer) -> None:
        async with cache_on(redis_server.url, clock, timeout=PATIENT) as cache:
            await cache.set("key", b"value", HOUR)
            redis_server.crash()
            assert await many(lambda: cache.get("key")) == [None] * 50
            assert cache.last_failure == "ConnectionError"  # and none has waited for its time-out
            redis_server.start()
            assert await cache.get("key") is None
            await cache.set("key", b"not yet", HOUR)
            clock.advance(REST)
            assert await cache.get("key") is None
            assert not cache.last_failure
            await cache.set("key", b"again", HOUR)
            assert await many(lambda: cache.get("key")) == [b"again"] * 50

    async def test_is_not_missed_when_nobody_asked_meanwhile(self, clock: Clock, redis_server: RedisServer) -> None:
        async with cache_on(redis_server.url, clock, timeout=PATIENT) as cache:
            await many(lambda: cache.get("key"))
            redis_server.crash()
            redis_server.start()
            await asyncio.sleep(0.02)  # the event loop stood still meanwhile; it learns of it now
            await cache.set("key", b"value", HOUR)
            assert (await cache.get("key"), cache.last_failure) == (b"value", None)

    async def test_leaves_the_source_of_figures_usable(self, clock: Clock, redis_server: RedisServer) -> None:
        now = datetime(2026, 9, 10, 12, tzinfo=UTC)
        read = Publication(load_snapshot().figures, now, "statbel")
        async with cache_on(redis_server.url, clock) as cache:
            provider = CachedHealthIndexProvider(
                InMemoryHealthIndexProvider(read), cache, limits=PublicationCalendar().age_limits, clock=lambda: now
            )
            assert await provider.publication(IndexTable()) == read
            redis_server.crash()
            assert await provider.publication(IndexTable()) == read
            await provider.aclose()


class TestAServerThatIsFrozen:
    async def test_is_missed_after_one_time_out_and_is_back_after_the_rest(
        self, clock: Clock, redis_server: RedisServer
    ) -> None:
        async with cache_on(redis_server.url, clock) as cache:
            await cache.set("key", b"value", HOUR)
            redis_server.freeze()
            assert await many(lambda: cache.get("key")) == [None] * 50
            assert cache.last_failure == "TimeoutError"
            redis_server.thaw()
            await cache.set("key", b"not yet", HOUR)
            clock.advance(REST)
            assert await cache.get("key") == b"value"


class TestAServerThatIsFull:
    async def test_keeps_nothing_new_and_is_still_read(self, clock: Clock, redis_server: RedisServer) -> None:
        async with (
            cache_on(redis_server.url, clock, timeout=PATIENT) as cache,
            Redis.from_url(redis_server.url) as redis,
        ):
            await cache.set("old", b"value", HOUR)
            await redis.config_set("maxmemory-policy", "noeviction")
            await redis.config_set("maxmemory", 1)
            await cache.set("new", b"value", HOUR)
            assert cache.last_failure == "OutOfMemoryError"
            assert (await cache.get("new"), await cache.get("old")) == (None, b"value")
            assert cache.last_failure == "OutOfMemoryError"  # reading well does not mean that it is well
            await redis.config_set("maxmemory", 0)
            await cache.set("new", b"value", HOUR)
            assert await cache.get("new") == b"value"
            assert not cache.last_failure


class TestAServerWithAPassword:
    @pytest.mark.parametrize("credentials", ["", ":hunter2@", "somebody:hunter2@"])
    async def test_is_out_of_reach_without_it_and_says_nothing_of_it(
        self, clock: Clock, redis_server: RedisServer, credentials: str
    ) -> None:
        async with Redis.from_url(redis_server.url) as redis:
            await redis.config_set("requirepass", "correct horse")
        right = redis_server.url.replace("//", "//:correct%20horse@")
        wrong = redis_server.url.replace("//", f"//{credentials}")
        async with (
            cache_on(right, clock, timeout=PATIENT) as admitted,
            cache_on(wrong, clock, timeout=PATIENT) as refused,
        ):
            await admitted.set("key", b"value", HOUR)
            assert await admitted.get("key") == b"value"
            assert await refused.get("key") is None
            assert refused.last_failure == "AuthenticationError"
            await refused.delete("key")
            assert await admitted.get("key") == b"value"
