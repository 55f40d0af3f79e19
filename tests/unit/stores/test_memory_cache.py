"""The cache in memory: the contract, its two bounds, and what goes first."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from tests.contracts.cache import CacheContract
from tests.worlds.examples import slow

from adapters.memory import InMemoryCache

Answer = TypeVar("Answer")
HOUR = timedelta(hours=1)


class FakeClock:
    """Seconds that pass when they are told to; the start is not zero, as a real monotonic clock's is not."""

    def __init__(self) -> None:
        self.now = 86_400.0

    def __call__(self) -> float:
        return self.now

    def advance(self, span: timedelta) -> None:
        self.now += span.total_seconds()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


class TestInMemoryCache(CacheContract):
    @pytest.fixture(autouse=True)
    def _clock(self, clock: FakeClock) -> None:
        self.clock = clock

    @pytest.fixture
    def cache(self, clock: FakeClock) -> InMemoryCache:
        return InMemoryCache(max_bytes=2**20, monotonic=clock)

    async def wait(self, span: timedelta) -> None:
        self.clock.advance(span)

    async def test_a_value_is_there_until_just_before_its_time_is_over(
        self, cache: InMemoryCache, clock: FakeClock
    ) -> None:
        await cache.set("key", b"value", timedelta(seconds=10))
        clock.advance(timedelta(seconds=9, milliseconds=999))
        assert await cache.get("key") == b"value"
        clock.advance(timedelta(milliseconds=1))
        assert await cache.get("key") is None

    async def test_a_value_that_has_ended_does_not_come_back(self, cache: InMemoryCache, clock: FakeClock) -> None:
        await cache.set("key", b"value", timedelta(seconds=10))
        clock.advance(timedelta(seconds=10))
        assert await cache.get("key") is None
        clock.advance(timedelta(seconds=-5))
        assert await cache.get("key") is None


async def kept(cache: InMemoryCache, keys: str) -> str:
    """Those of the keys, each one letter, that are still there; the look itself makes each recently used."""
    return "".join([key for key in keys if await cache.get(key) is not None])


class TestBounds:
    @pytest.mark.parametrize(("set_in_order", "left"), [("abcde", "cde"), ("abcd", "bcd"), ("abc", "abc")])
    async def test_there_are_never_more_entries_than_allowed_and_the_oldest_goes_first(
        self, set_in_order: str, left: str
    ) -> None:
        cache = InMemoryCache(max_entries=3)
        for key in set_in_order:
            await cache.set(key, b"", HOUR)
        assert await kept(cache, set_in_order) == left

    async def test_there_are_never_more_bytes_than_allowed(self) -> None:
        cache = InMemoryCache(max_bytes=10)
        for key in "abcd":
            await cache.set(key, b"1234", HOUR)
        assert await kept(cache, "abcd") == "cd"

    async def test_a_value_of_exactly_the_allowed_bytes_is_kept_alone(self) -> None:
        cache = InMemoryCache(max_bytes=10)
        await cache.set("a", b"1", HOUR)
        await cache.set("b", bytes(10), HOUR)
        assert await kept(cache, "ab") == "b"

    async def test_a_value_of_one_byte_more_drives_nothing_out(self) -> None:
        cache = InMemoryCache(max_bytes=10)
        await cache.set("a", b"123", HOUR)
        await cache.set("b", b"123", HOUR)
        await cache.set("c", bytes(11), HOUR)
        assert await kept(cache, "abc") == "ab"

    @pytest.mark.parametrize("ttl", [timedelta(), -HOUR])
    async def test_a_value_without_time_drives_nothing_out(self, ttl: timedelta) -> None:
        cache = InMemoryCache(max_entries=2)
        for key in "ab":
            await cache.set(key, b"", HOUR)
        await cache.set("c", b"", ttl)
        assert await kept(cache, "abc") == "ab"

    async def test_a_large_value_drives_out_as_many_as_it_needs_and_no_more(self) -> None:
        cache = InMemoryCache(max_bytes=10)
        for key in "abcde":
            await cache.set(key, b"12", HOUR)
        await cache.set("f", b"12345", HOUR)
        assert await kept(cache, "abcdef") == "def"

    async def test_replacing_a_value_frees_its_bytes(self) -> None:
        cache = InMemoryCache(max_bytes=10)
        await cache.set("a", b"1234", HOUR)
        for _ in range(10):
            await cache.set("b", b"123456", HOUR)
        assert await kept(cache, "ab") == "ab"

    async def test_deleting_a_value_frees_its_bytes_once(self) -> None:
        cache = InMemoryCache(max_bytes=10)
        await cache.set("a", b"1234", HOUR)
        await cache.set("b", b"123456", HOUR)
        for _ in range(2):
            await cache.delete("b")
        await cache.set("c", b"123456", HOUR)
        assert await kept(cache, "ac") == "ac"
        await cache.set("d", b"1", HOUR)
        assert await kept(cache, "acd") == "cd"

    async def test_a_value_that_was_found_to_have_ended_frees_its_bytes(self, clock: FakeClock) -> None:
        cache = InMemoryCache(max_bytes=10, monotonic=clock)
        await cache.set("a", b"1234", HOUR)
        await cache.set("b", b"123456", timedelta(seconds=1))
        clock.advance(timedelta(seconds=1))
        await cache.get("b")
        await cache.set("c", b"123456", HOUR)
        assert await kept(cache, "abc") == "ac"

    @pytest.mark.parametrize(("max_entries", "max_bytes"), [(0, 100), (100, 0)])
    async def test_a_cache_without_room_keeps_nothing(self, max_entries: int, max_bytes: int) -> None:
        cache = InMemoryCache(max_entries=max_entries, max_bytes=max_bytes)
        await cache.set("a", b"1", HOUR)
        assert await cache.get("a") is None


