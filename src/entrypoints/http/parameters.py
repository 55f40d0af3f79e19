"""Reading what clients write in paths and queries, and refusing what nobody asked for."""

from typing import Annotated

from litestar.params import PathParameter, QueryParameter

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
