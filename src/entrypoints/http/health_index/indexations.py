"""`/v1/indexations` and `/v1/rent-indexations`: an indexed amount with its receipt, one at a time or many at once."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import RawBody

from domain.clock import Clock, start_of_day, today
from domain.errors import LogicalError
from domain.health_index.indexation import IndexKind
from domain.leases.rent import Region
from domain.use_cases.health_index import HealthIndexService, IndexView
from entrypoints.http import parameters as p
from entrypoints.http import reading as r
from entrypoints.http.batches import (
    BATCH_PROBLEMS,
    LARGEST_BATCH,
    UNREADABLE,
    Answer,
    Outcome,
    Outcomes,
    decode,
    read_batch,
    unreadable,
)
from entrypoints.http.health_index.figures import validity_of
from entrypoints.http.health_index.receipts import (
    IndexationBody,
    IndexationCase,
    RentBody,
    RentCase,
    indexation_receipt,
    rent_receipt,
    written,
)
from entrypoints.http.openapi.responses import NOT_MODIFIED, documented
from entrypoints.http.problems import (
    ANNIVERSARY_AHEAD,
    BAD_REQUEST,
    BEFORE_FIRST_MONTH,
    INVALID_AMOUNT,
    LEASE_BEFORE_HEALTH_INDEX,
    MIXED_UP_DATES,
    NO_FIGURE,
    NOT_YET_PUBLISHED,
    UNKNOWN_BASE_YEAR,
    ProblemError,
    problem_of,
)
from entrypoints.http.representation import represent, unkept
from entrypoints.http.scope import request_id

_CASES_AT_A_TIME = 25
_LARGEST_BODY = 1024 * 1024
_FIGURE_PROBLEMS = (BAD_REQUEST, INVALID_AMOUNT, UNKNOWN_BASE_YEAR, BEFORE_FIRST_MONTH, NOT_YET_PUBLISHED, NO_FIGURE)
_RENT_PROBLEMS = (*_FIGURE_PROBLEMS, MIXED_UP_DATES, LEASE_BEFORE_HEALTH_INDEX, ANNIVERSARY_AHEAD)


# -- batches on the wire ------------------------------------------------------------------------------

Case = TypeVar("Case", IndexationCase, RentCase)


class Cases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 1,000 cases, and the instant whose figures are wanted; each case is read by itself."""

    items: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=LARGEST_BATCH)]
    as_of: str | None = None


# -- handlers ----------------------------------------------------------------------------------------


@get(
    "/v1/indexations",
    summary="An amount, indexed from one month to another, with its receipt",
    description="The amount times the new index, divided by that of the starting month, both in one base year; rounded "
    "half up to the cent, once, at the end. The receipt is enough to do the calculation again.",
    operation_id="getIndexation",
    responses={**documented(*_FIGURE_PROBLEMS), **NOT_MODIFIED},
)
async def get_indexation(
    request: Request[Any, Any, Any],
    index: NamedDependency[HealthIndexService],
    amount: p.AmountQuery,
    start: p.StartQuery,
    end: p.EndQuery,
    base_year: p.IndexationBaseYearQuery = None,
    kind: p.KindQuery = "health",
    as_of: p.AsOfQuery = None,
) -> Response[IndexationBody]:
    case = IndexationCase(
        written(amount),
        start,
        end,
        r.read(r.whole_number(), "base_year", base_year),
        r.read(r.one_of(IndexKind), "index", kind),
    )
    view, known_at = _known(index, as_of, "query")
    body = indexation_receipt(view, known_at, case, "query")
    return represent(request, body, tag=_tag(view, known_at), validity=validity_of(index, view, as_of))


