"""What is believed and what is not, tried on windows of the real series with one thing wrong in them."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tests.worlds.figure_windows import (
    BUNDLED,
    NOTHING,
    NOW,
    SERIES,
    WHOLE_BASES,
    figure,
    knowledge,
    moved,
    put,
    refusal,
    single_base,
    windows,
    young,
)

from domain.errors import Rejection, SourceRejected
from domain.health_index.figures import Correction, Figure, Month, Provenance
from domain.health_index.table import IndexTable
from domain.health_index.verification import ANCHORS, verify

LATER = datetime(2032, 2, 28, tzinfo=UTC)


class TestTrueFigures:
    @given(windows(min_months=1), knowledge)
    def test_every_window_of_the_real_series_is_believed(self, window: list[Figure], known: IndexTable) -> None:
        assert refusal(window, known) is None

    @given(knowledge, st.lists(windows(min_months=1) | young, min_size=2, max_size=8))
    def test_they_are_believed_in_any_order_of_reading(self, known: IndexTable, readings: list[list[Figure]]) -> None:
        for reading in readings:
            assert refusal(reading, known) is None
            known, _, changed = known.merged(reading)
            assert changed == []

    @pytest.mark.parametrize("known", [NOTHING, BUNDLED], ids=["nothing known", "all known"])
    def test_all_of_it_is_believed(self, known: IndexTable) -> None:
        assert refusal([item for base in WHOLE_BASES for item in SERIES[base]], known) is None

    def test_the_anchors_are_what_is_published(self) -> None:
        assert {key: BUNDLED.figure(key[1], key[0]).value for key in ANCHORS} == dict(ANCHORS)

    def test_a_base_year_never_heard_of_is_welcome(self) -> None:
        new = [figure("2032-01", 2031, "101.00"), figure("2032-02", 2031, "101.30")]
        assert refusal(new, BUNDLED, LATER) is None


class TestCorrections:
    @given(single_base(3), st.integers(1, 5), st.data())
    def test_a_correction_of_one_figure_passes_and_is_reported(
        self, window: list[Figure], cents: int, data: st.DataObject
    ) -> None:
        known = data.draw(st.sampled_from(window))
        assume((known.base_year, known.month) not in ANCHORS)
        corrected = moved(known, cents)
        reading = put(window, known, corrected)
        assert refusal(reading, BUNDLED) is None
        assert BUNDLED.merged(reading)[1:] == ([], [Correction(known, corrected)])

    @given(single_base(6), st.data())
    def test_of_six_known_figures_or_more_half_may_be_corrected_and_no_more(
        self, window: list[Figure], data: st.DataObject
    ) -> None:
        free = [item for item in window if (item.base_year, item.month) not in ANCHORS]
        half = len(window) // 2
        several = st.lists(st.sampled_from(free), min_size=half - 1, max_size=half + 2, unique_by=id)
        victims = {item.month for item in data.draw(several)}
        reading = [moved(item, 1) if item.month in victims else item for item in window]
        expected = Rejection.REVISED if len(victims) * 2 > len(window) else None
        assert refusal(reading, BUNDLED) is expected

    @given(single_base(1).filter(lambda window: len(window) < 6))
    def test_of_fewer_than_six_known_figures_all_may_be_corrected(self, window: list[Figure]) -> None:
        assume(not any((item.base_year, item.month) in ANCHORS for item in window))
        assert refusal([moved(item, 1) for item in window], BUNDLED) is None

    @given(windows(min_months=8), st.sampled_from([-2, -1, 1, 2, 12]))
    def test_a_window_shifted_by_some_months_is_refused(self, window: list[Figure], months: int) -> None:
        shifted = [replace(item, month=item.month.plus(months)) for item in window]
        assume(sum(item.month >= Month(1994, 1) for item in shifted) == len(shifted))
        overlap = Counter(item.base_year for item in shifted if BUNDLED.published(item.month, item.base_year))
        assume(max(overlap.values(), default=0) >= 6)
        assert refusal(shifted, BUNDLED) in {Rejection.ANCHOR, Rejection.REVISED}

    def test_each_base_year_is_counted_for_itself(self) -> None:
        six, five = SERIES[2013][300:306], SERIES[2004][301:306]
        assert refusal([*six, *(moved(item, 1) for item in five)], BUNDLED) is None
        assert refusal([*(moved(item, 1) for item in six), *SERIES[2004][290:320]], BUNDLED) is Rejection.REVISED

    def test_the_refusal_says_how_many_differ(self) -> None:
        window = SERIES[2013][300:307]
        reading = [moved(item, 1) for item in window[:4]] + window[4:]
        with pytest.raises(
            SourceRejected, match=r"4 of 7 .* in base 2013 differ, such as 2019-01: 108.51, known as 108.50"
        ):
            verify(reading, BUNDLED, "test", NOW)


class TestOneWrongFigure:
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
        holed = [item for item in BUNDLED.figures() if (item.base_year, str(item.month)) != (2025, "2026-02")]
        assert refusal(holed, IndexTable(holed)) is None
        assert refusal(holed, NOTHING) is Rejection.MISSING_FIGURE

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

    @pytest.mark.parametrize(
        "number",
        [
            *["0.00", "-109.84", "NaN", "Infinity", "-Infinity"],
            *["110", "109.8", "110.0", "109.840", "109.8400000000001", "1.1E+2"],
        ],
    )
    def test_what_is_no_positive_number_with_exactly_two_decimals(self, number: str) -> None:
        assert refusal([figure("2020-02", 2013, number)], NOTHING) is Rejection.MALFORMED_NUMBER
        assert refusal([figure("2020-02", 2013, "109.84", number)], NOTHING) is Rejection.MALFORMED_NUMBER

    def test_what_was_computed_and_not_published(self) -> None:
        april = figure("2022-04", 2013, "119.59", "116.52")
        assert refusal([april], BUNDLED) is None
        computed = replace(april, provenance=Provenance.DERIVED)
        assert refusal([computed], BUNDLED) is Rejection.MALFORMED_RECORD
        smoothed_here = replace(april, smoothed_provenance=Provenance.DERIVED)
        assert refusal([smoothed_here], BUNDLED) is Rejection.MALFORMED_RECORD

    def test_the_smallest_positive_number_is_one(self) -> None:
        assert refusal([figure("2020-02", 2013, "0.01", "0.01")], NOTHING) is None

    def test_of_several_figures_that_are_there_twice_the_first_is_named(self) -> None:
        doubles = [item for item in SERIES[1996][5:8] for _ in range(2)]
        with pytest.raises(SourceRejected, match="1994-06 in base 1996 is there twice"):
            verify(doubles[::-1], NOTHING, "test", NOW)

    def test_the_refusal_says_what_is_wrong_and_where(self) -> None:
        with pytest.raises(SourceRejected, match=r"^test .* 2022-04 in base 2013 is 119\.60, .* 119\.59$"):
            verify([figure("2022-04", 2013, "119.60")], BUNDLED, "test", NOW)


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
