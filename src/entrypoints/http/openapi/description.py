"""The OpenAPI description, where the framework's own is missing something or wrong."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from importlib.metadata import version
from typing import Any, cast

from litestar import Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin
from litestar.openapi.spec import (
    Example,
    License,
    OpenAPI,
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

from entrypoints.http.openapi import bodies
from entrypoints.http.openapi.examples import EXAMPLES, REQUESTS, TEXTS
from entrypoints.http.openapi.glossary import FIELDS
from entrypoints.http.openapi.names import name_schemas
from entrypoints.http.openapi.page import documentation_router
from entrypoints.http.openapi.values import DECIMAL

DESCRIPTION = """
The Belgian health index (Statbel) for any month and base year, and the risk factor of a Belgian zipcode.

Figures are exact decimals. A figure is `published` by Statbel, `derived` from one by an official coefficient or, in old
base years since 2026, `estimated` by an inferred one, with its margin; each says which, and no rent rests on an
estimate. Risk factors come from a release of the risk table, and every answer says from which; another one is
asked for by its id, or by an instant at which it was in service. Every error is a problem as RFC 9457 describes it. A
query parameter that a route does not describe is refused. Source of the figures: Statbel (Statistics Belgium), CC BY
4.0.
"""

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

PAGES = {"getServiceIndex"}
"""The operations that answer people with a page as well."""


class DecimalSchema(OpenAPISchemaPlugin):
    """Decimals are JSON numbers here; the framework's description would call them strings."""

    @staticmethod
    def is_plugin_supported_type(value: Any) -> bool:
        return value is Decimal

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Schema:  # noqa: ARG002
        return Schema(type=OpenAPIType.NUMBER, format=DECIMAL)


class _Documentation(SwaggerRenderPlugin):
    """The framework's page in a language and with a title, and with a way back to the pages for people."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        page = super().render(request, openapi_schema)
        for framework, ours in (
            (b"<html>", b'<html lang="en">'),
            (b"<title>belref</title>", b"<title>belref: the API, to read and to try</title>"),
            (b"<body>", b"<body><p class='swagger-ui wrapper'><a href='/'>The pages for people</a></p>"),
        ):
            if framework not in page:
                raise RuntimeError(f"the framework's page of the documentation has no {framework.decode()}")
            page = page.replace(framework, ours, 1)
        return page


def openapi_config(assets: str) -> OpenAPIConfig:
    """The document at `/schema/openapi.json`, and a page at `/schema` that loads nothing from elsewhere."""
    page = _Documentation(
        path="/",
        js_url=f"{assets}/swagger_bundle.js",
        css_url=f"{assets}/swagger_style.css",
        standalone_preset_js_url=f"{assets}/swagger_preset.js",
        favicon="<link rel='icon' href='/favicon.ico'>",
    )
    return OpenAPIConfig(
        title="belref",
        version=version("belref"),
        description=DESCRIPTION.strip(),
        license=License(name="MIT", identifier="MIT"),
        openapi_router=documentation_router("/schema"),
        render_plugins=[page, JsonRenderPlugin()],
        use_handler_docstrings=False,
        tags=[
            Tag("health index", "The figures of Statbel by month and base year."),
            Tag("indexation", "Amounts indexed by it, each with a receipt."),
            Tag("rents", "What a lease may ask, by the law of its region and the label of its energy certificate."),
            Tag("places", "The municipalities of a zipcode, and their region."),
            Tag("zipcodes", "The operator's risk table, as it is in service, was at an instant, or is in a release."),
            Tag("releases", "The risk tables that were loaded. Who did it stays off the network."),
            Tag("service", "What there is, for programs, and a page for people."),
            Tag("health", "For operators and load balancers."),
            Tag("brief", "The first routes; kept, answered by the same use cases, and deprecated in favour of /v1."),
        ],
    )


def complete(document: OpenAPI) -> None:
    """Say what each field means, what is asked and answered by way of example, and which headers answers have."""
    document.components.schemas = {**(document.components.schemas or {}), **bodies.SCHEMAS}
    for item in (document.paths or {}).values():
        for operation in (item.get, item.post):
            if operation is not None:
                _mend_examples(operation)
                _complete(operation)
    name_schemas(document)
    for name, schema in document.components.schemas.items():
        if schema.properties:  # copies, as one schema may stand for several fields
            schema.properties = {
                field: replace(value, description=FIELDS.get(f"{name}.{field}", FIELDS.get(field)))
                for field, value in schema.properties.items()
            }


def _mend_examples(operation: Operation) -> None:
    """One example for a parameter, which the page fills in; and none with an id, which OpenAPI does not know."""
    for parameter in operation.parameters or ():
        if isinstance(parameter, Parameter) and parameter.examples:
            (example,) = parameter.examples.values()
            parameter.example, parameter.examples = cast("Example", example).value, None
    for response in (operation.responses or {}).values():
        if isinstance(response, OpenAPIResponse):
            for content in (response.content or {}).values():
                for each in (content.examples or {}).values():
                    cast("Example", each).id = None


def _complete(operation: Operation) -> None:
    name, responses = str(operation.operation_id), operation.responses or {}
    success, missing = responses["200"], responses.get("404")
    if not isinstance(success, OpenAPIResponse) or success.content is None:
        raise TypeError(f"{name} has no answer")
    if name in EXAMPLES:
        success.content["application/json"].examples = {"example": Example(value=EXAMPLES[name])}
    for media_type, text in TEXTS.get(name, {}).items():
        success.content[media_type] = OpenAPIMediaType(
            schema=Schema(type=OpenAPIType.STRING), examples={"example": Example(value=text)}
        )
    if name in PAGES:
        success.content["text/html"] = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
    if name in bodies.OF_OPERATION:
        schema = bodies.reference(bodies.OF_OPERATION[name])
        body = OpenAPIMediaType(schema=schema, examples={"example": Example(value=REQUESTS[name])})
        operation.request_body = RequestBody(required=True, content={"application/json": body})
    success.headers = _described(_headers(name, kept="304" in responses))
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