@get(
    "/v1/rent-indexations",
    summary="A rent on the anniversary of its lease, with its receipt",
    description="The base rent on the last anniversary of the entry into force, by the rule of the region. The receipt "
    "names the rule, and what is not taken into account.",
    operation_id="getRentIndexation",
    responses={**documented(*_RENT_PROBLEMS), **NOT_MODIFIED},
)
async def get_rent_indexation(
    request: Request[Any, Any, Any],
    index: NamedDependency[HealthIndexService],
    clock: NamedDependency[Clock],
    rent: p.RentQuery,
    region: p.RegionQuery,
    signed_on: p.SignedOnQuery,
    starts_on: p.StartsOnQuery,
    on: p.OnQuery = None,
    as_of: p.AsOfQuery = None,
) -> Response[RentBody]:
    case = RentCase(
        written(rent),
        r.read(r.one_of(Region), "region", region),
        r.read(r.parse_date, "signed_on", signed_on),
        r.read(r.parse_date, "starts_on", starts_on),
        r.read(r.parse_date, "on", on),
    )
    view, known_at = _known(index, as_of, "query")
    body = rent_receipt(view, known_at, case, clock, "query")
    validity = validity_of(index, view, as_of)
    if on is None:
        validity = validity._replace(lifetime=min(validity.lifetime, _until_midnight(clock())))
    return represent(request, body, tag=f"{_tag(view, known_at)}-{body.on}", validity=validity)


@post(
    "/v1/indexations",
    summary="Up to 1,000 amounts at once: each a result or a problem, in order",
    description="The fields of a case are the parameters of the GET. All cases are answered with what is known at one "
    "instant.",
    operation_id="createIndexations",
    status_code=200,
    responses=documented(*BATCH_PROBLEMS),
    request_max_body_size=_LARGEST_BODY,
)
async def post_indexations(
    request: Request[Any, Any, Any], index: NamedDependency[HealthIndexService], body: RawBody
) -> Response[Outcomes[IndexationBody]]:
    cases = read_batch(request, body, _read_cases)
    view, known_at = _known(index, cases.as_of, "body")
    return await _batch(request, cases, _read_indexation, lambda case: indexation_receipt(view, known_at, case, "body"))


@post(
    "/v1/rent-indexations",
    summary="Up to 1,000 leases at once: each a result or a problem, in order",
    description="The fields of a case are the parameters of the GET. All cases are answered with what is known at one "
    "instant.",
    operation_id="createRentIndexations",
    status_code=200,
    responses=documented(*BATCH_PROBLEMS),
    request_max_body_size=_LARGEST_BODY,
)
async def post_rent_indexations(
    request: Request[Any, Any, Any],
    index: NamedDependency[HealthIndexService],
    clock: NamedDependency[Clock],
    body: RawBody,
) -> Response[Outcomes[RentBody]]:
    cases = read_batch(request, body, _read_cases)
    view, known_at = _known(index, cases.as_of, "body")
    return await _batch(request, cases, _read_rent, lambda case: rent_receipt(view, known_at, case, clock, "body"))


def _known(service: HealthIndexService, as_of: str | None, location: r.Location) -> tuple[IndexView, datetime]:
    """The figures to use and the instant that stands for them: the last change, unless another one is given."""
    if as_of is None:
        instant = service.last_change()
        return service.at(instant), instant
    with r.reading("as_of", as_of, location):
        instant = r.parse_instant(as_of)
        return service.at(instant), instant


def _tag(view: IndexView, known_at: datetime) -> str:
    return f"{view.table.version}-{known_at.timestamp():.6f}"


def _until_midnight(now: datetime) -> timedelta:
    return start_of_day(today(now) + timedelta(days=1)) - now


# -- many at once ------------------------------------------------------------------------------------

_read_cases = msgspec.json.Decoder(Cases)
_read_indexation = msgspec.json.Decoder(IndexationCase)
_read_rent = msgspec.json.Decoder(RentCase)


async def _batch(
    request: Request[Any, Any, Any], cases: Cases, decoder: msgspec.json.Decoder[Case], answer: Callable[[Case], Answer]
) -> Response[Outcomes[Answer]]:
    instance = f"urn:uuid:{request_id(request.scope)}"

    def outcome(raw: msgspec.Raw) -> Outcome[Answer]:
        try:
            return Outcome(result=answer(decode(decoder, raw)))
        except UNREADABLE as error:
            return Outcome(problem=problem_of(unreadable(error), instance))
        except (LogicalError, ProblemError) as error:
            return Outcome(problem=problem_of(error, instance))

    outcomes: list[Outcome[Answer]] = []
    for raw in cases.items:
        if len(outcomes) % _CASES_AT_A_TIME == 0:
            await asyncio.sleep(0)  # others are waiting for their answers, too
        outcomes.append(outcome(raw))
    return unkept(Outcomes(outcomes, len(outcomes)))


router = Router(
    "/",
    route_handlers=[get_indexation, get_rent_indexation, post_indexations, post_rent_indexations],
    tags=["indexation"],
)
