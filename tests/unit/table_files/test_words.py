"""What is wrong with a file is named, so that whoever wrote it finds it."""

from io import BytesIO
from pathlib import Path

import pytest

from adapters.risk_files.reading import draft_from, read_draft
from domain.risk.tables import Fault, InvalidRiskTable

_WANTED = "a table has zipcode,risk_factor or first,last,risk_factor and no other columns"


def _faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(InvalidRiskTable) as caught:
        draft_from(BytesIO(text.encode()), label="any")
    return [(fault.line, fault.reason) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("von;bis;Risikofaktor", "no column is called 'von', 'bis', 'Risikofaktor'"),
        ("Postleitzahl;Risikofaktor", "no column is called 'Postleitzahl', 'Risikofaktor'"),
        ("first;last;risk_factor;remark", "no column is called 'remark'"),
        (";Postcode;Risicofactor", "no column is called an empty field"),
        ("a;b;c;d;e;f", "no column is called 'a', 'b', 'c', 'd', 'e', ..."),
        ("first;risk_factor", "it has first, risk_factor"),
        ("y" * 900 + ";" + "factor", f"no column is called '{'y' * 32}'"),
    ],
)
def test_columns_that_are_not_known_are_named(header: str, named: str) -> None:
    reason = f"neither a row nor a header that is known: {named}; {_WANTED}"
    assert _faults(f"{header}\n1000;C\n")[0] == (1, reason)


def test_a_line_that_is_quoted_as_a_whole_is_named_so() -> None:
    reason = "the whole line is in quotes, which makes it one field: leave out the outer quotes"
    assert _faults('"Postcode;Risicofactor"\n"1000;C"\n') == [(1, reason), (2, reason)]
    assert _faults('"1000 - 1310,C"\n') == [(1, reason)]


def test_a_field_too_much_is_named() -> None:
    assert _faults("1000,A,Brussel\n") == [
        (1, "3 fields instead of 2: a zipcode or a range such as 1000 - 1310, and a factor; 'Brussel' is too much")
    ]
    assert _faults("first,last,factor\n1000,1000,A,x\n1001,1001\n") == [
        (2, "4 fields where the header has 3 (first, last, factor); 'x' is too much"),
        (3, "2 fields where the header has 3 (first, last, factor)"),
    ]


def test_what_is_wrong_with_a_file_as_a_whole_names_no_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidRiskTable) as caught:
        read_draft(tmp_path / "nofile.csv")
    assert [fault.line for fault in caught.value.faults] == [0]
    assert str(caught.value) == "The risk table is not valid: it cannot be read: No such file or directory"
    assert str(Fault(3, "it is wrong")) == "line 3: it is wrong"


def test_how_many_rows_are_checked_is_told_while_it_goes_on() -> None:
    told: list[int] = []
    text = "".join(f"{1000 + number % 9000},A\n" for number in range(25_000))
    with pytest.raises(InvalidRiskTable):
        draft_from(BytesIO(text.encode()), label="any", checked=told.append)
    assert told == [10_000, 20_000]
