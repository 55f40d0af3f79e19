"""The routes of the brief, kept exactly as they were asked for; `/v1` is their successor."""

import re
from decimal import Decimal
from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from domain.health_index.figures import Provenance
from domain.health_index.table import UnknownBaseYear
from domain.risk.tables import InvalidZipcode, RiskFactor, Zipcode, parse_zipcode
from domain.use_cases.health_index import HealthIndexService
from domain.use_cases.zipcodes import RiskService
from entrypoints.http import parameters as p
from entrypoints.http import reading as r
from entrypoints.http.openapi.responses import NOT_MODIFIED, documented
from entrypoints.http.problems import BAD_REQUEST, NOT_FOUND, UNAVAILABLE, ProblemError, bad_input
from entrypoints.http.representation import Validity, represent
from entrypoints.http.risk.zipcodes import CACHED, IN_SERVICE

_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)


class Index(msgspec.Struct, frozen=True):
    """The latest health index that can be given in a base year, its month, and whether Statbel published it."""

    base_year: int
    index: Decimal
    month: str
    provenance: Provenance


class ZipcodeFactor(msgspec.Struct, frozen=True):
    """The risk factor of a zipcode; null where the table does not cover it."""

    zipcode: int
    risk_factor: RiskFactor | None
    exists: bool


@get(
    "/index",
    summary="The latest health index in a base year",
    description="The latest figure that is known, whatever its month. `/v1/health-index/latest` says more.",
    operation_id="getIndex",
    responses={**documented(BAD_REQUEST, NOT_FOUND), **NOT_MODIFIED},
    deprecated=True,
    opt={"successor": "/v1/health-index/latest", "cache": "index"},
)
async def get_index(
    request: Request[Any, Any, Any],
    index: NamedDependency[HealthIndexService],
    year: p.YearQuery = "2004",
) -> Response[Index]:
    try:
        view = index.now()
        (figure,) = view.latest(r.read(r.whole_number(), "year", year))
    except UnknownBaseYear as error:
        raise ProblemError(NOT_FOUND, f"Year {error.base_year} is not valid") from error  # the words of the brief
    # The body does not say how fresh it is, so its version does not depend on it either.
    body = Index(figure.base_year, figure.value, str(figure.month), figure.provenance)
    return represent(request, body, tag=view.table.version, validity=Validity(index.cache_lifetime()))


_OF_ZIPCODE: dict[str, Any] = {
    "summary": "The risk factor of a zipcode",
    "description": "Of the table in service; `exists` says whether it covers the zipcode.",
    "responses": {**documented(BAD_REQUEST, NOT_FOUND, UNAVAILABLE), **NOT_MODIFIED},
    "deprecated": True,
    "opt": {"successor": "/v1/zipcodes/{zipcode}", **CACHED},
}


@get("/zipcodes/{zipcode:str}", operation_id="getZipcodeFactor", **_OF_ZIPCODE)
async def get_zipcode_factor(
    request: Request[Any, Any, Any], zipcode: p.ZipcodePath, risks: NamedDependency[RiskService]
) -> Response[ZipcodeFactor]:
    return await _zipcode_factor(request, zipcode, risks)


@get("/databases/zipcodes/{zipcode:str}", operation_id="getZipcodeFactorOfDatabase", **_OF_ZIPCODE)
async def get_zipcode_factor_of_database(
    request: Request[Any, Any, Any], zipcode: p.ZipcodePath, risks: NamedDependency[RiskService]
) -> Response[ZipcodeFactor]:
    return await _zipcode_factor(request, zipcode, risks)


async def _zipcode_factor(request: Request[Any, Any, Any], text: str, risks: RiskService) -> Response[ZipcodeFactor]:
    lookup = await risks.find(_zipcode(text))
    body = ZipcodeFactor(lookup.zipcode, lookup.factor, exists=lookup.factor is not None)
    return represent(request, body, tag=lookup.release, validity=IN_SERVICE, release=lookup.release)


@get(
    "/databases/zipcodes",
    summary="The zipcodes that have a risk factor",
    description="All of them, ascending, under the letter of their factor.",
    operation_id="getZipcodesByRiskFactor",
    responses={**documented(BAD_REQUEST, UNAVAILABLE), **NOT_MODIFIED},
    deprecated=True,
    opt={"successor": "/v1/zipcodes", **CACHED},
)
async def get_zipcodes_of_factor(
    request: Request[Any, Any, Any], risks: NamedDependency[RiskService], risk_factor: p.RiskFactorQuery
) -> Response[dict[RiskFactor, list[int]]]:
    factor = r.read(r.one_of(RiskFactor), "risk_factor", risk_factor)
    listing = await risks.select({factor})
    body: dict[RiskFactor, list[int]] = {factor: [zipcode for zipcode, _ in listing.items]}
    return represent(request, body, tag=listing.release, validity=IN_SERVICE, release=listing.release)


def _zipcode(text: str) -> Zipcode:
    """An integer outside 1000 to 9999 names nothing (404); what is no integer at all is bad input (400)."""
    try:
        return parse_zipcode(text)
    except InvalidZipcode as error:
        if _INTEGER.fullmatch(text):
            raise ProblemError(NOT_FOUND, str(error)) from error
        raise bad_input("path", "zipcode", str(error), text) from error


router = Router(
    "/",
    route_handlers=[get_index, get_zipcode_factor, get_zipcode_factor_of_database, get_zipcodes_of_factor],
    tags=["brief"],
)
