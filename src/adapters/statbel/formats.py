"""The two forms in which Statbel gives the health index: the table of the open data and the views of be.STAT.

Bytes go in, figures come out. What is not understood completely is refused as a whole, and a number goes from text to
Decimal, never through a float.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, NoReturn, TypeAlias

from domain.errors import Rejection, SourceRejected
from domain.health_index.figures import FIRST_MONTH, Figure, Month

UNNAMED_BASE = 0
"""The base year of figures whose view names none; `domain.health_index.verification.establish_base` finds it."""

Refuse: TypeAlias = Callable[[Rejection, str], SourceRejected]
"""Makes the error of a source out of a reason and a detail."""

_LAST_WHOLE_BASE = 2013  # carried back to 1994 in every table seen; no table with the base year after it was at hand
_CENT = Decimal("0.01")
_POINTS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,20})?", re.ASCII)
_YEAR = re.compile(r"[12][0-9]{3}", re.ASCII)
_MONTH_NUMBER = re.compile(r"0?[1-9]|1[0-2]", re.ASCII)


def describe(content: bytes) -> str:
    """What this is when it is not data, in a few words that echo nothing of it."""
    start = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    return "the answer is empty" if not start else "it is a web page" if start[:1] == b"<" else "it is something else"


def _points(text: str, where: str, refuse: Refuse) -> Decimal:
    if not _POINTS.fullmatch(text):
        raise refuse(Rejection.MALFORMED_NUMBER, f"{text[:24]!r} in {where}")
    return Decimal(text).quantize(_CENT, ROUND_HALF_UP)


def _before_its_time(month: Month, base_year: int) -> bool:
    """Whether an index of this base year need not reach back to this month; the verification finds holes."""
    return base_year > _LAST_WHOLE_BASE and month.year < base_year


# -- open data -------------------------------------------------------------------------------------

_COLUMNS = ("NM_YR", "NM_MTH", "NM_BASE_YR", "MS_HLTH_IDX", "MS_SMOOTH_IDX")
_MISSING = "."
_LONGEST_LINE = 1000
_BLANKS = " \t\r"


def parse_table(content: bytes, source: str) -> list[Figure]:
    """The figures of the open-data table, all base years, since January 1994.

    UTF-8, `|` between fields, `.` for what is missing; columns are found by their code. Blank lines, and blanks at
    the end of a line, say nothing. A base year without any health
    index is left out; in the others no month from 1994 on may lack it, but for months before a base year of after 2013.
    The smoothed health index may be missing.

    :raises SourceRejected: for a table that is anything else
    """
    refuse = partial(SourceRejected, source)
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise refuse(Rejection.NOT_DATA, "the table is not UTF-8") from error
    figures: list[Figure] = []
    missing: dict[int, Month] = {}
    for where, (month, base_year, value, smoothed) in _rows(lines, refuse):
        if month < FIRST_MONTH:
            continue
        if value == _MISSING:
            if not _before_its_time(month, base_year):
                missing.setdefault(base_year, month)
            continue
        points = _points(value, where, refuse)
        figures.append(
            Figure(month, base_year, points, None if smoothed == _MISSING else _points(smoothed, where, refuse))
        )
    for base_year in sorted(missing.keys() & {figure.base_year for figure in figures}):
        raise refuse(Rejection.MISSING_FIGURE, f"{missing[base_year]} in base {base_year} is missing")
    if not figures:
        raise refuse(Rejection.NO_FIGURES, "there is no health index in the table")
    return figures


def _rows(lines: Sequence[str], refuse: Refuse) -> Iterator[tuple[str, tuple[Month, int, str, str]]]:
    """Each row with its place: its month, its base year and the texts of its two indices."""
    written = ((number, line) for number, line in enumerate(lines, start=1) if line and not line.isspace())
    number, line = next(written, (1, ""))
    header = _fields(line, f"line {number}", refuse)
    for code in _COLUMNS:
        if header.count(code) != 1:
            raise refuse(Rejection.MISSING_COLUMN, f"column {code} occurs {header.count(code)} times")
    pick = itemgetter(*map(header.index, _COLUMNS))
    for number, line in written:
        where = f"line {number}"
        fields = _fields(line, where, refuse)
        if len(fields) != len(header):
            raise refuse(Rejection.MALFORMED_RECORD, f"{where} has {len(fields)} fields, not {len(header)}")
        year, month, base_year, value, smoothed = pick(fields)
        if not (_YEAR.fullmatch(year) and _MONTH_NUMBER.fullmatch(month) and _YEAR.fullmatch(base_year)):
            date = f"{year[:8]!r}, {month[:8]!r}, {base_year[:8]!r}"
            raise refuse(Rejection.MALFORMED_RECORD, f"{date} are no year, month and base year, in {where}")
        yield where, (Month(int(year), int(month)), int(base_year), value, smoothed)


def _fields(line: str, where: str, refuse: Refuse) -> list[str]:
    if len(line) > _LONGEST_LINE:
        raise refuse(Rejection.MALFORMED_RECORD, f"{where} has {len(line)} characters")
    return line.rstrip(_BLANKS).split("|")


def begins_table(start: bytes) -> bool:
    """Whether a text that begins so has the header of the table."""
    text = start.decode("utf-8-sig", "ignore").lstrip()
    header = text[:_LONGEST_LINE].split("\n", 1)[0].rstrip(_BLANKS).split("|")
    return all(header.count(code) == 1 for code in _COLUMNS)


# -- be.STAT views ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Language:
    """How a view names its fields and months; which language it speaks is fixed by its address."""

    year: str
    month: str
    base_year: str | None
    value: str
    smoothed: str
    months: tuple[str, ...]


_ENGLISH = _Language(
    year="Year",
    month="Month",
    base_year="Base year",
    value="Health index",
    smoothed="Health index (moving average)",
    months=(
        *("january", "february", "march", "april", "may", "june"),
        *("july", "august", "september", "october", "november", "december"),
    ),
)
_DUTCH = _Language(
    year="Jaar",
    month="Maand",
    base_year=None,  # no Dutch view that names it has been seen
    value="Gezondheidsindex",
    smoothed="Afgevlakte index",
    months=(
        *("januari", "februari", "maart", "april", "mei", "juni"),
        *("juli", "augustus", "september", "oktober", "november", "december"),
    ),
)
_BASE_YEAR = re.compile(r"([12][0-9]{3}) ?= ?100", re.ASCII)


class _Number(NamedTuple):
    """A number of a JSON text as it was written."""

    text: str


def parse_view(content: bytes, source: str) -> list[Figure]:
    """The figures of a be.STAT view in JSON, English or Dutch, since January 1994.

    Records without year and month are totals and are left out. Where the view has no field for the base year, it is
    given as `UNNAMED_BASE`.

    :raises SourceRejected: for an answer that is anything else
    """
    refuse = partial(SourceRejected, source)
    records = _records(content, refuse)
    language = _language(records, refuse)
    figures: list[Figure] = []
    for number, record in enumerate(records, start=1):
        where = f"record {number}"
        if record.keys() != records[0].keys():
            raise refuse(Rejection.MALFORMED_RECORD, f"{where} has other fields than the first")
        figure = _figure(record, language, where, refuse)
        if figure is not None:
            figures.append(figure)
    if not figures:
        raise refuse(Rejection.NO_FIGURES, "there is no health index in the view")
    return figures


def _records(content: bytes, refuse: Refuse) -> list[dict[str, object]]:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        record = dict(pairs)
        if len(record) != len(pairs):
            raise refuse(Rejection.MALFORMED_RECORD, "a field is there twice in one record")
        return record

    def constant(name: str) -> NoReturn:
        raise refuse(Rejection.MALFORMED_NUMBER, f"{name} is not a number")

    try:
        answer: Any = json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=unique,
            parse_float=_Number,
            parse_int=_Number,
            parse_constant=constant,
        )
    except (ValueError, RecursionError) as error:
        raise refuse(Rejection.NOT_DATA, f"{describe(content)}, not JSON that can be read") from error
    records = answer.get("facts") if isinstance(answer, dict) else None
    if not isinstance(records, list):
        raise refuse(Rejection.NOT_DATA, "there is no list of facts")
    if not all(isinstance(record, dict) for record in records):
        raise refuse(Rejection.MALFORMED_RECORD, "a fact is not a record")
    return records


def _language(records: Sequence[dict[str, object]], refuse: Refuse) -> _Language:
    if not records:
        raise refuse(Rejection.NO_FIGURES, "the list of facts is empty")
    for language in (_ENGLISH, _DUTCH):
        if language.month in records[0] and language.value in records[0]:
            return language
    raise refuse(Rejection.MISSING_COLUMN, "no month with a health index, in English or in Dutch")


def _figure(record: dict[str, object], language: _Language, where: str, refuse: Refuse) -> Figure | None:
    """The figure of a record; None for a total and for a month before the first health index."""
    year, name = record.get(language.year), record[language.month]
    if year is None and name is None:
        return None
    month = _month(name, year, language, where, refuse)
    base_year = _base_year(record, language, where, refuse)
    value, smoothed = record[language.value], record.get(language.smoothed)
    if month < FIRST_MONTH:
        return None
    if value is None:
        if _before_its_time(month, base_year):
            return None
        raise refuse(Rejection.MISSING_FIGURE, f"{month} is missing, in {where}")
    points = _amount(value, where, refuse)
    return Figure(month, base_year, points, None if smoothed is None else _amount(smoothed, where, refuse))


def _amount(value: object, where: str, refuse: Refuse) -> Decimal:
    if not isinstance(value, _Number):
        raise refuse(Rejection.MALFORMED_NUMBER, f"an index is not a number, in {where}")
    return _points(value.text, where, refuse)


def _month(name: object, year: object, language: _Language, where: str, refuse: Refuse) -> Month:
    """Read `March 1983`; a year in a field of its own must be the same."""
    words = name.casefold().split(" ") if isinstance(name, str) else []
    if len(words) != 2 or words[0] not in language.months or not _YEAR.fullmatch(words[1]):
        raise refuse(Rejection.MALFORMED_RECORD, f"no month that can be read, in {where}")
    if year is not None and year != words[1]:
        raise refuse(Rejection.MALFORMED_RECORD, f"the month and the year do not agree, in {where}")
    return Month(int(words[1]), language.months.index(words[0]) + 1)


def _base_year(record: dict[str, object], language: _Language, where: str, refuse: Refuse) -> int:
    """Read `1988 = 100`."""
    if language.base_year is None or language.base_year not in record:
        return UNNAMED_BASE
    text = record[language.base_year]
    match = _BASE_YEAR.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise refuse(Rejection.MALFORMED_RECORD, f"no base year that can be read, in {where}")
    return int(match[1])
