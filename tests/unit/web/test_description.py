"""The OpenAPI description and its page."""

import json
import re
from typing import Any

import httpx2
import jsonschema
import pytest
from tests.worlds import make_app

from entrypoints.http.app import create_app
from entrypoints.http.edge.application import Edge

REAL_REQUESTS = {
    "getServiceIndex": "/",
    "getIndex": "/index?year=2013",
    "getZipcodeFactor": "/zipcodes/9993",
    "getZipcodeFactorOfDatabase": "/databases/zipcodes/9000",
    "getZipcodesByRiskFactor": "/databases/zipcodes?risk_factor=A",
    "getZipcode": "/v1/zipcodes/9000",
    "listZipcodes": "/v1/zipcodes?page_size=3&risk_factor=A",
    "listRiskRanges": "/v1/risk-ranges",
    "listReleases": "/v1/releases",
    "getRelease": "/v1/releases/0001-168866b8",
    "getReleaseDiff": "/v1/releases/0001-168866b8/diff",
    "getLatestHealthIndex": "/v1/health-index/latest",
    "getHealthIndexOfMonth": "/v1/health-index/2025-06",
    "listHealthIndex": "/v1/health-index?base_year=2004&from=2023-10&to=2025-02",
    "listBaseYears": "/v1/health-index/base-years",
    "checkHealthIndex": "/v1/health-index/2023-11/check?value=155.25&base_year=2013",
    "listPublications": "/v1/publications",
    "getIndexation": "/v1/indexations?amount=500&from=2010-06&to=2019-08",
    "getRentIndexation": "/v1/rent-indexations?rent=500&region=brussels&signed_on=2010-07-25&starts_on=2010-09-01"
    "&on=2020-01-01",
    "getRentSchedule": "/v1/rent-indexations/schedule?rent=500&zipcode=9000&signed_on=2010-07-25&starts_on=2010-11-01"
    "&until=2026-11-15&energy_label=F",
    "getPlace": "/v1/places/4700",
    "getHealth": "/health",
    "getLiveness": "/health/live",
    "getReadiness": "/health/ready",
    "getMetrics": "/metrics",
}


REAL_BATCHES = {
    "createIndexations": "/v1/indexations",
    "createRentIndexations": "/v1/rent-indexations",
    "lookUpZipcodes": "/v1/zipcodes/lookup",
}


