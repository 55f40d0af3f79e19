"""Everything that the domain and its ports raise.

DomainError
├── LogicalError                the caller can do something about it
│   ├── InvalidZipcode          not an integer from 1000 to 9999
│   ├── NoRiskFactor            a zipcode that the active table does not cover
│   ├── InvalidMonth            not a month written YYYY-MM
│   ├── ReversedPeriod          a first month after the last
│   ├── UnknownBaseYear         a base year in which no figure is published
│   ├── BeforeFirstMonth        earlier than the first health index, January 1994
│   ├── NotYetPublished         later than every figure known
│   ├── NoFigure                known in another base year only, and no rule leads from there
│   └── InvalidRiskTable        a table with faults, all of them listed
└── TechnicalError              try again later; an older answer may stand in
    ├── StorageUnavailable      the risk table's store does not answer
    ├── NoActiveRelease         no risk table has been loaded
    ├── SourceUnavailable       a publisher of figures does not answer
    └── SourceRejected          it answered with something that is not believed

An error carries data and a message; it knows nothing of HTTP. The message of a logical error may be shown to anyone,
that of a technical error is for the log. Only a technical error may be retried, sent on to the next source or answered
with older data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # health_index and zipcodes raise what is declared here
    from domain.health_index import Month
    from domain.zipcodes import Fault


class DomainError(Exception):
    """The root; never raised itself."""


class LogicalError(DomainError):
    """The caller can do something about it."""


class TechnicalError(DomainError):
    """Try again later; an older answer may stand in."""


@dataclass(eq=False)
class InvalidZipcode(LogicalError):
    value: str

    def __str__(self) -> str:
        return f"Zipcode {self.value} is not valid"


@dataclass(eq=False)
class NoRiskFactor(LogicalError):
    zipcode: int
    release: str

    def __str__(self) -> str:
        return f"Zipcode {self.zipcode} has no risk factor in release {self.release}"


@dataclass(eq=False)
class InvalidMonth(LogicalError):
    value: str

    def __str__(self) -> str:
        return f"'{self.value}' is not a month written as YYYY-MM"


@dataclass(eq=False)
class ReversedPeriod(LogicalError):
    first: "Month"
    last: "Month"

    def __str__(self) -> str:
        return f"The period starts in {self.first}, after its end in {self.last}"


@dataclass(eq=False)
class UnknownBaseYear(LogicalError):
    base_year: str
    known: tuple[int, ...]

    def __str__(self) -> str:
        return f"Year {self.base_year} is not valid"


@dataclass(eq=False)
class BeforeFirstMonth(LogicalError):
    month: "Month"
    first_month: "Month"

    def __str__(self) -> str:
        return f"The health index starts in {self.first_month}; there is none for {self.month}"


@dataclass(eq=False)
class NotYetPublished(LogicalError):
    """`next_publication` is the expected date of the first month that is not known yet; it may have passed."""

    month: "Month"
    latest_month: "Month"
    next_publication: date

    def __str__(self) -> str:
        return (
            f"The health index of {self.month} is not published yet: the latest month known is {self.latest_month}, "
            f"the next one is expected on {self.next_publication.isoformat()}"
        )


@dataclass(eq=False)
class NoFigure(LogicalError):
    month: "Month"
    base_year: int

    def __str__(self) -> str:
        return (
            f"No health index in base {self.base_year} is published for {self.month}, "
            "and no official coefficient leads to it from the base year then in force"
        )


@dataclass(eq=False)
class InvalidRiskTable(LogicalError):
    """Every fault of the table, in order of line, at least one."""

    faults: Sequence["Fault"]

    def __str__(self) -> str:
        first = self.faults[0]
        more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
        return f"The risk table is not valid: line {first.line}: {first.reason}{more}"


@dataclass(eq=False)
class StorageUnavailable(TechnicalError):
    """The reason is for the log."""

    reason: str

    def __str__(self) -> str:
        return f"The store of risk tables does not answer: {self.reason}"


@dataclass(eq=False)
class NoActiveRelease(TechnicalError):
    def __str__(self) -> str:
        return "No risk table has been loaded yet"


@dataclass(eq=False)
class SourceUnavailable(TechnicalError):
    source: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source} does not answer: {self.reason}"


class Rejection(StrEnum):
    """Why an answer of a publisher was not believed."""

    NOT_DATA = "not data"  # a web page, a captcha, something else with status 200
    TOO_LARGE = "too large"
    DAMAGED_ARCHIVE = "damaged archive"
    WRONG_MEMBER = "wrong member"
    MISSING_COLUMN = "missing column"
    MALFORMED_RECORD = "malformed record"
    MALFORMED_NUMBER = "malformed number"
    MISSING_FIGURE = "missing figure"
    NO_FIGURES = "no figures"
    UNKNOWN_BASE = "base year not established"
    CONFLICT = "two figures for one month"
    ANCHOR = "contradicts a known figure"
    BASES_DISAGREE = "base years disagree"
    JUMP = "implausible jump"


@dataclass(eq=False)
class SourceRejected(TechnicalError):
    source: str
    rejection: Rejection
    detail: str

    def __str__(self) -> str:
        return f"{self.source} is not believed: {self.rejection}: {self.detail}"
