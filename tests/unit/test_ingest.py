"""What is believed and what is not, tried on windows of the real series with one thing wrong in them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from adapters.snapshot import load_snapshot
from domain.errors import Rejection, SourceRejected
from domain.health_index import Change, Figure, IndexTable, Month, base_in_force
from domain.ingest import ANCHORS, establish_base, verify

NOW = datetime(2099, 1, 1, tzinfo=UTC)
LATER = datetime(2032, 2, 28, tzinfo=UTC)
BUNDLED = IndexTable(load_snapshot().figures)
NOTHING = IndexTable()
WHOLE_BASES = (1988, 1996, 2004, 2013)
SERIES = {base: [f for f in BUNDLED.figures() if f.base_year == base] for base in WHOLE_BASES}

knowledge = st.sampled_from([NOTHING, BUNDLED])


@st.composite
def windows(draw: st.DrawFn, min_bases: int = 1, max_bases: int = 4, min_months: int = 2) -> list[Figure]:
    """Some months in a row in some base years, as a source gives them, in any order of base years."""
    bases = draw(st.lists(st.sampled_from(WHOLE_BASES), min_size=min_bases, max_size=max_bases, unique=True))
    length = min(len(SERIES[base]) for base in bases)
    start = draw(st.integers(0, length - min_months))
    size = draw(st.integers(min_months, min(30, length - start)))
    return [item for base in bases for item in SERIES[base][start : start + size]]


def single_base(min_months: int) -> st.SearchStrategy[list[Figure]]:
    return windows(max_bases=1, min_months=min_months)


def put(figures: Iterable[Figure], old: Figure, *new: Figure) -> list[Figure]:
    return [other for item in figures for other in (new if item is old else (item,))]


def refusal(figures: Sequence[Figure], known: IndexTable, now: datetime = NOW) -> Rejection | None:
    try:
        verify(figures, known, "test", now)
    except SourceRejected as error:
        return error.rejection
    return None


def figure(month: str, base_year: int, value: str, smoothed: str | None = None) -> Figure:
    return Figure(Month.parse(month), base_year, Decimal(value), None if smoothed is None else Decimal(smoothed))


class TestTrueFigures:
    @given(windows(min_months=1), knowledge)
    def test_every_window_of_the_real_series_is_believed(self, window: list[Figure], known: IndexTable) -> None:
        assert refusal(window, known) is None

    @pytest.mark.parametrize("known", [NOTHING, BUNDLED], ids=["nothing known", "all known"])
    def test_all_of_it_is_believed(self, known: IndexTable) -> None:
        assert refusal([item for base in WHOLE_BASES for item in SERIES[base]], known) is None

    def test_the_anchors_are_what_is_published(self) -> None:
        assert {key: BUNDLED.figure(key[1], key[0]).value for key in ANCHORS} == dict(ANCHORS)

    @given(single_base(3), st.integers(1, 5), st.data())
    def test_a_correction_of_one_figure_passes_and_is_reported(
        self, window: list[Figure], cents: int, data: st.DataObject
    ) -> None:
        known = data.draw(st.sampled_from(window))
        assume((known.base_year, known.month) not in ANCHORS)
        corrected = replace(known, value=known.value + Decimal(cents).scaleb(-2))
        reading = put(window, known, corrected)
        assert refusal(reading, BUNDLED) is None
        assert BUNDLED.merged(reading)[1:] == ([], [Change(known, corrected)])

    def test_a_base_year_never_heard_of_is_welcome(self) -> None:
        new = [figure("2032-01", 2031, "101.00"), figure("2032-02", 2031, "101.30")]
        assert refusal(new, BUNDLED, LATER) is None


class TestOneWrongFigure:
    @given(windows(), knowledge, st.data())
    def test_the_figure_of_another_base_year_is_refused(
        self, window: list[Figure], known: IndexTable, data: st.DataObject
    ) -> None:
        victim = data.draw(st.sampled_from(window))
        assume(victim.month < Month(2026, 1))  # from then on no coefficient leads to the three oldest base years
        other = data.draw(st.sampled_from([base for base in WHOLE_BASES if base != victim.base_year]))
        swapped = replace(victim, value=BUNDLED.figure(victim.month, other).value)
        expected = {Rejection.JUMP, Rejection.BASES_DISAGREE, Rejection.ANCHOR}
        assert refusal(put(window, victim, swapped), known) in expected

    @given(single_base(2), st.data())
    def test_a_whole_window_under_the_name_of_another_base_year_is_refused(
        self, window: list[Figure], data: st.DataObject
    ) -> None:
        assume(window[0].month < Month(2026, 1))  # from then on no coefficient leads to the three oldest base years
        other = data.draw(st.sampled_from([base for base in WHOLE_BASES if base != window[0].base_year]))
        renamed = [replace(item, base_year=other) for item in window]
        assert refusal(renamed, BUNDLED) in {Rejection.JUMP, Rejection.BASES_DISAGREE, Rejection.ANCHOR}

    @given(windows(), st.sampled_from(["1.06", "0.94"]), knowledge, st.data())
    def test_a_jump_is_refused(self, window: list[Figure], factor: str, known: IndexTable, data: st.DataObject) -> None:
        victim = data.draw(st.sampled_from(window))
        wrong = replace(victim, value=(victim.value * Decimal(factor)).quantize(Decimal("0.01")))
        expected = {Rejection.JUMP, Rejection.BASES_DISAGREE, Rejection.ANCHOR}
        assert refusal(put(window, victim, wrong), known) in expected

    @given(windows(min_bases=4), st.integers(-6, 6), knowledge, st.data())
    def test_a_figure_may_be_two_cents_from_what_the_base_in_force_leads_to_and_no_more(
        self, window: list[Figure], cents: int, known: IndexTable, data: st.DataObject
    ) -> None:
        victim = data.draw(st.sampled_from([item for item in window if item.base_year != base_in_force(item.month)]))
        assume((victim.base_year, victim.month) not in ANCHORS)
        moved = replace(victim, value=victim.value + Decimal(cents).scaleb(-2))
        expected = Rejection.BASES_DISAGREE if abs(cents) > 2 else None
        assert refusal(put(window, victim, moved), known) is expected

    @given(windows(min_bases=4, min_months=3), st.sampled_from([-1, 1]), st.data())
    def test_the_figure_of_the_month_beside_it_is_refused_where_it_shows(
        self, window: list[Figure], step: int, data: st.DataObject
    ) -> None:
        victim = data.draw(st.sampled_from([item for item in window if item.base_year != base_in_force(item.month)]))
        beside = BUNDLED.published(victim.month.plus(step), victim.base_year)
        assume(beside is not None and abs(beside.value - victim.value) > Decimal("0.02"))
        assert beside is not None
        shifted = put(window, victim, replace(victim, value=beside.value))
        assert refusal(shifted, NOTHING) in {Rejection.BASES_DISAGREE, Rejection.ANCHOR}

    @given(windows(), knowledge, st.data())
    def test_a_figure_moved_to_a_month_that_is_there_is_refused(
        self, window: list[Figure], known: IndexTable, data: st.DataObject
    ) -> None:
        victim = data.draw(st.sampled_from(window))
        month = data.draw(st.sampled_from([f.month for f in window if f.month != victim.month]))
        assert refusal(put(window, victim, replace(victim, month=month)), known) is Rejection.CONFLICT

    @given(windows(min_months=1), knowledge, st.data())
    def test_a_figure_that_is_there_twice_is_refused_even_if_it_says_the_same(
        self, window: list[Figure], known: IndexTable, data: st.DataObject
    ) -> None:
        victim = data.draw(st.sampled_from(window))
        assert refusal(put(window, victim, victim, victim), known) is Rejection.CONFLICT

    @given(windows(min_months=3), knowledge, st.data())
    def test_a_gap_is_refused(self, window: list[Figure], known: IndexTable, data: st.DataObject) -> None:
        months = sorted(item.month for item in window)
        victim = data.draw(st.sampled_from([item for item in window if months[0] < item.month < months[-1]]))
        assert refusal(put(window, victim), known) is Rejection.MISSING_FIGURE

    def test_a_hole_that_is_known_is_none_of_the_source_s_making(self) -> None:
        assert refusal(list(BUNDLED.figures()), BUNDLED) is None
        assert refusal(list(BUNDLED.figures()), NOTHING) is Rejection.MISSING_FIGURE

    @given(holes=st.sets(st.integers(1, 20), max_size=6), missing=st.sets(st.integers(0, 24), min_size=1))
    @example(holes={5}, missing={5, 6})
    @example(holes={5, 6}, missing={5, 6})
    def test_every_month_that_is_known_is_missed_and_every_month_beyond(
        self, holes: set[int], missing: set[int]
    ) -> None:
        series = SERIES[2013][:25]
        known = IndexTable(item for place, item in enumerate(series[:22]) if place not in holes)
        kept = [place for place in range(25) if place not in missing]
        assume(kept)
        inner = {place for place in missing if kept[0] < place < kept[-1]}
        expected = None if inner <= holes else Rejection.MISSING_FIGURE
        assert refusal([series[place] for place in kept], known) is expected

    @pytest.mark.parametrize("key", sorted(ANCHORS), ids=str)
    def test_a_cent_off_an_anchor_is_refused(self, key: tuple[int, Month]) -> None:
        base, month = key
        anchor = Figure(month, base, ANCHORS[key])
        assert refusal([anchor], NOTHING) is None
        assert refusal([replace(anchor, value=anchor.value + Decimal("0.01"))], NOTHING) is Rejection.ANCHOR

    def test_the_table_with_january_2020_made_up_is_refused(self) -> None:
        assert refusal([figure("2020-01", 2013, "108.36")], BUNDLED) is Rejection.ANCHOR


class TestOtherRefusals:
    def test_no_figure_at_all(self) -> None:
        assert refusal([], BUNDLED) is Rejection.NO_FIGURES

    def test_a_month_in_which_there_was_no_health_index(self) -> None:
        assert refusal([figure("1993-12", 1988, "115.40")], NOTHING) is Rejection.MALFORMED_RECORD

    @pytest.mark.parametrize("base_year", [0, 1981])
    def test_a_base_year_that_has_no_health_index_or_was_never_established(self, base_year: int) -> None:
        assert refusal([figure("2020-02", base_year, "109.84")], BUNDLED) is Rejection.UNKNOWN_BASE

    @pytest.mark.parametrize("number", ["0", "-109.84", "NaN", "Infinity", "-Infinity"])
    def test_what_is_no_positive_number(self, number: str) -> None:
        assert refusal([figure("2020-02", 2013, number)], NOTHING) is Rejection.MALFORMED_NUMBER
        assert refusal([figure("2020-02", 2013, "109.84", number)], NOTHING) is Rejection.MALFORMED_NUMBER

    def test_the_smallest_positive_number_is_one(self) -> None:
        assert refusal([figure("2020-02", 2013, "0.01", "0.01")], NOTHING) is None

    @pytest.mark.parametrize(("value", "expected"), [("103.00", None), ("103.01", Rejection.JUMP)])
    def test_three_per_cent_from_a_month_to_the_next_is_the_limit(self, value: str, expected: Rejection | None) -> None:
        assert refusal([figure("2031-01", 2031, "100.00"), figure("2031-02", 2031, value)], NOTHING, LATER) is expected

    def test_a_jump_from_what_is_known_already(self) -> None:
        latest = BUNDLED.latest(2013)
        following = replace(latest, month=latest.month.plus(1), value=latest.value * Decimal("1.04"))
        assert refusal([following], NOTHING) is None
        assert refusal([following], BUNDLED) is Rejection.JUMP

    @pytest.mark.parametrize(("base_year", "value"), [(2004, "133.73"), (1988, "133.73"), (2025, "133.73")])
    def test_a_new_month_that_contradicts_what_is_known_in_the_base_in_force(self, base_year: int, value: str) -> None:
        new = figure("2024-12", base_year, value)
        assert refusal([new], NOTHING) is None
        assert refusal([new], BUNDLED) is Rejection.BASES_DISAGREE

    def test_a_new_month_in_the_base_in_force_that_contradicts_what_is_known_in_another(self) -> None:
        known = IndexTable([figure("2026-02", 2013, "138.06")])
        assert refusal([figure("2026-02", 2025, "101.84")], known) is None
        assert refusal([figure("2026-02", 2025, "138.06")], known) is Rejection.BASES_DISAGREE

    def test_of_several_figures_that_are_there_twice_the_first_is_named(self) -> None:
        doubles = [item for item in SERIES[1996][5:8] for _ in range(2)]
        with pytest.raises(SourceRejected, match="1994-06 in base 1996 is there twice"):
            verify(doubles[::-1], NOTHING, "test", NOW)

    def test_the_refusal_says_what_is_wrong_and_where(self) -> None:
        with pytest.raises(SourceRejected, match=r"^test .* 2022-04 in base 2013 is 119\.60, .* 119\.59$"):
            verify([figure("2022-04", 2013, "119.60")], BUNDLED, "test", NOW)


class TestEstablishingTheBase:
    @given(single_base(6))
    def test_six_months_that_agree_tell_the_base_year(self, window: list[Figure]) -> None:
        unnamed = [replace(item, base_year=0) for item in window]
        assert establish_base(unnamed, BUNDLED, "test") == window

    @given(single_base(7), st.data())
    def test_months_that_are_not_known_yet_get_the_base_year_of_those_that_are(
        self, window: list[Figure], data: st.DataObject
    ) -> None:
        last = window[data.draw(st.integers(5, len(window) - 1))].month
        known = IndexTable(item for item in BUNDLED.figures() if item.month <= last)
        unnamed = [replace(item, base_year=0) for item in window]
        assert establish_base(unnamed, known, "test") == window

    @given(single_base(1), st.integers(0, 5))
    def test_fewer_than_six_known_months_are_not_enough(self, window: list[Figure], overlap: int) -> None:
        known = IndexTable(item for item in BUNDLED.figures() if item not in window[overlap:])
        others = [item for item in known.figures() if item.base_year != window[0].base_year]
        unnamed = [replace(item, base_year=0) for item in window]
        with pytest.raises(SourceRejected, match="no base year fits") as caught:
            establish_base(unnamed, IndexTable([*others, *window[:overlap]]), "test")
        assert caught.value.rejection is Rejection.UNKNOWN_BASE

    @given(single_base(6), st.integers(-3, 3).filter(bool), st.data())
    def test_one_figure_that_disagrees_is_enough_to_refuse(
        self, window: list[Figure], cents: int, data: st.DataObject
    ) -> None:
        victim = data.draw(st.sampled_from(window))
        wrong = put(window, victim, replace(victim, value=victim.value + Decimal(cents).scaleb(-2)))
        with pytest.raises(SourceRejected, match="no base year fits"):
            establish_base([replace(item, base_year=0) for item in wrong], BUNDLED, "test")

    @given(single_base(6))
    def test_two_base_years_that_fit_are_one_too_many(self, window: list[Figure]) -> None:
        twins = IndexTable([*window, *(replace(item, base_year=2031) for item in window)])
        with pytest.raises(SourceRejected, match="several base years fit"):
            establish_base([replace(item, base_year=0) for item in window], twins, "test")


class TestTheFuture:
    """A month cannot be published before it has begun, in Brussels."""

    SEPTEMBER = figure("2026-09", 2013, "140.85")
    OCTOBER = figure("2026-10", 2013, "141.00")

    def test_the_month_under_way_may_be_published(self) -> None:
        verify([self.SEPTEMBER], BUNDLED, "test", datetime(2026, 9, 1, tzinfo=UTC))

    def test_a_month_to_come_is_refused(self) -> None:
        with pytest.raises(SourceRejected, match="2026-10 has not begun"):
            verify([self.SEPTEMBER, self.OCTOBER], BUNDLED, "test", datetime(2026, 9, 30, 21, 59, tzinfo=UTC))
        verify([self.SEPTEMBER, self.OCTOBER], BUNDLED, "test", datetime(2026, 9, 30, 22, tzinfo=UTC))
