"""`--file`: many cases from a CSV file, each answered by a result or a problem on a line of its own."""

import contextlib
import csv
import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TextIO, TypeVar

import click
import msgspec

from domain.errors import LogicalError
from entrypoints.cli.commands import Notice, NotUnderstood, Refused, encodable, print_json
from entrypoints.http.problems import ProblemError, bad_input, problem_of

MOST_CASES = 1_000_000

Case = TypeVar("Case", bound=msgspec.Struct)

_DELIMITERS = ",;\t"
_PROBLEM = "problem"

file_option = click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Many at once, from CSV with a header; - for standard input. Options stand in for columns that it has not.",
)


@dataclass(frozen=True, slots=True)
class Batch(Generic[Case]):
    """How the cases of one command are read, answered and shown; columns are called as the fields of the HTTP API."""

    case: type[Case]
    answer: Callable[[Case], msgspec.Struct]
    shown: Sequence[str]
    """The fields of a result that follow the columns of the file in CSV."""

    def run(self, path: Path, given: Mapping[str, object], *, as_json: bool) -> None:
        """Answer every line of the file; `given` stands in for columns that it does not have, where it is not None.

        :raises NotUnderstood: for a file that is no CSV of such cases
        :raises Refused: after the last answer, when one is a problem
        """
        name = "standard input" if str(path) == "-" else encodable(path.name)
        total = problems = 0
        notice = Notice(silent=sys.stdout.isatty())  # answers in a terminal are progress enough
        try:
            with _opened(path, name) as file, _reading(name):
                rows = _Rows(file)
                header = [column.strip() for column in next(rows, [])]
                defaults = {column: str(value) for column, value in given.items() if value is not None}
                self._check(header, defaults, name)
                show = _JsonLines() if as_json else _CsvLines(header, self.shown)
                for row in rows:
                    total += 1
                    if total > MOST_CASES:
                        raise NotUnderstood("too_many_cases", [f"{name} has more than {MOST_CASES:,} cases"])
                    answer = self._answered(header, row, defaults)
                    problems += _PROBLEM in answer
                    show(rows.line, row, answer)
                    notice.say(f"answered: {total:,} cases")
        finally:
            notice.close()
        if problems:
            raise Refused("problems", [f"{problems:,} of {total:,} cases are problems"])

    def _check(self, header: Sequence[str], defaults: Mapping[str, str], name: str) -> None:
        fields = msgspec.structs.fields(self.case)
        columns = [field.encode_name for field in fields]
        there_are = f"there are {', '.join(columns)}"
        for column in header:
            if column not in columns:
                raise NotUnderstood("unknown_column", [f"{name}: no column is called '{column[:32]}'; {there_are}"])
            if header.count(column) > 1:
                raise NotUnderstood("repeated_column", [f"{name}: the column {column} occurs twice"])
        for field in fields:
            if field.required and field.encode_name not in {*header, *defaults}:
                reason = f"{name} has no column {field.encode_name}, and no option stands in for it; {there_are}"
                raise NotUnderstood("missing_column", [reason])

    def _answered(self, header: Sequence[str], row: Sequence[str], defaults: Mapping[str, str]) -> dict[str, object]:
        """What stands for one line in JSON: its result, or its problem."""
        try:
            if len(row) != len(header):
                fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
                raise bad_input("body", "line", f"it has {fields} where the header has {len(header)}", None)
            given = {column: text.strip() for column, text in zip(header, row, strict=True) if text.strip()}
            # Through JSON, as over HTTP: an amount is taken as it is written, and never as a float.
            case = msgspec.json.decode(msgspec.json.encode({**defaults, **given}), type=self.case, strict=False)
            return {"result": self.answer(case)}
        except msgspec.DecodeError as error:
            words, _, place = str(error).partition(" - at `$.")
            column = place.rstrip("`")
            return {_PROBLEM: _problem(bad_input("body", column or "line", f"{column} {words}".strip(), None))}
        except (LogicalError, ProblemError) as error:
            return {_PROBLEM: _problem(error)}


def _problem(error: LogicalError | ProblemError) -> dict[str, object]:
    """The problem that the HTTP API would answer, but for the id of a request."""
    body: dict[str, object] = msgspec.to_builtins(problem_of(error, ""))
    del body["instance"]
    return body


class _JsonLines:
    """One object on each line."""

    def __call__(self, line: int, row: Sequence[str], answer: Mapping[str, object]) -> None:  # noqa: ARG002 - as CSV
        print_json({"line": line, **answer})


class _CsvLines:
    """The columns of the file, some of the result, and in the last one what is wrong where there is none."""

    def __init__(self, header: Sequence[str], shown: Sequence[str]) -> None:
        self._shown = [column for column in shown if column not in header]
        self._width = len(header)
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._writer.writerow([*header, *self._shown, _PROBLEM])

    def __call__(self, line: int, row: Sequence[str], answer: Mapping[str, object]) -> None:
        problem, result = answer.get(_PROBLEM), answer.get("result")
        detail = f"line {line}: {problem['detail']}" if isinstance(problem, dict) else ""
        values = (getattr(result, column, "") for column in self._shown)
        cut = [*row, *[""] * self._width][: self._width]
        self._writer.writerow([*cut, *values, detail])


class _Rows:
    """The rows of a CSV file that are not empty, separated by whatever separates most fields of the first."""

    def __init__(self, file: TextIO) -> None:
        first = file.readline()
        delimiter = max(_DELIMITERS, key=first.count)
        self._reader = csv.reader(_then(first, file), delimiter=delimiter, skipinitialspace=True, strict=True)

    @property
    def line(self) -> int:
        """The number of the line that was read last, from 1."""
        return self._reader.line_num

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        while True:
            row = next(self._reader)
            if any(field.strip() for field in row):
                return row


def _then(first: str, rest: TextIO) -> Iterator[str]:
    if first:
        yield first
        yield from rest


@contextlib.contextmanager
def _opened(path: Path, name: str) -> Iterator[TextIO]:
    if str(path) == "-":
        stream = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
        try:
            yield stream
        finally:
            stream.detach()  # it is not ours to close
        return
    try:
        file = path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise Refused("unreadable", [f"{name} cannot be read: {error.strerror or type(error).__name__}"]) from error
    with file:
        yield file


@contextlib.contextmanager
def _reading(name: str) -> Iterator[None]:
    """What a file that is no CSV text raises while it is read, in words."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise NotUnderstood("not_text", [f"{name} is not UTF-8 text: save it as CSV UTF-8"]) from error
    except csv.Error as error:
        raise NotUnderstood("not_csv", [f"{name} is not CSV: {error}"]) from error
    except OSError as error:
        raise Refused("unreadable", [f"{name} cannot be read: {error.strerror or type(error).__name__}"]) from error
