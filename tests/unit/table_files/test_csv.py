"""Risk tables as text, in every spelling that spreadsheets and people give them."""

from collections.abc import Sequence
from io import BytesIO
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.bundled import SAMPLE_RISK_TABLE
from adapters.risk_files.reading import draft_from, read_draft
from adapters.risk_files.text import write_csv
from domain.risk.tables import Fault, InvalidRiskTable, RiskFactor, RiskTable, Zipcode

TABLES = st.dictionaries(st.integers(1000, 9999), st.sampled_from(RiskFactor), min_size=1, max_size=60).map(
    RiskTable.from_factors
)
HEADERS = {
    "": "{range},{factor}",
    "zipcode,risk_factor": "{range},{factor}",
    "Risk-Factor,Postcodes": "{factor},{range}",
    "first,last,risk_factor": "{first},{last},{factor}",
    "FROM,to,Risk Factor": "{first},{last},{factor}",
    "factor,last,first": "{factor},{last},{first}",
}
ENCODINGS = {"utf-8": b"", "utf-8-sig": b"", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}


def _read(text: str) -> RiskTable:
    return draft_from(BytesIO(text.encode()), label="text").table


def _faults(text: str | bytes) -> list[tuple[int, str]]:
    with pytest.raises(InvalidRiskTable) as caught:
        draft_from(BytesIO(text.encode() if isinstance(text, str) else text), label="text")
    return [(fault.line, fault.reason) for fault in caught.value.faults]


@st.composite
def spellings(draw: st.DrawFn, table: RiskTable) -> bytes:
    """A table as somebody might write it."""
    header = draw(st.sampled_from(sorted(HEADERS)))
    delimiter = draw(st.sampled_from(",;\t"))
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    blank = draw(st.sampled_from(["", " ", "\N{NO-BREAK SPACE}"]))
    quote = draw(st.sampled_from(["", '"']))
    hyphen = draw(st.sampled_from(["-", " - ", "\N{EN DASH}", " \N{EN DASH} "]))
    hint = draw(st.sampled_from(["", f"sep={delimiter}"]))
    lines = [header] if header else []
    for item in draw(st.permutations(table.ranges)):
        reach = f"{item.first}{hyphen}{item.last}" if item.first < item.last or draw(st.booleans()) else f"{item.first}"
        lines.append(HEADERS[header].format(range=reach, first=item.first, last=item.last, factor=item.factor))
        if draw(st.integers(0, 9)) == 0:
            lines.append("")
    ends = draw(st.sampled_from(["", delimiter * 2]))
    written = [
        delimiter.join(f"{blank}{quote}{blank}{each}{blank}{quote}{blank}" for each in line.split(",")) + ends
        for line in lines
    ]
    text = newline.join([*([hint] if hint else []), *written]) + draw(st.sampled_from(["", newline]))
    encoding = draw(st.sampled_from(sorted(ENCODINGS)))
    return ENCODINGS[encoding] + text.encode(encoding)


@given(st.data(), TABLES)
def test_a_table_is_the_same_in_every_spelling(data: st.DataObject, table: RiskTable) -> None:
    assert draft_from(BytesIO(data.draw(spellings(table))), label="any").table == table


@pytest.mark.parametrize(("encoding", "newline"), list(product(ENCODINGS, ["\n", "\r\n", "\r"])))
def test_every_encoding_counts_lines_alike(encoding: str, newline: str) -> None:
    text = newline.join(["1000,A", "", "x1,B", "2000,D"])
    assert _faults(ENCODINGS[encoding] + text.encode(encoding)) == [
        (3, "'x1' is not a zipcode"),
        (4, "'D' is not a risk factor (A, B or C)"),
    ]


@given(TABLES)
def test_a_table_that_is_written_and_read_is_the_same_table(table: RiskTable) -> None:
    again = _read(write_csv(table))
    assert (again, again.ranges) == (table, table.ranges)


def test_a_table_is_written_with_its_header() -> None:
    assert write_csv(_read("1315,B\n1000 - 1310,C\n")) == "first,last,risk_factor\n1000,1310,C\n1315,1315,B\n"


def test_bounds_are_included() -> None:
    table = _read("1000 - 1310,C\n")
    assert [table.factor(Zipcode(z)) for z in (1000, 1310, 1311)] == [RiskFactor.C, RiskFactor.C, None]


