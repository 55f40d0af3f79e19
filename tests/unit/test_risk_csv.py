"""Risk tables as files."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters import risk_csv
from adapters.risk_csv import parse_risk_table, read_risk_table
from adapters.snapshot import SAMPLE_RISK_TABLE
from domain.errors import InvalidRiskTable
from domain.zipcodes import Fault, RiskFactor, RiskTable, Zipcode


def _faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(InvalidRiskTable) as caught:
        parse_risk_table(text)
    return [(fault.line, fault.reason) for fault in caught.value.faults]


def test_ranges_and_single_zipcodes_without_a_header() -> None:
    table = parse_risk_table("1000 - 1310,C\n1315,B\n1320-1321 , A \n")
    assert [(r.first, r.last, r.factor.value) for r in table.ranges] == [
        (1000, 1310, "C"),
        (1315, 1315, "B"),
        (1320, 1321, "A"),
    ]


def test_one_range_on_each_line_with_a_header() -> None:
    table = parse_risk_table("First,LAST,risk_factor\n1000,1310,C\n1315,1315,B\n")
    assert table == parse_risk_table("1000 - 1310,C\n1315,B\n")


def test_bounds_are_included() -> None:
    table = parse_risk_table("1000 - 1310,C\n")
    assert [table.factor(Zipcode(z)) for z in (1000, 1310, 1311)] == [RiskFactor.C, RiskFactor.C, None]


@pytest.mark.parametrize(
    "text", ["\ufeff1000,A", "1000,A\r\n", "\r\n\n1000,A\n\n", '"1000","A"\n', "1000 \u2013 1000,A"]
)
def test_what_spreadsheets_do_to_a_file_does_not_matter(text: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode())
    assert read_risk_table(path).factor(Zipcode(1000)) is RiskFactor.A


def test_every_fault_is_reported_with_its_line() -> None:
    text = "1000 - 1310,C\nabcd,A\n\n1305 - 1400,B\n1500 - 1450,A\n999,A\n2000,D\n3000\n4000,A,B\n2100,A\n2100,A\n"
    assert _faults(text) == [
        (2, "'abcd' is not a zipcode"),
        (4, "1305 - 1400 overlaps 1000 - 1310 of line 1"),
        (5, "the range is reversed: 1500 comes after 1450"),
        (6, "999 lies outside 1000 to 9999"),
        (7, "'D' is not a risk factor (A, B or C)"),
        (8, "1 fields instead of 2: a zipcode or a range such as 1000 - 1310, and a factor"),
        (9, "3 fields instead of 2: a zipcode or a range such as 1000 - 1310, and a factor"),
        (11, "2100 overlaps 2100 of line 10"),
    ]


def test_with_a_header_each_line_has_its_three_fields() -> None:
    assert _faults("first,last,risk_factor\n1000 - 1310,C\n") == [
        (2, "2 fields where the header has 3 (first, last, risk_factor)")
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "first,last,risk_factor\n"])
def test_an_empty_table_is_a_fault(text: str) -> None:
    assert _faults(text) == [(1, "there is no range in it")]


def test_a_field_without_end_is_a_fault() -> None:
    assert _faults("1000,A\n" + "9" * 200_000 + ",A\n")[0][0] == 2


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path / "missing.csv", "cannot be read: No such file or directory"),
        (tmp_path, "cannot be read: Is a directory"),
    ):
        with pytest.raises(InvalidRiskTable, match=reason):
            read_risk_table(path)


def test_a_file_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"1000,A\n\xff\xfe")
    with pytest.raises(InvalidRiskTable, match="not UTF-8 text \\(byte 7\\)"):
        read_risk_table(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(risk_csv, "MAX_BYTES", 5)
    path = tmp_path / "table.csv"
    path.write_text("1000,A\n")
    with pytest.raises(InvalidRiskTable, match="larger than"):
        read_risk_table(path)


def test_the_sample_is_valid_and_leaves_9993_out() -> None:
    table = read_risk_table(SAMPLE_RISK_TABLE)
    assert table.factor(Zipcode(9993)) is None
    assert all(count > 1000 for count in table.counts().values())


@given(st.dictionaries(st.integers(1000, 9999), st.sampled_from(RiskFactor), min_size=1, max_size=60))
def test_a_table_that_is_written_and_read_is_the_same_table(factors: dict[int, RiskFactor]) -> None:
    table = RiskTable.from_factors(factors)
    brief = "".join(f"{item},{item.factor}\n" for item in table.ranges)
    header = "first,last,risk_factor\n" + "".join(f"{r.first},{r.last},{r.factor}\n" for r in table.ranges)
    assert parse_risk_table(brief) == parse_risk_table(header) == table


@given(st.text())
def test_any_text_is_a_table_or_a_list_of_faults(text: str) -> None:
    faults: Sequence[Fault] = ()
    ranges: Sequence[object] = ()
    try:
        ranges = parse_risk_table(text).ranges
    except InvalidRiskTable as error:
        faults = error.faults
    assert bool(ranges) != bool(faults)
    assert all(fault.line >= 1 and fault.reason for fault in faults)
