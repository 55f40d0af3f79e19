"""Zipcodes and risk tables: what is refused, what is reported, and that a zipcode never has two factors."""

import re
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.risk.tables import (
    FIRST_ZIPCODE,
    LAST_ZIPCODE,
    MAX_FAULTS,
    Fault,
    InvalidRiskTable,
    InvalidZipcode,
    RiskFactor,
    RiskRange,
    RiskRow,
    RiskTable,
    Zipcode,
    parse_zipcode,
)

A, B, C = RiskFactor

zipcodes = st.integers(FIRST_ZIPCODE, LAST_ZIPCODE)
factors = st.sampled_from(RiskFactor)
expansions = st.dictionaries(zipcodes | st.integers(1000, 1030) | st.integers(9990, 9999), factors, max_size=60)
any_ranges = st.builds(
    lambda first, length, factor: RiskRange(first, min(first + length, LAST_ZIPCODE), factor),
    zipcodes | st.integers(1000, 1100),
    st.integers(0, 40),
    factors,
)


@st.composite
def separate_ranges(draw: st.DrawFn) -> list[RiskRange]:
    """Ranges that do not overlap, in any order; neighbours and neighbours of one factor among them."""
    bounds = sorted(draw(st.sets(zipcodes | st.integers(1000, 1020), max_size=30)))
    found = [RiskRange(first, draw(st.integers(first, after - 1)), draw(factors)) for first, after in pairwise(bounds)]
    return draw(st.permutations(found))


def rows_of(ranges: list[RiskRange]) -> list[RiskRow]:
    return [RiskRow(line, str(item.first), str(item.last), item.factor) for line, item in enumerate(ranges, start=1)]


def faults_of(rows: list[RiskRow], faults: list[Fault] | None = None) -> list[tuple[int, str]]:
    with pytest.raises(InvalidRiskTable) as caught:
        RiskTable.from_rows([*rows, *(faults or [])])
    return [(fault.line, fault.reason) for fault in caught.value.faults]


class TestZipcode:
    @given(st.integers(-20000, 20000))
    def test_the_integers_from_1000_to_9999_are_zipcodes_and_no_others(self, number: int) -> None:
        if FIRST_ZIPCODE <= number <= LAST_ZIPCODE:
            assert parse_zipcode(str(number)) == number
        else:
            with pytest.raises(InvalidZipcode, match=re.escape(str(number))):
                parse_zipcode(str(number))

    @pytest.mark.parametrize(
        "text", ["", "999", "10000", "01000", "+1000", "-100", " 1000", "1000 ", "1000\n", "1e3", "1_000", "100\uff10"]
    )
    def test_four_plain_digits_or_it_is_no_zipcode(self, text: str) -> None:
        with pytest.raises(InvalidZipcode):
            parse_zipcode(text)

    def test_a_refusal_repeats_no_more_than_the_start_of_what_was_sent(self) -> None:
        with pytest.raises(InvalidZipcode) as caught:
            parse_zipcode("9" * 10_000)
        assert caught.value.value == "9" * 32


