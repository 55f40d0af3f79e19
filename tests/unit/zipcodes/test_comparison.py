from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.zipcode_repository import tables

from domain.risk.comparison import Change, Comparison, FactorChange
from domain.risk.tables import RiskFactor, RiskRange, RiskTable

A, B, C = RiskFactor.A, RiskFactor.B, RiskFactor.C


def table(*ranges: tuple[int, int, RiskFactor]) -> RiskTable:
    return RiskTable(RiskRange(*each) for each in ranges)


def factors_of(given: RiskTable) -> Mapping[int, RiskFactor]:
    return dict(given.factors())


BEFORE = table((1000, 1999, A), (2000, 2000, B), (9170, 9240, A), (9300, 9310, C))
AFTER = table((1000, 1999, A), (2000, 2001, B), (9170, 9240, B), (9400, 9400, A))


def applied(comparison: Comparison, table: RiskTable) -> RiskTable:
    """The table with these changes made to it.

    :raises ValueError: when it is not what the changes start from
    """
    factors: dict[int, RiskFactor] = dict(table.factors())
    for change in comparison.changes:
        for zipcode in range(change.first, change.last + 1):
            if factors.pop(zipcode, None) is not change.before:
                raise ValueError(f"zipcode {zipcode} is not {change.before} in the table")
            if change.after is not None:
                factors[zipcode] = change.after
    return RiskTable.from_factors(factors)


class TestChanges:
    def test_neighbours_that_change_alike_are_one_range(self) -> None:
        assert [str(change) for change in Comparison(BEFORE, AFTER).changes] == [
            "2001 none→B, 1 zipcode",
            "9170-9240 A→B, 71 zipcodes",
            "9300-9310 C→none, 11 zipcodes",
            "9400 none→A, 1 zipcode",
        ]

    def test_neighbours_that_change_differently_are_ranges_of_their_own(self) -> None:
        found = Comparison(table((1000, 1001, A)), table((1000, 1000, B), (1001, 1001, C))).changes
        assert found == (Change(1000, 1000, A, B), Change(1001, 1001, A, C))

    def test_a_zipcode_that_stays_ends_a_range(self) -> None:
        found = Comparison(table((1000, 1002, A)), table((1000, 1000, B), (1001, 1001, A), (1002, 1002, B))).changes
        assert found == (Change(1000, 1000, A, B), Change(1002, 1002, A, B))

    def test_they_are_counted(self) -> None:
        found = Comparison(BEFORE, AFTER)
        assert (found.added, found.removed, found.changed, found.covered) == (2, 11, 71, 1000 + 2 + 71 + 11 + 1)
        assert found.share == Fraction(84, 1085)

    def test_each_factor_is_counted_as_well(self) -> None:
        assert Comparison(BEFORE, AFTER).by_factor() == {
            A: FactorChange(before=1071, after=1001, gained=1, lost=71),
            B: FactorChange(before=1, after=73, gained=72, lost=0),
            C: FactorChange(before=11, after=0, gained=0, lost=11),
        }

    def test_what_loses_its_factor_is_withdrawn_with_it(self) -> None:
        assert Comparison(BEFORE, AFTER).withdrawn == (RiskRange(9300, 9310, C),)

    @given(tables(), tables())
    def test_made_to_the_first_table_they_give_the_second(self, before: RiskTable, after: RiskTable) -> None:
        assert applied(Comparison(before, after), before) == after

    @given(tables(), tables())
    def test_they_are_the_zipcodes_that_differ_and_no_others(self, before: RiskTable, after: RiskTable) -> None:
        old, new = factors_of(before), factors_of(after)
        found = [
            (zipcode, change.before, change.after)
            for change in Comparison(before, after).changes
            for zipcode in range(change.first, change.last + 1)
        ]
        differing = sorted(zipcode for zipcode in old.keys() | new.keys() if old.get(zipcode) != new.get(zipcode))
        assert found == [(zipcode, old.get(zipcode), new.get(zipcode)) for zipcode in differing]

    @given(tables(), tables())
    def test_two_that_touch_differ_in_what_they_do(self, before: RiskTable, after: RiskTable) -> None:
        changes = Comparison(before, after).changes
        for one, next_one in pairwise(changes):
            assert one.last < next_one.first
            assert one.last + 1 < next_one.first or (one.before, one.after) != (next_one.before, next_one.after)

    @given(tables(), tables())
    def test_the_way_back_is_the_same_the_other_way_round(self, before: RiskTable, after: RiskTable) -> None:
        there, back = Comparison(before, after), Comparison(after, before)
        assert [(c.first, c.last, c.after, c.before) for c in there.changes] == [
            (c.first, c.last, c.before, c.after) for c in back.changes
        ]
        assert (there.added, there.changed, there.share) == (back.removed, back.changed, back.share)

    @given(tables())
    def test_a_table_does_not_differ_from_itself(self, given_table: RiskTable) -> None:
        found = Comparison(given_table, RiskTable.from_factors(factors_of(given_table)))
        assert len(found.changes) == 0
        assert found.share == 0
        assert found.objections() == []

    @pytest.mark.parametrize("other", [RiskTable(), table((2001, 2001, A)), AFTER])
    def test_they_are_made_to_no_other_table(self, other: RiskTable) -> None:
        with pytest.raises(ValueError, match="in the table"):
            applied(Comparison(BEFORE, AFTER), other)


