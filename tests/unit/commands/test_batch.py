"""`--file`: every line of a CSV file is answered by a result or a problem, in order, and nothing is lost."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from tests.worlds.command_line import CommandLine

ONE = "amount,from,to\n500,2010-06,2019-08\n"
SPOILT = (
    "amount;from;to\n500;2010-06;2019-08\n500,50;2010-06;2019-08\n\n5;2010-13;2019-08\n5;1993-12;2019-08\n5;2010-06\n"
)


@pytest.fixture
def belref(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    return CommandLine(capsys, monkeypatch, tmp_path)


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_an_amount_of_a_file_is_indexed_as_one_alone(belref: CommandLine) -> None:
    [row] = _rows(belref.done("indexation", "--file", belref.file("amounts.csv", ONE)))
    alone = belref("indexation", "500", "--from", "2010-06", "--to", "2019-08", "--json").json
    assert (row["amount"], row["indexed"], row["problem"]) == ("500", "584.18", "")
    [line] = belref.done("indexation", "--file", "amounts.csv", "--json").splitlines()
    assert json.loads(line, parse_float=Decimal) == {"line": 2, "result": alone}


def test_every_line_is_a_result_or_a_problem_that_names_its_line(belref: CommandLine) -> None:
    answer = belref("indexation", "--file", belref.file("amounts.csv", SPOILT))
    assert (answer.code, answer.err) == (1, "4 of 5 cases are problems\n")
    found = _rows(answer.out)
    assert [row["indexed"] for row in found] == ["584.18", "", "", "", ""]
    problems = [row["problem"] for row in found]
    assert problems[0] == ""
    assert problems[1].startswith("line 3: '500,50' is not an amount")
    assert problems[2].startswith("line 5: '2010-13' is not a month")
    assert problems[3].startswith("line 6: The health index starts in 1994-01")
    assert problems[4] == "line 7: it has 2 fields where the header has 3"


def test_a_problem_in_json_is_that_of_the_http_api(belref: CommandLine) -> None:
    answer = belref("indexation", "--file", belref.file("amounts.csv", SPOILT), "--json")
    second = json.loads(answer.out.splitlines()[1])
    assert (second["line"], second["problem"]["type"]) == (3, "urn:problem-type:belref:invalidAmount")
    assert second["problem"]["issues"][0]["name"] == "amount"


def test_options_stand_in_for_columns_that_are_not_there(belref: CommandLine) -> None:
    name = belref.file("amounts.csv", "amount\t base_year \n500\t\n500\t2013\n")
    found = _rows(belref.done("indexation", "--file", name, "--from", "2010-06", "--to", "2019-08"))
    assert [(row["indexed"], row["base_year"]) for row in found] == [("584.18", ""), ("584.20", "2013")]


def test_standard_input_is_a_file(belref: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + ONE.encode()), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", stdin)
    assert _rows(belref.done("indexation", "--file", "-"))[0]["indexed"] == "584.18"


def test_leases_of_a_file_are_answered_as_one_alone(belref: CommandLine) -> None:
    text = "rent,zipcode,signed_on,starts_on\n500,1000,2010-07-25,2010-09-01\n500,1000,2010-07-32,2010-09-01\n"
    answer = belref("rent", "--file", belref.file("leases.csv", text), "--on", "2020-01-01")
    good, bad = _rows(answer.out)
    assert answer.code == 1
    assert (good["anniversary"], good["indexed_rent"], good["problem"]) == ("2019-09-01", "584.18", "")
    assert bad["problem"].startswith("line 3: signed_on")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bedrag,from,to\n", "amounts.csv: no column is called 'bedrag'; there are amount, from, to, base_year, index"),
        ("amount,amount\n", "amounts.csv: the column amount occurs twice"),
        ("amount,from\n5,2010-06\n", "amounts.csv has no column to, and no option stands in for it"),
        ("", "amounts.csv has no column amount"),
        ('amount,from,to\n"5,2010-06,2019-08\n', "amounts.csv is not CSV"),
    ],
)
def test_a_file_that_is_not_understood_is_refused_in_words(belref: CommandLine, text: str, message: str) -> None:
    answer = belref("indexation", "--file", belref.file("amounts.csv", text))
    assert answer.code == 2
    assert message in answer.err


def test_a_file_of_another_encoding_or_none_at_all_is_refused(belref: CommandLine) -> None:
    (belref.folder / "amounts.csv").write_bytes("amount,from,to\n€,2010-06,2019-08\n".encode("cp1252"))
    answer = belref("indexation", "--file", "amounts.csv")
    assert (answer.code, answer.err) == (2, "amounts.csv is not UTF-8 text: save it as CSV UTF-8\n")
    answer = belref("indexation", "--file", "nofile.csv")
    assert (answer.code, answer.err) == (1, "nofile.csv cannot be read: No such file or directory\n")


def test_no_more_cases_are_taken_than_the_limit(belref: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("entrypoints.cli.batch.MOST_CASES", 2)
    answer = belref("indexation", "--file", belref.file("amounts.csv", ONE + "1,2010-06,2019-08\n" * 2))
    assert (answer.code, answer.err) == (2, "amounts.csv has more than 2 cases\n")
    assert len(_rows(answer.out)) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("indexation",),
        ("indexation", "500", "--from", "2010-06"),
        ("indexation", "500", "--file", "x.csv"),
        ("rent", "500", "--signed-on", "2010-07-25"),
        ("rent", "500", "--file", "x.csv"),
        ("rent", "--schedule", "--file", "x.csv"),
    ],
)
def test_one_case_or_a_file_of_them_is_asked_for(belref: CommandLine, arguments: tuple[str, ...]) -> None:
    answer = belref(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert "--file" in answer.err
