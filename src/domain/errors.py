"""Everything that the domain and its ports raise.

DomainError
├── LogicalError                the caller can do something about it
│   ├── InvalidZipcode          not an integer from 1000 to 9999
│   ├── NoRiskFactor            a zipcode that the active table does not cover
│   ├── InvalidMonth            not a month written YYYY-MM
│   ├── InvalidInstant          an instant of which it cannot be said what was known
│   ├── ReversedPeriod          a first month after the last
│   ├── UnknownBaseYear         a base year in which no figure is published
│   ├── BeforeFirstMonth        earlier than the first health index, January 1994
│   ├── NotYetPublished         later than every figure known
│   ├── NoFigure                neither known in this base year nor to be derived from another
│   ├── NoSmoothedFigure        the health index is known, its smoothed sibling is not
│   ├── InvalidAmount           not a positive amount of euro and cents up to 10^9
│   ├── MixedBaseYears          two figures of one fraction in two base years
│   ├── DateOutOfRange          a date that no lease has
│   ├── MixedUpDates            a lease that starts long before or after its signature
│   ├── LeaseBeforeHealthIndex  signed when rents still followed the consumer price index
│   ├── AnniversaryAhead        a rent that is not indexed yet
│   ├── InvalidRiskTable        a table with faults, all of them listed
│   ├── UnknownRelease          no release has this id
│   ├── TooMuchChange           a release that looks like a mistake, and was not forced
│   ├── ActiveReleaseChanged    somebody else put a release into service meanwhile
│   └── NothingToRollBackTo     no release was in service before the active one
└── TechnicalError              try again later; an older answer may stand in
    ├── StorageUnavailable      the store of risk tables and figures does not answer
    ├── NoActiveRelease         no risk table has been loaded
    ├── SourceUnavailable       a publisher of figures does not answer
    └── SourceRejected          it answered with something that is not believed

An error carries data and a message; it knows nothing of HTTP. The message of a logical error may be shown to anyone,
that of a technical error is for the log. Only a technical error may be retried, sent on to the next source or answered
with older data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # these modules raise what is declared here
    from domain.comparison import Comparison
    from domain.health_index import Month
    from domain.releases import Withdrawal
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
    """`withdrawal` says since when, where it had one before."""

    zipcode: int
    release: str
    withdrawal: "Withdrawal | None" = None

    def __str__(self) -> str:
        said = f"Zipcode {self.zipcode} has no risk factor in release {self.release}"
        if self.withdrawal is None:
            return said
        was = self.withdrawal
        return f"{said}; it had {was.factor} in release {was.release}, until {was.until_release} took its place"


@dataclass(eq=False)
class InvalidMonth(LogicalError):
    value: str

    def __str__(self) -> str:
        return f"'{self.value}' is not a month written as YYYY-MM"


@dataclass(eq=False)
class InvalidInstant(LogicalError):
    value: datetime
    reason: str

    def __str__(self) -> str:
        return f"What was known at {self.value.isoformat()} cannot be said: {self.reason}"


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
        return (
            f"The health index starts in {self.first_month}; there is none for {self.month}, "
            "only the consumer price index"
        )


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
            f"No health index in base {self.base_year} is known for {self.month}, and none can be derived: "
            "that takes a figure in the base year then in force, and an official coefficient from there"
        )


@dataclass(eq=False)
class NoSmoothedFigure(LogicalError):
    month: "Month"
    base_year: int

    def __str__(self) -> str:
        return f"No smoothed health index in base {self.base_year} is known for {self.month}"


@dataclass(eq=False)
class InvalidAmount(LogicalError):
    """No more than the beginning of what was given is kept in `value`."""

    value: str
    reason: str

    def __str__(self) -> str:
        return f"'{self.value}' is not an amount: {self.reason}"


@dataclass(eq=False)
class MixedBaseYears(LogicalError):
    start_base_year: int
    end_base_year: int

    def __str__(self) -> str:
        return (
            f"The starting index is in base {self.start_base_year} and the new index in base {self.end_base_year}: "
            "one fraction takes one base year"
        )


@dataclass(eq=False)
class DateOutOfRange(LogicalError):
    value: date
    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.value} lies outside {self.first} to {self.last}, the dates that are taken for those of a lease"


@dataclass(eq=False)
class MixedUpDates(LogicalError):
    signed_on: date
    starts_on: date
    reason: str

    def __str__(self) -> str:
        return f"A lease signed on {self.signed_on} and in force from {self.starts_on} is not plausible: {self.reason}"


@dataclass(eq=False)
class LeaseBeforeHealthIndex(LogicalError):
    """`first_signature` is the first day on which a lease could be signed that starts from the health index."""

    signed_on: date
    first_signature: date

    def __str__(self) -> str:
        return (
            f"A lease signed on {self.signed_on}, before {self.first_signature}, starts from the consumer price index, "
            "which is not known here"
        )


@dataclass(eq=False)
class AnniversaryAhead(LogicalError):
    first_anniversary: date
    on: date

    def __str__(self) -> str:
        return (
            f"The rent is not indexed yet on {self.on}: "
            f"the first anniversary of the entry into force is {self.first_anniversary}"
        )


@dataclass(eq=False)
class InvalidRiskTable(LogicalError):
    """The faults of the table in order of line, at least one; `total` where there are more than are told."""

    faults: Sequence["Fault"]
    total: int = 0

    def __post_init__(self) -> None:
        self.total = max(self.total, len(self.faults))

    def __str__(self) -> str:
        first = self.faults[0]
        more = f" (and {self.total - 1:,} more)" if self.total > 1 else ""
        return f"The risk table is not valid: line {first.line}: {first.reason}{more}"


@dataclass(eq=False)
class UnknownRelease(LogicalError):
    release: str

    def __str__(self) -> str:
        return f"There is no release '{self.release}'"


@dataclass(eq=False)
class TooMuchChange(LogicalError):
    """`comparison` has the changes, and `reasons` says why they look like a mistake."""

    release: str
    comparison: "Comparison"
    reasons: Sequence[str]

    def __str__(self) -> str:
        return f"Release {self.release} was not put into service: {'; '.join(self.reasons)}"


@dataclass(eq=False)
class ActiveReleaseChanged(LogicalError):
    """`found` is what is active, and not the release that the caller compared with; None stands for no release."""

    expected: str | None
    found: str | None

    def __str__(self) -> str:
        return (
            f"Somebody else was faster: {self.found or 'no release'} is in service now, "
            f"and not {self.expected or 'none'} any more; compare again"
        )


@dataclass(eq=False)
class NothingToRollBackTo(LogicalError):
    def __str__(self) -> str:
        return "No release was in service before the active one"


@dataclass(eq=False)
class StorageUnavailable(TechnicalError):
    """The reason is for the log."""

    reason: str

    def __str__(self) -> str:
        return f"The store does not answer: {self.reason}"


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
    SMOOTHED = "implausible smoothed index"


@dataclass(eq=False)
class SourceRejected(TechnicalError):
    source: str
    rejection: Rejection
    detail: str

    def __str__(self) -> str:
        return f"{self.source} is not believed: {self.rejection}: {self.detail}"
