"""Base 2025: what is bundled of it, what follows from it, and what is only estimated."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds.figure_windows import BUNDLED, figure

from domain.health_index.figures import (
    COEFFICIENTS,
    LARGEST_ERROR,
    Figure,
    Month,
    Provenance,
    base_in_force,
    before_conversion,
    convert,
    estimate,
)
from domain.health_index.indexation import IndexKind, choose_base_year, index_amount, provenance_of
from domain.health_index.table import IndexTable, NoFigure

AUGUST = Month(2026, 8)
OLD_BASES = (2004, 1996, 1988)

cents = st.integers(5_000, 25_000).map(lambda number: Decimal(number).scaleb(-2))


def test_every_month_published_in_both_base_years_agrees_by_the_coefficient_of_its_time() -> None:
    pairs = [
        (BUNDLED.published(month, 2013), BUNDLED.published(month, 2025))
        for month in (Month(2025, 7).plus(number) for number in range(13))
    ]
    assert len(pairs) == 13
    for old, new in pairs:
        assert old is not None
        assert new is not None
        if old.month.year == 2025:
            assert convert(old.value, 2013, 2025) == new.value
        else:
            assert convert(new.value, 2025, 2013) == old.value


def test_the_coefficients_work_in_one_direction_alone() -> None:
    july, december = BUNDLED.published(Month(2026, 7), 2013), BUNDLED.published(Month(2025, 12), 2025)
    assert july is not None
    assert december is not None
    assert convert(july.value, 2013, 2025) == Decimal("103.23")  # published as 103.24
    assert convert(december.value, 2025, 2013) == Decimal("136.68")  # published as 136.69


def test_the_smoothed_index_of_2025_is_smoothed_in_base_2025() -> None:
    bare = IndexTable(replace(item, smoothed=None) for item in BUNDLED.figures())
    found = {str(item.month): str(item.smoothed) for item in bare.series(2025, Month(2025, 7), Month(2025, 12))}
    assert found == {
        "2025-07": "97.58",
        "2025-08": "97.74",
        "2025-09": "97.87",
        "2025-10": "98.00",
        "2025-11": "98.16",
        "2025-12": "98.35",
    }


class TestWhatLeadsToAFigure:
    def test_august_2026_can_only_be_103_49_in_base_2025(self) -> None:
        assert BUNDLED.published(AUGUST, 2025) is None
        found = BUNDLED.figure(AUGUST, 2025)
        assert (found.value, found.provenance) == (Decimal("103.49"), Provenance.DERIVED)

    @given(cents, st.sampled_from(sorted(bases for bases, each in COEFFICIENTS.items() if each.official)))
    def test_every_figure_is_among_those_that_lead_to_what_it_is_converted_to(
        self, value: Decimal, bases: tuple[int, int]
    ) -> None:
        converted = convert(value, *bases)
        assert converted is not None
        leading = before_conversion(converted, *bases)
        assert leading is not None
        assert value in leading
        assert {convert(each, *bases) for each in leading} == {converted}

    def test_a_figure_of_the_base_in_force_that_is_found_so_is_always_the_published_one(self) -> None:
        found = 0
        for item in BUNDLED.figures():
            if item.base_year == base_in_force(item.month):
                without = IndexTable(other for other in BUNDLED.figures() if other is not item)
                derived = without.derived(item.month, item.base_year)
                assert derived is None or derived.value == item.value
                found += derived is not None
        assert found == 378  # of 391; for the others two figures lead to the same, or none is known

    def test_base_years_that_disagree_lead_to_nothing(self) -> None:
        table = IndexTable([figure("2022-04", 2004, "144.43"), figure("2022-04", 1996, "164.50")])
        assert table.derived(Month(2022, 4), 2013) is None


class TestEstimates:
    @pytest.mark.parametrize(("base_year", "value"), [(2004, "168.27"), (1996, "191.43"), (1988, "230.81")])
    def test_april_2026_settles_the_inferred_coefficients_once_it_is_published(
        self, base_year: int, value: str
    ) -> None:
        found = BUNDLED.figure(Month(2026, 4), base_year)
        assert (str(found.value), found.provenance, found.margin) == (value, Provenance.ESTIMATED, LARGEST_ERROR)

    def test_a_published_figure_takes_the_place_of_an_estimate(self) -> None:
        table, _, _ = BUNDLED.merged([figure("2026-04", 1988, "230.80")])
        found = table.figure(Month(2026, 4), 1988)
        assert (str(found.value), found.provenance, found.margin) == ("230.80", Provenance.PUBLISHED, None)

    @given(cents)
    def test_a_coefficient_is_official_or_inferred(self, value: Decimal) -> None:
        for bases, coefficient in COEFFICIENTS.items():
            assert (convert(value, *bases) is None) == (not coefficient.official)
            assert (estimate(value, *bases) is None) == coefficient.official

    @pytest.mark.parametrize("base_year", OLD_BASES)
    def test_the_smoothed_index_of_2026_is_estimated_there_too(self, base_year: int) -> None:
        found = BUNDLED.figure(AUGUST, base_year)
        assert found.smoothed is not None
        assert found.smoothed_provenance is Provenance.ESTIMATED

    @given(
        st.integers(0, 391).map(Month(1994, 1).plus),
        st.integers(0, 391).map(Month(1994, 1).plus),
        st.sampled_from(IndexKind),
    )
    def test_no_amount_rests_on_an_estimate_unless_the_caller_names_the_base_year(
        self, start: Month, end: Month, kind: IndexKind
    ) -> None:
        try:
            done = index_amount(BUNDLED.figure, Decimal(1000), start, end, kind=kind)
        except NoFigure:
            assert start.year >= 2026 or end.year >= 2026
            return
        assert Provenance.ESTIMATED not in {provenance_of(done.start, kind), provenance_of(done.end, kind)}

    def test_who_names_the_base_year_is_given_the_estimate_that_says_so(self) -> None:
        done = index_amount(BUNDLED.figure, Decimal(1000), Month(2010, 6), AUGUST, base_year=2004)
        assert (done.end.provenance, str(done.end_index)) == (Provenance.ESTIMATED, "169.44")
        assert "asked for" in done.base_year_rule

    def test_base_2013_is_off_by_no_more_than_thirty_one_cents_in_a_thousand_euro(self) -> None:
        gaps = []
        for start in (Month(1994, 1).plus(number) for number in range(240)):
            for end in (Month(2026, number) for number in range(1, 9)):
                assert choose_base_year(BUNDLED.figure, start, end).base_year == 2013
                by_rule = index_amount(BUNDLED.figure, Decimal(1000), start, end)
                old = index_amount(BUNDLED.figure, Decimal(1000), start, end, base_year=base_in_force(start))
                gaps.append(abs(by_rule.indexed - old.indexed))
        gaps.sort()
        assert len(gaps) == 1920
        assert (str(gaps[960]), str(gaps[-1])) == ("0.06", "0.31")


class TestMovements:
    @pytest.mark.parametrize(
        ("month", "on_year"),
        [("2025-11", "2.45"), ("2025-12", "2.21"), ("2026-01", "1.37"), ("2026-07", "3.22")],  # Statbel's press texts
    )
    def test_the_change_on_the_year_is_what_statbel_prints(self, month: str, on_year: str) -> None:
        assert str(BUNDLED.movement(Month.parse(month)).year) == on_year

    def test_at_the_start_there_is_nothing_to_compare_with(self) -> None:
        first, second = BUNDLED.movement(Month(1994, 1)), BUNDLED.movement(Month(1994, 2))
        assert (first.month, first.year) == (None, None)
        assert (str(second.month), second.year) == ("0.30", None)
        assert str(BUNDLED.movement(Month(1995, 1)).year) == "1.88"

    def test_a_month_of_which_nothing_is_known_has_none(self) -> None:
        movement = BUNDLED.movement(Month(2031, 5))
        assert (movement.month, movement.year) == (None, None)

    def test_in_a_base_year_that_nobody_knows_there_is_none(self) -> None:
        table = IndexTable([Figure(Month(2036, number), 2035, Decimal("101.00")) for number in (1, 2)])
        assert table.movement(Month(2036, 2)).month is None

    def test_a_fall_is_rounded_as_a_rise_is(self) -> None:
        table = IndexTable([figure("2020-01", 2013, "200.00"), figure("2020-02", 2013, "199.99")])
        assert str(table.movement(Month(2020, 2)).month) == "-0.01"  # -0.005
