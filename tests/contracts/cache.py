"""What holds for every cache, whatever stands behind it."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.ports import Cache

HOUR = timedelta(hours=1)
A_CENTURY = timedelta(days=36_500)

KEYS = (
    "",
    " ",
    "a",
    "A",
    "a ",
    " a",
    "a:b",
    "a*",
    "a?",
    "[a]",
    "{a}b",
    "a\r\nDEL a\r\n",
    "a\x00b",
    "0",
    "%61",
    "gezondheidsindex België",
    "\u00e9",
    "e\u0301",  # the same letter for people, another key
    "指数",
    "🧇",
    "\ud800",  # half a character
    "k" * 5000,
)
VALUES = {
    "empty": b"",
    "one zero": b"\x00",
    "every byte": bytes(range(256)),
    "line ends": b"\r\n$5\r\nhello\r\n",
    "no text": b"\xff\xfe\xed\xa0\x80",
    "digits": b"0042",
    "like nothing": b"None",
    "half a mebibyte": bytes(range(256)) * 2048,
}


class CacheContract:
    """Inherit this in the test class of an adapter and override the fixture `cache` and the method `wait`.

    The cache must keep values of half a mebibyte, and none of `TOO_LARGE` bytes.
    """

    TICK = timedelta(seconds=1)
    """A short life in this cache; the suite waits for it now and then."""

    TOO_LARGE = 2 * 2**20

    @pytest.fixture
    def cache(self) -> Cache:
        raise NotImplementedError

    async def wait(self, span: timedelta) -> None:
        """Let the time of the cache pass by so much."""
        raise NotImplementedError

    # -- keeping ------------------------------------------------------------------------------------

    async def test_what_was_never_set_is_absent(self, cache: Cache) -> None:
        assert await cache.get("nothing") is None

    @pytest.mark.parametrize("name", VALUES)
    async def test_a_value_comes_back_as_it_was(self, cache: Cache, name: str) -> None:
        await cache.set("key", VALUES[name], HOUR)
        for _ in range(2):
            value = await cache.get("key")
            assert value == VALUES[name]
            assert type(value) is bytes

    @given(key=st.text(), value=st.binary())
    @example(key="\udfff", value=b"\x80")
    async def test_any_text_is_a_key_and_any_bytes_are_a_value(self, cache: Cache, key: str, value: bytes) -> None:
        await cache.set(key, value, HOUR)
        assert await cache.get(key) == value
        await cache.delete(key)
        assert await cache.get(key) is None

    async def test_every_key_has_its_own_value(self, cache: Cache) -> None:
        for number, key in enumerate(KEYS):
            await cache.set(key, b"%d" % number, HOUR)
        assert [await cache.get(key) for key in KEYS] == [b"%d" % number for number in range(len(KEYS))]

    @pytest.mark.parametrize("second", [b"second", b""])
    async def test_a_value_replaces_the_one_before(self, cache: Cache, second: bytes) -> None:
        await cache.set("key", b"a long first value", HOUR)
        await cache.set("key", second, HOUR)
        assert await cache.get("key") == second

    async def test_a_value_that_is_too_large_is_not_kept_and_leaves_no_older_one(self, cache: Cache) -> None:
        await cache.set("key", b"older", HOUR)
        await cache.set("other", b"kept", HOUR)
        await cache.set("key", bytes(self.TOO_LARGE), HOUR)
        assert await cache.get("key") is None
        assert await cache.get("other") == b"kept"

    # -- forgetting ---------------------------------------------------------------------------------

    async def test_what_was_deleted_is_absent(self, cache: Cache) -> None:
        await cache.set("key", b"value", HOUR)
        await cache.delete("key")
        assert await cache.get("key") is None

    async def test_deleting_one_key_leaves_the_others(self, cache: Cache) -> None:
        for key in KEYS:
            await cache.set(key, b"value", HOUR)
        for key in KEYS[::2]:
            await cache.delete(key)
        assert [await cache.get(key) for key in KEYS] == [None, b"value"] * (len(KEYS) // 2)

    async def test_deleting_what_is_absent_is_quiet(self, cache: Cache) -> None:
        await cache.delete("nothing")
        await cache.set("key", b"value", HOUR)
        for _ in range(2):
            await cache.delete("key")
        assert await cache.get("key") is None

    async def test_what_was_deleted_may_be_set_again(self, cache: Cache) -> None:
        await cache.set("key", b"first", HOUR)
        await cache.delete("key")
        await cache.set("key", b"second", HOUR)
        assert await cache.get("key") == b"second"

    # -- time ---------------------------------------------------------------------------------------

    async def test_a_value_is_gone_when_its_time_is_over(self, cache: Cache) -> None:
        await cache.set("short", b"value", self.TICK)
        await cache.set("long", b"value", HOUR)
        await self.wait(self.TICK)
        assert await cache.get("short") is None
        assert await cache.get("long") == b"value"

    async def test_reading_does_not_make_a_value_live_longer(self, cache: Cache) -> None:
        await cache.set("key", b"value", self.TICK)
        await self.wait(self.TICK / 2)
        await cache.get("key")
        await self.wait(self.TICK / 2)
        assert await cache.get("key") is None

    async def test_a_new_value_brings_its_own_longer_time(self, cache: Cache) -> None:
        await cache.set("key", b"first", self.TICK)
        await cache.set("key", b"second", HOUR)
        await self.wait(self.TICK)
        assert await cache.get("key") == b"second"

    async def test_a_new_value_brings_its_own_shorter_time(self, cache: Cache) -> None:
        await cache.set("key", b"first", HOUR)
        await cache.set("key", b"second", self.TICK)
        await self.wait(self.TICK)
        assert await cache.get("key") is None

    async def test_what_has_ended_may_be_set_again(self, cache: Cache) -> None:
        await cache.set("key", b"first", self.TICK)
        await self.wait(self.TICK)
        await cache.set("key", b"second", HOUR)
        assert await cache.get("key") == b"second"

    @pytest.mark.parametrize("ttl", [timedelta(), -timedelta.resolution, -HOUR, timedelta.min])
    async def test_a_time_that_is_not_positive_keeps_nothing_and_removes_what_was_there(
        self, cache: Cache, ttl: timedelta
    ) -> None:
        await cache.set("new", b"value", ttl)
        assert await cache.get("new") is None
        await cache.set("key", b"first", HOUR)
        await cache.set("key", b"second", ttl)
        assert await cache.get("key") is None

    async def test_the_shortest_time_ends_soon(self, cache: Cache) -> None:
        await cache.set("key", b"older", HOUR)
        await cache.set("key", b"value", timedelta.resolution)
        await self.wait(self.TICK)
        assert await cache.get("key") is None

    @pytest.mark.parametrize("ttl", [A_CENTURY, timedelta.max])
    async def test_a_very_long_time_is_not_too_long(self, cache: Cache, ttl: timedelta) -> None:
        await cache.set("key", b"value", ttl)
        await self.wait(self.TICK)
        assert await cache.get("key") == b"value"

    # -- many at once -------------------------------------------------------------------------------

    async def test_callers_at_the_same_time_get_what_belongs_to_their_key(self, cache: Cache) -> None:
        async def keep(number: int) -> bytes | None:
            await cache.set(f"key {number}", b"%d" % number * 1000, HOUR)
            return await cache.get(f"key {number}")

        kept = await asyncio.gather(*(keep(number) for number in range(100)))
        assert kept == [b"%d" % number * 1000 for number in range(100)]

    async def test_a_reader_sees_one_of_the_values_whole(self, cache: Cache) -> None:
        values = {bytes([letter]) * 100_000 for letter in b"abcdefgh"}
        await asyncio.gather(*(cache.set("key", value, HOUR) for value in values))
        read = await asyncio.gather(
            *(cache.get("key") for _ in values), *(cache.set("key", value, HOUR) for value in values)
        )
        assert set(read[: len(values)]) <= values

    async def test_a_caller_that_gives_up_does_not_leave_its_answer_to_the_next(self, cache: Cache) -> None:
        await cache.set("key", b"value", HOUR)
        await cache.set("another key", b"another value", HOUR)
        for steps in range(30):
            reading = asyncio.create_task(cache.get("another key"))
            for _ in range(steps):
                await asyncio.sleep(0)
            reading.cancel()
            assert await cache.get("key") == b"value"
            await asyncio.wait([reading])
