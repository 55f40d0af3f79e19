"""The OpenAPI description, where the framework's own is missing something or wrong."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin
from litestar.openapi.spec import (
    Example,
    License,
    OpenAPI,
    OpenAPIFormat,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Parameter,
    Reference,
    RequestBody,
    Schema,
    Tag,
)
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

from domain.health_index.indexation import IndexKind
from domain.leases.certificates import EnergyLabel
from domain.leases.rent import Region
from domain.risk.tables import FIRST_ZIPCODE, LAST_ZIPCODE, RiskFactor
from entrypoints.http.openapi.examples import CSV_EXAMPLES, EXAMPLES, REQUESTS

DESCRIPTION = """
The Belgian health index (Statbel) for any month and base year, and the risk factor of a Belgian zipcode.

Figures are exact decimals. A figure is `published` by Statbel or `derived` from one by an official coefficient, and
says which. Risk factors come from a release of the operator's risk table, and every answer says from which; another one
is asked for by its id, or by an instant at which it was in service. Every error is a problem as RFC 9457 describes it.
A query parameter that a route does not describe is refused. Source of the figures: Statbel (Statistics Belgium),
CC BY 4.0.
"""

_DAY = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_MONTH = Schema(type=OpenAPIType.STRING, pattern="^[0-9]{4}-(0[1-9]|1[0-2])$", examples=["2023-11"])
_BASE_YEAR = Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=9999, examples=[2013])
_DATE = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE, examples=["2010-07-25"])
_INSTANT = Schema(
    type=OpenAPIType.STRING,
    pattern=f"^{_DAY}(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{{1,6}})?Z)?$",
    examples=["2024-03-01", "2024-03-01T12:00:00Z"],
)
_AMOUNT = Schema(
    type=OpenAPIType.STRING,
    pattern="^(?=.*[1-9])[0-9]{1,9}(\\.[0-9]{1,2})?$",
    description="Euro, above zero and up to 10^9, with at most two decimals.",
    examples=["500", "500.50"],
)
_KIND = Schema(type=OpenAPIType.STRING, enum=[kind.value for kind in IndexKind], default=IndexKind.HEALTH.value)
_REGION = Schema(type=OpenAPIType.STRING, enum=[region.value for region in Region])
_LABEL = Schema(type=OpenAPIType.STRING, enum=[*(label.value for label in EnergyLabel), "A+", "A++"])
_FACTOR = Schema(type=OpenAPIType.STRING, enum=[factor.value for factor in RiskFactor])
_RELEASE = Schema(type=OpenAPIType.STRING, pattern="^[0-9]{4,}-[0-9a-f]{8}$", examples=["0001-168866b8"])
_ZIPCODE = Schema(type=OpenAPIType.INTEGER, minimum=FIRST_ZIPCODE, maximum=LAST_ZIPCODE, examples=[9000])
_ZIPCODE_OF_A_BATCH = Schema(
    one_of=[_ZIPCODE, Schema(type=OpenAPIType.STRING, pattern="^[1-9][0-9]{3}$", examples=["9000"])]
)

PARAMETERS: dict[str, Schema] = {
    "zipcode": _ZIPCODE,
    "month": _MONTH,
    "from": _MONTH,
    "to": _MONTH,
    "base_year": _BASE_YEAR,
    "year": Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=9999, default=2004, examples=[2013]),
    "risk_factor": _FACTOR,
    "as_of": _INSTANT,
    "release": _RELEASE,
    "against": _RELEASE,
    "amount": _AMOUNT,
    "index": _KIND,
    "rent": _AMOUNT,
    "region": _REGION,
    "signed_on": _DATE,
    "starts_on": _DATE,
    "on": _DATE,
    "until": _DATE,
    "energy_label": _LABEL,
    "rent_before": _AMOUNT,
    "page": Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=1_000_000, default=1),
    "page_size": Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=10_000, default=10_000),
}
"""What the text of a parameter stands for. Handlers take text, so that what is malformed gets our own answer."""

_OWN_PARAMETERS = {
    ("listReleases", "page_size"): Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=1000, default=100),
    ("listZipcodes", "risk_factor"): Schema(type=OpenAPIType.ARRAY, items=_FACTOR),
}
"""Where one operation takes something else than the others."""

_CASE = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "amount": _AMOUNT,
        "from": _MONTH,
        "to": _MONTH,
        "base_year": _BASE_YEAR,
        "index": _KIND,
    },
    required=["amount", "from", "to"],
    additional_properties=False,
)
_RENT_CASE = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "rent": _AMOUNT,
        "region": _REGION,
        "zipcode": _ZIPCODE_OF_A_BATCH,
        "signed_on": _DATE,
        "starts_on": _DATE,
        "on": _DATE,
        "energy_label": _LABEL,
        "rent_before": _AMOUNT,
    },
    required=["rent", "signed_on", "starts_on"],
    any_of=[Schema(required=["region"]), Schema(required=["zipcode"])],
    additional_properties=False,
)


def _batch(items: str, case: Schema, **more: Schema) -> Schema:
    several = Schema(
        type=OpenAPIType.ARRAY,
        items=case,
        max_items=1000,
        description="A case that is anything else gets a problem in its place.",
    )
    return Schema(
        type=OpenAPIType.OBJECT,
        properties={items: several, **more},
        required=[items],
        additional_properties=False,
    )


BATCHES: dict[str, Schema] = {
    "createIndexations": _batch("items", _CASE, as_of=_INSTANT),
    "createRentIndexations": _batch("items", _RENT_CASE, as_of=_INSTANT),
    "lookUpZipcodes": _batch("zipcodes", _ZIPCODE_OF_A_BATCH),
}
"""What the body of a batch looks like. Amounts may be JSON numbers, too."""

FROM_A_TABLE = {
    "getZipcodeFactor",
    "getZipcodeFactorOfDatabase",
    "getZipcodesByRiskFactor",
    "getZipcode",
    "listZipcodes",
    "lookUpZipcodes",
    "listRiskRanges",
    "getRelease",
    "getReleaseDiff",
}
"""The operations that say in a header which release they answer from."""


class DecimalSchema(OpenAPISchemaPlugin):
    """Decimals are JSON numbers here; the framework's description would call them strings."""

    @staticmethod
    def is_plugin_supported_type(value: Any) -> bool:
        return value is Decimal

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Schema:  # noqa: ARG002
        return Schema(type=OpenAPIType.NUMBER, description="Exactly two decimals.")