def test_every_fault_is_reported_with_its_line() -> None:
    text = "1000 - 1310,C\nabcd,A\n\n1305 - 1400,B\n1500 - 1450,A\n999,A\n2000,D\n3000\n4000,A,B\n2100,A\n2100,A\n"
    assert _faults(text) == [
        (2, "'abcd' is not a zipcode"),
        (4, "1305 - 1400 overlaps 1000 - 1310 of line 1"),
        (5, "the range is reversed: 1500 comes after 1450"),
        (6, "999 lies outside 1000 to 9999"),
        (7, "'D' is not a risk factor (A, B or C)"),
        (8, "1 field instead of 2: a zipcode or a range such as 1000 - 1310, and a factor"),
        (9, "3 fields instead of 2: a zipcode or a range such as 1000 - 1310, and a factor; 'B' is too much"),
        (11, "2100 overlaps 2100 of line 10"),
    ]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("first,last,risk_factor\n1000,C\n", [(2, "2 fields where the header has 3 (first, last, factor)")]),
        ("1000,A\n1001;B\n1002\tC\n1003,A\n", [(2, "semicolons"), (3, "tabs")]),
        ("1000;A\n1001,B\n", [(2, "separated by commas, where the file has semicolons")]),
        ("sep=;\n1000,A\n", [(2, "separated by commas, where the file has semicolons")]),
        ("sep=|\n1000|A\n", [(1, "fields separated by '|' are not read")]),
        ('1000,A\n"1001,B\n', [(2, "a quote is not closed")]),
        ('1000,A\n"10"01,B\n', [(2, "there is a quote inside a field")]),
        ("1000,A\n10\x0701,B\n", [(2, "cannot be seen (U+0007)")]),
        ("1000,A\n\u202e1001,B\n", [(2, "cannot be seen (U+202E)")]),
        ("1000,A\n1001,\0B\n1002,C\n", [(2, "there is a NUL in it")]),
        ("1000,A\n" + "9" * 10_001 + ",A\n", [(2, "the line is longer than 10,000 characters")]),
        ("9" * 3_000_000, [(1, "the line is longer than 10,000 characters")]),
        ("zip,name,factor\n1000,Brussel,A\n", [(1, "neither a row nor a header that is known")]),
        ("place,factor\n1000,A\n1001,X\n", [(1, "neither a row nor a header"), (3, "'X' is not")]),
        ("first,first,risk_factor\n1000,1000,A\n", [(1, "neither a row nor a header that is known")]),
        ("1000 - 1310 - 1400,A\n", [(1, "'1000 - 1310 - 1400' is not a zipcode")]),
        ("1000 -,A\n", [(1, "'' is not a zipcode")]),
        ("1000.0,A\n", [(1, "'1000.0' is not a zipcode")]),
        ("1.000,A\n", [(1, "'1.000' is not a zipcode")]),
        ("1000,\n", [(1, "1 field instead of 2")]),
        ("first,last,risk_factor\n1000,,A\n", [(2, "'' is not a zipcode")]),
    ],
)
def test_what_is_wrong_is_said_of_its_line(text: str, faults: list[tuple[int, str]]) -> None:
    found = _faults(text)
    assert [line for line, _ in found] == [line for line, _ in faults]
    assert all(words in reason for (_, reason), (_, words) in zip(found, faults, strict=True))


def test_most_lines_decide_what_separates() -> None:
    assert [line for line, _ in _faults("1000,A\n1001;B\n1002;C\n")] == [1]


@pytest.mark.parametrize("text", ["", "\n\n", "first,last,risk_factor\n", ";;\n;;\n", "sep=;\n"])
def test_an_empty_table_is_a_fault(text: str) -> None:
    assert _faults(text) == [(1, "there is no range in it")]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"1000,A\r\n1001 \x96 1005,B\r\n", (2, "it is not UTF-8 text (byte 0x96): save it as CSV UTF-8, or as .xlsx")),
        (b"1000,A\r1001,B\r\xe9", (3, "it is not UTF-8 text (byte 0xE9): save it as CSV UTF-8, or as .xlsx")),
        (b"\xff\xfe1\x00\n\x00\x00\xd8", (2, "it is not UTF-16 text (byte 0x00): save it as CSV UTF-8, or as .xlsx")),
        (
            "1000,A\n".encode("utf-16-le"),
            (1, "there is a NUL in it: this is no text, or UTF-16 without its byte order mark"),
        ),
    ],
)
def test_another_encoding_is_refused_and_not_guessed(content: bytes, fault: tuple[int, str]) -> None:
    assert _faults(content) == [fault]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_million_lines_are_the_most(newline: str) -> None:
    assert _faults(newline * 1_000_001) == [(1_000_001, "there are more than 1,000,000 rows")]
    assert _faults(newline * 1_000_000) == [(1, "there is no range in it")]


def test_a_last_line_without_an_end_counts_too() -> None:
    assert _faults("\n" * 1_000_000 + "1000,A") == [(1_000_001, "there are more than 1,000,000 rows")]


def test_the_sample_is_valid_and_leaves_9993_out() -> None:
    table = read_draft(SAMPLE_RISK_TABLE).table
    assert table.factor(Zipcode(9993)) is None
    assert all(count > 1000 for count in table.counts().values())


@given(st.text() | st.text(alphabet='10 -,;\t"\nABsep=\r\0'))
def test_any_text_is_a_table_or_a_list_of_faults(text: str) -> None:
    faults: Sequence[Fault] = ()
    ranges: Sequence[object] = ()
    try:
        ranges = _read(text).ranges
    except InvalidRiskTable as error:
        faults = error.faults
    assert bool(ranges) != bool(faults)
    assert all(fault.line >= 1 and fault.reason for fault in faults) or [each.line for each in faults] == [0]