@pytest.fixture
async def document(client: httpx2.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/schema/openapi.json")
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


def _operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {operation["operationId"]: operation for item in document["paths"].values() for operation in item.values()}


def _validate(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:
    closed = json.loads(json.dumps(document["components"]))
    for component in closed["schemas"].values():
        if component.get("type") == "object" and "properties" in component:
            component["additionalProperties"] = False  # nothing undocumented
    jsonschema.validate(value, {**schema, "components": closed})


async def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "belref"


async def test_every_operation_has_a_summary_and_is_tried_here(document: dict[str, Any]) -> None:
    operations = _operations(document)
    assert set(operations) == set(REAL_REQUESTS) | set(REAL_BATCHES)
    assert all(operation["summary"] and operation["tags"] for operation in operations.values())


async def test_examples_and_real_answers_are_valid_by_their_schema(
    client: httpx2.AsyncClient, document: dict[str, Any]
) -> None:
    for name, operation in _operations(document).items():
        content = operation["responses"]["200"]["content"].get("application/json")
        if content is None:
            continue  # text
        for example in content["examples"].values():
            _validate(example["value"], content["schema"], document)
        if name in REAL_BATCHES:
            request = operation["requestBody"]["content"]["application/json"]
            asked = request["examples"]["example"]["value"]
            _validate(asked, request["schema"], document)
            answer = await client.post(REAL_BATCHES[name], json=asked)
            (shown,) = content["examples"].values()
            assert [set(item) for item in answer.json()["items"]] == [set(item) for item in shown["value"]["items"]]
        else:
            answer = await client.get(REAL_REQUESTS[name])
        assert answer.status_code == 200
        _validate(answer.json(), content["schema"], document)
        for header in ("ETag", "X-Release", "Repr-Digest"):
            assert (header in answer.headers) == (header in operation["responses"]["200"].get("headers", {}))


async def test_that_a_zipcode_has_no_factor_comes_from_a_release_too(
    client: httpx2.AsyncClient, document: dict[str, Any]
) -> None:
    answer = await client.get("/v1/zipcodes/9993")
    (documented,) = _operations(document)["getZipcode"]["responses"]["404"]["headers"]
    assert (answer.status_code, answer.headers[documented]) == (404, "0001-168866b8")


async def test_csv_is_documented_where_it_is_answered(client: httpx2.AsyncClient, document: dict[str, Any]) -> None:
    for name, operation in _operations(document).items():
        if name not in REAL_BATCHES:
            answer = await client.get(REAL_REQUESTS[name], headers={"Accept": "text/csv, */*;q=0.1"})
            is_csv = answer.headers["content-type"].startswith("text/csv")
            documented = operation["responses"]["200"]["content"].get("text/csv")
            assert is_csv == (documented is not None)
            if documented is not None:
                (shown,) = documented["examples"].values()
                assert shown["value"].splitlines()[0] == answer.text.splitlines()[0]


async def test_every_error_is_documented_as_a_problem_with_examples_that_validate(document: dict[str, Any]) -> None:
    for operation in _operations(document).values():
        errors = {status: r for status, r in operation["responses"].items() if status >= "400"}
        assert "500" in errors
        for status, response in errors.items():
            if status == "503" and operation["tags"] == ["health"]:
                continue  # says which part is down, in the words of the 200
            content = response["content"]["application/problem+json"]
            for example in content["examples"].values():
                _validate(example["value"], content["schema"], document)
                assert example["value"]["status"] == int(status)


async def test_real_problems_are_valid_by_their_schema(client: httpx2.AsyncClient, document: dict[str, Any]) -> None:
    for path in ("/index?year=x", "/v1/health-index/2030-01", "/v1/zipcodes/1"):
        _validate((await client.get(path)).json(), {"$ref": "#/components/schemas/Problem"}, document)


async def test_parameters_have_defaults_and_examples_of_their_own_type(document: dict[str, Any]) -> None:
    for operation in _operations(document).values():
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            assert parameter["description"]
            for value in [schema[key] for key in ("default",) if key in schema] + schema.get("examples", []):
                jsonschema.validate(value, schema)


async def test_the_routes_of_the_brief_and_no_others_are_deprecated(document: dict[str, Any]) -> None:
    for operation in _operations(document).values():
        assert operation.get("deprecated", False) == (operation["tags"] == ["brief"])


async def test_the_page_needs_no_other_host(client: httpx2.AsyncClient) -> None:
    page = await client.get("/schema")
    assert page.status_code == 200
    loaded = re.findall(r"""(?:src|href)=['"]([^'"]+)['"]""", page.text)
    assert {"/", "/favicon.ico"} < set(loaded)
    assert len(loaded) == 5
    for link in loaded:
        assert link.startswith("/")
        asset = await client.get(link)
        assert asset.status_code == 200
        assert len(asset.content) > 10_000 or not link.startswith("/schema/")


async def test_the_page_says_its_language_and_what_it_is(client: httpx2.AsyncClient) -> None:
    page = (await client.get("/schema")).text
    assert '<html lang="en">' in page
    assert "<title>belref: the API, to read and to try</title>" in page


@pytest.mark.parametrize("name", ["__init__.py", "..%2f__init__.py", "redoc.js", "url.json"])
async def test_nothing_but_the_page_s_own_files_is_served(client: httpx2.AsyncClient, name: str) -> None:
    assert (await client.get(f"/schema/assets/{name}")).status_code == 404


def test_the_application_is_built_without_opening_anything() -> None:
    given = make_app().given
    app = create_app(
        index=given.index,
        risks=given.risks,
        clock=given.clock,
        checks=given.health_checks,
        metrics=given.metrics,
        places=given.places,
    )
    assert isinstance(app, Edge)
