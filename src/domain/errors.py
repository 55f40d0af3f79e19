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
│   ├── NoSuchLabel             an energy label that does not exist in the region
│   ├── NotIndexable            a home without the certificate that its region asks for
│   ├── MeaninglessRentBefore   a rent really paid, where the law does not look at it
│   ├── NoPlace                 a zipcode that belongs to no municipality
│   ├── RegionMismatch          a zipcode that lies in another region
│   ├── SeveralRegions          a zipcode that lies in two regions
│   ├── InvalidRiskTable        a table with faults, all of them listed
│   ├── UnknownRelease          no release has this id
│   ├── TooMuchChange           a release that looks like a mistake, and was not forced
│   ├── ActiveReleaseChanged    another release was put into service meanwhile
│   └── NothingToRollBackTo     no release was in service before the active one
└── TechnicalError              try again later; an older answer may stand in
    ├── StorageUnavailable      the store of risk tables and figures does not answer
    │   └── StorageNotReady     it answers, and is not what this version needs
    ├── NoActiveRelease         no risk table has been loaded
    ├── SourceUnavailable       a publisher of figures does not answer
    └── SourceRejected          it answered with something that is not believed

An error carries data and a message; it knows nothing of HTTP. The message of a logical error may be shown to anyone,
that of a technical error is for the log. Only a technical error may be retried, sent on to the next source or answered
with older data.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # these modules raise what is declared here
    pass


class DomainError(Exception):
    """The root; never raised itself."""


class LogicalError(DomainError):
    """The caller can do something about it."""


class TechnicalError(DomainError):
    """Try again later; an older answer may stand in."""


@dataclass(eq=False)
class StorageUnavailable(TechnicalError):
    """The reason is for the log."""

    reason: str

    def __str__(self) -> str:
        return f"The store does not answer: {self.reason}"


@dataclass(eq=False)
class StorageNotReady(StorageUnavailable):
    """Waiting alone does not help: an operator has something to do first, and the reason says what."""

    def __str__(self) -> str:
        return f"The store cannot be used: {self.reason}"


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
    REVISED = "most known figures differ"
    UNCONFIRMED = "not confirmed yet"
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
