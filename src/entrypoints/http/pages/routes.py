"""The pages for people, in four languages: `/`, `/rent` with its letters, `/amount`, `/zipcode`."""

from datetime import date
from importlib.metadata import version as version_of
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from domain.clock import Clock, today
from domain.errors import TechnicalError
from domain.leases.places import Places
from domain.use_cases.health_index import HealthIndexService, IndexView
from domain.use_cases.zipcodes import RiskService
from entrypoints.http import parameters as p
from entrypoints.http import reading as r
from entrypoints.http.exceptions import EXCEPTION_HANDLERS
from entrypoints.http.health_index.figures import validity_of, version
from entrypoints.http.negotiation import LANGUAGES, Language
from entrypoints.http.openapi.responses import NOT_MODIFIED, documented
from entrypoints.http.pages import answers
from entrypoints.http.pages.forms import Form
from entrypoints.http.pages.rendering import ASSET_TYPES, Reader, asset, asset_path, page, query_of, reader_of, refusal
from entrypoints.http.pages.rents import LETTER_FIELDS, RENT_FIELDS, rent
from entrypoints.http.problems import BAD_REQUEST, NOT_ACCEPTABLE, UNKNOWN_BASE_YEAR, ProblemError, echo
from entrypoints.http.representation import HTML, JSON, Finished, Validity, preferred, represent
from entrypoints.http.risk.zipcodes import CACHED, IN_SERVICE

_OF_FIGURES = {"cache": "index"}


class ServiceIndex(msgspec.Struct, frozen=True):
    """What this service is, and where its parts are."""

    name: str
    version: str
    links: dict[str, str]


_LINKS = {
    "latest": "/v1/health-index/latest",
    "series": "/v1/health-index",
    "base_years": "/v1/health-index/base-years",
    "indexations": "/v1/indexations",
    "rent_indexations": "/v1/rent-indexations",
    "rent_schedule": "/v1/rent-indexations/schedule",
    "zipcodes": "/v1/zipcodes",
    "documentation": "/schema",
    "description": "/schema/openapi.json",
    "health": "/health",
}


# -- the first page -----------------------------------------------------------------------------------


@get(
    "/",
    summary="The index of the service, or the page for people",
    description="As `text/html` the page, in the language of `lang` or else of `Accept-Language`.",
    operation_id="getServiceIndex",
    responses={**documented(BAD_REQUEST, UNKNOWN_BASE_YEAR, NOT_ACCEPTABLE), **NOT_MODIFIED},
    opt=_OF_FIGURES,
)
async def get_front(
    request: Request[Any, Any, Any],
    index: NamedDependency[HealthIndexService],
    lang: p.LanguageQuery = None,
    base_year: p.PageBaseYearQuery = None,
) -> Response[ServiceIndex]:
    accepted = preferred(request, [JSON, HTML])
    if accepted is None:
        raise ProblemError(NOT_ACCEPTABLE, f"The index of the service is available as {JSON} or {HTML}")
    view = index.now()
    if accepted == HTML:
        return _front_page(request, view, validity_of(index, view, None))
    r.read(r.one_of(Language), "lang", lang)
    if base_year is not None:
        with r.reading("base_year", base_year):
            view.table.require(r.whole_number()(base_year))
    number = version_of("belref")
    body = ServiceIndex("belref", number, _LINKS)
    return represent(request, body, tag=f"{number}-index", validity=Validity(index.cache_lifetime()), vary="Accept")


def _front_page(request: Request[Any, Any, Any], view: IndexView, validity: Validity) -> Response[Any]:
    reader, known = reader_of(request), view.table.base_years
    asked = _form(request, reader, "front", ("base_year",)).values["base_year"]
    base = known[0] if not asked else next((each for each in known if str(each) == asked), None)
    if base is None:
        words = reader.texts.errors.base_year
        raise _RefusedAddress(words.format(value=echo(asked), known=", ".join(map(str, known))))
    tag = f"{version(view)}-{base}"
    return page(
        request, reader, "front.html", answers.front(view, base, reader), tag=tag, validity=validity, accept=True
    )


# -- answers ------------------------------------------------------------------------------------------


@get("/amount", include_in_schema=False, opt=_OF_FIGURES)
async def get_amount(request: Request[Any, Any, Any], index: NamedDependency[HealthIndexService]) -> Response[Any]:
    reader, view = reader_of(request), index.now()
    form = _form(request, reader, "amount", answers.AMOUNT_FIELDS)
    context = {"form": form, "answer": answers.amount(view, form, reader) if form.is_sent else None}
    if form.errors:
        return refusal(request, reader, "amount.html", context, status=400)
    return page(request, reader, "amount.html", context, tag=version(view), validity=validity_of(index, view, None))


