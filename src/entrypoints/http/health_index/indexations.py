"""`/v1/indexations`: an indexed amount with its receipt, one at a time or many at once."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import RawBody

from domain.health_index.indexation import IndexKind
from domain.use_cases.health_index import HealthIndexService, IndexView
from entrypoints.http import parameters as p
from entrypoints.http import reading as r
from entrypoints.http.batches import BATCH_PROBLEMS, Outcomes, answer_each, decode_cases, read_batch
from entrypoints.http.health_index.figures import validity_of
from entrypoints.http.health_index.receipts import IndexationBody, IndexationCase, indexation_receipt, raw_amount
from entrypoints.http.openapi.responses import NOT_MODIFIED, documented
from entrypoints.http.problems import (
    BAD_REQUEST,
    BEFORE_FIRST_MONTH,
    INVALID_AMOUNT,
    NO_FIGURE,
    NOT_YET_PUBLISHED,
    UNKNOWN_BASE_YEAR,
)
from entrypoints.http.representation import represent

LARGEST_BODY = 1024 * 1024
FIGURE_PROBLEMS = (BAD_REQUEST, INVALID_AMOUNT, UNKNOWN_BASE_YEAR, BEFORE_FIRST_MONTH, NOT_YET_PUBLISHED, NO_FIGURE)


@get(
    "/v1/indexations",
    summary="An amount, indexed from one month to another, with its receipt",
    description="The amount times the new index, divided by that of the starting month, both in one base year; rounded "
    "half up to the cent, once, at the end. The receipt is enough to do the calculation again.",
    operation_id="getIndexation",
    responses={**documented(*FIGURE_PROBLEMS), **NOT_MODIFIED},
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
        raw_amount(amount),
        start,
        end,
        r.read(r.whole_number(), "base_year", base_year),
        r.read(r.one_of(IndexKind), "index", kind),
    )
    view, known_at = figures_as_of(index, as_of, "query")
    body = indexation_receipt(view, known_at, case, "query")
    return represent(request, body, tag=receipt_tag(view, known_at), validity=validity_of(index, view, as_of))


@post(
    "/v1/indexations",
    summary="Up to 1,000 amounts at once: each a result or a problem, in order",
    description="The fields of a case are the parameters of the GET. All cases are answered with what is known at one "
    "instant.",
    operation_id="createIndexations",
    status_code=200,
    responses=documented(*BATCH_PROBLEMS),
    request_max_body_size=LARGEST_BODY,
)
async def post_indexations(
    request: Request[Any, Any, Any], index: NamedDependency[HealthIndexService], body: RawBody
) -> Response[Outcomes[IndexationBody]]:
    cases = read_batch(request, body, decode_cases)
    view, known_at = figures_as_of(index, cases.as_of, "body")
    return await answer_each(
        request, cases, _read_indexation, lambda case: indexation_receipt(view, known_at, case, "body")
    )


def figures_as_of(service: HealthIndexService, as_of: str | None, location: r.Location) -> tuple[IndexView, datetime]:
    """The figures to use and the instant that stands for them: the last change, unless another one is given."""
    if as_of is None:
        instant = service.last_change()
        return service.at(instant), instant
    with r.reading("as_of", as_of, location):
        instant = r.parse_instant(as_of)
        return service.at(instant), instant


def receipt_tag(view: IndexView, known_at: datetime) -> str:
    """The version of the figures of a receipt, which names the instant that stands for them."""
    waiting = "" if view.settled else "-waiting"
    return f"{view.table.version}-{known_at.timestamp():.6f}{waiting}"


_read_indexation = msgspec.json.Decoder(IndexationCase)


router = Router("/", route_handlers=[get_indexation, post_indexations], tags=["indexation"])
