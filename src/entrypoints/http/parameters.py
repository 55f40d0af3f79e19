"""Reading what clients write in paths and queries, and refusing what nobody asked for."""

import re
from collections.abc import Awaitable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal, TypeVar

from litestar import Request
from litestar.openapi.spec import OpenAPI, OpenAPIType, Parameter, Schema
from litestar.params import PathParameter, QueryParameter

from domain.errors import InvalidInstant, InvalidMonth, InvalidZipcode, UnknownRelease
from domain.freshness import BRUSSELS
from domain.health_index import Month
from domain.index_service import HealthIndexService, IndexView
from domain.indexation import IndexKind
from domain.rent import Region
from domain.services import At
from domain.zipcodes import RiskFactor, Zipcode, parse_zipcode
from entrypoints.http.problems import INVALID_ZIPCODE, UNKNOWN_RELEASE, bad_input

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?"
)
_FACTORS = frozenset(factor.value for factor in RiskFactor)
_LAST_PAGE = 1_000_000
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}", re.ASCII)

# Values arrive as text: what is malformed gets our own words and type of problem, not the framework's. What they are
# is described in description.py.
ZipcodePath = Annotated[str, PathParameter(description="An integer from 1000 to 9999.")]
MonthPath = Annotated[str, PathParameter(description="A month, `YYYY-MM`.")]
BaseYearQuery = Annotated[str | None, QueryParameter(name="base_year", description="Keep this base year alone.")]
RequiredBaseYearQuery = Annotated[str, QueryParameter(name="base_year", description="The base year.")]
YearQuery = Annotated[str, QueryParameter(name="year", description="The base year.")]
FromQuery = Annotated[str | None, QueryParameter(name="from", description="The first month, included.")]
ToQuery = Annotated[str | None, QueryParameter(name="to", description="The last month, included.")]
AmountQuery = Annotated[str, QueryParameter(name="amount", description="The amount, in euro.")]
StartQuery = Annotated[str, QueryParameter(name="from", description="The starting month.")]
EndQuery = Annotated[str, QueryParameter(name="to", description="The month of the new index.")]
IndexationBaseYearQuery = Annotated[
    str | None,
    QueryParameter(name="base_year", description="The base year; otherwise that in force in the starting month."),
]
KindQuery = Annotated[str, QueryParameter(name="index", description="The health index, or the smoothed one.")]
RentQuery = Annotated[str, QueryParameter(name="rent", description="The base rent of the contract, in euro.")]
RegionQuery = Annotated[str, QueryParameter(name="region", description="Where the home lies.")]
SignedOnQuery = Annotated[str, QueryParameter(name="signed_on", description="When the lease was signed.")]
StartsOnQuery = Annotated[str, QueryParameter(name="starts_on", description="When it entered into force.")]
OnQuery = Annotated[str | None, QueryParameter(name="on", description="The day asked about; otherwise today.")]
AsOfQuery = Annotated[
    str | None,
    QueryParameter(name="as_of", description="Answer with what was known then: an instant, or the end of a day."),
]
ReleaseQuery = Annotated[
    str | None,
    QueryParameter(name="release", description="Answer from this release of the risk table; not along with as_of."),
]
ReleasePath = Annotated[str, PathParameter(description="The id of a release.")]
AgainstQuery = Annotated[
    str | None, QueryParameter(name="against", description="The release to start from; otherwise the active one.")
]
RiskFactorQuery = Annotated[str, QueryParameter(name="risk_factor", description="The risk factor.")]
RiskFactorsQuery = Annotated[
    list[str] | None, QueryParameter(name="risk_factor", description="Keep these risk factors; may be repeated.")
]
PageQuery = Annotated[str, QueryParameter(name="page", description="Which page; they count from 1.")]
PageSizeQuery = Annotated[str, QueryParameter(name="page_size", description="How many items a page has.")]


def read_zipcode(text: str) -> Zipcode:
    """A zipcode of the path; 400 for anything but an integer from 1000 to 9999."""
    try:
        return parse_zipcode(text)
    except InvalidZipcode as error:
        raise bad_input("path", "zipcode", str(error), text, INVALID_ZIPCODE) from error


def read_month(location: Literal["path", "query", "body"], name: str, text: str) -> Month:
    """A month; 400 for anything but `YYYY-MM`."""
    try:
        return Month.parse(text)
    except InvalidMonth as error:
        raise bad_input(location, name, str(error), text) from error


def read_optional_month(name: str, text: str | None) -> Month | None:
    """A month of the query, where there is one."""
    return None if text is None else read_month("query", name, text)


def read_whole_number(name: str, text: str, *, at_least: int | None = None, at_most: int | None = None) -> int:
    """An integer of the query, written in decimal digits; 400 for anything else."""
    if not _WHOLE_NUMBER.fullmatch(text):
        raise bad_input("query", name, f"{name} is not a whole number", text)
    value = int(text)
    if at_least is not None and value < at_least:
        raise bad_input("query", name, f"{name} is less than {at_least}", text)
    if at_most is not None and value > at_most:
        raise bad_input("query", name, f"{name} is more than {at_most}", text)
    return value


