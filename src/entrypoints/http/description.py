"""The OpenAPI description, where the framework's own is missing something or wrong."""

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
    RequestBody,
    Schema,
    Tag,
)
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

from domain.indexation import IndexKind
from domain.rent import Region
from domain.zipcodes import FIRST_ZIPCODE, LAST_ZIPCODE, RiskFactor

DESCRIPTION = """
The Belgian health index (Statbel) for any month and base year, and the risk factor of a Belgian zipcode.

Figures are exact decimals. A figure is `published` by Statbel or `derived` from one by an official coefficient, and
says which. Every error is a problem as RFC 9457 describes it. A query parameter that a route does not describe is
refused. Source of the figures: Statbel (Statistics Belgium), CC BY 4.0.
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
_FACTOR = Schema(type=OpenAPIType.STRING, enum=[factor.value for factor in RiskFactor])

PARAMETERS: dict[str, Schema] = {
    "zipcode": Schema(type=OpenAPIType.INTEGER, minimum=FIRST_ZIPCODE, maximum=LAST_ZIPCODE, examples=[9000]),
    "month": _MONTH,
    "from": _MONTH,
    "to": _MONTH,
    "base_year": _BASE_YEAR,
    "year": Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=9999, default=2004, examples=[2013]),
    "risk_factor": _FACTOR,
    "as_of": _INSTANT,
    "amount": _AMOUNT,
    "index": _KIND,
    "rent": _AMOUNT,
    "region": _REGION,
    "signed_on": _DATE,
    "starts_on": _DATE,
    "on": _DATE,
    "page": Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=1_000_000, default=1),
    "page_size": Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=10_000, default=10_000),
}
"""What the text of a parameter stands for. Handlers take text, so that what is malformed gets our own answer."""

_FRESHNESS = {
    "latest_month": "2022-04",
    "as_of": "2022-04-28T09:12:44Z",
    "source": "statbel",
    "attribution": "Statbel (Statistics Belgium), CC BY 4.0",
    "next_publication": "2022-05-30",
    "status": "fresh",
}
_FIGURE = {
    "base_year": 2013,
    "month": "2022-04",
    "value": 119.59,
    "provenance": "published",
    "smoothed": 116.52,
    "smoothed_provenance": "published",
}
_RECEIPT = {
    "amount": 500.00,
    "indexed": 584.18,
    "index": "health",
    "base_year": 2004,
    "start": {"month": "2010-06", "base_year": 2004, "value": 112.74, "provenance": "published"},
    "end": {"month": "2019-08", "base_year": 2004, "value": 131.72, "provenance": "published"},
    "ratio": 1.168352,
    "formula": "500.00 \N{MULTIPLICATION SIGN} 131.72 \N{DIVISION SIGN} 112.74 = 584.18 (rounded half up to the cent)",
    "rounding": "half up to the cent, once, at the end",
    "as_of": "2022-04-28T09:12:44Z",
    "permalink": "/v1/indexations?amount=500.00&from=2010-06&to=2019-08&base_year=2004&index=health"
    "&as_of=2022-04-28T09:12:44Z",
    "attribution": "Statbel (Statistics Belgium), CC BY 4.0",
}
_RENT_RECEIPT = {
    "rent": 500.00,
    "indexed_rent": 584.18,
    "region": "brussels",
    "signed_on": "2010-07-25",
    "starts_on": "2010-09-01",
    "on": "2020-01-01",
    "anniversary": "2019-09-01",
    **{name: _RECEIPT[name] for name in ("base_year", "start", "end", "ratio", "formula", "rounding")},
    "rule": {"starting_month": "2010-06 is the month before ...", "new_month": "2019-08 is the month before ..."},
    "not_included": "Not taken into account: ...",
    "as_of": "2022-04-28T09:12:44Z",
    "permalink": "/v1/rent-indexations?rent=500.00&region=brussels&signed_on=2010-07-25&starts_on=2010-09-01"
    "&on=2020-01-01&as_of=2022-04-28T09:12:44Z",
    "attribution": "Statbel (Statistics Belgium), CC BY 4.0",
}
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
    properties={"rent": _AMOUNT, "region": _REGION, "signed_on": _DATE, "starts_on": _DATE, "on": _DATE},
    required=["rent", "region", "signed_on", "starts_on"],
    additional_properties=False,
)
_CASE_EXAMPLE = {"amount": "500", "from": "2010-06", "to": "2019-08"}
_RENT_CASE_EXAMPLE = {
    "rent": "500",
    "region": "brussels",
    "signed_on": "2010-07-25",
    "starts_on": "2010-09-01",
    "on": "2020-01-01",
}

BATCHES: dict[str, tuple[Schema, dict[str, Any]]] = {
    "createIndexations": (_CASE, _CASE_EXAMPLE),
    "createRentIndexations": (_RENT_CASE, _RENT_CASE_EXAMPLE),
}
"""What one case of a batch looks like, and an example of one. Amounts may be JSON numbers, too."""

_HEALTH = {"status": "UP", "checks": {"risk_table": {"status": "UP", "detail": "release 3f0c2a9d7b15 (table.csv)"}}}

EXAMPLES: dict[str, Any] = {
    "getIndex": {"base_year": 2004, "index": 144.43},
    "getZipcodeFactor": {"zipcode": 9000, "risk_factor": "B", "exists": True},
    "getZipcodeFactorOfDatabase": {"zipcode": 9170, "risk_factor": "A", "exists": True},
    "getZipcodesByRiskFactor": {"A": [1320, 1321, 1322]},
    "getZipcode": {"zipcode": 9000, "risk_factor": "B", "release": "3f0c2a9d7b15"},
    "listZipcodes": {
        "items": [{"zipcode": 1320, "risk_factor": "A"}, {"zipcode": 1321, "risk_factor": "A"}],
        "total": 3533,
        "page": 1,
        "page_size": 2,
        "release": "3f0c2a9d7b15",
        "next": "/v1/zipcodes?risk_factor=A&page=2&page_size=2",
    },
    "getLatestHealthIndex": {"month": "2022-04", "figures": [_FIGURE], "freshness": _FRESHNESS},
    "getHealthIndexOfMonth": {"month": "2022-04", "figures": [_FIGURE], "freshness": _FRESHNESS},
    "listHealthIndex": {
        "base_year": 2013,
        "items": [
            {
                "month": "2022-04",
                "value": 119.59,
                "provenance": "published",
                "smoothed": 116.52,
                "smoothed_provenance": "published",
            }
        ],
        "total": 1,
        "freshness": _FRESHNESS,
    },
    "listBaseYears": {
        "items": [
            {
                "base_year": 2013,
                "first_month": "1994-01",
                "last_month": "2026-08",
                "first_published": "1994-01",
                "last_published": "2026-08",
                "in_force_from": "2014-01",
                "in_force_to": "2025-12",
            }
        ],
        "total": 1,
    },
    "getIndexation": _RECEIPT,
    "getRentIndexation": _RENT_RECEIPT,
    "createIndexations": {"items": [{"result": _RECEIPT}], "total": 1},
    "createRentIndexations": {"items": [{"result": _RENT_RECEIPT}], "total": 1},
    "getHealth": _HEALTH,
    "getLiveness": {"status": "UP", "checks": {}},
    "getReadiness": _HEALTH,
}
"""A successful answer of each operation; a test validates each against its schema."""

_CSV_EXAMPLE = "month,value,provenance,smoothed,smoothed_provenance\r\n2022-04,119.59,published,116.52,published\r\n"


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
            Tag("indexation", "Amounts and rents indexed by it, each with a receipt."),
            Tag("zipcodes", "The operator's risk table."),
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
    for parameter in operation.parameters or ():
        if isinstance(parameter, Parameter):
            schema = PARAMETERS[parameter.name]
            repeated = operation.operation_id == "listZipcodes" and schema is _FACTOR
            parameter.schema = Schema(type=OpenAPIType.ARRAY, items=schema) if repeated else schema
    success = (operation.responses or {})["200"]
    if not isinstance(success, OpenAPIResponse) or success.content is None:
        raise TypeError(f"{operation.operation_id} has no answer")
    success.content["application/json"].examples = {"example": Example(value=EXAMPLES[str(operation.operation_id)])}
    if operation.operation_id == "listHealthIndex":
        success.content["text/csv"] = OpenAPIMediaType(
            schema=Schema(type=OpenAPIType.STRING), examples={"example": Example(value=_CSV_EXAMPLE)}
        )
    if operation.operation_id in BATCHES:
        case, example = BATCHES[operation.operation_id]
        items = Schema(
            type=OpenAPIType.ARRAY,
            items=case,
            max_items=1000,
            description="A case that is anything else gets a problem in its place.",
        )
        operation.request_body = RequestBody(
            required=True,
            content={
                "application/json": OpenAPIMediaType(
                    schema=Schema(
                        type=OpenAPIType.OBJECT,
                        properties={"items": items, "as_of": _INSTANT},
                        required=["items"],
                        additional_properties=False,
                    ),
                    examples={"example": Example(value={"items": [example]})},
                )
            },
        )
    if "304" in (operation.responses or {}):
        text = Schema(type=OpenAPIType.STRING)
        success.headers = {
            "ETag": OpenAPIHeader(schema=text, description="Changes exactly when the data behind the answer does."),
            "Cache-Control": OpenAPIHeader(schema=text, description="For how long the answer may be kept."),
        }
