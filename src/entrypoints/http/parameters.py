"""Every parameter of a path or a query: its name, what its text stands for, and an example.

Values arrive as text, so that what is malformed gets our own words and type of problem, not the framework's. The
examples of one operation, filled in together, are a question that is answered; where two parameters exclude each other,
or only the data of one service tell what to ask for, there is none; nor for a rent paid, which has a meaning in one
year and region alone.
"""

from dataclasses import fields
from typing import Annotated, Any, TypeVar

from litestar.openapi.spec import Example, Schema
from litestar.params import ParameterKwarg, PathParameter, QueryParameter

from domain.health_index.indexation import IndexKind
from domain.leases.rent import Region
from domain.risk.tables import RiskFactor
from entrypoints.http.negotiation import Language
from entrypoints.http.openapi import values as v
from entrypoints.http.reading import LAST_PAGE

LARGEST_PAGE, LARGEST_PAGE_OF_RELEASES = 10_000, 1000

Kind = TypeVar("Kind", bound=ParameterKwarg)


def _declare(kind: type[Kind], name: str | None, description: str, schema: Schema, example: Any) -> Kind:
    # Every field that differs from the framework's own schema of a text, which is that of a text or null.
    described = {each.name: getattr(schema, each.name) for each in fields(Schema) if each.name != "description"}
    shown = None if example is None else [Example(value=example)]
    return kind(name=name, description=description, schema_extra=described, examples=shown)


def _path(description: str, schema: Schema, example: Any) -> PathParameter:
    return _declare(PathParameter, None, description, schema, example)


def _query(name: str, description: str, schema: Schema, example: Any = None) -> QueryParameter:
    return _declare(QueryParameter, name, description, schema, example)


# -- figures ---------------------------------------------------------------------------------------------

MonthPath = Annotated[str, _path("A month, `YYYY-MM`.", v.MONTH, "2023-11")]
YearQuery = Annotated[str, _query("year", "The base year.", v.whole_number(1, 9999, 2004), 2013)]
BaseYearQuery = Annotated[str | None, _query("base_year", "Keep this base year alone.", v.BASE_YEAR, 2013)]
RequiredBaseYearQuery = Annotated[str, _query("base_year", "The base year.", v.BASE_YEAR, 2013)]
FromQuery = Annotated[str | None, _query("from", "The first month, included.", v.MONTH, "2023-01")]
ToQuery = Annotated[str | None, _query("to", "The last month, included.", v.MONTH, "2023-12")]
ClaimedQuery = Annotated[str, _query("value", "The index that somebody claims.", v.POINTS, "155.25")]
ClaimedBaseYearQuery = Annotated[
    str | None, _query("base_year", "The base year of the claim; otherwise any will do.", v.BASE_YEAR, 2013)
]
ProvenanceQuery = Annotated[
    str | None, _query("provenance", "Keep to the figures that Statbel published.", v.PUBLISHED, "published")
]
AsOfQuery = Annotated[
    str | None,
    _query("as_of", "Answer with what was known then: an instant, or a day, which stands for its end.", v.INSTANT),
]

# -- amounts and rents -------------------------------------------------------------------------------------

_EURO = "in euro: above zero, up to 10^9, with two decimals at most"
AmountQuery = Annotated[str, _query("amount", f"The amount, {_EURO}.", v.AMOUNT, "500.00")]
StartQuery = Annotated[str, _query("from", "The starting month.", v.MONTH, "2010-06")]
EndQuery = Annotated[str, _query("to", "The month of the new index.", v.MONTH, "2019-08")]
IndexationBaseYearQuery = Annotated[
    str | None,
    _query("base_year", "The base year; otherwise that in force in the starting month.", v.BASE_YEAR, 2004),
]
KindQuery = Annotated[
    str,
    _query("index", "The health index, or the smoothed one.", v.one_of(IndexKind, IndexKind.HEALTH.value), "health"),
]
RentQuery = Annotated[str, _query("rent", f"The base rent of the contract, {_EURO}.", v.AMOUNT, "500.00")]
RegionQuery = Annotated[
    str | None,
    _query("region", "Where the home lies; a zipcode may be given in its place.", v.one_of(Region), "brussels"),
]
ZipcodeQuery = Annotated[
    str | None, _query("zipcode", "The zipcode of the home, in place of its region.", v.ZIPCODE, 1040)
]
EnergyLabelQuery = Annotated[
    str | None,
    _query(
        "energy_label",
        "The label of the energy certificate at hand, or `none`. In a query, the plus of `A+` is written `%2B`.",
        v.LABEL,
        "E",
    ),
]
RentBeforeQuery = Annotated[
    str | None,
    _query(
        "rent_before",
        f"The rent really paid before the anniversary in the restriction year, {_EURO}; for Flanders alone.",
        v.AMOUNT,
    ),
]
UntilQuery = Annotated[
    str | None, _query("until", "The last day to be looked at; otherwise today.", v.DATE, "2024-12-31")
]
SignedOnQuery = Annotated[str, _query("signed_on", "When the lease was signed.", v.DATE, "2010-07-25")]
StartsOnQuery = Annotated[str, _query("starts_on", "When it entered into force.", v.DATE, "2010-09-01")]
OnQuery = Annotated[str | None, _query("on", "The day asked about; otherwise today.", v.DATE, "2024-01-01")]

# -- zipcodes and releases ---------------------------------------------------------------------------------

ZipcodePath = Annotated[str, _path("A zipcode, from 1000 to 9999.", v.ZIPCODE, 9000)]
ReleasePath = Annotated[str, _path("The id of a release, or its number.", v.RELEASE, "0001-168866b8")]
ReleaseQuery = Annotated[
    str | None,
    _query("release", "Answer from this release (id or number) of the risk table; not along with `as_of`.", v.RELEASE),
]
AgainstQuery = Annotated[
    str | None,
    _query("against", "The release to start from; otherwise the one in service.", v.RELEASE, "0001-168866b8"),
]
RiskFactorQuery = Annotated[str, _query("risk_factor", "The risk factor.", v.one_of(RiskFactor), "A")]
RiskFactorsQuery = Annotated[
    list[str] | None,
    _query("risk_factor", "Keep these risk factors; may be repeated.", v.several(v.one_of(RiskFactor)), ["A", "B"]),
]

# -- pages -------------------------------------------------------------------------------------------------

PageQuery = Annotated[str, _query("page", "Which page; they count from 1.", v.whole_number(1, LAST_PAGE, 1), 1)]
PageSizeQuery = Annotated[
    str,
    _query("page_size", "How many items a page has.", v.whole_number(1, LARGEST_PAGE, LARGEST_PAGE), 100),
]
ReleasesPageSizeQuery = Annotated[
    str,
    _query("page_size", "How many releases a page has.", v.whole_number(1, LARGEST_PAGE_OF_RELEASES, 100), 10),
]

# -- the page for people -------------------------------------------------------------------------------------

LanguageQuery = Annotated[
    str | None,
    _query("lang", "The language of the page; otherwise that of `Accept-Language`.", v.one_of(Language), "nl"),
]
PageBaseYearQuery = Annotated[str | None, _query("base_year", "The base year of the page.", v.BASE_YEAR, 2013)]