def openapi_config(assets: str) -> OpenAPIConfig:
    """The document at `/schema/openapi.json`, and a page at `/schema` that loads nothing from elsewhere."""
    page = SwaggerRenderPlugin(
        path="/",
        js_url=f"{assets}/swagger_bundle.js",
        css_url=f"{assets}/swagger_style.css",
        standalone_preset_js_url=f"{assets}/swagger_preset.js",
        favicon="<link rel='icon' href='data:,'>",
    )
    return OpenAPIConfig(
        title="belref",
        version=version("belref"),
        description=DESCRIPTION.strip(),
        license=License(name="MIT", identifier="MIT"),
        path="/schema",
        render_plugins=[page, JsonRenderPlugin()],
        use_handler_docstrings=False,
        tags=[
            Tag("health index", "The figures of Statbel by month and base year."),
            Tag("indexation", "Amounts indexed by it, each with a receipt."),
            Tag("rents", "What a lease may ask, by the law of its region and the label of its energy certificate."),
            Tag("places", "The municipalities of a zipcode, and their region."),
            Tag("zipcodes", "The operator's risk table, as it is in service, was at an instant, or is in a release."),
            Tag("releases", "The risk tables that were loaded. Who did it stays off the network."),
            Tag("health", "For operators and load balancers."),
            Tag("brief", "The first routes; kept, answered by the same use cases, and deprecated in favour of /v1."),
        ],
    )


def complete(document: OpenAPI) -> None:
    """Say of each operation what its parameters stand for, what an answer looks like, and which headers it has."""
    for item in (document.paths or {}).values():
        for operation in (item.get, item.post):
            if operation is not None:
                _complete(operation)


def _complete(operation: Operation) -> None:
    name = str(operation.operation_id)
    for parameter in operation.parameters or ():
        if isinstance(parameter, Parameter):
            own = _OWN_PARAMETERS.get((name, parameter.name))
            parameter.schema = own or PARAMETERS[parameter.name]
    success = (operation.responses or {})["200"]
    if not isinstance(success, OpenAPIResponse) or success.content is None:
        raise TypeError(f"{operation.operation_id} has no answer")
    success.content["application/json"].examples = {"example": Example(value=EXAMPLES[name])}
    if name in CSV_EXAMPLES:
        success.content["text/csv"] = OpenAPIMediaType(
            schema=Schema(type=OpenAPIType.STRING), examples={"example": Example(value=CSV_EXAMPLES[name])}
        )
    if name in BATCHES:
        body = OpenAPIMediaType(schema=BATCHES[name], examples={"example": Example(value=REQUESTS[name])})
        operation.request_body = RequestBody(required=True, content={"application/json": body})
    success.headers = _described(_headers(name, kept="304" in (operation.responses or {})))
    missing = (operation.responses or {}).get("404")
    if name == "getZipcode" and isinstance(missing, OpenAPIResponse):
        missing.headers = _described([("X-Release", "The release that has no risk factor for the zipcode.")])


def _described(headers: Iterable[tuple[str, str]]) -> dict[str, OpenAPIHeader | Reference]:
    text = Schema(type=OpenAPIType.STRING)
    return {header: OpenAPIHeader(schema=text, description=words) for header, words in headers}


def _headers(name: str, *, kept: bool) -> Iterator[tuple[str, str]]:
    if kept:
        yield "ETag", "Changes exactly when the data behind the answer does."
        yield "Cache-Control", "For how long the answer may be kept."
    if name in FROM_A_TABLE:
        yield "X-Release", "The release of the risk table that the answer comes from."
    if name == "listRiskRanges":
        yield "Repr-Digest", "The SHA-256 of the bytes of the answer, as RFC 9530 writes it; not in a 304."
