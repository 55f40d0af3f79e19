"""Every error that a client can see, as an RFC 9457 problem.

Types follow the Belgian government's REST guide (Belgif) where it has one; the rest are our own.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple

import msgspec

from domain.clock import InvalidInstant
from domain.errors import (
    DomainError,
    LogicalError,
    NoActiveRelease,
    SourceRejected,
    SourceUnavailable,
    StorageNotReady,
    StorageUnavailable,
)
from domain.health_index.figures import BeforeFirstMonth, InvalidMonth
from domain.health_index.indexation import InvalidAmount, MixedBaseYears, NoSmoothedFigure
from domain.health_index.table import NoFigure, UnknownBaseYear
from domain.leases.certificates import MeaninglessRentBefore, NoSuchLabel, NotIndexable
from domain.leases.places import NoPlace, RegionMismatch, SeveralRegions
from domain.leases.rent import AnniversaryAhead, DateOutOfRange, LeaseBeforeHealthIndex, MixedUpDates
from domain.risk.releases import ActiveReleaseChanged, NoRiskFactor, NothingToRollBackTo, UnknownRelease
from domain.risk.tables import InvalidRiskTable, InvalidZipcode, RiskFactor
from domain.use_cases.health_index import NotYetPublished, ReversedPeriod
from domain.use_cases.releases import TooMuchChange

RETRY_AFTER_SECONDS = 5
PROBLEM_JSON = "application/problem+json"
LONGEST_ECHO = 100  # characters of a client's own value in an answer


class Issue(msgspec.Struct, frozen=True, omit_defaults=True, rename={"location": "in"}):
    """One thing that is wrong with a request."""

    location: Literal["path", "query", "body"]
    name: str
    detail: str
    value: str | None = None


class Withdrawn(msgspec.Struct, frozen=True):
    """That a zipcode had a risk factor: in which release last, and since when and by which release no longer."""

    risk_factor: RiskFactor
    release: str
    until: datetime
    until_release: str


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An error as RFC 9457 describes it. `instance` is in the log as well.

    `release` is that of the table which has no factor for a zipcode, `withdrawn` says that it had one before.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    issues: list[Issue] | msgspec.UnsetType = msgspec.UNSET
    next_publication: date | msgspec.UnsetType = msgspec.UNSET
    release: str | msgspec.UnsetType = msgspec.UNSET
    withdrawn: Withdrawn | msgspec.UnsetType = msgspec.UNSET


class Kind(NamedTuple):
    """A type of problem: its name, status and constant title."""

    type: str
    status: int
    title: str


def _belgif(name: str, status: int, title: str) -> Kind:
    return Kind(f"urn:problem-type:belgif:{name}", status, title)


def _belref(name: str, status: int, title: str) -> Kind:
    return Kind(f"urn:problem-type:belref:{name}", status, title)


BAD_REQUEST = _belgif("badRequest", 400, "Bad Request")
NOT_FOUND = _belgif("resourceNotFound", 404, "Resource Not Found")
METHOD_NOT_ALLOWED = _belgif("methodNotAllowed", 405, "Method Not Allowed")
NOT_ACCEPTABLE = _belgif("notAcceptable", 406, "Not Acceptable")
PAYLOAD_TOO_LARGE = _belgif("payloadTooLarge", 413, "Payload Too Large")
UNSUPPORTED_MEDIA_TYPE = _belgif("unsupportedMediaType", 415, "Unsupported Media Type")
INTERNAL_ERROR = _belgif("internalServerError", 500, "Internal Server Error")
TOO_MANY_REQUESTS = _belgif("tooManyRequests", 429, "Too Many Requests")
UNAVAILABLE = _belgif("serviceUnavailable", 503, "Service Unavailable")
INVALID_ZIPCODE = _belref("invalidZipcode", 400, "Invalid Zipcode")
NO_RISK_FACTOR = _belref("noRiskFactor", 404, "No Risk Factor")
UNKNOWN_BASE_YEAR = _belref("unknownBaseYear", 400, "Unknown Base Year")
BEFORE_FIRST_MONTH = _belref("beforeFirstMonth", 404, "Before The First Month")
NOT_YET_PUBLISHED = _belref("notYetPublished", 404, "Not Yet Published")
NO_FIGURE = _belref("noFigure", 404, "No Figure")
INVALID_AMOUNT = _belref("invalidAmount", 400, "Invalid Amount")
MIXED_BASE_YEARS = _belref("mixedBaseYears", 400, "Mixed Base Years")
MIXED_UP_DATES = _belref("mixedUpDates", 400, "Mixed-Up Dates")
LEASE_BEFORE_HEALTH_INDEX = _belref("leaseBeforeHealthIndex", 404, "Lease Before The Health Index")
ANNIVERSARY_AHEAD = _belref("anniversaryAhead", 400, "Anniversary Ahead")
NO_SUCH_LABEL = _belref("noSuchLabel", 400, "No Such Label")
MEANINGLESS_RENT_BEFORE = _belref("meaninglessRentBefore", 400, "Meaningless Rent Before")
NOT_INDEXABLE = _belref("notIndexable", 404, "Not Indexable")
NO_PLACE = _belref("noPlace", 404, "No Place")
REGION_MISMATCH = _belref("regionMismatch", 400, "Region Mismatch")
SEVERAL_REGIONS = _belref("severalRegions", 400, "Several Regions")
INVALID_RISK_TABLE = _belref("invalidRiskTable", 400, "Invalid Risk Table")
UNKNOWN_RELEASE = _belref("unknownRelease", 400, "Unknown Release")
RELEASE_CONFLICT = _belref("releaseConflict", 409, "Release Conflict")

BY_DOMAIN_ERROR: Mapping[type[DomainError], Kind] = {
    InvalidZipcode: INVALID_ZIPCODE,
    NoRiskFactor: NO_RISK_FACTOR,
    InvalidMonth: BAD_REQUEST,
    InvalidInstant: BAD_REQUEST,
    ReversedPeriod: BAD_REQUEST,
    UnknownBaseYear: UNKNOWN_BASE_YEAR,
    BeforeFirstMonth: BEFORE_FIRST_MONTH,
    NotYetPublished: NOT_YET_PUBLISHED,
    NoFigure: NO_FIGURE,
    NoSmoothedFigure: NO_FIGURE,
    InvalidAmount: INVALID_AMOUNT,
    MixedBaseYears: MIXED_BASE_YEARS,
    DateOutOfRange: BAD_REQUEST,
    MixedUpDates: MIXED_UP_DATES,
    LeaseBeforeHealthIndex: LEASE_BEFORE_HEALTH_INDEX,
    AnniversaryAhead: ANNIVERSARY_AHEAD,
    NoSuchLabel: NO_SUCH_LABEL,
    MeaninglessRentBefore: MEANINGLESS_RENT_BEFORE,
    NotIndexable: NOT_INDEXABLE,
    NoPlace: NO_PLACE,
    RegionMismatch: REGION_MISMATCH,
    SeveralRegions: SEVERAL_REGIONS,
    InvalidRiskTable: INVALID_RISK_TABLE,
    UnknownRelease: UNKNOWN_RELEASE,
    TooMuchChange: RELEASE_CONFLICT,
    ActiveReleaseChanged: RELEASE_CONFLICT,
    NothingToRollBackTo: RELEASE_CONFLICT,
    StorageUnavailable: UNAVAILABLE,
    StorageNotReady: UNAVAILABLE,
    NoActiveRelease: UNAVAILABLE,
    SourceUnavailable: UNAVAILABLE,
    SourceRejected: UNAVAILABLE,
}
"""The one table from domain errors to problems; a test holds it equal to the errors that there are."""


class ProblemError(Exception):
    """Raised by handlers for what only HTTP knows, such as an unknown query parameter."""

    def __init__(self, kind: Kind, detail: str, issues: Sequence[Issue] = ()) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.issues = kind, detail, issues


def echo(value: str) -> str:
    """The beginning of a value that a client sent, to be shown again."""
    return value[:LONGEST_ECHO].encode("utf-8", "replace").decode()


def bad_input(
    location: Literal["path", "query", "body"], name: str, detail: str, value: str | None, kind: Kind = BAD_REQUEST
) -> ProblemError:
    """The refusal of one value that a client sent; no more than the beginning of the value is shown again."""
    return ProblemError(kind, detail, [Issue(location, name, detail, None if value is None else echo(value))])


def problem_of(error: LogicalError | ProblemError, instance: str) -> Problem:
    """What a client is told of an error that it can do something about."""
    if isinstance(error, ProblemError):
        return problem(error.kind, error.detail, instance, error.issues)
    found = problem(BY_DOMAIN_ERROR[type(error)], str(error), instance)
    if isinstance(error, NotYetPublished):
        found.next_publication = error.next_publication
    elif isinstance(error, NoRiskFactor):
        found.release = error.release
        if (was := error.withdrawal) is not None:
            found.withdrawn = Withdrawn(was.factor, was.release, was.until.astimezone(UTC), was.until_release)
    return found


def problem(kind: Kind, detail: str, instance: str, issues: Sequence[Issue] = ()) -> Problem:
    """A problem of one kind, in words for this occurrence."""
    return Problem(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        detail=detail,
        instance=instance,
        issues=list(issues) or msgspec.UNSET,
    )
