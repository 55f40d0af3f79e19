"""Figures that contradict each other or what is known, in windows of the real series with one thing wrong in them."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.worlds.figure_windows import (
    BUNDLED,
    CENT,
    NOTHING,
    SERIES,
    WHOLE_BASES,
    figure,
    knowledge,
    moved,
    put,
    refusal,
    single_base,
    windows,
)

from domain.errors import Rejection
from domain.health_index.figures import Figure, Month, base_in_force
from domain.health_index.table import IndexTable
from domain.health_index.verification import ANCHORS

LATER = datetime(2032, 2, 28, tzinfo=UTC)
WITHOUT_SMOOTHED = IndexTable(replace(item, smoothed=None) for item in BUNDLED.figures())
ELSEWHERE = {Rejection.JUMP, Rejection.BASES_DISAGREE, Rejection.ANCHOR, Rejection.REVISED}
"""Why a figure is refused that belongs to another month or base year; which comes first depends on where it stands."""


def times(item: Figure, factor: str) -> Figure:
    return replace(item, value=(item.value * Decimal(factor)).quantize(CENT))


class TestBaseYears:
    @given(windows(), knowledge, st.data())
    def test_the_figure_of_another_base_year_is_refused(
        self, window: list[Figure], known: IndexTable, data: st.DataObject
    ) -> None:
        victim = data.draw(st.sampled_from(window))
        assume(victim.month < Month(2026, 1))  # from then on no coefficient leads to the three oldest base years
        other = data.draw(st.sampled_from([base for base in WHOLE_BASES if base != victim.base_year]))
        swapped = replace(victim, value=BUNDLED.figure(victim.month, other).value)
        assert refusal(put(window, victim, swapped), known) in ELSEWHERE

    @given(single_base(1), st.data())
    def test_a_whole_window_under_the_name_of_another_base_year_is_refused(
        self, window: list[Figure], data: st.DataObject
    ) -> None:
        other = data.draw(st.sampled_from([base for base in BUNDLED.base_years if base != window[0].base_year]))
        renamed = [replace(item, base_year=other) for item in window]
        assert refusal(renamed, BUNDLED) in ELSEWHERE

    @pytest.mark.parametrize(("base_year", "months"), [(2004, 7), (2004, 1), (1996, 8), (1988, 3), (2025, 1)])
    def test_months_for_which_no_coefficient_is_known_are_refused_under_another_name(
        self, base_year: int, months: int
    ) -> None:
        renamed = [replace(item, base_year=base_year) for item in SERIES[2013][-months:]]
        assert refusal(renamed, BUNDLED) is Rejection.BASES_DISAGREE

    @pytest.mark.parametrize("value", ["140.85", "103.90", "233.20", "193.50"])
    def test_so_are_months_later_than_all_that_is_known(self, value: str) -> None:
        assert refusal([figure("2026-09", 2004, "170.10")], BUNDLED) is None
        assert refusal([figure("2026-09", 2004, value)], BUNDLED) is Rejection.BASES_DISAGREE

    @given(st.sampled_from([1988, 1996, 2004]), st.integers(-60, 60))
    def test_where_no_coefficient_leads_a_tenth_of_a_per_cent_is_the_limit(self, base_year: int, cents: int) -> None:
        known, there = BUNDLED.latest(base_year), BUNDLED.figure(Month(2026, 8), 2013)
        true = known.value / BUNDLED.figure(known.month, 2013).value * there.value
        off = cents * CENT / true
        assume(not Decimal("0.0009") < abs(off) < Decimal("0.00135"))  # what true figures differ by comes on top
        new = Figure(there.month, base_year, true.quantize(CENT) + cents * CENT)
        assert refusal([new], BUNDLED) is (Rejection.BASES_DISAGREE if abs(off) > Decimal("0.001") else None)

    @given(windows(min_bases=2, max_bases=2), st.sampled_from(["1.005", "0.995"]), st.data())
    def test_two_base_years_are_held_against_each_other_without_that_in_force(
        self, window: list[Figure], factor: str, data: st.DataObject
    ) -> None:
        assume(all(item.base_year != base_in_force(other.month) for item in window for other in window))
        victim = data.draw(st.sampled_from(window))
        wrong = put(window, victim, times(victim, factor))
        assert refusal(wrong, NOTHING) in {Rejection.BASES_DISAGREE, Rejection.ANCHOR}

    @given(windows(min_bases=4), st.integers(-6, 6), knowledge, st.data())
    def test_a_figure_may_be_two_cents_from_what_the_base_in_force_leads_to_and_no_more(
        self, window: list[Figure], cents: int, known: IndexTable, data: st.DataObject
    ) -> None:
        victim = data.draw(st.sampled_from([item for item in window if item.base_year != base_in_force(item.month)]))
        assume((victim.base_year, victim.month) not in ANCHORS)
        expected = Rejection.BASES_DISAGREE if abs(cents) > 2 else None
        assert refusal(put(window, victim, moved(victim, cents)), known) is expected

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

    @pytest.mark.parametrize(("base_year", "value"), [(2004, "133.73"), (1988, "133.73"), (2025, "133.73")])
    def test_a_new_month_that_contradicts_what_is_known_in_the_base_in_force(self, base_year: int, value: str) -> None:
        new = figure("2024-12", base_year, value)
        assert refusal([new], NOTHING) is None
        assert refusal([new], BUNDLED) is Rejection.BASES_DISAGREE

    def test_a_new_month_in_the_base_in_force_that_contradicts_what_is_known_in_another(self) -> None:
        known = IndexTable([figure("2026-02", 2013, "138.06")])
        assert refusal([figure("2026-02", 2025, "101.84")], known) is None
        assert refusal([figure("2026-02", 2025, "138.06")], known) is Rejection.BASES_DISAGREE

    def test_once_a_newer_base_year_is_in_force_older_ones_need_not_follow_from_each_other_to_the_cent(self) -> None:
        older = [figure("2032-01", 2025, "120.00"), figure("2032-01", 2013, "162.72")]  # 162.68 by the coefficient
        newer = figure("2032-01", 2031, "101.00")
        assert refusal(older, NOTHING, LATER) is Rejection.BASES_DISAGREE
        assert refusal([*older, newer], NOTHING, LATER) is None
        assert refusal([*older, newer], IndexTable([figure("2031-12", 2025, "119.80")]), LATER) is None

    def test_a_correction_that_came_in_one_base_year_keeps_no_later_month_out(self) -> None:
        october = BUNDLED.published(Month(2024, 10), 2013)
        assert october is not None
        known = IndexTable(item for item in BUNDLED.figures() if item.month <= october.month)
        first = [moved(october, 30), figure("2024-11", 2013, "133.52")]
        assert refusal(first, known) is None
        known, _, _ = known.merged(first)
        assert refusal([figure("2024-11", 2004, "161.25"), figure("2024-12", 2004, "161.51")], known) is None


class TestJumps:
    @given(windows(), st.sampled_from(["1.06", "0.94"]), knowledge, st.data())
    def test_a_jump_is_refused(self, window: list[Figure], factor: str, known: IndexTable, data: st.DataObject) -> None:
        victim = data.draw(st.sampled_from(window))
        assert refusal(put(window, victim, times(victim, factor)), known) in ELSEWHERE

    @pytest.mark.parametrize(("value", "expected"), [("103.00", None), ("103.01", Rejection.JUMP)])
    def test_three_per_cent_from_a_month_to_the_next_is_the_limit(self, value: str, expected: Rejection | None) -> None:
        assert refusal([figure("2031-01", 2031, "100.00"), figure("2031-02", 2031, value)], NOTHING, LATER) is expected

    def test_a_jump_from_what_is_known_already(self) -> None:
        latest = SERIES[2013][-1]
        following = times(replace(latest, month=latest.month.plus(1), smoothed=None), "1.04")
        assert refusal([following], NOTHING) is None
        assert refusal([following], BUNDLED) is Rejection.JUMP

    def test_a_jump_in_a_base_year_that_is_not_given_is_none_of_the_source_s_making(self) -> None:
        known = IndexTable([figure("2020-02", 2004, "132.65"), figure("2020-03", 2004, "139.00")])
        assert refusal([figure("2020-02", 2013, "109.84")], known) is None
        assert refusal([figure("2020-04", 2004, "139.10")], known) is Rejection.JUMP

    @pytest.mark.parametrize(("value", "expected"), [("103.02", None), ("103.03", Rejection.JUMP)])
    def test_a_correction_may_not_be_larger_than_a_month_s_move(self, value: str, expected: Rejection | None) -> None:
        assert BUNDLED.figure(Month(2025, 7), 2025).value == Decimal("100.02")  # a correction of 3 %
        assert refusal([figure("2025-07", 2025, value)], BUNDLED) is expected


class TestSmoothed:
    @given(windows(), st.integers(-6, 6), st.data())
    def test_it_may_be_two_cents_from_what_the_rule_leads_to_and_no_more(
        self, window: list[Figure], cents: int, data: st.DataObject
    ) -> None:
        complete = [item for item in window if item.smoothed is not None]
        assume(complete)
        victim = data.draw(st.sampled_from(complete))
        assert victim.smoothed is not None
        wrong = put(window, victim, replace(victim, smoothed=victim.smoothed + cents * CENT))
        assert refusal(wrong, WITHOUT_SMOOTHED) is (Rejection.SMOOTHED if abs(cents) > 2 else None)

    @given(windows(), st.sampled_from(["1.08", "0.92", "4"]), knowledge, st.data())
    def test_it_is_near_the_health_index_whatever_is_known(
        self, window: list[Figure], factor: str, known: IndexTable, data: st.DataObject
    ) -> None:
        victim = data.draw(st.sampled_from(window))
        wrong = replace(victim, smoothed=(victim.value * Decimal(factor)).quantize(CENT))
        assert refusal(put(window, victim, wrong), known) is Rejection.SMOOTHED

    @pytest.mark.parametrize(
        ("month", "smoothed", "expected"),
        [
            ("2032-01", "93.30", None),  # 98 less 4.8 %
            ("2032-01", "93.29", Rejection.SMOOTHED),
            ("2032-01", "102.70", None),
            ("2032-01", "102.71", Rejection.SMOOTHED),
            ("2016-03", "95.20", None),  # 100 less 4.8 %: the factor came in April
            ("2016-03", "95.19", Rejection.SMOOTHED),
            ("2016-03", "104.80", None),
            ("2016-03", "104.81", Rejection.SMOOTHED),
        ],
    )
    def test_where_the_rule_cannot_be_applied_it_may_lag_behind_by_what_four_months_allow(
        self, month: str, smoothed: str, expected: Rejection | None
    ) -> None:
        assert refusal([figure(month, 2031, "100.00", smoothed)], NOTHING) is expected

    def test_five_hundred_is_refused(self) -> None:
        assert refusal([figure("2026-08", 2013, "140.30", "136.86")], BUNDLED) is None
        assert refusal([figure("2026-08", 2013, "140.30", "500.00")], BUNDLED) is Rejection.SMOOTHED

    def test_one_that_is_known_is_not_questioned_again(self) -> None:
        odd = figure("2020-04", 2013, "109.93", "109.00")
        assert refusal([odd], IndexTable([*WITHOUT_SMOOTHED.figures(), odd])) is None
        assert refusal([odd], WITHOUT_SMOOTHED) is Rejection.SMOOTHED

    @given(st.sampled_from(WHOLE_BASES), st.integers(0, 7), st.data())
    def test_a_correction_is_smoothed_as_it_is_given_even_where_its_base_year_comes_alone(
        self, base_year: int, place: int, data: st.DataObject
    ) -> None:
        start = [str(item.month) for item in SERIES[base_year]].index("2018-01")
        window = SERIES[base_year][start : start + 12]
        cents = data.draw(st.sampled_from([-40, 40]))
        corrected = [moved(item, cents) if number == place else item for number, item in enumerate(window)]
        share = round(cents * Decimal("0.98") / 4) * CENT
        reading = [
            replace(item, smoothed=item.smoothed + share if place <= number < place + 4 and item.smoothed else None)
            for number, item in enumerate(corrected)
        ]
        assert refusal(reading, BUNDLED) is None

    def test_a_correction_does_not_excuse_the_smoothed_index_of_other_months(self) -> None:
        window = SERIES[2004][-24:-12]
        smoothed = window[8].smoothed
        assert smoothed is not None
        wrong = replace(window[8], smoothed=smoothed + 3 * CENT)
        assert refusal([moved(window[0], 1), *window[1:8], wrong], BUNDLED) is Rejection.SMOOTHED