class TestRiskTable:
    @given(expansions)
    def test_a_table_and_its_expansion_agree(self, expansion: dict[int, RiskFactor]) -> None:
        table = RiskTable.from_factors(expansion)
        assert [table.factor(Zipcode(zipcode)) for zipcode in range(10_000)] == [
            expansion.get(zipcode) for zipcode in range(10_000)
        ]
        assert list(table.factors()) == sorted(expansion.items())
        assert table.counts() == {factor: list(expansion.values()).count(factor) for factor in RiskFactor}

    @given(separate_ranges())
    def test_every_zipcode_of_a_range_has_its_factor_both_bounds_included(self, ranges: list[RiskRange]) -> None:
        table = RiskTable(ranges)
        expected = {zipcode: item.factor for item in ranges for zipcode in range(item.first, item.last + 1)}
        assert dict(table.factors()) == expected
        assert all(table.factor(Zipcode(zipcode)) is factor for zipcode, factor in expected.items())
        assert table.ranges == tuple(sorted(ranges))

    @given(separate_ranges())
    def test_a_table_survives_being_written_as_factors(self, ranges: list[RiskRange]) -> None:
        table = RiskTable(ranges)
        again = RiskTable.from_factors(dict(table.factors()))
        assert again == table
        assert (hash(again), again.digest) == (hash(table), table.digest)

    @given(separate_ranges().filter(bool))
    def test_a_table_survives_being_written_as_rows(self, ranges: list[RiskRange]) -> None:
        table = RiskTable.from_rows(rows_of(ranges))
        assert table == RiskTable(ranges)
        assert table.ranges == tuple(sorted(ranges))

    @given(expansions)
    def test_the_ranges_made_of_factors_are_as_few_as_can_be(self, expansion: dict[int, RiskFactor]) -> None:
        ranges = RiskTable.from_factors(expansion).ranges
        assert not any(
            (before.last + 1, before.factor) == (after.first, after.factor) for before, after in pairwise(ranges)
        )

    @given(st.lists(any_ranges, max_size=12))
    def test_a_table_never_gives_two_factors(self, ranges: list[RiskRange]) -> None:
        overlapping = any(one.first <= other.last and other.first <= one.last for one, other in combinations(ranges, 2))
        if overlapping:
            with pytest.raises(InvalidRiskTable, match="overlaps"):
                RiskTable(ranges)
        else:
            table = RiskTable(ranges)
            assert len(list(table.factors())) == len(dict(table.factors())) == sum(table.counts().values())

    @given(expansions, zipcodes, factors)
    def test_tables_differ_as_soon_as_one_zipcode_does(
        self, expansion: dict[int, RiskFactor], zipcode: int, factor: RiskFactor
    ) -> None:
        other = expansion | {zipcode: factor}
        same = expansion.get(zipcode) == factor
        one, two = RiskTable.from_factors(expansion), RiskTable.from_factors(other)
        assert (one == two, one.digest == two.digest) == (same, same)

    def test_the_whole_range_of_zipcodes_may_have_one_factor(self) -> None:
        table = RiskTable([RiskRange(FIRST_ZIPCODE, LAST_ZIPCODE, B)])
        assert table.counts() == {A: 0, B: 9000, C: 0}
        assert table.factor(Zipcode(999)) is None

    def test_an_empty_table_covers_nothing(self) -> None:
        assert list(RiskTable().factors()) == []

    def test_a_table_is_not_equal_to_anything_else(self) -> None:
        assert RiskTable() != "nothing"

    def test_a_table_shown_to_a_developer_says_how_large_it_is(self) -> None:
        table = RiskTable([RiskRange(1000, 1310, C), RiskRange(1315, 1315, B)])
        assert repr(table) == "<RiskTable of 2 ranges: A 0, B 1, C 311>"

    def test_a_range_is_written_as_the_brief_writes_it(self) -> None:
        assert [str(RiskRange(1000, 1310, C)), str(RiskRange(1315, 1315, B))] == ["1000 - 1310", "1315"]

    @pytest.mark.parametrize("zipcode", [-1, 0, 999, 10_000])
    def test_a_factor_for_what_is_no_zipcode_is_refused(self, zipcode: int) -> None:
        with pytest.raises(InvalidRiskTable, match=f"line 1: {zipcode} lies outside 1000 to 9999"):
            RiskTable.from_factors({zipcode: A})


