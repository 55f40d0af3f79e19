"""Risk tables as text: fields separated by commas, semicolons or tabs."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from adapters.risk_columns import MAX_CHARACTERS, MAX_ROWS, TOO_MANY_ROWS, Record, plain, read_rows
from domain.errors import InvalidRiskTable
from domain.zipcodes import Fault, RiskRow, RiskTable

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_SAMPLE = 20  # lines that say by what the file separates
_EXCEL_HINT = re.compile(r'"?sep=(.)"?', re.IGNORECASE)  # Excel writes and obeys such a first line
_AFTER_QUOTE = re.compile(r'" +(?=[,;\t]|$)')

_Line = tuple[int, str]


def read_text(blocks: Iterable[bytes], encoding: str) -> Iterator[RiskRow | Fault]:
    """The rows of a text, unchecked, and the faults of its lines.

    :raises InvalidRiskTable: with one fault, where the text ends to be one: a byte of another encoding, a NUL, a line
        of more than `MAX_CHARACTERS`, more than `MAX_ROWS` lines
    """
    return read_rows(_records(_lines(_held(blocks), encoding)))


def write_csv(table: RiskTable) -> str:
    """The table with the header first,last,risk_factor, one range on each line."""
    lines = ("first,last,risk_factor", *(f"{item.first},{item.last},{item.factor}" for item in table.ranges))
    return "".join(f"{line}\n" for line in lines)


def _held(blocks: Iterable[bytes]) -> list[bytes]:
    """All blocks, unless they have too many lines: counting bytes takes a hundredth of the time of reading them."""
    held: list[bytes] = []
    feeds = returns = 0
    for block in blocks:
        feeds, returns = feeds + block.count(b"\n"), returns + block.count(b"\r")
        if max(feeds, returns) > MAX_ROWS:
            raise InvalidRiskTable([Fault(MAX_ROWS + 1, TOO_MANY_ROWS)])
        held.append(block)
    return held


def _lines(blocks: Iterable[bytes], encoding: str) -> Iterator[_Line]:
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    number, rest = 0, ""
    for block in chain(blocks, (b"",)):
        try:
            text = rest + decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            held_back = "\r" if decoder.getstate()[1] & 1 else ""  # it may be half an end of line
            raise _not_text(error, number, rest + held_back) from error
        *whole, rest = text.split("\n")
        if not block and rest:
            whole.append(rest)
        for line in whole:
            number += 1
            _bound(number, line)
            yield number, line
        _bound(number + bool(rest), rest)


def _bound(number: int, line: str) -> None:
    if number > MAX_ROWS:
        raise InvalidRiskTable([Fault(number, TOO_MANY_ROWS)])
    if len(line) > MAX_CHARACTERS:
        raise InvalidRiskTable([Fault(number, f"the line is longer than {MAX_CHARACTERS:,} characters")])
    if "\0" in line:
        raise InvalidRiskTable(
            [Fault(number, "there is a NUL in it: this is no text, or UTF-16 without its byte order mark")]
        )


def _not_text(error: UnicodeDecodeError, number: int, rest: str) -> InvalidRiskTable:
    before = rest + error.object[: error.start].decode(error.encoding, "replace")
    line = number + 1 + before.replace("\r\n", "\n").replace("\r", "\n").count("\n")
    wanted = "UTF-16" if "16" in error.encoding else "UTF-8"
    reason = f"it is not {wanted} text (byte 0x{error.object[error.start]:02X}): save it as CSV UTF-8, or as .xlsx"
    return InvalidRiskTable([Fault(line, reason)])


def _records(lines: Iterator[_Line]) -> Iterator[Record | Fault]:
    written = ((number, plain(line)) for number, line in lines if line and not line.isspace())
    sample = list(islice(written, _SAMPLE))
    delimiter = None
    if sample and (hint := _EXCEL_HINT.fullmatch(sample[0][1].strip(" "))):
        number, delimiter = sample.pop(0)[0], hint[1]
        if delimiter not in _DELIMITERS:
            raise InvalidRiskTable([Fault(number, f"fields separated by '{delimiter}' are not read")])
    if delimiter is None:
        delimiter = _delimiter(line for _, line in sample)
    for number, line in chain(sample, written):
        try:
            fields = _fields(line, delimiter)
        except csv.Error as error:
            reason = "a quote is not closed" if "unexpected end" in str(error) else "there is a quote inside a field"
            yield Fault(number, reason)
            continue
        others = [each for each in _DELIMITERS if each != delimiter and each in line]
        if len(fields) == 1 and others:
            name = _DELIMITERS[others[0]]
            yield Fault(number, f"separated by {name}, where the file has {_DELIMITERS[delimiter]}")
        else:
            yield number, fields


def _delimiter(sample: Iterable[str]) -> str:
    """What separates most of the lines; of two that separate as many, what came first."""
    separated: dict[str, int] = {}
    for line in sample:
        for delimiter in _DELIMITERS:
            try:
                fields = _fields(line, delimiter)
            except csv.Error:
                continue
            if len(fields) > 1:
                separated[delimiter] = separated.get(delimiter, 0) + 1
    return max(separated, key=separated.__getitem__, default=",")


def _fields(line: str, delimiter: str) -> list[str]:
    if '"' not in line:
        return line.split(delimiter)
    reader = csv.reader([_AFTER_QUOTE.sub('"', line)], delimiter=delimiter, skipinitialspace=True, strict=True)
    return next(reader)
