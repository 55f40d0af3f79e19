"""The response cache by itself: what it lets in, what makes room, what it holds at most."""

import gc
import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.http.edge.replies import Answer
from entrypoints.http.edge.response_cache import (
    LARGEST_BODY,
    LONGEST_PATH,
    LONGEST_QUERY,
    Doorkeeper,
    Kept,
    ResponseCache,
    Room,
    Source,
    Steady,
    in_order,
)
from entrypoints.metrics import Series

NOON = datetime(2026, 9, 10, 12, tzinfo=UTC)
IDENTITY = "00000000-0000-4000-8000-000000000000"


class Subject:
    """A cache over one source, whose version and clock a test can change."""

    def __init__(self, *, entries: int = 100, size: int = 10_000_000, steady: Steady | None = None) -> None:
        self.now = NOON
        self.version: object | None = object()
        self.small, self.large = Room(entries, size), Room(entries, size)
        source = Source(
            lambda: self.version,
            None if steady is None else lambda _: steady,
            small=self.small,
            large=self.large,
        )
        self.cache = ResponseCache({"it": source}, lambda: self.now)

    def put(self, path: str, query: bytes = b"", body: bytes = b"{}", max_age: int = 60, accept: bytes = b"") -> bool:
        """Answer a request for the first time; whether the answer was let in."""
        moment = self.cache.moment()
        offered = ("application/json", "text/csv") if accept else ()
        kept = self.cache.made("it", answer(body, max_age), moment, accept, offered)
        return self.cache.keep(path, query, kept)

    def find(self, path: str, query: bytes = b"", accept: bytes = b"") -> Kept | None:
        return self.cache.find(path, query, accept)

    def has(self, path: str, query: bytes = b"", accept: bytes = b"") -> bool:
        return self.find(path, query, accept) is not None


def answer(body: bytes = b"{}", max_age: int = 60, status: int = 200) -> Answer:
    headers = [(b"etag", b'W/"1"'), (b"cache-control", b"public, max-age=%d" % max_age)]
    return Answer(status, headers, body, identity=IDENTITY, route="/it", series=Series)


@pytest.fixture
def subject() -> Subject:
    return Subject()


class TestVersions:
    def test_an_answer_is_found_for_as_long_as_the_version_is_the_same_object(self, subject: Subject) -> None:
        subject.put("/a")
        assert subject.has("/a")
        subject.version = object()
        assert not subject.has("/a")

    def test_an_equal_version_is_another_one(self, subject: Subject) -> None:
        subject.version = [1]
        subject.put("/a")
        subject.version = [1]
        assert not subject.has("/a")

    def test_nothing_is_kept_of_data_whose_version_nobody_knows(self, subject: Subject) -> None:
        subject.version = None
        assert not subject.put("/a")
        assert not subject.has("/a")

    def test_what_was_kept_is_there_again_when_the_version_is_known_again(self, subject: Subject) -> None:
        subject.put("/a")
        subject.version, before = None, subject.version
        assert not subject.has("/a")
        subject.version = before
        assert subject.has("/a")

    def test_an_answer_made_while_the_data_changed_is_not_kept(self, subject: Subject) -> None:
        moment = subject.cache.moment()
        subject.version = object()
        kept = subject.cache.made("it", answer(), moment, b"", ())
        assert not subject.cache.keep("/a", b"", kept)
        assert not subject.has("/a")

    def test_what_was_made_from_older_data_makes_room_with_the_first_answer_from_newer_data(
        self, subject: Subject
    ) -> None:
        for number in range(50):
            subject.put(f"/{number}")
        subject.version = object()
        subject.put("/a")
        assert (len(subject.small), subject.cache.figures().entries) == (1, 1)


