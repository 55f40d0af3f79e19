"""`/v1/zipcodes`: the risk factor of a zipcode, and the zipcodes of risk factors."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from domain.risk.tables import RiskFactor, parse_zipcode
from domain.use_cases.zipcodes import At, RiskService
from entrypoints.http import parameters as p
from entrypoints.http import reading as r
from entrypoints.http.openapi.responses import NOT_MODIFIED, documented
from entrypoints.http.problems import BAD_REQUEST, INVALID_ZIPCODE, NO_RISK_FACTOR, UNAVAILABLE, UNKNOWN_RELEASE
from entrypoints.http.representation import FOREVER, OF_THE_PAST, Validity, represent

IN_SERVICE = Validity(timedelta(minutes=1))
"""Of an answer from the table in service: another one may take its place at once, and nobody tells the clients."""

CACHED = {"cache": "risk"}
"""What handlers say whose answers stay the same for as long as the history of releases does."""


class ZipcodeRisk(msgspec.Struct, frozen=True):
    """The risk factor of a zipcode in the release that was asked."""

    zipcode: int
    risk_factor: RiskFactor
    release: str


class ZipcodeItem(msgspec.Struct, frozen=True):
    """A zipcode and its risk factor, where the release is said once for all."""

    zipcode: int
    risk_factor: RiskFactor


class ZipcodePage(msgspec.Struct, frozen=True):
    """A page of zipcodes, ascending; `next` is the path of the page that follows, in the same release."""

    items: list[ZipcodeItem]
    total: int
    page: int
    page_size: int
    release: str
    next: str | msgspec.UnsetType = msgspec.UNSET


def validity_of(at: At, release: str, *, settled: bool) -> Validity:
    """How long an answer may be kept that `release` gives to who asked for the table of `at`.

    What was true at an instant is sure once this replica knows of something later: until then an event may be on its
    way to it, for as long as it is cut off.
    """
    if at is None:
        return IN_SERVICE
    if isinstance(at, str):  # an id names what the table says; a number is that of this store alone
        return FOREVER if at == release else IN_SERVICE
    return OF_THE_PAST if settled else IN_SERVICE._replace(settled=False)


@get(
    "/{zipcode:str}",
    summary="The risk factor of a zipcode, now, at an instant or in a release",
    description="Where there is none, `withdrawn` says since when, if there was one before. That takes the history up "
    "to now, or to the instant of `as_of`; a release that is named by itself has none.",
    operation_id="getZipcode",
    responses={
        **documented(BAD_REQUEST, INVALID_ZIPCODE, UNKNOWN_RELEASE, NO_RISK_FACTOR, UNAVAILABLE),
        **NOT_MODIFIED,
    },
    opt=CACHED,
)
async def get_zipcode(
    request: Request[Any, Any, Any],
    zipcode: p.ZipcodePath,
    risks: NamedDependency[RiskService],
    as_of: p.AsOfQuery = None,
    release: p.ReleaseQuery = None,
) -> Response[ZipcodeRisk]:
    number, at = r.read(parse_zipcode, "zipcode", zipcode, "path"), r.read_at(as_of, release)
    with r.reading_at(at):
        factor, found, settled = await risks.factor(number, at)
    return represent(
        request,
        ZipcodeRisk(number, factor, found),
        tag=found,
        validity=validity_of(at, found, settled=settled),
        release=found,
    )


@get(
    "/",
    summary="The zipcodes that have a risk factor, now, at an instant or in a release",
    description="Ascending. One page holds them all unless `page_size` says less; `next` stays with the release of "
    "the first page, so that the pages of one list come from one table.",
    operation_id="listZipcodes",
    responses={**documented(BAD_REQUEST, UNKNOWN_RELEASE, UNAVAILABLE), **NOT_MODIFIED},
    opt=CACHED,
)
async def list_zipcodes(
    request: Request[Any, Any, Any],
    risks: NamedDependency[RiskService],
    risk_factors: p.RiskFactorsQuery = None,
    page: p.PageQuery = "1",
    page_size: p.PageSizeQuery = "10000",
    as_of: p.AsOfQuery = None,
    release: p.ReleaseQuery = None,
) -> Response[ZipcodePage]:
    factors = [r.read(r.one_of(RiskFactor), "risk_factor", text) for text in risk_factors or ()]
    number, size = r.read_page(page, page_size, p.LARGEST_PAGE)
    at = r.read_at(as_of, release)
    with r.reading_at(at):
        listing = await risks.select(factors, at)
    items = listing.items[(number - 1) * size : number * size]
    body = ZipcodePage(
        items=[ZipcodeItem(zipcode, factor) for zipcode, factor in items],
        total=len(listing.items),
        page=number,
        page_size=size,
        release=listing.release,
        next=msgspec.UNSET,
    )
    if number * size < body.total:
        # It names the release, so that the pages of one list come from one table.
        query = [*(("risk_factor", factor.value) for factor in factors), ("release", body.release)]
        body = msgspec.structs.replace(body, next=next_page(request, query, number, size))
    return represent(
        request,
        body,
        tag=body.release,
        validity=validity_of(at, body.release, settled=listing.settled),
        release=body.release,
    )


def next_page(request: Request[Any, Any, Any], query: list[tuple[str, str]], page: int, size: int) -> str:
    """The path of the page after this one."""
    following = [*query, ("page", str(page + 1)), ("page_size", str(size))]
    return f"{request.scope['path']}?{urlencode(following)}"


router = Router("/v1/zipcodes", route_handlers=[get_zipcode, list_zipcodes], tags=["zipcodes"])
