"""Reading what clients write in paths and queries, and refusing what nobody asked for."""

from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Request
from litestar.openapi.spec import OpenAPI, OpenAPIType, Parameter, Schema
from litestar.params import PathParameter, QueryParameter

from entrypoints.http.problems import bad_input

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
ProvenanceQuery = Annotated[
    str | None, QueryParameter(name="provenance", description="Keep to the figures that Statbel published.")
]
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
