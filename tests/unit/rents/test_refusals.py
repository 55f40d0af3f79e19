"""Rents that are not indexed, and what is said instead."""

from datetime import date
from decimal import Decimal

import pytest

from adapters.bundled import load_snapshot
from domain.health_index.figures import Figure, Month
from domain.health_index.indexation import InvalidAmount
from domain.health_index.table import IndexTable, NoFigure
from domain.leases.rent import (
    AnniversaryAhead,
    DateOutOfRange,
    LeaseBeforeHealthIndex,
    MixedUpDates,
    Region,
    RentIndexation,
    index_rent,
)

TABLE = IndexTable(load_snapshot().figures)


def always_100(month: Month, base_year: int) -> Figure:
    return Figure(month, base_year, Decimal(100))


def rent_of(region: Region, signed_on: str, starts_on: str, on: str, amount: str = "1000") -> RentIndexation:
    dates = (date.fromisoformat(day) for day in (signed_on, starts_on, on))
    return index_rent(TABLE.figure, Decimal(amount), region, *dates)


@pytest.mark.parametrize("region", Region)
def test_a_lease_signed_before_february_1994_starts_from_another_index(region: Region) -> None:
    with pytest.raises(LeaseBeforeHealthIndex, match="consumer price index") as caught:
        rent_of(region, "1994-01-31", "1994-02-15", "2020-01-01")
    assert (caught.value.signed_on, caught.value.first_signature) == (date(1994, 1, 31), date(1994, 2, 1))


@pytest.mark.parametrize("on", ["2021-03-31", "2020-04-01", "2019-01-01", "1994-01-01"])
def test_before_the_first_anniversary_it_says_when_that_is(on: str) -> None:
    with pytest.raises(AnniversaryAhead) as caught:
        rent_of(Region.BRUSSELS, "2020-03-15", "2020-04-01", on)
    assert (caught.value.first_anniversary, caught.value.on) == (date(2021, 4, 1), date.fromisoformat(on))


def test_on_the_first_anniversary_the_rent_is_indexed() -> None:
    receipt = rent_of(Region.BRUSSELS, "2020-03-15", "2020-04-01", "2021-04-01")
    assert str(receipt.anniversary) == "2021-04-01"


@pytest.mark.parametrize(
    ("signed_on", "starts_on", "reason"),
    [
        ("2020-03-15", "2020-02-12", "more than 31 days before"),
        ("2021-04-01", "2012-04-01", "more than 31 days before"),
        ("2015-03-15", "2020-03-16", "more than 5 years after"),
        ("2012-02-29", "2017-03-01", "more than 5 years after"),
        ("1920-03-15", "2020-04-01", "more than 5 years after"),
    ],
)
def test_a_signature_too_far_from_the_entry_into_force_is_a_mix_up(signed_on: str, starts_on: str, reason: str) -> None:
    with pytest.raises(MixedUpDates, match=reason) as caught:
        rent_of(Region.FLANDERS, signed_on, starts_on, "2024-01-01")
    assert (str(caught.value.signed_on), str(caught.value.starts_on)) == (signed_on, starts_on)


@pytest.mark.parametrize(
    ("signed_on", "starts_on"),
    [("2020-03-15", "2020-02-13"), ("2015-03-15", "2020-03-15"), ("2012-02-29", "2017-02-28")],
)
def test_the_last_plausible_days_are_taken(signed_on: str, starts_on: str) -> None:
    assert str(rent_of(Region.WALLONIA, signed_on, starts_on, "2024-01-01").starts_on) == starts_on


@pytest.mark.parametrize("which", [0, 1, 2], ids=["signed_on", "starts_on", "on"])
@pytest.mark.parametrize("slip", [date.min, date(1899, 12, 31), date(2101, 1, 1), date.max])
def test_a_date_that_no_lease_has_is_refused(which: int, slip: date) -> None:
    dates = [date(2020, 3, 15), date(2020, 4, 1), date(2024, 1, 1)]
    dates[which] = slip
    with pytest.raises(DateOutOfRange) as caught:
        index_rent(always_100, Decimal(1000), Region.BRUSSELS, *dates)
    assert caught.value.value == slip


def test_the_last_dates_in_range_are_dates_of_a_lease() -> None:
    signed_on, starts_on, on = date(2099, 12, 31), date(2099, 12, 31), date(2100, 12, 31)
    assert index_rent(always_100, Decimal(1), Region.FLANDERS, signed_on, starts_on, on).anniversary == on
    with pytest.raises(LeaseBeforeHealthIndex):
        index_rent(always_100, Decimal(1), Region.FLANDERS, date(1900, 1, 1), date(1900, 1, 1), on)


@pytest.mark.parametrize("rent", ["0", "-500", "NaN", "500.005", "1000000000.01"])
def test_a_rent_is_an_amount_like_any_other(rent: str) -> None:
    with pytest.raises(InvalidAmount):
        rent_of(Region.BRUSSELS, "2020-03-15", "2020-04-01", "2024-01-01", rent)


def test_what_the_look_up_refuses_is_refused() -> None:
    look_up = IndexTable([always_100(Month(2020, 2), 2013)]).figure
    with pytest.raises(NoFigure, match="for 2023-03"):
        index_rent(look_up, Decimal(1), Region.BRUSSELS, date(2020, 3, 15), date(2020, 4, 1), date(2024, 1, 1))
