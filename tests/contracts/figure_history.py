"""What holds for every history of figures, whatever stands behind it."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import groupby
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.worlds.examples import slow

from domain.health_index.figures import Figure, Month
from domain.ports import FigureHistory, Sighting

NOON = datetime(2022, 4, 28, 12, 0, 0, 1, tzinfo=UTC)
CENT = Decimal("0.01")


def sighting(month: str, base_year: int, value: str, smoothed: str | None = None, source: str = "statbel") -> Sighting:
    figure = Figure(Month.parse(month), base_year, Decimal(value), None if smoothed is None else Decimal(smoothed))
    return Sighting(figure, NOON, source)


APRIL = sighting("2022-04", 2013, "119.59", "116.52")
APRIL_2004 = sighting("2022-04", 2004, "144.43")
JANUARY = sighting("2020-01", 2013, "109.72")
NOVEMBER = sighting("2023-11", 2013, "128.55", "125.73")
FIRST = sighting("1994-01", 1988, "115.65")
ALL = [NOVEMBER, APRIL, FIRST, APRIL_2004, JANUARY]
"""As Statbel published them, in the order of nothing."""


def valued(seen: Sighting, value: str) -> Sighting:
    return replace(seen, figure=replace(seen.figure, value=Decimal(value)))


def smoothed(seen: Sighting, value: str | None) -> Sighting:
    return replace(seen, figure=replace(seen.figure, smoothed=None if value is None else Decimal(value)))


def new_among(recorded: Sequence[Sighting], given: Iterable[Sighting]) -> list[Sighting]:
    """What the contract asks to be added, said in another way than the adapters say it: by looking back each time."""
    every = list(recorded)
    for item in given:
        key = (item.figure.month, item.figure.base_year)
        if says_something_new([s for s in every if (s.figure.month, s.figure.base_year) == key], item):
            every.append(item)
    return every[len(recorded) :]


def says_something_new(before: Sequence[Sighting], item: Sighting) -> bool:
    """Whether it does beside all that was recorded of its month and base year."""
    states: list[tuple[Decimal, Decimal | None]] = []
    for seen in before:
        smoothed = states[-1][1] if states and seen.figure.smoothed is None else seen.figure.smoothed
        states.append((seen.figure.value, smoothed))
    since = [
        min(seen.seen_at for seen, _ in group)
        for _, group in groupby(zip(before, states, strict=True), key=lambda pair: pair[1])
    ]
    if not states:
        return True
    if item.figure.value != states[-1][0] or item.figure.smoothed not in {None, states[-1][1]}:
        return item.seen_at >= since[-1]
    return item.seen_at < since[-1] and all(item.seen_at >= earlier for earlier in since[-2:-1])


numbers = st.integers(1, 99_999_999).map(lambda cents: cents * CENT)
instants = st.datetimes(datetime(1994, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - see there
any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
any_sightings = st.builds(
    Sighting,
    st.builds(
        Figure,
        st.builds(Month, st.integers(1994, 9999), st.integers(1, 12)),
        st.integers(1988, 2199),
        numbers,
        st.none() | numbers,
    ),
    instants,
    any_text,
)
alike = st.builds(
    Sighting,
    st.builds(
        Figure,
        st.sampled_from([Month(2022, 4), Month(2022, 5)]),
        st.sampled_from([2004, 2013]),
        st.sampled_from([Decimal("119.59"), Decimal("119.60")]),
        st.sampled_from([None, Decimal("116.52"), Decimal("116.53")]),
    ),
    instants,
    st.sampled_from(["statbel", "snapshot"]),
)
"""Of few months and with few values, so that they repeat and contradict each other."""

examples = slow(160)


class FigureHistoryContract:
    """Inherit this in the test class of an adapter and override the fixture `history`: one without any sighting."""

    @pytest.fixture
    def history(self) -> FigureHistory:
        raise NotImplementedError

    async def test_it_starts_empty(self, history: FigureHistory) -> None:
        assert list(await history.sightings()) == []

    async def test_what_is_recorded_is_told_and_kept_in_the_order_of_recording(self, history: FigureHistory) -> None:
        assert list(await history.record(ALL[:3])) == ALL[:3]
        assert list(await history.record(ALL[3:])) == ALL[3:]
        assert list(await history.sightings()) == ALL

    async def test_recording_nothing_changes_nothing(self, history: FigureHistory) -> None:
        await history.record([APRIL])
        assert list(await history.record([])) == []
        assert list(await history.sightings()) == [APRIL]

    async def test_what_was_read_before_does_not_grow_afterwards(self, history: FigureHistory) -> None:
        recorded = await history.record([APRIL])
        read = await history.sightings()
        await history.record([NOVEMBER])
        assert list(recorded) == list(read) == [APRIL]

    async def test_a_figure_is_recorded_once_whoever_sees_it_again_and_whenever(self, history: FigureHistory) -> None:
        await history.record([APRIL, JANUARY])
        later, elsewhere = replace(APRIL, seen_at=NOON + timedelta(days=30)), replace(JANUARY, source="be.STAT")
        assert list(await history.record([later, elsewhere])) == []
        assert list(await history.sightings()) == [APRIL, JANUARY]

    async def test_a_figure_that_comes_twice_at_once_is_recorded_as_it_came_first(self, history: FigureHistory) -> None:
        elsewhere = replace(APRIL, source="be.STAT")
        assert list(await history.record([APRIL, JANUARY, elsewhere])) == [APRIL, JANUARY]
        assert list(await history.sightings()) == [APRIL, JANUARY]

    async def test_of_a_reading_only_what_is_new_is_added(self, history: FigureHistory) -> None:
        await history.record([APRIL, FIRST])
        assert list(await history.record(ALL)) == [NOVEMBER, APRIL_2004, JANUARY]
        assert list(await history.sightings()) == [APRIL, FIRST, NOVEMBER, APRIL_2004, JANUARY]

    async def test_a_month_has_a_figure_of_its_own_in_every_base_year(self, history: FigureHistory) -> None:
        other = valued(APRIL_2004, str(APRIL.figure.value))
        assert list(await history.record([APRIL, other])) == [APRIL, other]

    async def test_a_correction_is_added_and_the_earlier_figure_stays(self, history: FigureHistory) -> None:
        corrected = valued(APRIL, "119.60")
        await history.record([APRIL])
        assert list(await history.record([corrected])) == [corrected]
        assert list(await history.record([corrected])) == []
        assert list(await history.sightings()) == [APRIL, corrected]

    async def test_a_figure_that_comes_back_after_a_correction_is_a_correction(self, history: FigureHistory) -> None:
        there_and_back = [APRIL, valued(APRIL, "119.60"), APRIL]
        for seen in there_and_back:
            assert list(await history.record([seen])) == [seen]
        assert list(await history.sightings()) == there_and_back

    async def test_what_was_bundled_never_undoes_a_correction_that_was_seen_later(self, history: FigureHistory) -> None:
        corrected = valued(APRIL, "119.60")
        bundled = replace(APRIL, seen_at=NOON - timedelta(days=300), source="snapshot")
        await history.record([corrected])
        assert list(await history.record([bundled])) == []
        assert list(await history.sightings()) == [corrected]

    async def test_a_replica_that_saw_it_first_and_could_not_say_so_says_so_later(self, history: FigureHistory) -> None:
        old = valued(replace(APRIL, seen_at=NOON - timedelta(hours=2)), "119.50")
        early, earlier = (replace(APRIL, seen_at=NOON - timedelta(minutes=m)) for m in (1, 2))
        before_the_old = replace(APRIL, seen_at=NOON - timedelta(hours=3))
        await history.record([old, APRIL])
        assert list(await history.record([early])) == [early]
        assert list(await history.record([early, earlier, before_the_old])) == [earlier]
        assert list(await history.sightings()) == [old, APRIL, early, earlier]

    async def test_corrections_of_corrections_may_come_at_once(self, history: FigureHistory) -> None:
        every = [APRIL, valued(APRIL, "119.60"), NOVEMBER, APRIL, valued(NOVEMBER, "128.56")]
        assert list(await history.record(every)) == every
        assert list(await history.sightings()) == every

    async def test_the_same_number_with_another_number_of_zeros_is_not_new(self, history: FigureHistory) -> None:
        await history.record([valued(APRIL, "119.60")])
        assert list(await history.record([valued(APRIL, "119.6")])) == []

    async def test_the_order_is_that_of_recording_even_when_it_was_seen_earlier(self, history: FigureHistory) -> None:
        late, early = replace(APRIL, seen_at=NOON + timedelta(days=400)), replace(JANUARY, seen_at=NOON)
        await history.record([late])
        await history.record([early])
        assert list(await history.sightings()) == [late, early]

    async def test_an_instant_is_kept_to_the_microsecond_in_whatever_time_zone(self, history: FigureHistory) -> None:
        here = replace(APRIL, seen_at=datetime(2022, 4, 28, 11, 15, 0, 123_456, tzinfo=ZoneInfo("Europe/Brussels")))
        there = replace(
            JANUARY, seen_at=datetime(2022, 4, 28, 11, 15, tzinfo=timezone(timedelta(hours=-9, minutes=-30)))
        )
        await history.record([here, there])
        instants = [seen.seen_at for seen in await history.sightings()]
        assert instants == [
            datetime(2022, 4, 28, 9, 15, 0, 123_456, tzinfo=UTC),
            datetime(2022, 4, 28, 20, 45, tzinfo=UTC),
        ]

    async def test_leaving_out_a_known_smoothed_figure_says_nothing_new(self, history: FigureHistory) -> None:
        await history.record([APRIL])
        assert list(await history.record([smoothed(APRIL, None)])) == []
        assert list(await history.sightings()) == [APRIL]

    async def test_leaving_it_out_does_not_undo_it(self, history: FigureHistory) -> None:
        for seen in (APRIL, smoothed(APRIL, None), APRIL):
            await history.record([seen])
        assert list(await history.sightings()) == [APRIL]

    async def test_naming_it_for_the_first_time_is_new(self, history: FigureHistory) -> None:
        unnamed = smoothed(APRIL, None)
        await history.record([unnamed])
        assert list(await history.record([APRIL])) == [APRIL]
        assert list(await history.sightings()) == [unnamed, APRIL]

    async def test_another_smoothed_figure_is_new_though_the_value_is_the_same(self, history: FigureHistory) -> None:
        corrected = smoothed(APRIL, "116.53")
        await history.record([APRIL])
        assert list(await history.record([corrected])) == [corrected]
        assert list(await history.record([corrected, smoothed(APRIL, None)])) == []
        assert list(await history.sightings()) == [APRIL, corrected]

    async def test_it_outlives_a_correction_that_leaves_it_out(self, history: FigureHistory) -> None:
        corrected = smoothed(valued(APRIL, "119.60"), None)
        repeated, other = smoothed(corrected, "116.52"), smoothed(corrected, "116.53")
        await history.record([APRIL])
        assert list(await history.record([corrected])) == [corrected]
        assert list(await history.record([repeated])) == []
        assert list(await history.record([other])) == [other]
        assert list(await history.sightings()) == [APRIL, corrected, other]

    async def test_of_recorders_at_the_same_time_one_records_each_figure(self, history: FigureHistory) -> None:
        corrected = [valued(seen, "120.00") for seen in ALL]
        for wave in (ALL, corrected):
            parts = [wave, wave[2:], wave[::-1], wave[:2], wave]
            recorded = await asyncio.gather(*(history.record(part) for part in parts))
            together = [seen for part in recorded for seen in part]
            assert sorted(map(repr, together)) == sorted(map(repr, wave))
        assert len(await history.sightings()) == len(ALL) * 2

    async def test_readers_see_a_recording_whole_or_not_at_all(self, history: FigureHistory) -> None:
        seen = set()

        async def read() -> None:
            for _ in range(10):
                seen.add(len(await history.sightings()))

        async def write() -> None:
            for turn in range(10):
                await history.record([valued(seen, f"{100 + turn}.00") for seen in ALL])

        await asyncio.gather(write(), *(read() for _ in range(4)))
        assert seen
        assert {length % len(ALL) for length in seen} == {0}

    async def test_a_recorder_that_gives_up_has_recorded_everything_or_nothing(self, history: FigureHistory) -> None:
        for steps in range(12):
            wave = [valued(seen, f"{100 + steps}.00") for seen in ALL]
            before = list(await history.sightings())
            task = asyncio.ensure_future(history.record(wave))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            assert list(await history.sightings()) in (before, before + wave)
        assert list(await history.record(ALL)) == ALL

    @examples
    @given(seen=any_sightings)
    async def test_any_figure_comes_back_exactly_as_it_was(self, history: FigureHistory, seen: Sighting) -> None:
        recorded = await history.record([seen])
        assume(recorded)  # two examples may be of the same month
        last = (await history.sightings())[-1]
        assert last == seen
        assert repr(last.figure) == repr(seen.figure)

    @examples
    @given(sightings=st.lists(alike, max_size=12))
    async def test_exactly_what_says_something_new_is_added(
        self, history: FigureHistory, sightings: list[Sighting]
    ) -> None:
        before = list(await history.sightings())
        expected = new_among(before, sightings)
        assert list(await history.record(sightings)) == expected
        assert list(await history.sightings()) == before + expected