class TestClock:
    TURN = NOON + timedelta(hours=1)

    def test_an_answer_is_found_until_it_would_be_another_one(self) -> None:
        subject = Subject(steady=Steady(self.TURN, self.TURN))
        subject.put("/a")
        subject.now = self.TURN - timedelta(microseconds=1)
        assert subject.has("/a")
        subject.now = self.TURN
        assert not subject.has("/a")

    def test_it_is_not_found_by_a_clock_that_was_put_back(self) -> None:
        subject = Subject(steady=Steady(self.TURN, self.TURN))
        subject.put("/a")
        subject.now -= timedelta(microseconds=1)
        assert not subject.has("/a")

    @pytest.mark.parametrize(("passed", "age"), [(0, 0), (0.001, 1), (1, 1), (59.5, 60), (3599.9, 3600)])
    def test_a_lifetime_that_counts_down_has_an_age_in_whole_seconds_rounded_up(self, passed: float, age: int) -> None:
        subject = Subject(steady=Steady(self.TURN - timedelta(milliseconds=1), self.TURN))
        subject.put("/a", max_age=3600)
        subject.now += timedelta(seconds=passed)
        kept = subject.find("/a")
        assert kept is not None
        assert kept.counted
        assert subject.cache.age(kept) == age

    def test_a_lifetime_that_stays_the_same_has_no_age(self) -> None:
        subject = Subject(steady=Steady(self.TURN - timedelta(milliseconds=1), self.TURN))
        subject.put("/a", max_age=300)
        kept = subject.find("/a")
        assert kept is not None
        assert not kept.counted

    def test_a_lifetime_that_is_what_is_left_when_nothing_counts_down_any_more_has_no_age(self) -> None:
        subject = Subject(steady=Steady(self.TURN, self.TURN))
        subject.put("/a", max_age=3600)
        kept = subject.find("/a")
        assert kept is not None
        assert not kept.counted


class TestKeys:
    def test_the_order_of_parameters_does_not_matter(self, subject: Subject) -> None:
        subject.put("/a", b"x=1&y=2&z=3")
        assert subject.has("/a", b"z=3&x=1&y=2")
        assert subject.has("/a", b"z=3&x=1&y=2")
        assert not subject.has("/a", b"z=3&x=1")
        assert not subject.has("/a")
        assert len(subject.small) == 1

    def test_the_order_of_values_of_one_parameter_does(self, subject: Subject) -> None:
        subject.put("/a", b"x=1&x=2")
        assert not subject.has("/a", b"x=2&x=1")

    def test_names_that_are_encoded_are_not_kept(self, subject: Subject) -> None:
        assert not subject.put("/a", b"x=1&%78=2")
        assert not subject.put("/a", b"x+=1")
        assert subject.put("/a", b"x=%31")

    def test_what_is_too_long_is_no_key(self, subject: Subject) -> None:
        assert not subject.put("/a", b"x" * (LONGEST_QUERY + 1))
        assert not subject.put("/" + "a" * LONGEST_PATH)
        assert not subject.put("/a", body=b"x" * (LARGEST_BODY + 1))
        assert subject.put("/a", b"x" * LONGEST_QUERY)

    def test_each_media_type_is_an_entry_of_its_own(self, subject: Subject) -> None:
        subject.put("/a", b"x=1", b"json", accept=b"*/*")
        subject.put("/a", b"x=1", b"csv", accept=b"text/csv")
        for _ in range(2):
            found = [subject.find("/a", b"x=1", accept) for accept in (b"", b"text/csv, */*;q=0.1", b"image/png")]
            assert [kept and kept.answer.plain.body for kept in found] == [b"json", b"csv", None]

    def test_no_more_than_a_few_orders_of_parameters_are_remembered(self, subject: Subject) -> None:
        names = [b"a=1", b"b=1", b"c=1", b"d=1", b"e=1"]
        subject.put("/a", b"&".join(names))
        for turn in range(5):
            assert subject.has("/a", b"&".join(names[turn:] + names[:turn]))
        assert len(subject.cache._kept) <= 5

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), min_size=1, max_size=6), st.randoms())
    def test_queries_are_the_same_where_each_parameter_has_the_same_values_in_the_same_order(
        self, parameters: list[tuple[str, int]], random: object
    ) -> None:
        other = list(parameters)
        random.shuffle(other)  # type: ignore[attr-defined]  # it is a random.Random

        def query(pairs: list[tuple[str, int]]) -> bytes:
            return "&".join(f"{name}={value}" for name, value in pairs).encode()

        def values(pairs: list[tuple[str, int]]) -> list[list[int]]:
            return [[value for each, value in pairs if each == name] for name in "abc"]

        assert (in_order(query(parameters)) == in_order(query(other))) == (values(parameters) == values(other))


