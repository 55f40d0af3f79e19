"""Zipcodes, risk factors and the risk table of an operator."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple, NewType

from domain.errors import LogicalError


@dataclass(eq=False)
class InvalidZipcode(LogicalError):
    value: str

    def __str__(self) -> str:
        return f"Zipcode {self.value} is not valid"


@dataclass(eq=False)
class InvalidRiskTable(LogicalError):
    """`faults` are in order of line, at least one; `total` counts those that are left out as well."""

    faults: Sequence["Fault"]
    total: int = 0

    def __post_init__(self) -> None:
        self.total = max(self.total, len(self.faults))

    def __str__(self) -> str:
        first = self.faults[0]
        more = f" (and {self.total - 1:,} more)" if self.total > 1 else ""
        return f"The risk table is not valid: {first}{more}"


FIRST_ZIPCODE = 1000
LAST_ZIPCODE = 9999

Zipcode = NewType("Zipcode", int)
"""An integer from 1000 to 9999, bounds included; that it lies there does not mean that a post office uses it."""

_FOUR_DIGITS = re.compile(r"[1-9][0-9]{3}", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,8}|0", re.ASCII)  # 01000 is no way to write 1000


def parse_zipcode(text: str) -> Zipcode:
    """Read a zipcode as people write it: exactly four digits, no sign, no blank.

    :raises InvalidZipcode: for anything else
    """
    if not _FOUR_DIGITS.fullmatch(text):
        raise InvalidZipcode(text[:32])
    return Zipcode(int(text))


class RiskFactor(StrEnum):
    """An insurer's class of risk. The letters have no order."""

    A = "A"
    B = "B"
    C = "C"


@dataclass(frozen=True, slots=True, order=True)
class RiskRange:
    """The zipcodes from `first` to `last`, both included, and their one factor."""

    first: int
    last: int
    factor: RiskFactor

    def __str__(self) -> str:
        return _as_range(self.first, self.last)


class RiskRow(NamedTuple):
    """A range as somebody wrote it, unchecked; `line` counts from 1 in the source."""

    line: int
    first: str
    last: str
    factor: str


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong with one line of a risk table, in words for whoever wrote it; line 0 stands for the whole of it."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}" if self.line else self.reason


MAX_FAULTS = 1_000
"""How many faults of a table an error lists; it counts the rest."""


class _Faults:
    """Keeps the first faults by line and counts all, whatever the order in which they come."""

    def __init__(self) -> None:
        self.total = 0
        self._kept: list[Fault] = []
        self._until: int | None = None  # faults behind this line are only counted

    def add(self, line: int, reason: object) -> None:
        """Count a fault; `reason` is put into words only where it may be told."""
        self.total += 1
        if self._until is not None and line > self._until:
            return
        self._kept.append(Fault(line, str(reason)))
        if len(self._kept) >= 2 * MAX_FAULTS:
            self._kept = self.first()
            self._until = self._kept[-1].line

    def first(self) -> list[Fault]:
        return sorted(self._kept)[:MAX_FAULTS]


