"""`/v1/health-index/{month}/check`: whether a figure that somebody claims is right, and what it is otherwise."""

import re
from decimal import Decimal
from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from domain.health_index.claims import Claim, Reading, Verdict
from domain.health_index.figures import Month, Provenance
from domain.health_index.indexation import IndexKind
from domain.use_cases.health_index import HealthIndexService
from entrypoints.http import parameters as p
from entrypoints.http import reading as r
from entrypoints.http.health_index.bodies import ATTRIBUTION, or_unset
from entrypoints.http.health_index.figures import validity_of, version
from entrypoints.http.openapi.responses import NOT_MODIFIED, documented
from entrypoints.http.problems import (
    BAD_REQUEST,
    BEFORE_FIRST_MONTH,
    NO_FIGURE,
    NOT_YET_PUBLISHED,
    UNKNOWN_BASE_YEAR,
)
from entrypoints.http.representation import represent

_CENT = Decimal("0.01")
_POINTS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,2}0*)?", re.ASCII)
_LONGEST = 32


class ReadingBody(msgspec.Struct, frozen=True, kw_only=True):
    """An index of one kind. What a wrong conversion makes has no provenance, and says which way it went."""

    month: str
    base_year: int
    index: IndexKind
    value: Decimal
    provenance: Provenance | msgspec.UnsetType = msgspec.UNSET
    margin: Decimal | msgspec.UnsetType = msgspec.UNSET
    converted_from: int | msgspec.UnsetType = msgspec.UNSET
    by_way_of: int | msgspec.UnsetType = msgspec.UNSET


class CheckBody(msgspec.Struct, frozen=True, kw_only=True, rename={"reading": "is"}):
    """What is claimed, the true figure, and, as `is`, what the claimed value really is, where it is anything known."""

    month: str
    claimed: Decimal
    verdict: Verdict
    figure: ReadingBody
    reading: ReadingBody | msgspec.UnsetType = msgspec.UNSET
    detail: str
    attribution: str = ATTRIBUTION


@get(
    "/v1/health-index/{month:str}/check",
    summary="Whether a claimed figure is right, and what it is otherwise",
    description="`is` names what the claimed value really is: the figure of another base year or another month, the "
    "smoothed index in place of the health index or the other way round, or a conversion in two steps. Without "
    "`base_year`, the claim may be meant in any.",
    operation_id="checkHealthIndex",
    responses={
        **documented(BAD_REQUEST, UNKNOWN_BASE_YEAR, BEFORE_FIRST_MONTH, NOT_YET_PUBLISHED, NO_FIGURE),
        **NOT_MODIFIED,
    },
)
async def check_figure(
    request: Request[Any, Any, Any],
    month: p.MonthPath,
    index: NamedDependency[HealthIndexService],
    value: p.ClaimedQuery,
    base_year: p.ClaimedBaseYearQuery = None,
    kind: p.KindQuery = "health",
) -> Response[CheckBody]:
    view = index.now()
    claim = Claim(
        r.read(Month.parse, "month", month, "path"),
        r.read(parse_points, "value", value),
        r.read(r.whole_number(), "base_year", base_year),
        r.read(r.one_of(IndexKind), "index", kind),
    )
    found = view.examine(claim)
    body = CheckBody(
        month=str(claim.month),
        claimed=claim.value,
        verdict=found.verdict,
        figure=_body(found.figure),
        reading=msgspec.UNSET if found.reading is None else _body(found.reading),
        detail=found.detail,
    )
    return represent(request, body, tag=version(view), validity=validity_of(index, view, None, claim.month))


def parse_points(text: str) -> Decimal:
    """An index as somebody claims it, with exactly two decimals."""
    if len(text) > _LONGEST or not _POINTS.fullmatch(text):
        raise r.UnreadableError("is not an index: write digits, with a point before up to two decimals, as 121.76")
    return Decimal(text).quantize(_CENT)


def _body(reading: Reading) -> ReadingBody:
    return ReadingBody(
        month=str(reading.month),
        base_year=reading.base_year,
        index=reading.kind,
        value=reading.value,
        provenance=or_unset(reading.provenance),
        margin=or_unset(reading.margin),
        converted_from=or_unset(reading.converted_from),
        by_way_of=or_unset(reading.by_way_of),
    )


router = Router("/", route_handlers=[check_figure], tags=["health index"])
