"""What was known at an instant."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds.kept_figures import (
    AUGUST,
    DAY,
    JULY,
    JUNE,
    KNOWN,
    SECOND,
    SEPTEMBER,
    START,
    Clock,
    Source,
    WithHistory,
    make,
)

from adapters.memory import InMemoryFigureHistory
from domain.clock import InvalidInstant
from domain.health_index.calendar import PublicationCalendar
from domain.use_cases.health_index import HISTORY, HealthIndexService, table_of


class TestAt(WithHistory):
    async def test_an_instant_that_lies_ahead_or_before_everything_is_refused(
        self, index: HealthIndexService, clock: Clock
    ) -> None:
        assert index.at(clock.now).table.version == index.now().table.version
        with pytest.raises(InvalidInstant, match="lies ahead"):
            index.at(clock.now + SECOND)
        first = PublicationCalendar().published_since(KNOWN[0])
        assert index.at(first).table.latest_month == JUNE
        with pytest.raises(InvalidInstant, match="nothing was published"):
            index.at(first - SECOND)

    async def test_its_freshness_is_judged_as_of_then(self, index: HealthIndexService) -> None:
        then = datetime(2024, 7, 30, tzinfo=UTC)
        freshness = index.at(then).freshness
        assert (freshness.latest_month, freshness.as_of, freshness.source) == (JULY, then, HISTORY)
        assert str(freshness.next_publication) == "2024-08-29"

    async def test_the_instant_of_the_last_change_has_the_answers_of_now(
        self, index: HealthIndexService, source: Source, clock: Clock
    ) -> None:
        clock.now += 20 * DAY
        source.figures = (*KNOWN, SEPTEMBER)
        await index.refresh()
        clock.now += DAY
        assert index.last_change() == clock.now - DAY
        assert index.at(index.last_change()).table.version == index.now().table.version

    async def test_no_more_than_a_few_tables_of_the_past_are_held(
        self, index: HealthIndexService, source: Source, clock: Clock
    ) -> None:
        for turn in range(60):
            clock.now += DAY
            source.figures = (*KNOWN[:2], replace(KNOWN[2], value=Decimal("133.22") + Decimal(turn).scaleb(-2)))
            await index.refresh()
        held = set()
        for turn in range(60):
            view = index.at(START + (turn + 1) * DAY)
            assert view.figure(AUGUST, 2013).value == Decimal("133.22") + Decimal(turn).scaleb(-2)
            held.add(len(index._tables))
        assert max(held) == 16
        assert index.at(clock.now).table is index.at(clock.now).table

    @given(
        readings=st.lists(
            st.tuples(st.integers(1, 40), st.lists(st.sampled_from(["132.95", "133.00", "133.10"]), min_size=3)),
            max_size=8,
        ),
        hours=st.integers(0, 2000),
    )
    async def test_it_answers_as_a_replay_of_what_was_seen_by_then(
        self, readings: list[tuple[int, list[str]]], hours: int
    ) -> None:
        clock = Clock()
        store, source = InMemoryFigureHistory(), Source(clock)
        index = make(source, store, clock)
        await index.load()
        for days, seen in readings:
            clock.now += days * DAY
            source.figures = tuple(
                replace(f, value=Decimal(v)) for f, v in zip((*KNOWN, SEPTEMBER)[-len(seen) :], seen, strict=False)
            )
            await index.refresh()
        instant = min(START + timedelta(hours=hours), clock.now)
        replayed = table_of(s for s in await store.sightings() if s.seen_at <= instant)
        assert list(index.at(instant).table.figures()) == list(replayed.figures())
