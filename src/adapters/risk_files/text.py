"""Risk tables as text.

CSV has fields separated by commas, semicolons or tabs. JSON is
`{"ranges": [{"first": 1000, "last": 1310, "risk_factor": "C"}]}` and nothing else.
"""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from adapters.risk_files.columns import MAX_CHARACTERS, MAX_ROWS, TOO_MANY_ROWS, Record, plain, read_rows
from domain.risk.tables import Fault, InvalidRiskTable, RiskRow, RiskTable

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
        if len(fields) == 1 and line.strip().startswith('"') and any(each in line for each in _DELIMITERS):
            yield Fault(number, "the whole line is in quotes, which makes it one field: leave out the outer quotes")
        elif len(fields) == 1 and others:
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


MAX_JSON_BYTES = 16 * 1024 * 1024
"""A whole JSON text is held in memory, several times over; the largest table takes 1 MB."""

_KEYS = ("first", "last", "risk_factor")
_HEAD = re.compile(r'\s*\{\s*"ranges"\s*:\s*\[\s*')
_NEXT = re.compile(r"\s*(?:(,)\s*|(\])\s*\}\s*\Z)")
_END = re.compile(r"\]\s*\}\s*\Z")


def read_json(text: str) -> Iterator[RiskRow | Fault]:
    """The rows, unchecked, and what is wrong with the ranges that are none; each has the line where it begins.

    :raises InvalidRiskTable: with one fault, where the text ends to be JSON of this form, and for more than `MAX_ROWS`
    """
    head = _HEAD.match(text)
    if head is None:
        raise InvalidRiskTable([Fault(1, 'the JSON does not begin with {"ranges": [')])
    at, line, counted = head.end(), 1, 0
    if _END.match(text, at):
        return
    for number in range(1, MAX_ROWS + 2):
        line += text.count("\n", counted, at)
        counted = at
        if number > MAX_ROWS:
            raise InvalidRiskTable([Fault(line, TOO_MANY_ROWS)])
        try:
            item, after = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise InvalidRiskTable([Fault(line, f"the JSON breaks off at range {number}")]) from error
        yield _json_row(line, item)
        following = _NEXT.match(text, after)
        if following is None:
            raise InvalidRiskTable([Fault(line, f'after range {number} comes neither "," nor the end "]}}"')])
        if following[2]:
            return
        at = following.end()


def write_json(table: RiskTable) -> str:
    """The table as JSON, one range on each line."""
    ranges = (f'{{"first":{item.first},"last":{item.last},"risk_factor":"{item.factor}"}}' for item in table.ranges)
    return '{"ranges":[\n' + ",\n".join(ranges) + "\n]}\n"


class _Number(str):
    """A number as it is written, so that none becomes another."""

    __slots__ = ()


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        found["a key twice"] = None  # of which one would be lost
    return found


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once, parse_int=_Number, parse_float=_Number, parse_constant=_Number, strict=True
)


def _json_row(line: int, item: object) -> RiskRow | Fault:
    if not isinstance(item, dict) or item.keys() != set(_KEYS):
        return Fault(line, f"the range is not an object of {', '.join(_KEYS)}, each once")
    first, last, factor = (item[key] for key in _KEYS)
    if not (isinstance(first, str) and isinstance(last, str) and isinstance(factor, str)):
        return Fault(line, "a bound or the factor is neither a number nor a text")
    return RiskRow(line, first, last, factor)
