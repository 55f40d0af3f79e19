"""What becomes of an exception that a handler raises, or the framework: a problem, and where it is ours a log line."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from domain.errors import LogicalError, TechnicalError
from domain.risk.releases import NoRiskFactor
from entrypoints.http.problems import (
    BAD_REQUEST,
    BY_DOMAIN_ERROR,
    INTERNAL_ERROR,
    LONGEST_ECHO,
    METHOD_NOT_ALLOWED,
    NOT_ACCEPTABLE,
    NOT_FOUND,
    PAYLOAD_TOO_LARGE,
    PROBLEM_JSON,
    RETRY_AFTER_SECONDS,
    TOO_MANY_REQUESTS,
    UNAVAILABLE,
    UNSUPPORTED_MEDIA_TYPE,
    Issue,
    Kind,
    Problem,
    ProblemError,
    problem,
    problem_of,
)
from entrypoints.http.representation import RELEASE
from entrypoints.http.requests import ClientGoneError, host_refusal
from entrypoints.http.scope import request_id

log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder(decimal_format="number").encode

_BY_STATUS = {
    kind.status: kind
    for kind in (
        BAD_REQUEST,
        NOT_FOUND,
        METHOD_NOT_ALLOWED,
        NOT_ACCEPTABLE,
        PAYLOAD_TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE,
        TOO_MANY_REQUESTS,
        UNAVAILABLE,
    )
}


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


def _logical_error(request: Request[Any, Any, Any], error: LogicalError | ProblemError) -> Response[bytes]:
    headers = {RELEASE: error.release} if isinstance(error, NoRiskFactor) else None
    return _answer(problem_of(error, _instance(request)), headers)


def _technical_error(request: Request[Any, Any, Any], error: TechnicalError) -> Response[bytes]:
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
    detail = "; ".join(f"{issue.name}: {issue.detail}" for issue in issues)
    return _respond(request, BAD_REQUEST, detail or BAD_REQUEST.title, issues=issues)


def _http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    if error.status_code >= 500 and error.status_code != UNAVAILABLE.status:
        return _unhandled(request, error)
    if (refusal := host_refusal(request)) is not None:  # nothing asked that came to no route about it
        return _respond(request, BAD_REQUEST, refusal)
    kind = _BY_STATUS.get(error.status_code)
    if kind is None:
        kind = BAD_REQUEST._replace(status=error.status_code) if error.status_code < 500 else INTERNAL_ERROR
    detail = f"There is nothing at {request.scope['path'][:LONGEST_ECHO]}" if kind is NOT_FOUND else kind.title
    headers = dict(error.headers or {})
    if "allow" in headers:  # the framework gives the names in the order of a hash
        methods = {name.strip() for name in headers["allow"].split(",")}
        headers["allow"] = ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))
    return _respond(request, kind, detail, headers=headers)


def _gone(request: Request[Any, Any, Any], error: ClientGoneError) -> Response[bytes]:  # noqa: ARG001
    """Nobody reads it, but it is counted and logged: 499 is what proxies call a request that its client broke off."""
    return Response(b"", status_code=499)


def _unhandled(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    log.error("unhandled exception", exc_info=error, path=request.scope["path"])
    detail = "Something went wrong here; the instance names it in the service's log"
    return _respond(request, INTERNAL_ERROR, detail)


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    LogicalError: _logical_error,
    TechnicalError: _technical_error,
    ProblemError: _logical_error,
    ValidationException: _validation_error,
    ClientGoneError: _gone,
    HTTPException: _http_error,
    Exception: _unhandled,
}
