"""Which base year a fraction takes: that of the starting month, or base 2013 where Statbel's figures end before."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds.figure_windows import BUNDLED, figure

from domain.health_index.figures import Month, base_in_force
from domain.health_index.indexation import IndexKind, choose_base_year, index_amount
from domain.health_index.table import IndexTable, NoFigure, UnknownBaseYear

OLD_STARTS = [Month(1994, 1).plus(months) for months in range(240)]  # up to December 2013
NEW_MONTHS = [Month(2026, number) for number in range(1, 9)]

old_starts, new_months = st.sampled_from(OLD_STARTS), st.sampled_from(NEW_MONTHS)
JUNE_2010, JULY_2026 = Month(2010, 6), Month(2026, 7)


@given(old_starts, new_months)
def test_a_start_before_2014_and_an_end_since_2026_are_taken_in_base_2013(start: Month, end: Month) -> None:
    done = index_amount(BUNDLED.figure, Decimal(1000), start, end)
    assert (done.start, done.end) == (BUNDLED.figure(start, 2013), BUNDLED.figure(end, 2013))
    assert f"in base {base_in_force(start)}, in force in the starting month {start}, that of {end} is not" in (
        done.base_year_rule
    )


@given(old_starts, new_months)
def test_statbels_own_figure_in_the_base_year_in_force_is_taken_as_soon_as_it_is_known(
    start: Month, end: Month
) -> None:
    in_force = base_in_force(start)
    table, _, _ = BUNDLED.merged([figure(str(end), in_force, "170.00")])
    done = index_amount(table.figure, Decimal(1000), start, end)
    assert (done.base_year, done.end_index) == (in_force, Decimal("170.00"))
    assert done.base_year_rule.startswith(f"{in_force} is the base year in force in the starting month {start}")


@given(st.integers(0, 383).map(Month(1994, 1).plus), st.integers(0, 383).map(Month(1994, 1).plus))
def test_up_to_2025_it_is_always_the_base_year_in_force_in_the_starting_month(start: Month, end: Month) -> None:
    assert choose_base_year(BUNDLED.figure, start, end).base_year == base_in_force(start)


@given(old_starts, new_months)
def test_naming_the_base_year_of_a_receipt_gives_the_same_receipt(start: Month, end: Month) -> None:
    done = index_amount(BUNDLED.figure, Decimal("812.34"), start, end)
    again = index_amount(BUNDLED.figure, Decimal("812.34"), start, end, base_year=done.base_year)
    assert again == done


def test_another_base_year_that_is_asked_for_is_taken_and_said() -> None:
    done = index_amount(BUNDLED.figure, Decimal(1000), JUNE_2010, Month(2019, 8), base_year=2013)
    assert done.base_year_rule == (
        "2013 is the base year that was asked for; in force in the starting month 2010-06 was 2004"
    )


def test_the_smoothed_index_goes_by_the_same_rule() -> None:
    kind = IndexKind.SMOOTHED
    july = replace(figure("2026-07", 2013, "139.96"), smoothed=Decimal("136.61"))
    table, _, _ = BUNDLED.merged([july])
    assert choose_base_year(table.figure, JUNE_2010, JULY_2026, kind).base_year == 2013


def test_where_base_2013_will_not_do_either_the_refusal_is_that_of_the_base_year_in_force() -> None:
    table = IndexTable(f for f in BUNDLED.figures() if f.base_year != 2013)
    with pytest.raises(NoFigure, match="base 2004 is known for 2026-07"):
        choose_base_year(table.figure, JUNE_2010, JULY_2026)
    with pytest.raises(UnknownBaseYear):
        index_amount(table.figure, Decimal(1000), JUNE_2010, JULY_2026, base_year=2013)
