"""`/v1/risk-ranges`: a whole risk table, for clients that embed it and ask now and then whether it still holds."""

from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from domain.risk.tables import RiskFactor, RiskTable
from domain.use_cases.zipcodes import RiskService
from entrypoints.http import parameters as p
from entrypoints.http import reading as r
from entrypoints.http.openapi.responses import NOT_MODIFIED, documented
from entrypoints.http.problems import BAD_REQUEST, NOT_ACCEPTABLE, UNAVAILABLE, UNKNOWN_RELEASE, ProblemError
from entrypoints.http.representation import CSV, JSON, preferred, represent, represent_csv
from entrypoints.http.risk.zipcodes import CACHED, validity_of

DESCRIPTION = """
Ranges do not overlap and are ascending; a zipcode in none of them has no risk factor.

`sha256` is that of what the table says: of 10,000 bytes, one for each number from 0 to 9999, which is the letter of
its factor or zero. It is the same however a table is cut into ranges. That of the bytes of the answer is in the header
`Repr-Digest`. Who embeds the table asks with `If-None-Match` whether it still holds: the `ETag` changes when another
release comes into service, and only then.
"""


class RangeItem(msgspec.Struct, frozen=True):
    """The zipcodes from `first` to `last`, both included, and their risk factor."""

    first: int
    last: int
    risk_factor: RiskFactor


class RangesBody(msgspec.Struct, frozen=True):
    """A whole table; `sha256` is that of what it says, see `DESCRIPTION`."""

    items: list[RangeItem]
    total: int
    release: str
    sha256: str


@get(
    "/",
    summary="The whole risk table as its ranges, as JSON or CSV",
    description=DESCRIPTION.strip(),
    operation_id="listRiskRanges",
    responses={**documented(BAD_REQUEST, UNKNOWN_RELEASE, NOT_ACCEPTABLE, UNAVAILABLE), **NOT_MODIFIED},
    opt=CACHED,
)
async def list_risk_ranges(
    request: Request[Any, Any, Any],
    risks: NamedDependency[RiskService],
    as_of: p.AsOfQuery = None,
    release: p.ReleaseQuery = None,
) -> Response[RangesBody]:
    accepted = preferred(request, [JSON, CSV])
    if accepted is None:
        raise ProblemError(NOT_ACCEPTABLE, f"The table is available as {JSON} or {CSV}")
    at = r.read_at(as_of, release)
    with r.reading_at(at):
        view = await risks.view(at)
    found, validity = view.release, validity_of(at, view.release.id, settled=view.settled)
    if accepted == CSV:
        return represent_csv(
            request,
            csv_lines(view.table),
            tag=f"{found.id}-csv",
            validity=validity,
            release=found.id,
            digest=True,
        )
    items = [RangeItem(item.first, item.last, item.factor) for item in view.table.ranges]
    return represent(
        request,
        RangesBody(items, len(items), found.id, found.table_sha256),
        tag=found.id,
        validity=validity,
        vary="Accept",
        release=found.id,
        digest=True,
    )


def csv_lines(table: RiskTable) -> str:
    """The ranges as CSV with a header, ascending."""
    rows = (f"{item.first},{item.last},{item.factor}" for item in table.ranges)
    return "\r\n".join(["first,last,risk_factor", *rows, ""])


router = Router("/v1/risk-ranges", route_handlers=[list_risk_ranges], tags=["zipcodes"])
