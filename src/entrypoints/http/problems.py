"""Every error that a client can see, as an RFC 9457 problem.

Types follow the Belgian government's REST guide (Belgif) where it has one; the rest are our own.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal, NamedTuple

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example

from domain import errors
from domain.zipcodes import RiskFactor
from entrypoints.http.edge import request_id
from entrypoints.http.examples import WITHDRAWN
from entrypoints.http.representation import RELEASE

RETRY_AFTER_SECONDS = 5
PROBLEM_JSON = "application/problem+json"
_MAX_ECHO = 100  # characters of a client's own value in an answer

_MISSING = re.compile("Missing required query parameter '([^']+)'")  # litestar says it in words only

log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder(decimal_format="number").encode


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
INVALID_RISK_TABLE = _belref("invalidRiskTable", 400, "Invalid Risk Table")
UNKNOWN_RELEASE = _belref("unknownRelease", 400, "Unknown Release")
RELEASE_CONFLICT = _belref("releaseConflict", 409, "Release Conflict")

BY_DOMAIN_ERROR: Mapping[type[errors.DomainError], Kind] = {
    errors.InvalidZipcode: INVALID_ZIPCODE,
    errors.NoRiskFactor: NO_RISK_FACTOR,
    errors.InvalidMonth: BAD_REQUEST,
    errors.InvalidInstant: BAD_REQUEST,
    errors.ReversedPeriod: BAD_REQUEST,
    errors.UnknownBaseYear: UNKNOWN_BASE_YEAR,
    errors.BeforeFirstMonth: BEFORE_FIRST_MONTH,
    errors.NotYetPublished: NOT_YET_PUBLISHED,
    errors.NoFigure: NO_FIGURE,
    errors.NoSmoothedFigure: NO_FIGURE,
    errors.InvalidAmount: INVALID_AMOUNT,
    errors.MixedBaseYears: MIXED_BASE_YEARS,
    errors.DateOutOfRange: BAD_REQUEST,
    errors.MixedUpDates: MIXED_UP_DATES,
    errors.LeaseBeforeHealthIndex: LEASE_BEFORE_HEALTH_INDEX,
    errors.AnniversaryAhead: ANNIVERSARY_AHEAD,
    errors.InvalidRiskTable: INVALID_RISK_TABLE,
    errors.UnknownRelease: UNKNOWN_RELEASE,
    errors.TooMuchChange: RELEASE_CONFLICT,
    errors.ActiveReleaseChanged: RELEASE_CONFLICT,
    errors.NothingToRollBackTo: RELEASE_CONFLICT,
    errors.StorageUnavailable: UNAVAILABLE,
    errors.NoActiveRelease: UNAVAILABLE,
    errors.SourceUnavailable: UNAVAILABLE,
    errors.SourceRejected: UNAVAILABLE,
}
"""The one table from domain errors to problems; a test holds it equal to the errors that there are."""

_BY_STATUS = {
    kind.status: kind
    for kind in (
        BAD_REQUEST,
        NOT_FOUND,
        METHOD_NOT_ALLOWED,
        NOT_ACCEPTABLE,
        PAYLOAD_TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE,
        _belgif("tooManyRequests", 429, "Too Many Requests"),
        UNAVAILABLE,
    )
}


class ProblemError(Exception):
    """Raised by handlers for what only HTTP knows, such as an unknown query parameter."""

    def __init__(self, kind: Kind, detail: str, issues: Sequence[Issue] = ()) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.issues = kind, detail, issues


def shown(value: str) -> str:
    """The beginning of a value that a client sent, to be shown again."""
    return value[:_MAX_ECHO].encode("utf-8", "replace").decode()


def bad_input(
    location: Literal["path", "query", "body"], name: str, detail: str, value: str | None, kind: Kind = BAD_REQUEST
) -> ProblemError:
    """The refusal of one value that a client sent; no more than the beginning of the value is shown again."""
    return ProblemError(kind, detail, [Issue(location, name, detail, None if value is None else shown(value))])


# -- handlers, by type of exception; see EXCEPTION_HANDLERS ------------------------------------------


def problem_of(error: errors.LogicalError | ProblemError, instance: str) -> Problem:
    """What a client is told of an error that it can do something about."""
    if isinstance(error, ProblemError):
        return problem(error.kind, error.detail, instance, error.issues)
    found = problem(BY_DOMAIN_ERROR[type(error)], str(error), instance)
    if isinstance(error, errors.NotYetPublished):
        found.next_publication = error.next_publication
    elif isinstance(error, errors.NoRiskFactor):
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


def _instance(request: Request[Any, Any, Any]) -> str:
    return f"urn:uuid:{request_id(request.scope)}"


def _answer(body: Problem, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    every = {"Cache-Control": "no-store", **(headers or {})}
    if body.status == UNAVAILABLE.status:
        every.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    return Response(_encode(body), status_code=body.status, media_type=PROBLEM_JSON, headers=every)


def _respond(
    request: Request[Any, Any, Any],
    kind: Kind,
    detail: str,
    *,
    issues: Sequence[Issue] = (),
    headers: Mapping[str, str] | None = None,
) -> Response[bytes]:
    return _answer(problem(kind, detail, _instance(request), issues), headers)


def _logical_error(request: Request[Any, Any, Any], error: errors.LogicalError | ProblemError) -> Response[bytes]:
    headers = {RELEASE: error.release} if isinstance(error, errors.NoRiskFactor) else None
    return _answer(problem_of(error, _instance(request)), headers)


def _technical_error(request: Request[Any, Any, Any], error: errors.TechnicalError) -> Response[bytes]:
    log.warning("unavailable", error=str(error))
    kind = BY_DOMAIN_ERROR[type(error)]
    return _respond(request, kind, "The data cannot be reached at the moment; please try again")


def _validation_error(request: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    extra = error.extra if isinstance(error.extra, list) else []
    issues = [
        Issue(item.get("source", "query"), str(item.get("key", "")), str(item.get("message", "")))
        for item in extra
        if isinstance(item, dict) and item.get("source") in {"path", "query", "body"}
    ]
    missing = _MISSING.match(error.detail)
    if missing is not None:
        issues = [Issue("query", missing[1], "it is required")]
    detail = "; ".join(f"{issue.name}: {issue.detail}" for issue in issues)
    return _respond(request, BAD_REQUEST, detail or BAD_REQUEST.title, issues=issues)


def _http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    if error.status_code >= 500 and error.status_code != UNAVAILABLE.status:
        return _unhandled(request, error)
    kind = _BY_STATUS.get(error.status_code)
    if kind is None:
        kind = BAD_REQUEST._replace(status=error.status_code) if error.status_code < 500 else INTERNAL_ERROR
    detail = f"There is nothing at {request.scope['path'][:_MAX_ECHO]}" if kind is NOT_FOUND else kind.title
    headers = dict(error.headers or {})
    if "GET" in headers.get("allow", ""):
        headers["allow"] += ", HEAD"
    return _respond(request, kind, detail, headers=headers)


def _unhandled(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    log.error("unhandled exception", exc_info=error, path=request.scope["path"])
    detail = "Something went wrong here; the instance names it in the service's log"
    return _respond(request, INTERNAL_ERROR, detail)


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    errors.LogicalError: _logical_error,
    errors.TechnicalError: _technical_error,
    ProblemError: _logical_error,
    ValidationException: _validation_error,
    HTTPException: _http_error,
    Exception: _unhandled,
}


# -- documentation -----------------------------------------------------------------------------------


def documented(*kinds: Kind) -> dict[int, ResponseSpec]:
    """The error responses of a route for its OpenAPI description; an internal error is part of each."""
    by_status: dict[int, list[Kind]] = {}
    for kind in dict.fromkeys((*kinds, INTERNAL_ERROR)):
        by_status.setdefault(kind.status, []).append(kind)
    return {status: _response_spec(group) for status, group in by_status.items()}


def _response_spec(kinds: list[Kind]) -> ResponseSpec:
    examples = [
        Example(
            id=kind.type.rpartition(":")[2],
            summary=kind.title,
            value={
                "type": kind.type,
                "title": kind.title,
                "status": kind.status,
                "detail": kind.title,
                "instance": "urn:uuid:6e9c1f0a-7f7e-4f1c-9d8e-2f6b7a0f6a11",
                **(WITHDRAWN if kind is NO_RISK_FACTOR else {}),
            },
        )
        for kind in kinds
    ]
    return ResponseSpec(
        Problem,
        description=" or ".join(kind.title for kind in kinds),
        media_type=PROBLEM_JSON,
        generate_examples=False,
        examples=examples,
    )