class RiskTable:
    """A set of ranges that do not overlap; immutable.

    Two tables are equal when they give every zipcode the same factor. Look-up is one index into 10,000 bytes, so the
    number of ranges does not matter.
    """

    def __init__(self, ranges: Iterable[RiskRange] = ()) -> None:
        """Build the table.

        :raises InvalidRiskTable: for bounds outside 1000 to 9999, reversed bounds and overlaps; a fault's line is the
            number of its range, from 1
        """
        given = list(ranges)
        self._ranges = tuple(sorted(given, key=_first))
        codes = bytearray(LAST_ZIPCODE + 1)
        end = FIRST_ZIPCODE - 1
        for item in self._ranges:
            first, last = item.first, item.last
            if not end < first <= last <= LAST_ZIPCODE:
                raise InvalidRiskTable(_faults(given))
            codes[first : last + 1] = _CODE[item.factor] * (last - first + 1)
            end = last
        self._codes = bytes(codes)

    @classmethod
    def from_rows(cls, rows: Iterable["RiskRow | Fault"]) -> "RiskTable":
        """Check every row and build the table, or report all faults at once.

        A reader of files gives a fault in place of a row that it cannot read. A table without a range is a fault.

        :raises InvalidRiskTable: with the first `MAX_FAULTS` faults by line, and how many there are
        """
        found = _Faults()
        spans: list[_Span] = []
        ranges: list[RiskRange] = []
        for row in rows:
            if isinstance(row, Fault):
                found.add(row.line, row.reason)
                continue
            line, first, last = row.line, _BOUND.get(row.first), _BOUND.get(row.last)
            factor = _BY_LETTER.get(row.factor)
            if first is not None and last is not None and first <= last:
                spans.append(_Span(first, last, line))  # whatever its factor: it overlaps others all the same
                if factor is not None and not found.total:
                    ranges.append(RiskRange(first, last, factor))
            else:
                for reason in _faults_of_bounds(row):
                    found.add(line, reason)
            if factor is None:
                found.add(line, _NotAFactor(row.factor))
        for overlap in _overlaps(spans):
            found.add(overlap.later.line, overlap)
        if not spans and not found.total:
            found.add(1, "there is no range in it")
        if found.total:
            raise InvalidRiskTable(found.first(), found.total)
        return cls(ranges)

    @classmethod
    def from_factors(cls, factors: Mapping[int, RiskFactor]) -> "RiskTable":
        """Build the table that gives each of these zipcodes its factor, in as few ranges as possible.

        :raises InvalidRiskTable: for a zipcode outside 1000 to 9999
        """
        runs = groupby(enumerate(sorted(factors)), key=lambda pair: (pair[1] - pair[0], factors[pair[1]]))
        numbers = (([zipcode for _, zipcode in run], factor) for (_, factor), run in runs)
        return cls(RiskRange(run[0], run[-1], factor) for run, factor in numbers)

    @property
    def ranges(self) -> tuple[RiskRange, ...]:
        """The ranges as they were given, ascending."""
        return self._ranges

    def factor(self, zipcode: Zipcode) -> RiskFactor | None:
        """The factor of a zipcode; None where the table does not cover it."""
        return FACTOR_OF_CODE[self._codes[zipcode]]

    def factors(self) -> Iterator[tuple[Zipcode, RiskFactor]]:
        """Every zipcode that the table covers with its factor, ascending."""
        for item in self._ranges:
            for zipcode in range(item.first, item.last + 1):
                yield Zipcode(zipcode), item.factor

    def select(self, factors: Collection[RiskFactor]) -> tuple[tuple[Zipcode, RiskFactor], ...]:
        """Every zipcode that has one of these factors, with it, ascending."""
        return tuple(
            (Zipcode(zipcode), item.factor)
            for item in self._ranges
            if item.factor in factors
            for zipcode in range(item.first, item.last + 1)
        )

    def counts(self) -> dict[RiskFactor, int]:
        """How many zipcodes have each factor."""
        return {factor: self._codes.count(ord(factor)) for factor in RiskFactor}

    @property
    def codes(self) -> bytes:
        """One byte for each number up to 9999: the letter of its factor, or zero. For comparing whole tables."""
        return self._codes

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what the table says, in hexadecimal; equal tables have equal digests."""
        return sha256(self._codes).hexdigest()

    def __eq__(self, other: object) -> bool:
        return self._codes == other._codes if isinstance(other, RiskTable) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._codes)

    def __repr__(self) -> str:
        counts = ", ".join(f"{factor} {count}" for factor, count in self.counts().items())
        return f"<RiskTable of {len(self._ranges)} ranges: {counts}>"


_BY_LETTER = {factor.value: factor for factor in RiskFactor}
_CODE = {factor: factor.value.encode("ascii") for factor in RiskFactor}
_first = attrgetter("first")
FACTOR_OF_CODE = tuple(_BY_LETTER.get(chr(code)) for code in range(256))
"""What a byte of `RiskTable.codes` stands for; None for no factor."""


class _Span(NamedTuple):
    """The bounds of a range and its line; spans sort by their first zipcode."""

    first: int
    last: int
    line: int

    def __str__(self) -> str:
        return _as_range(self.first, self.last)


def _faults(ranges: Iterable[RiskRange]) -> list[Fault]:
    """The faults of these ranges; a fault's line is the number of its range, from 1."""
    spans = [_Span(item.first, item.last, number) for number, item in enumerate(ranges, start=1)]
    faults = [Fault(span.line, reason) for span in spans for reason in _bound_faults(span)]
    overlaps = _overlaps(span for span in spans if span.first <= span.last)
    return sorted([*faults, *(Fault(overlap.later.line, str(overlap)) for overlap in overlaps)])


def _as_range(first: int, last: int) -> str:
    return f"{first} - {last}" if last > first else f"{first}"


def _bound_faults(span: _Span) -> Iterator[str]:
    outside = [bound for bound in dict.fromkeys((span.first, span.last)) if not FIRST_ZIPCODE <= bound <= LAST_ZIPCODE]
    for bound in outside:
        yield f"{bound} lies outside {FIRST_ZIPCODE} to {LAST_ZIPCODE}"
    if span.first > span.last:
        yield f"the range is reversed: {span.first} comes after {span.last}"


_BOUND = {str(zipcode): zipcode for zipcode in range(FIRST_ZIPCODE, LAST_ZIPCODE + 1)}
"""Every bound as it is written where nothing is wrong with it: looking it up is all that most rows need."""


def _faults_of_bounds(row: RiskRow) -> list[str]:
    """What is wrong with the bounds of a row whose bounds are not both right."""
    texts = dict.fromkeys((row.first, row.last))
    reasons = [f"'{text[:32]}' is not a zipcode" for text in texts if not _NUMBER.fullmatch(text)]
    return reasons or list(_bound_faults(_Span(int(row.first), int(row.last), row.line)))


# A file may have a million faults, of which a thousand are told: the words of the others are never made.


class _NotAFactor(NamedTuple):
    given: str

    def __str__(self) -> str:
        return f"'{self.given[:32]}' is not a risk factor (A, B or C)"


class _Overlap(NamedTuple):
    """That a range starts inside an earlier one; `later` and `earlier` in the order of their lines."""

    later: _Span
    earlier: _Span

    def __str__(self) -> str:
        return f"{self.later} overlaps {self.earlier} of line {self.earlier.line}"


def _overlaps(spans: Iterable[_Span]) -> Iterator[_Overlap]:
    """One for each range that starts inside an earlier one."""
    reach: _Span | None = None
    for span in sorted(spans):
        if reach is not None and span.first <= reach.last:
            yield _Overlap(span, reach) if span.line > reach.line else _Overlap(reach, span)
        if reach is None or span.last > reach.last:
            reach = span