def read_page(page: str, page_size: str, largest: int) -> tuple[int, int]:
    """Which page, from 1, and how many items it has; 400 for a page that cannot be."""
    number = read_whole_number("page", page, at_least=1, at_most=_LAST_PAGE)
    return number, read_whole_number("page_size", page_size, at_least=1, at_most=largest)


def read_optional_whole_number(name: str, text: str | None) -> int | None:
    """An integer of the query, where there is one."""
    return None if text is None else read_whole_number(name, text)


def read_view(index: HealthIndexService, as_of: str | None) -> IndexView:
    """What is known now, or was known at the instant of the query; 400 for one that cannot be told."""
    return index.now() if as_of is None else read_view_at(index, read_instant("query", as_of), "query")


def read_view_at(index: HealthIndexService, instant: datetime, location: Literal["query", "body"]) -> IndexView:
    """What was known at an instant; 400 for one that cannot be told."""
    try:
        return index.at(instant)
    except InvalidInstant as error:
        raise bad_input(location, "as_of", str(error), instant.isoformat()) from error


def read_instant(location: Literal["query", "body"], text: str) -> datetime:
    """An instant as RFC 3339 writes it, or a day, which stands for its end in Brussels; 400 for anything else."""
    if _INSTANT.fullmatch(text):
        try:
            instant = datetime.fromisoformat(text)
            if instant.tzinfo is None:
                instant = datetime.combine(instant.date() + timedelta(days=1), time(), BRUSSELS) - timedelta(
                    microseconds=1
                )
            return instant.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    detail = "as_of is neither a day (YYYY-MM-DD) nor an instant with its offset (YYYY-MM-DDThh:mm:ssZ)"
    raise bad_input(location, "as_of", detail, text)


def read_at(as_of: str | None, release: str | None) -> At:
    """Which risk table is asked; 400 for two answers to that."""
    if as_of is not None and release is not None:
        raise bad_input("query", "release", "as_of and release are two ways to name one table: give one", release)
    return release if as_of is None else read_instant("query", as_of)


Answer = TypeVar("Answer")


async def asked(answer: Awaitable[Answer], at: At) -> Answer:
    """An answer of the table that the query names; 400 where there is no such table."""
    try:
        return await answer
    except UnknownRelease as error:
        raise bad_input("query", "release", str(error), str(at), UNKNOWN_RELEASE) from error
    except InvalidInstant as error:
        raise bad_input("query", "as_of", str(error), error.value.isoformat()) from error


def read_date(location: Literal["query", "body"], name: str, text: str) -> date:
    """A date; 400 for anything but `YYYY-MM-DD`."""
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise bad_input(location, name, f"{name} is not a date written as YYYY-MM-DD", text)


def read_kind(text: str) -> IndexKind:
    """Which index; 400 for anything but the two that there are."""
    try:
        return IndexKind(text)
    except ValueError as error:
        raise bad_input("query", "index", "index is neither health nor smoothed", text) from error


def read_region(text: str) -> Region:
    """A region; 400 for anything but the three that there are."""
    try:
        return Region(text)
    except ValueError as error:
        raise bad_input("query", "region", "region is not brussels, flanders or wallonia", text) from error


def read_risk_factor(text: str) -> RiskFactor:
    """A risk factor of the query; 400 for anything but A, B and C."""
    if text not in _FACTORS:
        raise bad_input("query", "risk_factor", "risk_factor is not A, B or C", text)
    return RiskFactor(text)


# -- unknown parameters ------------------------------------------------------------------------------


class KnownParameters:
    """Refuses what a route does not describe: a typo such as `base_yaer` must not be ignored in silence.

    The OpenAPI description is the list of what is known, so that the two cannot differ.
    """

    def __init__(self) -> None:
        self._by_route: Mapping[tuple[str, str], Mapping[str, bool]] = {}  # by name: whether it may be repeated

    def learn(self, document: OpenAPI) -> None:
        """Take the names from the description of the application."""
        self._by_route = {
            (method, path): {
                parameter.name: isinstance(parameter.schema, Schema) and parameter.schema.type is OpenAPIType.ARRAY
                for parameter in operation.parameters or ()
                if isinstance(parameter, Parameter) and parameter.param_in == "query"
            }
            for path, item in (document.paths or {}).items()
            for method, operation in (("GET", item.get), ("POST", item.post))
            if operation is not None
        }

    async def check(self, request: Request[Any, Any, Any]) -> None:
        """Answer 400 for an unknown name, and for one given twice that takes one value."""
        known = self._by_route.get((request.method, request.scope["path_template"]))
        if known is None or not request.scope["query_string"]:
            return
        seen: set[str] = set()
        for name, value in request.query_params.multi_items():
            if name not in known:
                allowed = ", ".join(known) or "none"
                raise bad_input("query", name[:50], f"there is no such parameter here (known: {allowed})", value)
            if name in seen and not known[name]:
                raise bad_input("query", name, f"{name} is given more than once", value)
            seen.add(name)
