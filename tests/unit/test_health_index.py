"""Months, base years and the table of figures, tried on every figure that is bundled."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.snapshot import load_snapshot
from domain.errors import BeforeFirstMonth, InvalidMonth, NoFigure, UnknownBaseYear
from domain.health_index import (
    COEFFICIENTS,
    FIRST_MONTH,
    IN_FORCE_SINCE,
    Change,
    Figure,
    IndexTable,
    Month,
    Provenance,
    base_in_force,
    convert,
)

PUBLISHED = load_snapshot().figures
TABLE = IndexTable(PUBLISHED)
LAST_WITH_ALL_BASES = Month(2024, 10)

months = st.builds(Month, st.integers(1994, 2040), st.integers(1, 12))
cents = st.integers(1, 30_000).map(lambda number: Decimal(number).scaleb(-2))
figures = st.builds(
    Figure, st.builds(Month, st.just(2020), st.integers(1, 12)), st.sampled_from([1996, 2013]), cents, st.none() | cents
)


def figure(month: str, base_year: int, value: str, smoothed: str | None = None) -> Figure:
    return Figure(Month.parse(month), base_year, Decimal(value), None if smoothed is None else Decimal(smoothed))


def as_derived(item: Figure) -> Figure:
    return replace(item, provenance=Provenance.DERIVED)


def without(item: Figure) -> IndexTable:
    """What is published, save for this one figure."""
    return IndexTable(other for other in PUBLISHED if other is not item)


def contents(table: IndexTable) -> dict[tuple[int, Month], Figure]:
    return {(item.base_year, item.month): item for item in table.figures()}


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

    @given(cents, st.sampled_from(sorted(COEFFICIENTS)))
    def test_it_is_never_more_than_half_a_cent_off(self, value: Decimal, bases: tuple[int, int]) -> None:
        converted = convert(value, *bases)
        assert converted is not None
        assert -Decimal("0.005") < converted - value * COEFFICIENTS[bases] <= Decimal("0.005")
        assert converted.as_tuple().exponent == -2


class TestDerivation:
    def test_it_reproduces_every_published_figure_that_has_a_counterpart(self) -> None:
        pairs = [
            item
            for item in PUBLISHED
            if item.month <= LAST_WITH_ALL_BASES
            and item.base_year in {1988, 1996, 2004, 2013}
            and item.base_year != base_in_force(item.month)
        ]
        derived = {id(item): without(item).figure(item.month, item.base_year) for item in pairs}
        assert len(pairs) == 1110
        assert [item for item in pairs if derived[id(item)].value != item.value] == []
        assert {item.provenance for item in derived.values()} == {Provenance.DERIVED}

        both_smoothed = [item for item in pairs if item.smoothed and derived[id(item)].smoothed]
        assert len(both_smoothed) > 400
        assert [item for item in both_smoothed if derived[id(item)].smoothed != item.smoothed] == []

    def test_a_published_figure_is_never_replaced_by_a_computed_one(self) -> None:
        odd = figure("2022-04", 2004, "140.00")
        assert IndexTable([figure("2022-04", 2013, "119.59"), odd]).figure(odd.month, 2004) == odd

    def test_it_takes_one_step_from_the_base_in_force_or_none(self) -> None:
        in_1996, in_2004 = figure("2022-04", 1996, "164.32"), figure("2022-04", 2004, "144.43")
        table = IndexTable([in_1996, in_2004, figure("2000-01", 2013, "75.90")])
        assert table.of_month(Month(2022, 4)) == [in_2004, in_1996]
        with pytest.raises(NoFigure):
            table.figure(Month(2022, 4), 2013)

    def test_from_2026_on_only_a_figure_in_base_2025_is_converted(self) -> None:
        april, may = figure("2026-04", 2025, "102.77"), figure("2026-05", 2013, "139.22")
        table = IndexTable([april, may, figure("2024-01", 2004, "157.23")])
        assert table.of_month(april.month) == [april, as_derived(figure("2026-04", 2013, "139.33"))]
        assert table.of_month(may.month) == [may]
        with pytest.raises(NoFigure, match=r"base 2004 .* 2026-05"):
            table.figure(may.month, 2004)

    def test_a_month_with_a_figure_in_an_unknown_newer_base_year_is_not_converted_at_all(self) -> None:
        old, new = figure("2032-01", 2025, "120.50"), figure("2032-01", 2031, "101.00")
        table = IndexTable([figure("2031-12", 2025, "120.00"), old, new, figure("2024-01", 2013, "130.19")])
        assert table.of_month(Month(2032, 1)) == [new, old]
        assert [item.base_year for item in table.of_month(Month(2031, 12))] == [2025, 2013]

    def test_before_the_first_month_there_is_nothing_to_derive_from(self) -> None:
        with pytest.raises(BeforeFirstMonth):
            TABLE.figure(Month(1993, 12), 2013)


class TestTable:
    def test_base_years_are_whatever_is_published_latest_first(self) -> None:
        assert TABLE.base_years == (2025, 2013, 2004, 1996, 1988)
        assert IndexTable([*PUBLISHED, figure("2032-01", 2031, "101.00")]).base_years[0] == 2031

    def test_the_latest_month_is_the_latest_of_any_base_year(self) -> None:
        assert TABLE.latest_month == Month(2026, 8)
        assert TABLE.latest(2004).month == LAST_WITH_ALL_BASES

    @pytest.mark.parametrize("base_year", [0, 1981, 2020, 2099])
    def test_a_base_year_without_a_figure_is_refused_everywhere(self, base_year: int) -> None:
        for ask in (
            lambda: TABLE.latest(base_year),
            lambda: TABLE.figure(Month(2020, 1), base_year),
            lambda: TABLE.series(base_year, FIRST_MONTH, TABLE.latest_month),
        ):
            with pytest.raises(UnknownBaseYear, match=f"Year {base_year} is not valid") as caught:
                ask()
            assert caught.value.known == TABLE.base_years
        assert TABLE.published(Month(2020, 1), base_year) is None

    @given(st.sampled_from([1988, 1996, 2004, 2013, 2025]), months, months)
    def test_a_series_is_what_each_month_says_for_itself(self, base_year: int, first: Month, last: Month) -> None:
        expected: Iterable[Figure] = (item for m in _span(first, last) for item in TABLE.of_month(m))
        assert TABLE.series(base_year, first, last) == [item for item in expected if item.base_year == base_year]

    @given(st.sampled_from([1988, 1996, 2004, 2013]))
    def test_a_series_of_all_months_has_no_hole_before_2026(self, base_year: int) -> None:
        series = TABLE.series(base_year, FIRST_MONTH, Month(2025, 12))
        assert len(series) == 32 * 12
        assert all(after.month == before.month.plus(1) for before, after in pairwise(series))

    def test_two_series_are_two_lists(self) -> None:
        TABLE.series(2013, FIRST_MONTH, TABLE.latest_month).clear()
        assert len(TABLE.series(2013, FIRST_MONTH, TABLE.latest_month)) == 392

    @given(st.permutations(PUBLISHED[:40]))
    def test_the_order_in_which_figures_come_does_not_matter(self, shuffled: list[Figure]) -> None:
        assert IndexTable(shuffled).version == IndexTable(PUBLISHED[:40]).version
        assert list(IndexTable(shuffled).figures()) == list(IndexTable(PUBLISHED[:40]).figures())

    @given(st.lists(figures, max_size=8), st.lists(figures, max_size=8))
    def test_versions_are_equal_exactly_when_the_contents_are(self, one: list[Figure], other: list[Figure]) -> None:
        first, second = IndexTable(one), IndexTable(other)
        assert (first.version == second.version) == (contents(first) == contents(second))


class TestMerging:
    @given(st.lists(figures), st.lists(figures, unique_by=lambda item: (item.base_year, item.month)))
    def test_merging_twice_brings_nothing_more_than_merging_once(self, old: list[Figure], new: list[Figure]) -> None:
        once, _, _ = IndexTable(old).merged(new)
        twice, added, changed = once.merged(new)
        assert (twice is once, added, changed) == (True, [], [])

    @given(st.lists(figures), st.lists(figures, unique_by=lambda item: (item.base_year, item.month)))
    def test_no_figure_is_ever_lost_and_every_difference_is_told(self, old: list[Figure], new: list[Figure]) -> None:
        before = contents(IndexTable(old))
        table, added, changed = IndexTable(old).merged(new)
        after = contents(table)
        assert after.keys() == before.keys() | {(item.base_year, item.month) for item in new}
        assert all(after[key].smoothed is not None for key, item in before.items() if item.smoothed is not None)
        assert all(after[item.base_year, item.month].value == item.value for item in new)
        told = {(item.base_year, item.month): item for item in [*added, *(change.after for change in changed)]}
        assert told == {key: item for key, item in after.items() if before.get(key) != item}
        assert [change.before for change in changed] == [
            before[change.after.base_year, change.after.month] for change in changed
        ]

    def test_a_figure_is_new_or_newly_complete_or_changed(self) -> None:
        known = figure("2020-01", 2013, "109.72")
        fuller, corrected = replace(known, smoothed=Decimal("106.85")), replace(known, value=Decimal("109.73"))
        assert IndexTable().merged([known])[1:] == ([known], [])
        assert IndexTable([known]).merged([fuller])[1:] == ([fuller], [])
        assert IndexTable([known]).merged([corrected])[1:] == ([], [Change(known, corrected)])

    def test_a_smoothed_figure_stays_when_a_correction_does_not_repeat_it(self) -> None:
        known, corrected = figure("2020-01", 2013, "109.72", "106.85"), figure("2020-01", 2013, "109.73")
        table, added, changed = IndexTable([known]).merged([corrected])
        expected = figure("2020-01", 2013, "109.73", "106.85")
        assert (table.figure(known.month, 2013), added, changed) == (expected, [], [Change(known, expected)])


def _span(first: Month, last: Month) -> Iterable[Month]:
    while first <= last:
        yield first
        first = first.plus(1)
