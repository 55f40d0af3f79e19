"""The table of all that is published, and what is derived from it, tried on every figure that is bundled."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds.figure_windows import BUNDLED, figure

from domain.health_index.figures import (
    FIRST_MONTH,
    BeforeFirstMonth,
    Correction,
    Figure,
    Month,
    Provenance,
    base_in_force,
)
from domain.health_index.table import IndexTable, NoFigure, UnknownBaseYear

PUBLISHED = list(BUNDLED.figures())
LAST_WITH_ALL_BASES = Month(2024, 10)

months = st.builds(Month, st.integers(1994, 2040), st.integers(1, 12))
cents = st.integers(1, 30_000).map(lambda number: Decimal(number).scaleb(-2))
figures = st.builds(
    Figure, st.builds(Month, st.just(2020), st.integers(1, 12)), st.sampled_from([1996, 2013]), cents, st.none() | cents
)


def as_derived(item: Figure) -> Figure:
    return replace(item, provenance=Provenance.DERIVED)


def without(item: Figure) -> IndexTable:
    """What is published, save for this one figure."""
    return IndexTable(other for other in PUBLISHED if other is not item)


def contents(table: IndexTable) -> dict[tuple[int, Month], Figure]:
    return {(item.base_year, item.month): item for item in table.figures()}


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
        in_1996, in_2004 = figure("2022-04", 1996, "164.50"), figure("2022-04", 2004, "144.43")
        table = IndexTable([in_1996, in_2004, figure("2000-01", 2013, "75.90")])
        assert table.of_month(Month(2022, 4)) == [in_2004, in_1996]
        with pytest.raises(NoFigure):
            table.figure(Month(2022, 4), 2013)

    def test_from_2026_on_only_a_figure_in_base_2025_is_converted(self) -> None:
        # Nothing in base 2025 makes 139.21: 102.68 makes 139.20, and 102.69 makes 139.22.
        april, may = figure("2026-04", 2025, "102.77"), figure("2026-05", 2013, "139.21")
        table = IndexTable([april, may, figure("2024-01", 2004, "157.23")])
        assert table.of_month(april.month) == [
            april,
            as_derived(figure("2026-04", 2013, "139.33")),
            replace(figure("2026-04", 2004, "168.27"), provenance=Provenance.ESTIMATED),
        ]
        assert table.of_month(may.month) == [may]
        with pytest.raises(NoFigure, match=r"base 2004 .* 2026-05"):
            table.figure(may.month, 2004)

    def test_a_month_with_a_figure_in_an_unknown_newer_base_year_is_not_converted_at_all(self) -> None:
        old, new = figure("2032-01", 2025, "120.50"), figure("2032-01", 2031, "101.00")
        table = IndexTable([figure("2031-12", 2025, "120.00"), old, new, figure("2024-01", 2013, "130.19")])
        assert table.of_month(Month(2032, 1)) == [new, old]
        assert [item.base_year for item in table.of_month(Month(2031, 12))] == [2025, 2013]

    @given(st.integers(2026, 2030), st.integers(1, 12), st.integers(2026, 2031))
    def test_a_newer_base_year_stops_conversion_only_in_months_after_that_year(
        self, year: int, number: int, base_year: int
    ) -> None:
        month = Month(year, number)
        old, new = Figure(month, 2025, Decimal("102.77")), Figure(month, base_year, Decimal("100.00"))
        table = IndexTable([old, new, figure("2024-01", 2013, "130.19")])
        converted = [] if base_year < year else [Figure(month, 2013, Decimal("139.33"), provenance=Provenance.DERIVED)]
        assert table.of_month(month) == [new, old, *converted]

    def test_a_newer_base_year_that_reaches_back_to_1994_leaves_every_past_month_as_it_was(self) -> None:
        first = BUNDLED.series(2013, FIRST_MONTH, Month(2026, 8))
        back = [replace(item, base_year=2026, smoothed=None, provenance=Provenance.PUBLISHED) for item in first]
        table = IndexTable([*PUBLISHED, *back])
        for base in BUNDLED.base_years:
            assert table.series(base, FIRST_MONTH, Month(2026, 8)) == BUNDLED.series(base, FIRST_MONTH, Month(2026, 8))

    def test_before_the_first_month_there_is_nothing_to_derive_from(self) -> None:
        with pytest.raises(BeforeFirstMonth):
            BUNDLED.figure(Month(1993, 12), 2013)


class TestTable:
    def test_base_years_are_whatever_is_published_latest_first(self) -> None:
        assert BUNDLED.base_years == (2025, 2013, 2004, 1996, 1988)
        assert IndexTable([*PUBLISHED, figure("2032-01", 2031, "101.00")]).base_years[0] == 2031

    def test_the_latest_month_is_the_latest_of_any_base_year(self) -> None:
        assert BUNDLED.latest_month == Month(2026, 8)
        assert BUNDLED.latest_published(2004).month == LAST_WITH_ALL_BASES
        assert BUNDLED.latest(2004).month == BUNDLED.latest_month

    @pytest.mark.parametrize("base_year", [0, 1981, 2020, 2099])
    def test_a_base_year_without_a_figure_is_refused_everywhere(self, base_year: int) -> None:
        for ask in (
            lambda: BUNDLED.latest(base_year),
            lambda: BUNDLED.latest_published(base_year),
            lambda: BUNDLED.require(base_year),
            lambda: BUNDLED.figure(Month(2020, 1), base_year),
            lambda: BUNDLED.series(base_year, FIRST_MONTH, BUNDLED.latest_month),
        ):
            with pytest.raises(UnknownBaseYear, match=f"There is no base year {base_year}: ") as caught:
                ask()
            assert caught.value.known == BUNDLED.base_years
        assert BUNDLED.published(Month(2020, 1), base_year) is None

    @given(st.sampled_from([1988, 1996, 2004, 2013, 2025]), months, months)
    def test_a_series_is_what_each_month_says_for_itself(self, base_year: int, first: Month, last: Month) -> None:
        expected: Iterable[Figure] = (item for m in _span(first, last) for item in BUNDLED.of_month(m))
        assert BUNDLED.series(base_year, first, last) == [item for item in expected if item.base_year == base_year]

    @given(st.sampled_from([1988, 1996, 2004, 2013]))
    def test_a_series_of_all_months_has_no_hole_before_2026(self, base_year: int) -> None:
        series = BUNDLED.series(base_year, FIRST_MONTH, Month(2025, 12))
        assert len(series) == 32 * 12
        assert all(after.month == before.month.plus(1) for before, after in pairwise(series))

    def test_two_series_are_two_lists(self) -> None:
        BUNDLED.series(2013, FIRST_MONTH, BUNDLED.latest_month).clear()
        assert len(BUNDLED.series(2013, FIRST_MONTH, BUNDLED.latest_month)) == 392

    @given(st.permutations(PUBLISHED[:40]))
    def test_the_order_in_which_figures_come_does_not_matter(self, shuffled: list[Figure]) -> None:
        assert IndexTable(shuffled).version == IndexTable(PUBLISHED[:40]).version
        assert list(IndexTable(shuffled).figures()) == list(IndexTable(PUBLISHED[:40]).figures())

    @given(st.lists(figures, max_size=8), st.lists(figures, max_size=8))
    def test_versions_are_equal_exactly_when_the_contents_are(self, one: list[Figure], other: list[Figure]) -> None:
        first, second = IndexTable(one), IndexTable(other)
        assert (first.version == second.version) == (contents(first) == contents(second))

    @given(st.lists(figures, max_size=8), st.integers(3, 9))
    def test_how_a_number_is_written_does_not_change_the_version(self, items: list[Figure], places: int) -> None:
        def longer(number: Decimal) -> Decimal:
            return number.quantize(Decimal(10) ** -places)

        for write in (Decimal.normalize, longer):
            others = [
                replace(item, value=write(item.value), smoothed=item.smoothed and write(item.smoothed))
                for item in items
            ]
            assert IndexTable(others).version == IndexTable(items).version


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
        assert IndexTable([known]).merged([corrected])[1:] == ([], [Correction(known, corrected)])

    def test_a_smoothed_figure_stays_when_a_correction_does_not_repeat_it(self) -> None:
        known, corrected = figure("2020-01", 2013, "109.72", "106.85"), figure("2020-01", 2013, "109.73")
        table, added, changed = IndexTable([known]).merged([corrected])
        expected = figure("2020-01", 2013, "109.73", "106.85")
        assert (table.figure(known.month, 2013), added, changed) == (expected, [], [Correction(known, expected)])


def _span(first: Month, last: Month) -> Iterable[Month]:
    while first <= last:
        yield first
        first = first.plus(1)
