"""Amounts of euro as clients write them: plain, positive, to the cent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.health_index.indexation import InvalidAmount, check_amount, parse_amount

amounts = st.integers(1, 10**11).map(lambda cents: Decimal(cents).scaleb(-2))


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("500", "500.00"),
        ("500.5", "500.50"),
        ("500.50", "500.50"),
        ("0.01", "0.01"),
        ("007", "7.00"),
        ("1000000000", "1000000000.00"),
        ("1000000000.00", "1000000000.00"),
    ],
)
def test_plain_decimal_notation_is_read_and_kept_with_two_decimals(text: str, amount: str) -> None:
    assert str(parse_amount(text)) == amount


@given(amounts)
def test_every_amount_survives_being_written(amount: Decimal) -> None:
    assert parse_amount(str(check_amount(amount))) == amount


@pytest.mark.parametrize(
    "text",
    [
        *["", " ", "500 ", " 500", "500\n", "5 00", "+500", "-500", "500,50", "1,000.00", "1_000", "5e2", "5E2"],
        *["500.", ".50", "5..0", "1.2.3", "0x1F4", "NaN", "Infinity", "€500", "\u0665\u0660\u0660", "\uff15", "½"],
        "0" * 33,
    ],
)
def test_any_other_notation_is_refused(text: str) -> None:
    with pytest.raises(InvalidAmount, match="write digits, with a point before the cents") as caught:
        parse_amount(text)
    assert caught.value.value == text[:32]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0", "it must be positive"),
        ("0.00", "it must be positive"),
        ("0.001", "it must have no more than two decimals"),
        ("500.500", "it must have no more than two decimals"),
        ("1000000000.01", "it must not be above 1000000000"),
        ("9" * 32, "it must not be above 1000000000"),
    ],
)
def test_a_number_that_is_no_amount_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidAmount) as read:
        parse_amount(text)
    with pytest.raises(InvalidAmount) as checked:
        check_amount(Decimal(text))
    assert {(caught.value.value, caught.value.reason) for caught in (read, checked)} == {(text, reason)}


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        ("NaN", "it is not a number"),
        ("sNaN", "it is not a number"),
        ("Infinity", "it is not a number"),
        ("-Infinity", "it is not a number"),
        ("-0", "it must be positive"),
        ("-500", "it must be positive"),
        ("0E+999999999", "it must be positive"),
        ("1E+999999999", "it must not be above 1000000000"),
        ("1E-999999999", "it must have no more than two decimals"),
    ],
)
def test_what_only_a_decimal_can_hold_is_refused_at_once(amount: str, reason: str) -> None:
    with pytest.raises(InvalidAmount, match=reason):
        check_amount(Decimal(amount))


def test_a_refusal_repeats_no_more_than_the_start_of_a_number() -> None:
    with pytest.raises(InvalidAmount) as caught:
        check_amount(Decimal("9" * 1000))
    assert caught.value.value == "9" * 32


def test_an_amount_in_scientific_notation_is_the_same_amount() -> None:
    assert str(check_amount(Decimal("5E+2"))) == "500.00"