class TestWhatGoesFirst:
    async def test_what_was_read_lately_stays(self) -> None:
        cache = InMemoryCache(max_entries=2)
        for key in "ab":
            await cache.set(key, b"", HOUR)
        await cache.get("a")
        await cache.set("c", b"", HOUR)
        assert await kept(cache, "abc") == "ac"

    async def test_what_was_replaced_lately_stays(self) -> None:
        cache = InMemoryCache(max_entries=2)
        for key in "aba":
            await cache.set(key, b"", HOUR)
        await cache.set("c", b"", HOUR)
        assert await kept(cache, "abc") == "ac"

    async def test_a_look_at_what_is_absent_changes_nothing(self) -> None:
        cache = InMemoryCache(max_entries=2)
        for key in "ab":
            await cache.set(key, b"", HOUR)
        await cache.get("c")
        await cache.delete("c")
        await cache.set("d", b"", HOUR)
        assert await kept(cache, "abd") == "bd"


class CacheMachine(RuleBasedStateMachine):
    """The cache beside a plain dictionary that is kept in order of use, with a clock of its own."""

    MAX_ENTRIES, MAX_BYTES = 4, 12
    keys = st.sampled_from("abcdef")
    spans = st.integers(min_value=-1, max_value=6).map(lambda seconds: timedelta(seconds=seconds))

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.cache = InMemoryCache(max_entries=self.MAX_ENTRIES, max_bytes=self.MAX_BYTES, monotonic=self.clock)
        self.model: dict[str, tuple[float, bytes]] = {}

    @rule(key=keys, value=st.binary(max_size=14), ttl=spans)
    def set(self, key: str, value: bytes, ttl: timedelta) -> None:
        finish(self.cache.set(key, value, ttl))
        self.model.pop(key, None)
        if ttl > timedelta() and len(value) <= self.MAX_BYTES:
            self.model[key] = (self.clock.now + ttl.total_seconds(), value)
        while len(self.model) > self.MAX_ENTRIES or self._bytes() > self.MAX_BYTES:
            del self.model[next(iter(self.model))]

    @rule(key=keys)
    def get(self, key: str) -> None:
        expected = self.model.pop(key, None)
        if expected is not None and expected[0] > self.clock.now:
            self.model[key] = expected
        else:
            expected = None
        assert finish(self.cache.get(key)) == (None if expected is None else expected[1])

    @rule(key=keys)
    def delete(self, key: str) -> None:
        finish(self.cache.delete(key))
        self.model.pop(key, None)

    @precondition(lambda self: self.model)
    @rule(span=st.integers(min_value=1, max_value=4).map(lambda seconds: timedelta(seconds=seconds)))
    def let_time_pass(self, span: timedelta) -> None:
        self.clock.advance(span)

    def teardown(self) -> None:
        for key in "abcdef":
            self.get(key)

    def _bytes(self) -> int:
        return sum(len(value) for _, value in self.model.values())


def finish(call: Awaitable[Answer]) -> Answer:
    """Run a call that has nothing to wait for."""
    steps = call.__await__()
    try:
        next(steps)
    except StopIteration as end:
        answer: Answer = end.value
        return answer
    raise AssertionError("the cache in memory waited for something")


TestCacheBesideAModel = CacheMachine.TestCase
TestCacheBesideAModel.settings = slow(240, stateful_step_count=40)


@given(values=st.lists(st.binary(max_size=40), max_size=30), max_bytes=st.integers(min_value=0, max_value=60))
def test_what_is_kept_fits_the_bound_and_is_the_longest_run_of_the_latest(values: list[bytes], max_bytes: int) -> None:
    cache = InMemoryCache(max_bytes=max_bytes)
    for number, value in enumerate(values):
        finish(cache.set(str(number), value, HOUR))
    answers = [finish(cache.get(str(number))) for number in range(len(values))]
    found = [value for value in answers if value is not None]
    fitting = [value for value in values if len(value) <= max_bytes]
    assert sum(map(len, found)) <= max_bytes
    assert found == fitting[len(fitting) - len(found) :]
    earlier = fitting[: len(fitting) - len(found)]
    assert not earlier or sum(map(len, [earlier[-1], *found])) > max_bytes
