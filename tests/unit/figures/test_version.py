"""What a cache of answers about the index must know: whether they changed, and until when they cannot."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import make_index

from adapters.bundled import load_snapshot
from adapters.memory import InMemoryHealthIndexProvider
from domain.health_index.figures import Month, Publication
from domain.use_cases.health_index import HealthIndexService

FIGURES = tuple(figure for figure in load_snapshot().figures if figure.base_year != 2025)
START = datetime(2026, 9, 10, 12, tzinfo=UTC)
EXPECTED = datetime(2026, 9, 28, 22, tzinfo=UTC)  # the 29th in Brussels


class Subject:
    """The service, which has read its source, and its clock."""

    def __init__(self) -> None:
        self.now = START
        known = Publication(FIGURES[1:], START - timedelta(days=1), "snapshot")
        self.index = make_index(
            InMemoryHealthIndexProvider(Publication(FIGURES, START, "statbel"), self.clock), known, self.clock
        )

    def clock(self) -> datetime:
        return self.now


def answers(index: HealthIndexService) -> tuple[object, ...]:
    """All that an answer says which may change with the clock, lifetimes that count down apart."""
    months = (None, Month(2026, 8), Month(2026, 7), Month(1994, 1))
    publication = datetime.combine(index.now().freshness.next_publication, datetime.min.time(), EXPECTED.tzinfo)
    lifetimes = (index.cache_lifetime(month) for month in months)
    left = publication - timedelta(hours=2) - index._clock()
    return index.now().freshness, *("what is left" if lifetime == left else lifetime for lifetime in lifetimes)


class TestVersion:
    async def test_it_is_the_same_while_nothing_happens(self) -> None:
        subject = Subject()
        before = subject.index.version()
        subject.now += timedelta(days=100)
        assert subject.index.version() is before

    async def test_each_reading_makes_another_one(self) -> None:
        subject = Subject()
        seen = [subject.index.version()]
        for _ in range(3):
            subject.now += timedelta(minutes=1)
            await subject.index.refresh()
            seen.append(subject.index.version())
        assert len({id(version) for version in seen}) == 4

    async def test_so_do_the_figures_of_another_replica(self) -> None:
        subject = Subject()
        await subject.index.load()
        before = subject.index.version()
        await subject.index.follow()
        assert subject.index.version() is before
        sightings = [
            replace(each, seen_at=START, source="statbel") for each in await subject.index._history.sightings()
        ]
        await subject.index._history.record([replace(sightings[-1], figure=FIGURES[0])])
        await subject.index.follow()
        assert subject.index.version() is not before


class TestSteady:
    @given(st.timedeltas(timedelta(0), timedelta(days=25)), st.floats(0, 1))
    def test_until_then_answers_are_the_same(self, passed: timedelta, part: float) -> None:
        subject = Subject()
        subject.now = START + passed
        until, ends = subject.index.steady(subject.now)
        assert until > subject.now
        assert ends == EXPECTED
        before = answers(subject.index)
        last = min(until, START + timedelta(days=40)) - timedelta(microseconds=1)
        subject.now += (last - subject.now) * part
        assert answers(subject.index) == before
        subject.now = last
        assert answers(subject.index) == before

    def test_when_nothing_more_turns_there_is_no_end(self) -> None:
        subject = Subject()
        until, _ = subject.index.steady(EXPECTED + timedelta(days=2))
        assert until.year == 9999
