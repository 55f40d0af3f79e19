"""Risk tables as JSON: `{"ranges": [{"first": 1000, "last": 1310, "risk_factor": "C"}]}` and nothing else in it."""

import json
import re
from collections.abc import Iterator

from adapters.risk_columns import MAX_ROWS, TOO_MANY_ROWS
from domain.errors import InvalidRiskTable
from domain.zipcodes import Fault, RiskRow, RiskTable

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
        yield _row(line, item)
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


def _row(line: int, item: object) -> RiskRow | Fault:
    if not isinstance(item, dict) or item.keys() != set(_KEYS):
        return Fault(line, f"the range is not an object of {', '.join(_KEYS)}, each once")
    first, last, factor = (item[key] for key in _KEYS)
    if not (isinstance(first, str) and isinstance(last, str) and isinstance(factor, str)):
        return Fault(line, "a bound or the factor is neither a number nor a text")
    return RiskRow(line, first, last, factor)