class TestRoom:
    def test_a_hundred_thousand_addresses_displace_nothing_that_is_wanted(self) -> None:
        subject = Subject(entries=1000)
        hot = [f"/hot/{number}" for number in range(200)]
        for path in hot:
            subject.put(path)
            assert subject.has(path)
        for number in range(100_000):
            subject.put(f"/cold/{number}")
        assert sum(subject.has(path) for path in hot) == len(hot)
        assert len(subject.small) <= 1000
        assert len(subject.cache._kept) <= 1000

    def test_nor_do_addresses_asked_for_twice_where_the_wanted_ones_still_are(self) -> None:
        subject = Subject(entries=1000)
        hot = [f"/hot/{number}" for number in range(200)]
        for path in hot:
            subject.put(path)
        lost = 0
        for number in range(20_000):
            for _ in range(2):
                subject.put(f"/cold/{number}")
            path = hot[number % 200]
            if not subject.has(path):
                lost += 1
                subject.put(path)
        assert lost == 0
        assert len(subject.small) <= 1000

    def test_what_is_asked_for_again_gets_in_where_there_is_no_room(self) -> None:
        subject = Subject(entries=10)
        for number in range(10):
            subject.put(f"/{number}")
        assert not subject.put("/new")
        assert subject.put("/new")
        assert subject.has("/new")
        assert len(subject.small) == 10

    def test_bytes_are_bounded_and_large_answers_have_a_room_of_their_own(self) -> None:
        subject = Subject(entries=10_000, size=2_000_000)
        subject.put("/small")
        for number in range(200):
            for _ in range(2):
                subject.put(f"/{number}", body=b"x" * 100_000)
        assert subject.has("/small")
        assert subject.large.size <= 2_000_000
        assert 10 <= len(subject.large) <= 20

    async def test_what_an_entry_grows_by_counts(self) -> None:
        subject = Subject(entries=10_000, size=1_000_000)
        for number in range(8):
            subject.put(f"/{number}", body=os.urandom(100_000))
        for number in range(8):
            kept = subject.find(f"/{number}")
            if kept is not None:
                await kept.answer.make(("GET", "br"), compress=True)
                subject.cache.grown(kept)
        assert subject.large.size <= 1_000_000
        assert subject.large.size == sum(kept.weight() for kept in subject.large)

    @given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6000), st.booleans()), max_size=120))
    def test_the_books_are_right_whatever_happens(self, steps: list[tuple[int, int, bool]]) -> None:
        subject = Subject(entries=5, size=20_000)
        for number, size, change in steps:
            if change:
                subject.version = object()
            if not subject.has(f"/{number}"):
                subject.put(f"/{number}", body=b"x" * size)
            for room in (subject.small, subject.large):
                assert len(room) <= 5
                assert room.size == sum(kept.size for kept in room) <= 20_000
            held = {id(kept) for room in (subject.small, subject.large) for kept in room}
            assert {id(kept) for kept in subject.cache._kept.values()} == held

    def test_an_entry_takes_no_more_than_it_is_counted_for(self) -> None:
        """Measured as the memory of the process is: by what the allocator hands out."""
        import tracemalloc  # noqa: PLC0415 - it is of use here alone

        subject = Subject(entries=10_000, size=100_000_000)
        gc.collect()
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for number in range(2000):
                subject.put(f"/v1/zipcodes/{number}", body=b'{"zipcode":9000,"risk_factor":"B"}' + b" " * 30)
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert after - before <= subject.small.size


class TestDoorkeeper:
    def test_it_knows_what_it_was_asked_and_hardly_ever_anything_else(self) -> None:
        doorkeeper = Doorkeeper()
        assert not any(doorkeeper.knows(f"/{number}") for number in range(50))
        assert all(doorkeeper.knows(f"/{number}") for number in range(50))
        wrong = sum(doorkeeper.knows(f"/other/{number}") for number in range(100_000))
        assert wrong < 2000

    def test_it_forgets(self) -> None:
        doorkeeper = Doorkeeper()
        doorkeeper.knows("/a")
        for number in range(100_000):
            doorkeeper.knows(f"/{number}")
        assert not doorkeeper.knows("/a")
