"""Kept answers by themselves: what is let in, what makes room, what is held at most."""

import gc
import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.http.edge.answers import Answer
from entrypoints.http.edge.kept import (
    LARGEST_BODY,
    LONGEST_TARGET,
    Doorkeeper,
    Kept,
    KeptAnswers,
    Made,
    Miss,
    Source,
    Steady,
)
from entrypoints.http.negotiation import preferred_coding, preferred_type
from entrypoints.metrics import Series

NOON = datetime(2026, 9, 10, 12, tzinfo=UTC)
SERIES = Series("GET", "/it", 200)


class Subject:
    """Answers kept of one source, whose version and clock a test can change."""

    def __init__(self, *, entries: int = 100, size: int = 10_000_000, steady: Steady | None = None) -> None:
        self.now = NOON
        self.version: object | None = object()
        source = Source(lambda: self.version, None if steady is None else lambda _: steady)
        self.kept = KeptAnswers({"it": source}, lambda: self.now, entries=entries, size=size)

    def put(
        self, target: str, body: bytes = b"{}", max_age: int = 60, accept: bytes = b"", coding: bytes = b""
    ) -> bool:
        """Answer a request for the first time; whether the answer was let in."""
        return self.keep(self.kept.miss(target.encode()), body, max_age, accept, coding)

    def keep(
        self, miss: Miss, body: bytes = b"{}", max_age: int = 60, accept: bytes = b"", coding: bytes = b""
    ) -> bool:
        offered = ("application/json", "text/csv") if accept else ()
        media = preferred_type(accept.decode(), offered) if accept else None
        choice = (media, preferred_coding(coding, ("br", "gzip")))
        return miss.keep(Made("it", answer(body, max_age), SERIES, offered, choice, len(body) > 1000, None))

    def find(self, target: str, accept: bytes = b"", coding: bytes = b"") -> Kept | None:
        return self.kept.find(target.encode(), accept, coding)

    def has(self, target: str, accept: bytes = b"", coding: bytes = b"") -> bool:
        return self.find(target, accept, coding) is not None


def answer(body: bytes = b"{}", max_age: int = 60) -> Answer:
    headers = ((b"etag", b'W/"1"'), (b"cache-control", b"public, max-age=%d" % max_age))
    return Answer(200, headers, body)


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
        miss = subject.kept.miss(b"/a")
        subject.version = object()
        assert not subject.keep(miss)
        assert not subject.has("/a")

    def test_what_was_made_from_older_data_makes_room_with_the_first_answer_from_newer_data(
        self, subject: Subject
    ) -> None:
        for number in range(50):
            subject.put(f"/{number}")
        subject.version = object()
        subject.put("/a")
        assert subject.kept.figures().entries == 1


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
        assert kept.max_age == 3600
        assert subject.kept.age(kept) == age

    def test_a_lifetime_that_stays_the_same_has_no_age(self) -> None:
        subject = Subject(steady=Steady(self.TURN - timedelta(milliseconds=1), self.TURN))
        subject.put("/a", max_age=300)
        kept = subject.find("/a")
        assert kept is not None
        assert kept.max_age is None

    def test_a_lifetime_that_is_what_is_left_when_nothing_counts_down_any_more_has_no_age(self) -> None:
        subject = Subject(steady=Steady(self.TURN, self.TURN))
        subject.put("/a", max_age=3600)
        kept = subject.find("/a")
        assert kept is not None
        assert kept.max_age is None


