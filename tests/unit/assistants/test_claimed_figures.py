"""A claimed figure is right or wrong, by how much, and by which slip."""

from typing import Any

import pytest
from tests.worlds.assistants import Assistant, worked_examples

AMOUNT = {"amount": "1000", "from": "1997-01", "to": "2023-01"}
LEASE = {"rent": "900", "region": "brussels", "signed_on": "2019-08-15", "starts_on": "2019-10-01", "on": "2023-10-01"}
WALLOON = LEASE | {"region": "wallonia", "energy_label": "D"}

SLIPS: list[tuple[str, dict[str, Any], str, str]] = [
    ("133.91", {"index": {"month": "2025-03"}}, "135.91", "no figure that is known here"),
    (
        "109.72",
        {"index": {"month": "2020-02", "base_year": 2013}},
        "109.87",
        "the health index of 2020-01 in base 2013",
    ),
    ("132.53", {"index": {"month": "2025-03", "base_year": 2013}}, "135.91", "the smoothed health index"),
    ("1737.01", {"amount": AMOUNT}, "1736.75", "in base year 2013."),
    ("584.17", {"amount": {"amount": "500", "from": "2010-06", "to": "2019-08"}}, "584.18", "cut off at the cent"),
    ("584.00", {"amount": {"amount": "500", "from": "2010-06", "to": "2019-08"}}, "584.18", "rounded to the euro"),
    (
        "585.00",
        {"amount": {"amount": "500", "from": "2010-06", "to": "2019-08"}},
        "584.18",
        "the ratio rounded to 1.17",
    ),
    ("1052.24", {"rent": LEASE | {"energy_label": "E"}}, "1041.52", "without the law on energy certificates"),
    ("900", {"rent": LEASE | {"energy_label": "E"}}, "1041.52", "the base rent, not indexed"),
    ("1030.79", {"rent": LEASE | {"energy_label": "E"}}, "1041.52", "with energy label F or G"),
    ("1041.52", {"rent": WALLOON}, "1046.88", "with energy label E"),
    ("1003.56", {"rent": WALLOON}, "1046.88", "by the law of flanders"),
    ("1087.02", {"rent": WALLOON}, "1046.88", "on the anniversary of 2024"),
    ("1056.99", {"rent": LEASE}, "1052.24", "the day of the entry into force, as that of the signature"),
]


@pytest.mark.parametrize(("claimed", "of", "correct", "why"), SLIPS)
async def test_a_usual_slip_is_named(
    tools: Assistant, claimed: str, of: dict[str, Any], correct: str, why: str
) -> None:
    found = await tools.ask("check_figure", claimed=claimed, **of)
    assert (found["right"], found["correct"]) == (False, correct)
    assert why in " ".join(found["why"])


@pytest.mark.parametrize("page", ["health-index.md", "rents.md"])
async def test_every_worked_example_is_right(tools: Assistant, page: str) -> None:
    for tool, arguments, cells in worked_examples(page):
        if cells[-1][0].isdigit():
            of = {"amount" if tool == "indexed_amount" else "rent": arguments}
            found = await tools.ask("check_figure", claimed=cells[-1].rpartition("= ")[2], **of)
            assert (found["right"], found["difference"], found["why"]) == (True, "0.00", [])


async def test_the_difference_has_a_sign_and_no_slip_is_said_to_be_none(tools: Assistant) -> None:
    found = await tools.ask("check_figure", claimed="1023.47", rent=LEASE | {"energy_label": "E"})
    assert (found["difference"], found["claimed"]) == ("-18.05", "1023.47")
    assert found["why"][0].startswith("None of the usual slips leads to 1023.47")


async def test_a_claimed_index_is_right_in_any_base_year_unless_one_is_named(tools: Assistant) -> None:
    assert (await tools.ask("check_figure", claimed=144.43, index={"month": "2022-04"}))["right"]
    found = await tools.ask("check_figure", claimed="144.43", index={"month": "2022-04", "base_year": 2013})
    assert (found["right"], found["correct"]) == (False, "119.59")
    assert "base 2004" in found["why"][0]


async def test_a_refused_lease_is_refused_as_a_claim_too(tools: Assistant) -> None:
    told = await tools.refused("check_figure", claimed="900", rent=LEASE | {"region": "flanders", "energy_label": "G"})
    assert "labels there are A, B, C, D, E, F, none" in told


@pytest.mark.parametrize("of", [{}, {"index": {"month": "2025-03"}, "amount": AMOUNT}])
async def test_a_claim_is_of_exactly_one_thing(tools: Assistant, of: dict[str, Any]) -> None:
    told = await tools.refused("check_figure", claimed="1", **of)
    assert f"Give exactly one of index, amount and rent, for what 1 is: {len(of)} of them were given" in told
