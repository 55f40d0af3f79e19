"""What programs make of the OpenAPI description: it is valid, everything in it says what it means, examples work."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx2
import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from tests.worlds import make_app, make_client

Operation = dict[str, Any]
WITHOUT_EXAMPLE = {"as_of", "release", "rent_before"}
"""The first two exclude each other, and only the data of one service tell what to ask for; the last has a meaning in
one region and one year alone."""


@pytest.fixture(scope="module")
async def document() -> dict[str, Any]:
    async with make_client(make_app()) as client:
        document: dict[str, Any] = (await client.get("/schema/openapi.json")).json()
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, Operation]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


async def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document, cls=OpenAPIV31SpecValidator)


async def test_every_schema_has_a_name_that_is_one_in_every_language(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert re.fullmatch("[A-Z][A-Za-z0-9]+", name)
        assert schema.get("title", name) == name
    assert {"IndexationOutcomes", "RentOutcome", "ZipcodeOutcome"} <= set(document["components"]["schemas"])


async def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for name in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)):
        assert name in document["components"]["schemas"]


async def test_every_field_operation_parameter_and_answer_is_described(document: dict[str, Any]) -> None:
    undescribed = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, value in schema.get("properties", {}).items()
        if not value.get("description")
    ]
    for _, _, operation in _operations(document):
        said = [operation, *operation.get("parameters", []), *operation["responses"].values()]
        undescribed += [operation["operationId"] for each in said if not each.get("description")]
    assert undescribed == []


async def test_decimals_say_so(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name, field in (("IndexFigure", "value"), ("Index", "index"), ("DiffBody", "share"), ("RentBody", "rent")):
        assert schemas[name]["properties"][field]["type"] == "number"
        assert schemas[name]["properties"][field]["format"] == "decimal"
    floats = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, value in schema.get("properties", {}).items()
        if value.get("type") == "number" and value.get("format") != "decimal"
    ]
    assert floats == []


async def test_a_wrong_method_is_in_it(document: dict[str, Any]) -> None:
    for _, _, operation in _operations(document):
        assert "405" in operation["responses"]


async def test_every_parameter_is_filled_in_on_the_page_unless_only_the_service_knows_with_what(
    document: dict[str, Any],
) -> None:
    for _, _, operation in _operations(document):
        for parameter in operation.get("parameters", []):
            assert ("example" in parameter) == (parameter["name"] not in WITHOUT_EXAMPLE or parameter["in"] == "path")


async def test_the_examples_of_one_operation_filled_in_together_are_answered(
    client: httpx2.AsyncClient, document: dict[str, Any]
) -> None:
    for path, method, operation in _operations(document):
        parameters = [each for each in operation.get("parameters", []) if "example" in each]
        query = {each["name"]: each["example"] for each in parameters if each["in"] == "query"}
        target = path.format(**{each["name"]: each["example"] for each in parameters if each["in"] == "path"})
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        body = {"json": content["examples"]["example"]["value"]} if content else {}
        answer = await client.request(method.upper(), f"{target}?{urlencode(query, doseq=True)}", **body)
        assert answer.status_code == 200, (target, query, answer.text)


async def test_each_example_of_a_parameter_is_also_right_by_itself(
    client: httpx2.AsyncClient, document: dict[str, Any]
) -> None:
    for path, method, operation in _operations(document):
        parameters = [each for each in operation.get("parameters", []) if "example" in each]
        given = {each["name"]: each["example"] for each in parameters if each["in"] == "path" or each["required"]}
        given |= {each["name"]: each["example"] for each in parameters if each["name"] == "region"}  # or a zipcode
        for optional in (each for each in parameters if not each["required"] and method == "get"):
            query = {name: value for name, value in given.items() if f"{{{name}}}" not in path}
            query[optional["name"]] = optional["example"]
            answer = await client.get(f"{path.format(**given)}?{urlencode(query, doseq=True)}")
            assert answer.status_code == 200, (path, query, answer.text)


@pytest.mark.parametrize("amount", ["500", "500.50", 500, 500.5])
async def test_amounts_in_a_body_are_numbers_or_strings_by_the_schema_too(
    client: httpx2.AsyncClient, document: dict[str, Any], amount: object
) -> None:
    case = {"amount": amount, "from": "2010-06", "to": "2019-08", "base_year": None}
    schema = {"$ref": "#/components/schemas/IndexationCase", "components": document["components"]}
    jsonschema.validate(case, schema)
    answer = await client.post("/v1/indexations", json={"items": [case], "as_of": None})
    assert "result" in answer.json()["items"][0]


@pytest.mark.parametrize("zipcode", [9000, "9000"])
async def test_zipcodes_in_a_body_are_numbers_or_strings_by_the_schema_too(
    client: httpx2.AsyncClient, document: dict[str, Any], zipcode: object
) -> None:
    jsonschema.validate({"zipcodes": [zipcode]}, document["components"]["schemas"]["ZipcodeCases"])
    answer = await client.post("/v1/zipcodes/lookup", json={"zipcodes": [zipcode]})
    assert "result" in answer.json()["items"][0]


@pytest.mark.parametrize("written", ["2026-09-05", "2026-09-05T12:00:00Z", "2026-09-05T12:00:00.5+02:00"])
async def test_instants_are_described_as_they_are_taken(
    client: httpx2.AsyncClient, document: dict[str, Any], written: str
) -> None:
    (schema,) = [
        parameter["schema"]
        for _, _, operation in _operations(document)
        for parameter in operation.get("parameters", [])
        if operation["operationId"] == "getZipcode" and parameter["name"] == "as_of"
    ]
    jsonschema.validate(written, schema)
    assert (await client.get("/v1/zipcodes/9000", params={"as_of": written})).status_code == 200
