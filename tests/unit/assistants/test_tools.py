"""What the tools answer is what belref answers, to the last digit, and they are described in few words."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.worlds import exact
from tests.worlds.assistants import Assistant, text_of, worked_examples

from entrypoints.mcp.arguments import AmountQuestion
from entrypoints.verify.figures import GOLDEN

LEASE = {"rent": "900", "region": "brussels", "signed_on": "2019-08-15", "starts_on": "2019-10-01", "on": "2023-10-01"}

QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("health_index", {}),
    ("health_index", {"month": "2022-04"}),
    ("health_index", {"month": "2022-04", "base_year": 2013}),
    ("health_index", {"month": "2026-07", "to": "2026-08", "base_year": 2004}),
    ("indexed_amount", {"amount": "500", "from": "2010-06", "to": "2019-08"}),
    ("indexed_amount", {"amount": "500", "from": "2010-06", "index": "smoothed"}),
    ("indexed_rent", LEASE),
    ("indexed_rent", LEASE | {"energy_label": "E"}),
    ("indexed_rent", LEASE | {"region": "wallonia", "energy_label": "D", "on": "2025-10-01"}),
    ("zipcode", {"zipcode": "1040"}),
    ("zipcode", {"zipcode": 9993}),
    ("freshness", {}),
    ("check_figure", {"claimed": "133.91", "index": {"month": "2025-03"}}),
    ("check_figure", {"claimed": "584.18", "amount": {"amount": "500", "from": "2010-06", "to": "2019-08"}}),
    ("check_figure", {"claimed": "1023.47", "rent": LEASE}),
]


def described(schema: Any) -> list[str]:
    """Every description within a schema."""
    if isinstance(schema, list):
        return [text for each in schema for text in described(each)]
    if not isinstance(schema, dict):
        return []
    own = [schema["description"]] if isinstance(schema.get("description"), str) else []
    return own + [text for each in schema.values() for text in described(each)]


async def test_all_tools_together_are_described_in_less_than_6_kb(tools: Assistant) -> None:
    listed = (await tools.client.list_tools()).tools
    words = [text for each in listed for text in (each.name, each.description or "", *described(each.input_schema))]
    assert len("".join(words).encode()) < 6_000
    whole = [{"name": each.name, "description": each.description, "input": each.input_schema} for each in listed]
    assert len(json.dumps(whole)) < 6_500


async def test_the_six_tools_say_that_they_only_read(tools: Assistant) -> None:
    listed = (await tools.client.list_tools()).tools
    names = [each.name for each in listed]
    assert names == ["health_index", "indexed_amount", "indexed_rent", "zipcode", "freshness", "check_figure"]
    for each in listed:
        assert each.annotations is not None
        hints = each.annotations
        assert (hints.read_only_hint, hints.destructive_hint, hints.open_world_hint) == (True, False, False)


async def test_no_schema_refers_elsewhere_or_takes_unknown_arguments(tools: Assistant) -> None:
    for each in (await tools.client.list_tools()).tools:
        assert each.output_schema is not None
        for schema in (each.input_schema, each.output_schema):
            Draft202012Validator.check_schema(schema)
            assert "$ref" not in json.dumps(schema)
        assert each.input_schema["additionalProperties"] is False


@pytest.mark.parametrize(("tool", "arguments"), QUESTIONS, ids=str)
async def test_questions_and_answers_are_as_the_schemas_say(
    tools: Assistant, tool: str, arguments: dict[str, Any]
) -> None:
    (listed,) = [each for each in (await tools.client.list_tools()).tools if each.name == tool]
    Draft202012Validator(listed.input_schema).validate(arguments)
    found = await tools.ask(tool, **arguments)
    assert listed.output_schema is not None
    Draft202012Validator(listed.output_schema).validate(found)
    assert not floats(found)


def floats(body: Any) -> list[float]:
    """Every binary fraction within a body."""
    if isinstance(body, dict | list):
        return [each for value in (body.values() if isinstance(body, dict) else body) for each in floats(value)]
    return [body] if isinstance(body, float) else []


@pytest.mark.parametrize(("base_year", "month"), GOLDEN)
async def test_every_golden_figure_is_answered(tools: Assistant, base_year: int, month: str) -> None:
    found = await tools.ask("health_index", month=month, base_year=base_year)
    (figure,) = found["figures"]
    assert (figure["value"], figure["month"]) == (GOLDEN[base_year, month], month)


@pytest.mark.parametrize("page", ["health-index.md", "rents.md"])
async def test_every_worked_example_has_its_formula(tools: Assistant, page: str) -> None:
    asked = 0
    for tool, arguments, cells in worked_examples(page):
        if not cells[-1][0].isdigit():
            continue  # a refusal
        asked += 1
        found = await tools.ask(tool, **arguments)
        formula = found["formula"] if tool == "indexed_amount" else found["energy"]["formula"]
        assert formula.startswith(cells[-1])
        assert cells[-1].endswith(f"= {found.get('indexed_rent') or found.get('indexed')}")
    assert asked == {"health-index.md": 8, "rents.md": 13}[page]


async def test_a_permalink_gives_the_same_figures_again(tools: Assistant, client: httpx2.AsyncClient) -> None:
    amount = await tools.ask("indexed_amount", amount="500", from_="2010-06", to="2019-08")
    rent = await tools.ask("indexed_rent", **LEASE)
    for found, field in ((amount, "indexed"), (rent, "indexed_rent")):
        link = urlsplit(found["permalink"])
        assert "as_of=" in link.query
        again = exact(await client.get(f"{link.path}?{link.query}"))
        assert str(again[field]) == found[field]


async def test_a_series_has_its_months_in_order(tools: Assistant) -> None:
    found = await tools.ask("health_index", month="2019-12", to="2020-02", base_year=2013)
    figures = [(each["month"], each["value"], each["base_year"]) for each in found["figures"]]
    assert figures[1:] == [("2020-01", "109.72", 2013), ("2020-02", "109.87", 2013)]
    assert figures[0][0] == "2019-12"


async def test_a_day_stands_for_its_month_and_no_end_for_the_latest(tools: Assistant) -> None:
    found = await tools.ask("indexed_amount", amount="500", from_="2010-06-30")
    assert (found["start"]["month"], found["end"]["month"]) == ("2010-06", "2026-08")


@pytest.mark.parametrize("amount", ["500.10", "500.1", 500.10])
async def test_an_amount_may_be_a_text_or_a_number(tools: Assistant, amount: str | float) -> None:
    found = await tools.ask("indexed_amount", amount=amount, from_="2010-06", to="2019-08")
    assert (found["amount"], found["indexed"]) == ("500.10", "584.29")


@given(st.integers(1, 10**11))
def test_no_amount_loses_a_cent_as_a_json_number(cents: int) -> None:
    written = f"{cents // 100}.{cents % 100:02}"
    read = AmountQuestion.model_validate({"amount": json.loads(written), "from": "2010-06"})
    assert Decimal(read.amount) == Decimal(written)


async def test_a_zipcode_has_its_factor_and_its_municipalities(tools: Assistant) -> None:
    found = await tools.ask("zipcode", zipcode=9000)
    assert (found["risk_factor"], found["region"]) == ("B", "flanders")
    assert [each["name"]["nl"] for each in found["municipalities"]] == ["Gent"]


async def test_a_zipcode_without_a_factor_is_an_answer(tools: Assistant) -> None:
    result = await tools.call("zipcode", zipcode="9993")
    assert not result.is_error
    assert "risk_factor" not in result.structured_content
    assert "Zipcode 9993 has no risk factor" in text_of(result)


async def test_freshness_names_the_latest_month_the_next_one_and_the_table(tools: Assistant) -> None:
    found = await tools.ask("freshness")
    assert (found["figures"]["latest_month"], found["figures"]["status"]) == ("2026-08", "fresh")
    assert (found["next"], found["missing"]) == (
        {"month": "2026-09", "expected_on": "2026-09-29", "status": "ahead"},
        [],
    )
    assert (found["table"], found["zipcodes"]) == ("sample", 8554)


async def test_a_rent_without_a_label_names_the_lowest(tools: Assistant) -> None:
    found = await tools.ask("indexed_rent", **LEASE)
    assert (found["indexed_rent"], found["energy"]["lowest_rent"]) == ("1052.24", "1030.79")
