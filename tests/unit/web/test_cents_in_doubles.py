"""A client whose parser knows doubles alone keeps every cent if it rounds before it computes (docs/clients.md)."""

import json
from decimal import Decimal

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import exact

from adapters.bundled import load_snapshot
from domain.health_index.indexation import LARGEST_AMOUNT
from domain.health_index.table import IndexTable

CENTS_OF_LIMIT = 10**13 * 100
"""What docs/clients.md and the decision record promise: 15 significant digits, two of them cents."""


def text_of(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


@given(st.integers(0, CENTS_OF_LIMIT - 1))
def test_a_double_formatted_to_two_decimals_is_the_text_it_was_read_from(cents: int) -> None:
    assert f"{json.loads(text_of(cents)):.2f}" == text_of(cents)


@given(st.integers(0, CENTS_OF_LIMIT - 1))
def test_a_double_times_100_rounds_to_its_cents(cents: int) -> None:
    assert round(json.loads(text_of(cents)) * 100) == cents


@pytest.mark.parametrize("text", ["70368744177664.01", "90071992547409.93"])
def test_beyond_the_limit_doubles_lose_cents(text: str) -> None:
    """So that the two rules above are known to be able to fail."""
    assert f"{json.loads(text):.2f}" != text


def test_the_index_is_far_from_leading_to_the_limit() -> None:
    table = IndexTable(load_snapshot().figures)
    every = [[figure.value for figure in table.whole_series(base_year)] for base_year in table.base_years]
    ratio = max(max(values) / min(values) for values in every)
    assert 2 < ratio < 3
    assert LARGEST_AMOUNT * ratio * 1000 < CENTS_OF_LIMIT // 100


@given(st.decimals(Decimal("0.01"), LARGEST_AMOUNT, places=2))
async def test_every_amount_of_an_answer_survives_a_parser_that_makes_doubles(
    client: httpx2.AsyncClient, amount: Decimal
) -> None:
    answer = await client.get(f"/v1/indexations?amount={amount}&from=1994-01&to=2022-12")
    as_doubles, as_decimals = answer.json(), exact(answer)
    for name in ("amount", "indexed"):
        assert f"{as_doubles[name]:.2f}" == str(as_decimals[name])
