"""Months, base years, and the coefficients between these."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.health_index.figures import (
    COEFFICIENTS,
    IN_FORCE_SINCE,
    BeforeFirstMonth,
    InvalidMonth,
    Month,
    base_in_force,
    convert,
)

months = st.builds(Month, st.integers(1994, 2040), st.integers(1, 12))
cents = st.integers(1, 30_000).map(lambda number: Decimal(number).scaleb(-2))


class TestMonth:
    @given(st.integers(1, 9999), st.integers(1, 12))
    def test_a_month_survives_being_written(self, year: int, number: int) -> None:
        month = Month(year, number)
        assert Month.parse(str(month)) == month
        assert len(str(month)) == 7

    @given(months, st.integers(-300, 300), st.integers(-300, 300))
    def test_steps_add_up_and_lead_back(self, month: Month, one: int, other: int) -> None:
        assert month.plus(one).plus(other) == month.plus(one + other)
        assert month.plus(one).plus(-one) == month
        assert 1 <= month.plus(one).number <= 12

    @given(months, st.integers(-300, 300))
    def test_later_months_compare_as_greater(self, month: Month, steps: int) -> None:
        assert (month.plus(steps) > month) == (steps > 0)

    @pytest.mark.parametrize(
        ("month", "steps", "expected"),
        [
            ("2020-12", 1, "2021-01"),
            ("2021-01", -1, "2020-12"),
            ("2020-01", 12, "2021-01"),
            ("2020-01", -13, "2018-12"),
            ("2020-06", 0, "2020-06"),
        ],
    )
    def test_a_year_has_twelve_months(self, month: str, steps: int, expected: str) -> None:
        assert str(Month.parse(month).plus(steps)) == expected

    @pytest.mark.parametrize(
        "text",
        ["", "2020", "2020-1", "2020-00", "2020-13", "0000-01", "20200-01", "2020-01-01", "2020-01\n", "2020-1\u0661"],
    )
    def test_anything_but_a_year_and_a_month_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidMonth):
            Month.parse(text)

    def test_a_refusal_repeats_no_more_than_the_start_of_what_was_sent(self) -> None:
        with pytest.raises(InvalidMonth) as caught:
            Month.parse("2020-" * 1000)
        assert len(caught.value.value) == 32


class TestBaseInForce:
    @pytest.mark.parametrize(
        ("first", "last", "base"),
        [
            ("1994-01", "1997-12", 1988),
            ("1998-01", "2005-12", 1996),
            ("2006-01", "2013-12", 2004),
            ("2014-01", "2025-12", 2013),
            ("2026-01", "2040-12", 2025),
        ],
    )
    def test_each_base_year_is_in_force_from_its_first_month_to_its_last(
        self, first: str, last: str, base: int
    ) -> None:
        month, found = Month.parse(first), set()
        while month <= Month.parse(last):
            found.add(base_in_force(month))
            month = month.plus(1)
        assert found == {base}

    def test_nothing_was_in_force_before_the_first_health_index(self) -> None:
        with pytest.raises(BeforeFirstMonth, match="starts in 1994-01; there is none for 1993-12"):
            base_in_force(Month(1993, 12))

    def test_a_base_year_is_in_force_only_once_that_year_is_over(self) -> None:
        assert all(since.year > base for base, since in IN_FORCE_SINCE.items())


class TestConversion:
    @pytest.mark.parametrize(
        ("value", "from_base", "to_base", "expected"),
        [
            ("119.59", 2013, 2004, "144.43"),  # April 2022
            ("128.55", 2013, 2004, "155.25"),  # November 2023
            ("135.60", 2013, 2025, "100.02"),  # July 2025
            ("102.77", 2025, 2013, "139.33"),  # April 2026
            ("100.00", 2004, 1996, "113.77"),
            ("0.50", 2004, 2013, "0.41"),  # 0.4140
            ("5.00", 1988, 2004, "3.65"),  # 3.6450: half a cent goes up
        ],
    )
    def test_it_is_rounded_half_up_to_the_cent(self, value: str, from_base: int, to_base: int, expected: str) -> None:
        assert str(convert(Decimal(value), from_base, to_base)) == expected

    @pytest.mark.parametrize("bases", [(2013, 2013), (1988, 2025), (2025, 2004), (2031, 2013)])
    def test_where_there_is_no_coefficient_there_is_no_figure(self, bases: tuple[int, int]) -> None:
        assert convert(Decimal(100), *bases) is None

    @given(cents, st.sampled_from(sorted(bases for bases, each in COEFFICIENTS.items() if each.official)))
    def test_it_is_never_more_than_half_a_cent_off(self, value: Decimal, bases: tuple[int, int]) -> None:
        converted = convert(value, *bases)
        assert converted is not None
        assert -Decimal("0.005") < converted - value * COEFFICIENTS[bases].factor <= Decimal("0.005")
        assert converted.as_tuple().exponent == -2
