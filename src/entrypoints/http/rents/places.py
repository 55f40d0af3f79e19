"""`/v1/places`: the municipalities of a zipcode, and by whose law its rents are indexed."""

from datetime import timedelta
from typing import Any

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from domain.leases.places import Places
from domain.risk.tables import parse_zipcode
from entrypoints.http import parameters as p
from entrypoints.http import reading as r
from entrypoints.http.openapi.responses import NOT_MODIFIED, documented
from entrypoints.http.problems import BAD_REQUEST, INVALID_ZIPCODE, NO_PLACE
from entrypoints.http.rents.municipalities import PlaceBody, place_body
from entrypoints.http.representation import Validity, represent

_VALIDITY = Validity(timedelta(days=1))


@get(
    "/{zipcode:str}",
    summary="The municipalities of a zipcode, and their region",
    description="The German-speaking Community counts as a region of its own, since it has its own law of rents.",
    operation_id="getPlace",
    responses={**documented(BAD_REQUEST, INVALID_ZIPCODE, NO_PLACE), **NOT_MODIFIED},
)
async def get_place(
    request: Request[Any, Any, Any], zipcode: p.ZipcodePath, places: NamedDependency[Places]
) -> Response[PlaceBody]:
    body = place_body(places, r.read(parse_zipcode, "zipcode", zipcode, "path"))
    return represent(request, body, tag=places.version, validity=_VALIDITY)


router = Router("/v1/places", route_handlers=[get_place], tags=["places"])