class TestTargets:
    def test_what_is_too_long_is_not_kept(self, subject: Subject) -> None:
        assert not subject.put("/" + "a" * LONGEST_TARGET)
        assert not subject.put("/a", body=b"x" * (LARGEST_BODY + 1))
        assert subject.put("/" + "a" * (LONGEST_TARGET - 1))

    def test_each_media_type_is_an_answer_of_its_own(self, subject: Subject) -> None:
        subject.put("/a", b"json", accept=b"*/*")
        assert not subject.has("/a", accept=b"text/csv")
        subject.put("/a", b"csv", accept=b"text/csv")
        found = [subject.find("/a", accept) for accept in (b"", b"text/csv, */*;q=0.1", b"image/png")]
        assert [kept and kept.tail[4:] for kept in found] == [b"json", b"csv", None]
        assert subject.kept.figures().entries == 1

    def test_each_coding_is_one_where_a_body_is_large_enough(self, subject: Subject) -> None:
        subject.put("/a", b"x" * 2000)
        subject.put("/a", b"x" * 1500, coding=b"br")
        found = [subject.find("/a", coding=coding) for coding in (b"", b"gzip, br", b"gzip")]
        assert [kept and len(kept.tail) - 4 for kept in found] == [2000, 1500, None]

    def test_a_small_body_is_the_same_for_every_coding(self, subject: Subject) -> None:
        subject.put("/a", b"csv", accept=b"text/csv")
        assert all(subject.has("/a", accept=b"text/csv", coding=coding) for coding in (b"", b"br", b"gzip"))


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
        assert subject.kept.figures().entries <= 1000

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
        assert subject.kept.figures().entries <= 1000

    def test_what_is_asked_for_again_gets_in_where_there_is_no_room(self) -> None:
        subject = Subject(entries=10)
        for number in range(10):
            subject.put(f"/{number}")
        assert not subject.put("/new")
        assert subject.put("/new")
        assert subject.has("/new")
        assert subject.kept.figures().entries == 10

    def test_bytes_are_bounded_and_what_is_wanted_is_not_displaced_by_a_few_large_answers(self) -> None:
        subject = Subject(entries=10_000, size=2_000_000)
        subject.put("/small")
        for number in range(200):
            for _ in range(2):
                subject.put(f"/{number}", body=b"x" * 100_000)
            assert subject.has("/small")
        assert subject.kept.figures().bytes <= 2_000_000
        assert 10 <= subject.kept.figures().entries <= 20

    def test_what_is_larger_than_all_of_the_room_does_not_stay(self) -> None:
        subject = Subject(size=50_000)
        subject.put("/small")
        for _ in range(2):
            assert not subject.put("/large", body=b"x" * 60_000)
        assert subject.kept.figures().bytes <= 50_000

    def test_what_an_entry_grows_by_counts(self) -> None:
        subject = Subject(entries=10_000, size=1_000_000)
        for number in range(8):
            subject.put(f"/{number}", body=os.urandom(100_000))
        for number in range(8):
            subject.put(f"/{number}", body=os.urandom(100_000), coding=b"br")
        assert subject.kept.figures().bytes <= 1_000_000

    @given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6000), st.booleans(), st.booleans()), max_size=120))
    def test_the_books_are_right_whatever_happens(self, steps: list[tuple[int, int, bool, bool]]) -> None:
        subject = Subject(entries=5, size=20_000)
        for number, size, change, csv in steps:
            if change:
                subject.version = object()
            accept = b"text/csv" if csv else b""
            if not subject.has(f"/{number}", accept):
                subject.put(f"/{number}", body=b"x" * size, accept=accept)
            figures, entries = subject.kept.figures(), subject.kept._entries.values()
            assert figures.entries == len(entries) <= 5
            assert figures.bytes == sum(entry.weight() for entry in entries) <= 20_000

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
        assert after - before <= subject.kept.figures().bytes


class TestDoorkeeper:
    def test_it_knows_what_it_was_asked_and_hardly_ever_anything_else(self) -> None:
        doorkeeper = Doorkeeper()
        assert not any(doorkeeper.knows(b"/%d" % number) for number in range(50))
        assert all(doorkeeper.knows(b"/%d" % number) for number in range(50))
        wrong = sum(doorkeeper.knows(b"/other/%d" % number) for number in range(100_000))
        assert wrong < 2000

    def test_it_forgets(self) -> None:
        doorkeeper = Doorkeeper()
        early = [b"/early/%d" % number for number in range(100)]
        for target in (*early, *(b"/%d" % number for number in range(100_000))):
            doorkeeper.knows(target)
        assert sum(doorkeeper.knows(target) for target in early) < 20  # it takes one in a hundred for another
