"""Which base year figures have whose source names none."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds.figure_windows import BUNDLED, CENT, SERIES, figure, moved, put, single_base

from domain.errors import Rejection, SourceRejected
from domain.health_index.figures import Figure, Month, Provenance, convert
from domain.health_index.table import IndexTable
from domain.health_index.verification import establish_base

LAST_OF_2013 = Month(2025, 12)


def unnamed(figures: Iterable[Figure]) -> list[Figure]:
    return [replace(item, base_year=0, provenance=Provenance.PUBLISHED) for item in figures]


def established(figures: Iterable[Figure], known: IndexTable) -> set[int]:
    return {item.base_year for item in establish_base(unnamed(figures), known, "test")}


def leading_to(month: Month) -> Figure:
    """The one figure in base 2025 that leads to what is published in base 2013."""
    there = BUNDLED.published(month, 2013)
    assert there is not None
    near = (there.value / Decimal("1.3557")).quantize(CENT)
    (value,) = (v for v in (near - CENT, near, near + CENT) if convert(v, 2025, 2013) == there.value)
    return Figure(month, 2025, value)


class TestPublishedFigures:
    @given(single_base(6))
    def test_six_months_that_agree_tell_the_base_year(self, window: list[Figure]) -> None:
        assert establish_base(unnamed(window), BUNDLED, "test") == window

    @given(single_base(7), st.data())
    def test_months_that_are_not_known_yet_get_the_base_year_of_those_that_are(
        self, window: list[Figure], data: st.DataObject
    ) -> None:
        last = window[data.draw(st.integers(5, len(window) - 1))].month
        known = IndexTable(item for item in BUNDLED.figures() if item.month <= last)
        assert establish_base(unnamed(window), known, "test") == window

    @given(single_base(1), st.integers(0, 5))
    def test_fewer_than_six_known_months_are_not_enough(self, window: list[Figure], overlap: int) -> None:
        months = {item.month for item in window}
        others = [item for item in BUNDLED.figures() if item.month not in months]
        with pytest.raises(SourceRejected, match="no base year fits") as caught:
            establish_base(unnamed(window), IndexTable([*others, *window[:overlap]]), "test")
        assert caught.value.rejection is Rejection.UNKNOWN_BASE

    @given(single_base(1), st.integers(2, 6))
    def test_a_month_counts_once_however_often_it_comes(self, window: list[Figure], copies: int) -> None:
        few = window[:5]
        with pytest.raises(SourceRejected, match="no base year fits"):
            establish_base(unnamed(few * copies), BUNDLED, "test")

    @given(single_base(6), st.integers(-3, 3).filter(bool), st.data())
    def test_one_figure_that_disagrees_is_enough_to_refuse(
        self, window: list[Figure], cents: int, data: st.DataObject
    ) -> None:
        victim = data.draw(st.sampled_from(window))
        wrong = put(window, victim, moved(victim, cents))
        with pytest.raises(SourceRejected, match="no base year fits"):
            establish_base(unnamed(wrong), BUNDLED, "test")

    @given(single_base(6))
    def test_two_base_years_that_fit_are_one_too_many(self, window: list[Figure]) -> None:
        twins = IndexTable([*window, *(replace(item, base_year=2031) for item in window)])
        with pytest.raises(SourceRejected, match="several base years fit"):
            establish_base(unnamed(window), twins, "test")

    def test_a_month_before_the_first_health_index_tells_nothing(self) -> None:
        early = figure("1993-12", 1988, "115.40")
        assert established([early, *SERIES[1988][:6]], BUNDLED) == {1988}
        with pytest.raises(SourceRejected, match="no base year fits"):
            establish_base(unnamed([early] * 6), BUNDLED, "test")


class TestFiguresThatFollow:
    """In base 2025 a year is published, from July 2025 on; other months follow from base 2013, or lead to it."""

    @given(st.integers(0, 50), st.integers(6, 13))
    def test_what_an_official_coefficient_leads_to_counts(self, start: int, size: int) -> None:
        series = BUNDLED.series(2025, Month(2020, 1), LAST_OF_2013)
        assert established(series[start : start + size], BUNDLED) == {2025}

    @given(st.integers(2, 8), st.integers(0, 2))
    def test_in_the_base_in_force_so_does_what_leads_to_a_known_figure(self, size: int, start: int) -> None:
        window = [leading_to(Month(2026, 1).plus(start + number)) for number in range(size - start)]
        if len(window) >= 6:
            assert established(window, BUNDLED) == {2025}
        else:
            with pytest.raises(SourceRejected, match="no base year fits"):
                establish_base(unnamed(window), BUNDLED, "test")

    def test_a_view_of_the_last_thirteen_months_is_recognised(self) -> None:
        before = BUNDLED.series(2025, Month(2025, 8), LAST_OF_2013)
        since = [leading_to(Month(2026, number)) for number in range(1, 9)]
        assert established([*before, *since], BUNDLED) == {2025}

    @given(st.integers(0, 9), st.integers(-4, 4))
    def test_it_may_be_two_cents_off_and_no_more(self, place: int, cents: int) -> None:
        window = BUNDLED.series(2025, Month(2025, 3), LAST_OF_2013)
        published = window[place].provenance is Provenance.PUBLISHED  # or derived
        reading = [moved(item, cents) if number == place else item for number, item in enumerate(window)]
        if abs(cents) <= (0 if published else 2):
            assert established(reading, BUNDLED) == {2025}
        else:
            with pytest.raises(SourceRejected, match="no base year fits"):
                establish_base(unnamed(reading), BUNDLED, "test")

    def test_it_leads_to_every_base_year_that_is_known(self) -> None:
        months = [Month(2012, number) for number in range(1, 7)]
        known = IndexTable(item for item in BUNDLED.figures() if item.base_year != 2004 or item.month not in months)
        true = [BUNDLED.figure(month, 2004) for month in months]
        assert established(true, known) == {2004}
        off = [moved(true[0], 2), *true[1:]]  # within two cents in base 2013, not in base 1988
        with pytest.raises(SourceRejected, match="no base year fits"):
            establish_base(unnamed(off), known, "test")

    def test_where_a_newer_base_year_may_be_in_force_nothing_follows(self) -> None:
        months = [Month(2032, number) for number in range(1, 8)]
        known = [Figure(month, 2013, Decimal("162.68")) for month in months]
        newer = [Figure(month, 2031, Decimal("101.00")) for month in months]
        window = [Figure(month, 2025, Decimal("120.00")) for month in months]
        seed = figure("2031-12", 2025, "120.00")
        assert established(window, IndexTable([seed, *known])) == {2025}
        with pytest.raises(SourceRejected, match="no base year fits"):
            establish_base(unnamed(window), IndexTable([seed, *known, *newer]), "test")
