"""A wrong question is answered in words that say which argument is wrong, what was given, and what would be right."""

from typing import Any

import pytest
from tests.worlds.assistants import Assistant, worked_examples

LEASE = {"rent": "900", "signed_on": "2019-08-15", "starts_on": "2019-10-01"}

WRONG: list[tuple[str, dict[str, Any], list[str]]] = [
    ("health_index", {"month": "2025-3"}, ["month", "'2025-3'", "YYYY-MM"]),
    ("health_index", {"month": "../../metrics"}, ["month", "YYYY-MM"]),
    ("health_index", {"year": 2013}, ["year is no argument of this tool", "month, to, base_year"]),
    ("health_index", {"month": "2022-04", "base_year": 2005}, ["There is no base year 2005", "2013, 2004"]),
    ("health_index", {"month": "1993-12"}, ["1994-01"]),
    ("health_index", {"month": "2026-09"}, ["not published yet", "2026-09-29"]),
    ("health_index", {"month": "1994-01", "to": "1999-01", "base_year": 2013}, ["61 months", "at most 60"]),
    ("health_index", {"month": "1994-01", "to": "1999-01"}, ["base_year is missing"]),
    ("health_index", {"to": "1999-01", "base_year": 2013}, ["month is missing"]),
    ("health_index", {"month": "2020-02", "to": "2020-01", "base_year": 2013}, ["2020-02", "2020-01"]),
    ("indexed_amount", {"from": "2010-06"}, ["amount is missing", "1023.47"]),
    ("indexed_amount", {"amount": "1,023.47", "from": "2010-06"}, ["amount", "'1,023.47'", "a point before the cents"]),
    ("indexed_amount", {"amount": 0.1 + 0.2, "from": "2010-06"}, ["amount", "'0.30000000000000004'"]),
    ("indexed_amount", {"amount": True, "from": "2010-06"}, ["amount"]),
    ("indexed_amount", {"amount": float("nan"), "from": "2010-06"}, ["amount"]),
    (
        "indexed_amount",
        {"amount": "0", "from": "2010-06", "to": "2011-06"},
        ["it must be positive", "parameter amount"],
    ),
    ("indexed_amount", {"amount": "5", "from": "2010-02-30"}, ["from", "'2010-02-30'"]),
    ("indexed_amount", {"amount": "5", "from": "2010-06", "index": "wage"}, ["index", "one of health, smoothed"]),
    ("indexed_rent", LEASE, ["region is missing: give a region or, in its place, a zipcode"]),
    ("indexed_rent", LEASE | {"region": "Brussel"}, ["region", "'Brussel'", "brussels, flanders, wallonia"]),
    ("indexed_rent", LEASE | {"region": "brussels", "energy_lable": "E"}, ["energy_lable is no argument"]),
    ("zipcode", {"zipcode": 999}, ["zipcode", "'999'", "Four digits"]),
    ("zipcode", {"zipcode": "0999"}, ["Zipcode 0999 is not valid"]),
    ("freshness", {"of": "figures"}, ["of is no argument of this tool: it takes none"]),
    ("check_figure", {"claimed": "5", "rent": {"rent": "1,5"}}, ["rent.rent", "'1,5'", "rent.signed_on is missing"]),
    ("health_index", {"month": "9" * 5000}, ["month is wrong"]),
    ("figures", {}, ["There is no tool 'figures'", "health_index, indexed_amount"]),
]


@pytest.mark.parametrize(("tool", "arguments", "told"), WRONG, ids=str)
async def test_a_model_is_told_what_would_be_right(
    tools: Assistant, tool: str, arguments: dict[str, Any], told: list[str]
) -> None:
    found = await tools.refused(tool, **arguments)
    assert [words for words in told if words not in found] == [], found
    assert len(found) < 600


async def test_every_refusal_of_the_law_keeps_its_words(tools: Assistant) -> None:
    asked = 0
    for tool, arguments, cells in worked_examples("rents.md"):
        if cells[0].startswith("`") and arguments.get("energy_label") != "H" and arguments.get("zipcode") != "999":
            asked += 1
            assert (await tools.refused(tool, **arguments)).startswith(cells[-1])
    assert asked == 11