class TestFaults:
    def test_every_fault_is_reported_with_its_line_and_not_only_the_first(self) -> None:
        rows = [
            RiskRow(1, "1000", "1310", "C"),
            RiskRow(3, "999", "10000", "A"),
            RiskRow(4, "1400", "1390", "A"),
            RiskRow(5, "15oo", "15oo", "D"),
            RiskRow(7, "1300", "1320", "B"),
            RiskRow(8, "-1", "1e3", "a"),
        ]
        assert faults_of(rows, [Fault(6, "three fields")]) == [
            (3, "10000 lies outside 1000 to 9999"),
            (3, "999 lies outside 1000 to 9999"),
            (4, "the range is reversed: 1400 comes after 1390"),
            (5, "'15oo' is not a zipcode"),
            (5, "'D' is not a risk factor (A, B or C)"),
            (6, "three fields"),
            (7, "1300 - 1320 overlaps 1000 - 1310 of line 1"),
            (8, "'-1' is not a zipcode"),
            (8, "'1e3' is not a zipcode"),
            (8, "'a' is not a risk factor (A, B or C)"),
        ]

    @given(separate_ranges().filter(lambda ranges: len(ranges) > 1), st.data())
    def test_each_spoilt_line_is_named_and_no_other(self, ranges: list[RiskRange], data: st.DataObject) -> None:
        rows = rows_of(ranges)
        spoilt = data.draw(st.sets(st.sampled_from(range(1, len(rows) + 1)), min_size=1))
        spoils = {
            "factor": lambda row: RiskRow(row.line, row.first, row.last, "X"),
            "text": lambda row: RiskRow(row.line, row.first, row.last + "?", row.factor),
            "outside": lambda row: RiskRow(row.line, row.first, "12000", row.factor),
            "reversed": lambda row: RiskRow(row.line, "9999", "1000", row.factor),
        }
        for line in spoilt:
            rows[line - 1] = spoils[data.draw(st.sampled_from(sorted(spoils)))](rows[line - 1])
        assert {line for line, _ in faults_of(rows)} == spoilt

    @given(st.lists(any_ranges, min_size=2, max_size=12))
    def test_without_the_lines_named_nothing_overlaps_a_line_that_stays(self, ranges: list[RiskRange]) -> None:
        try:
            RiskTable.from_rows(rows_of(ranges))
        except InvalidRiskTable as error:
            lines = [fault.line for fault in error.faults]
            assert lines == sorted(lines)
            named = [re.fullmatch(r"(.+) overlaps (.+) of line ([0-9]+)", fault.reason) for fault in error.faults]
            for line, match in zip(lines, named, strict=True):
                assert match is not None
                assert (match[1], match[2]) == (str(ranges[line - 1]), str(ranges[int(match[3]) - 1]))
                assert int(match[3]) < line
            starts_inside = sum(
                any(other.first <= item.first <= other.last for other in sorted(ranges)[:place])
                for place, item in enumerate(sorted(ranges))
            )
            assert len(lines) == starts_inside

    @given(st.lists(any_ranges, min_size=2, max_size=12), st.data())
    def test_a_bad_factor_hides_no_overlap(self, ranges: list[RiskRange], data: st.DataObject) -> None:
        rows = rows_of(ranges)
        other = Fault(99, "three fields")
        spoilt = data.draw(st.sets(st.sampled_from(range(1, len(rows) + 1))))
        mixed = [RiskRow(row.line, row.first, row.last, "X") if row.line in spoilt else row for row in rows]
        bad_factors = [(line, "'X' is not a risk factor (A, B or C)") for line in spoilt]
        assert faults_of(mixed, [other]) == sorted([*faults_of(rows, [other]), *bad_factors])

    @given(zipcodes, zipcodes, st.integers(1, 5))
    def test_a_number_with_leading_zeros_is_no_zipcode(self, first: int, last: int, zeros: int) -> None:
        padded = "0" * zeros + str(first)
        for bounds in ((padded, str(last)), (str(last), padded)):
            assert faults_of([RiskRow(1, *bounds, "A")]) == [(1, f"'{padded}' is not a zipcode")]
        assert faults_of([RiskRow(1, "0", "0", "A")]) == [(1, "0 lies outside 1000 to 9999")]

    def test_an_overlap_is_blamed_on_the_later_line_also_when_that_one_starts_first(self) -> None:
        rows = [RiskRow(1, "2000", "2000", "A"), RiskRow(2, "3000", "3010", "A"), RiskRow(3, "1000", "9999", "B")]
        assert faults_of(rows) == [
            (3, "1000 - 9999 overlaps 2000 of line 1"),
            (3, "1000 - 9999 overlaps 3000 - 3010 of line 2"),
        ]

    def test_saying_the_same_twice_is_an_overlap_too(self) -> None:
        row = RiskRow(1, "1000", "1000", "A")
        assert faults_of([row, RiskRow(2, "1000", "1000", "A")]) == [(2, "1000 overlaps 1000 of line 1")]

    def test_a_table_without_a_range_is_a_fault(self) -> None:
        assert faults_of([]) == [(1, "there is no range in it")]

    def test_where_all_lines_are_bad_the_table_is_not_called_empty_as_well(self) -> None:
        assert faults_of([RiskRow(4, "x", "x", "A")]) == [(4, "'x' is not a zipcode")]

    def test_a_fault_repeats_no_more_than_the_start_of_a_field(self) -> None:
        assert faults_of([RiskRow(1, "y" * 900, "1000", "z" * 900)]) == [
            (1, f"'{'y' * 32}' is not a zipcode"),
            (1, f"'{'z' * 32}' is not a risk factor (A, B or C)"),
        ]

    @pytest.mark.parametrize("step", [1, -1])
    def test_the_first_thousand_faults_are_told_and_all_are_counted(self, step: int) -> None:
        rows = [RiskRow(line, "1000", "1000", "D") for line in range(1, 3001)][::step]
        with pytest.raises(InvalidRiskTable, match=r"\(and 5,998 more\)") as caught:
            RiskTable.from_rows(rows)
        assert (len(caught.value.faults), caught.value.total) == (MAX_FAULTS, 5999)
        assert [fault.line for fault in caught.value.faults[:3]] == [1, 2, 2]

    def test_ranges_count_from_one_where_there_are_no_lines(self) -> None:
        with pytest.raises(InvalidRiskTable) as caught:
            RiskTable([RiskRange(1000, 1000, A), RiskRange(1000, 1000, A), RiskRange(1310, 1300, A)])
        assert [fault.line for fault in caught.value.faults] == [2, 3]