class TestObjections:
    def test_a_table_that_changes_more_than_a_fifth_is_objected_to(self) -> None:
        before = table((1000, 1099, A), (2000, 2000, B))
        after = table((1000, 1078, A), (1079, 1099, B), (2000, 2000, B))
        assert Comparison(before, after).objections() == ["it changes 21 of 101 zipcodes (20.8 %), more than 20 %"]

    def test_exactly_a_fifth_is_not_too_much(self) -> None:
        before = table((1000, 1099, A), (2000, 2009, B))
        after = table((1000, 1077, A), (1078, 1099, B), (2000, 2009, B))
        assert Comparison(before, after).share == Fraction(1, 5)
        assert Comparison(before, after).objections() == []

    def test_what_is_added_and_what_is_removed_counts_as_well(self) -> None:
        before, after = table((1000, 1009, A)), table((1005, 1014, A))
        assert Comparison(before, after).objections() == ["it changes 10 of 15 zipcodes (66.7 %), more than 20 %"]

    def test_a_share_just_over_the_limit_does_not_read_as_the_limit(self) -> None:
        before = table((1000, 5999, A), (6000, 9999, B))
        after = table((1000, 4198, A), (4199, 9999, B))
        assert Comparison(before, after).objections() == [
            "it changes 1,801 of 9,000 zipcodes (20.1 %), more than 20 %",
        ]

    @pytest.mark.parametrize(("last", "words"), [(2000, "1 zipcode"), (2001, "2 zipcodes")])
    def test_a_factor_that_goes_entirely_is_objected_to_however_few_had_it(self, last: int, words: str) -> None:
        before = table((1000, 1999, A), (2000, last, B))
        after = table((1000, last, A))
        assert Comparison(before, after).objections() == [f"it drops factor B entirely, which {words} had"]

    def test_the_limit_is_the_callers(self) -> None:
        before, after = table((1000, 1009, A), (1010, 1010, B)), table((1000, 1008, A), (1009, 1010, B))
        assert Comparison(before, after).objections(Fraction(0)) != []
        assert Comparison(before, after).objections(Fraction(1)) == []

    @given(tables())
    def test_a_first_table_is_never_objected_to(self, first: RiskTable) -> None:
        assert Comparison(RiskTable(), first).objections(Fraction(0)) == []

    @given(st.sampled_from(RiskFactor))
    def test_a_new_factor_is_not_dropped(self, factor: RiskFactor) -> None:
        found = Comparison(table((1000, 1099, factor)), table((1000, 1098, factor), (1099, 1099, A)))
        assert found.objections(Fraction(1)) == []
