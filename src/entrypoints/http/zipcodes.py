"""`/v1/zipcodes`: the risk factor of a zipcode, and the zipcodes of risk factors."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from domain.services import RiskService
from domain.zipcodes import RiskFactor
from entrypoints.http import parameters as p
from entrypoints.http.problems import BAD_REQUEST, INVALID_ZIPCODE, NO_RISK_FACTOR, UNAVAILABLE, documented
from entrypoints.http.representation import NOT_MODIFIED, represent

LIFETIME = timedelta(minutes=1)
"""How long a client may keep an answer: a new table is in service at once, and nobody tells the clients."""

_MAX_PAGE = 1_000_000


class ZipcodeRisk(msgspec.Struct, frozen=True):
    """The risk factor of a zipcode in the release that is active."""

    zipcode: int
    risk_factor: RiskFactor
    release: str


class ZipcodeItem(msgspec.Struct, frozen=True):
    """A zipcode of a list."""

    zipcode: int
    risk_factor: RiskFactor


class ZipcodePage(msgspec.Struct, frozen=True):
    """A page of zipcodes, ascending; `next` is the path of the page that follows, where there is one."""

    items: list[ZipcodeItem]
    total: int
    page: int
    page_size: int
    release: str
    next: str | msgspec.UnsetType = msgspec.UNSET


@get(
    "/{zipcode:str}",
    summary="The risk factor of a zipcode",
    operation_id="getZipcode",
    responses={**documented(INVALID_ZIPCODE, NO_RISK_FACTOR, UNAVAILABLE), **NOT_MODIFIED},
)
async def get_zipcode(
    request: Request[Any, Any, Any], zipcode: p.ZipcodePath, risks: NamedDependency[RiskService]
) -> Response[ZipcodeRisk]:
    number = p.read_zipcode(zipcode)
    factor, release = await risks.factor(number)
    return represent(request, ZipcodeRisk(number, factor, release), tag=release, lifetime=LIFETIME)


@get(
    "/",
    summary="The zipcodes that have a risk factor",
    operation_id="listZipcodes",
    responses={**documented(BAD_REQUEST, UNAVAILABLE), **NOT_MODIFIED},
)
async def list_zipcodes(
    request: Request[Any, Any, Any],
    risks: NamedDependency[RiskService],
    risk_factors: p.RiskFactorsQuery = None,
    page: p.PageQuery = "1",
    page_size: p.PageSizeQuery = "10000",
) -> Response[ZipcodePage]:
    factors = [p.read_risk_factor(text) for text in risk_factors or ()]
    number = p.read_whole_number("page", page, at_least=1, at_most=_MAX_PAGE)
    size = p.read_whole_number("page_size", page_size, at_least=1, at_most=10_000)
    listing = await risks.select(frozenset(factors))
    items = listing.items[(number - 1) * size : number * size]
    body = ZipcodePage(
        items=[ZipcodeItem(zipcode, factor) for zipcode, factor in items],
        total=len(listing.items),
        page=number,
        page_size=size,
        release=listing.release,
        next=_next(request, factors, number, size) if number * size < len(listing.items) else msgspec.UNSET,
    )
    return represent(request, body, tag=listing.release, lifetime=LIFETIME)


def _next(request: Request[Any, Any, Any], factors: list[RiskFactor], page: int, size: int) -> str:
    query = [*(("risk_factor", factor.value) for factor in factors), ("page", page + 1), ("page_size", size)]
    return f"{request.scope['path']}?{urlencode(query)}"


router = Router("/v1/zipcodes", route_handlers=[get_zipcode, list_zipcodes], tags=["zipcodes"])