@get("/rent", include_in_schema=False, opt=_OF_FIGURES)
async def get_rent(
    request: Request[Any, Any, Any],
    index: NamedDependency[HealthIndexService],
    places: NamedDependency[Places],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    return _rent_page(request, index, places, clock, "rent.html")


@get("/rent/letter", include_in_schema=False, opt=_OF_FIGURES)
async def get_letter(
    request: Request[Any, Any, Any],
    index: NamedDependency[HealthIndexService],
    places: NamedDependency[Places],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    """From the landlord, or with `by=tenant` from the tenant."""
    return _rent_page(request, index, places, clock, "letter.html")


def _rent_page(
    request: Request[Any, Any, Any], index: HealthIndexService, places: Places, clock: Clock, template: str
) -> Response[Any]:
    reader, view, day = reader_of(request), index.now(), today(clock())
    form = _form(request, reader, "rent", RENT_FIELDS if template == "rent.html" else LETTER_FIELDS)
    by = form.choice("by", ("landlord", "tenant")) if template == "letter.html" else None
    answer = rent(view, places, form, day, reader) if form.is_sent or template == "letter.html" else None
    if answer is not None and not form.values["on"]:
        return _permalink(request, day)
    context = {"form": form, "answer": answer, "by": by or "landlord"}
    if form.errors:
        return refusal(request, reader, "rent.html", context, status=400)
    validity = validity_of(index, view, None)
    return page(request, reader, template, context, tag=f"{version(view)}-{places.version}", validity=validity)


def _permalink(request: Request[Any, Any, Any], day: date) -> Response[Any]:
    """To the same question with its day, so that the address in the browser means the same tomorrow."""
    asked = [(name, value) for name, value in query_of(request) if value]
    location = f"{request.scope['path']}?{urlencode([*asked, ('on', day.isoformat())])}"
    return Response(b"", status_code=303, headers={"Location": location, "Cache-Control": "no-store"})


@get("/zipcode", include_in_schema=False, opt=CACHED)
async def get_zipcode_page(
    request: Request[Any, Any, Any], risks: NamedDependency[RiskService], places: NamedDependency[Places]
) -> Response[Any]:
    reader = reader_of(request)
    form = _form(request, reader, "zipcode", answers.ZIPCODE_FIELDS)
    try:
        view = await risks.view()
    except TechnicalError:
        return refusal(request, reader, "message.html", {"message": reader.texts.site.unavailable}, status=503)
    context = {"form": form, "answer": answers.zipcode(view, places, form) if form.is_sent else None}
    if form.errors:
        return refusal(request, reader, "zipcode.html", context, status=400)
    return page(request, reader, "zipcode.html", context, tag=view.release.id, validity=IN_SERVICE)


class _RefusedAddress(Exception):
    """A name in the address that no field of the page has, or a language that there is not; a message says which."""


def _form(request: Request[Any, Any, Any], reader: Reader, form: str, fields: tuple[str, ...]) -> Form:
    given: dict[str, str] = {}
    errors, site = reader.texts.errors, reader.texts.site
    for name, value in query_of(request):
        if name == "lang" and value not in LANGUAGES:
            raise _RefusedAddress(errors.language.format(value=echo(value), known=", ".join(LANGUAGES)))
        if name not in (*fields, "lang") or name in given:
            known = ", ".join((*fields, "lang"))
            raise _RefusedAddress(site.unknown_parameter.format(name=echo(name), known=known))
        given[name] = value
    return Form(form, fields, given, reader.texts, reader.writer)


def _refuse_address(request: Request[Any, Any, Any], error: _RefusedAddress) -> Response[str]:
    return refusal(request, reader_of(request), "message.html", {"message": str(error)}, status=400)


def _refuse_question(request: Request[Any, Any, Any], error: ProblemError) -> Response[Any]:
    """A parameter that the first page does not know: in the language for a browser, as a problem for a program."""
    if error.issues and preferred(request, [JSON, HTML]) == HTML:
        unknown = reader_of(request).texts.site.unknown_parameter
        message = unknown.format(name=error.issues[0].name, known="base_year, lang")
        return _refuse_address(request, _RefusedAddress(message))
    refused: Response[Any] = EXCEPTION_HANDLERS[ProblemError](request, error)
    return refused


# -- files --------------------------------------------------------------------------------------------

_FOR_GOOD = "public, max-age=31536000, immutable"
_FOR_A_DAY = "public, max-age=86400"
_ROBOTS = b"User-agent: *\nAllow: /$\nAllow: /?lang=\nAllow: /assets/\nDisallow: /\n"


@get("/assets/{name:str}", include_in_schema=False, opt=_OF_FIGURES)
async def get_asset(name: FromPath[str]) -> Response[Any]:
    """A file that the pages load. Its name changes with its content; it is kept and compressed like the pages."""
    for each, media_type in ASSET_TYPES.items():
        if asset_path(each).endswith(f"/{name}"):
            return _file(asset(each), media_type, _FOR_GOOD)
    raise NotFoundException


@get("/favicon.ico", include_in_schema=False)
async def get_icon() -> Response[Any]:
    return _file(asset("icon.svg"), ASSET_TYPES["icon.svg"], _FOR_A_DAY)


@get("/robots.txt", include_in_schema=False)
async def get_robots() -> Response[Any]:
    """The first page may be found; answers to what somebody asked need not."""
    return _file(_ROBOTS, "text/plain; charset=utf-8", _FOR_A_DAY)


def _file(content: bytes, media_type: str, cache_control: str) -> Response[Any]:
    headers = {"Content-Type": media_type, "Content-Length": str(len(content)), "Cache-Control": cache_control}
    return Finished(content, {**headers, "Vary": "Accept-Encoding"})


router = Router(
    "/",
    route_handlers=[get_front, get_rent, get_letter, get_amount, get_zipcode_page, get_asset, get_icon, get_robots],
    exception_handlers={_RefusedAddress: _refuse_address, ProblemError: _refuse_question},
    tags=["service"],
)
