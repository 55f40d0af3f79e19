"""Indexed rents: which months, why, and what is refused."""

from calendar import isleap
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.worlds.worked_leases import Worked, each_worked_lease

from adapters.bundled import load_snapshot
from domain.health_index.figures import Figure, Month, base_in_force
from domain.health_index.table import IndexTable
from domain.leases.rent import (
    FIRST_SIGNATURE,
    FLEMISH_RULE_SINCE,
    AnniversaryAhead,
    Region,
    RentIndexation,
    index_rent,
    latest_anniversary,
)

TABLE = IndexTable(load_snapshot().figures)
DAY = timedelta(days=1)

regions = st.sampled_from(Region)
signatures = st.dates(FIRST_SIGNATURE, date(2040, 12, 31))
leases = st.tuples(signatures, st.integers(-31, 5 * 365)).map(lambda pair: (pair[0], pair[0] + pair[1] * DAY))
years_later = st.integers(366, 40 * 366).map(lambda days: days * DAY)


def invented(month: Month, base_year: int) -> Figure:
    """A figure for every month, no two alike within a base year."""
    return Figure(month, base_year, Decimal(month.year * 12 + month.number - 23_000 + base_year).scaleb(-2))


def rent_of(region: Region, signed_on: str, starts_on: str, on: str, amount: str = "1000") -> RentIndexation:
    dates = (date.fromisoformat(day) for day in (signed_on, starts_on, on))
    return index_rent(TABLE.figure, Decimal(amount), region, *dates)


@each_worked_lease
def test_worked_examples_come_out_to_the_cent(worked: Worked) -> None:
    found = rent_of(Region(worked.region), worked.signed_on, worked.starts_on, worked.on, worked.rent)
    months = (str(found.starting_month), str(found.new_month))
    assert months == (worked.starting_month, worked.new_month)
    assert (str(found.indexation.base_year), str(found.indexation.indexed)) == (worked.base_year, worked.indexed)


class TestMonths:
    @given(regions, leases, years_later)
    def test_the_anniversary_is_the_latest_not_after_the_day(
        self, region: Region, lease: tuple[date, date], later: timedelta
    ) -> None:
        signed_on, starts_on = lease
        on = starts_on + later
        receipt = index_rent(invented, Decimal(1000), region, signed_on, starts_on, on)
        next_one = latest_anniversary(starts_on, receipt.anniversary + 366 * DAY)
        assert starts_on < receipt.anniversary <= on < next_one
        assert next_one.year == receipt.anniversary.year + 1
        assert receipt.new_month.plus(1) == (receipt.anniversary.year, receipt.anniversary.month)

    @given(regions, leases, years_later, st.integers(0, 365))
    def test_the_rent_stays_the_same_until_the_next_anniversary(
        self, region: Region, lease: tuple[date, date], later: timedelta, days: int
    ) -> None:
        signed_on, starts_on = lease
        first = index_rent(invented, Decimal(1000), region, signed_on, starts_on, starts_on + later)
        on = first.anniversary + days * DAY
        assume(on < latest_anniversary(starts_on, first.anniversary + 366 * DAY))
        again = index_rent(invented, Decimal(1000), region, signed_on, starts_on, on)
        assert replace(again, on=first.on) == first

    @given(regions, leases, years_later)
    def test_one_question_has_one_answer_and_carries_the_question(
        self, region: Region, lease: tuple[date, date], later: timedelta
    ) -> None:
        signed_on, starts_on = lease
        receipt = index_rent(invented, Decimal(1000), region, signed_on, starts_on, starts_on + later)
        assert receipt == index_rent(invented, Decimal(1000), region, signed_on, starts_on, starts_on + later)
        assert (receipt.region, receipt.signed_on, receipt.starts_on) == (region, signed_on, starts_on)
        assert (receipt.on, receipt.indexation.amount) == (starts_on + later, Decimal(1000))

    @given(leases, years_later)
    def test_flanders_differs_in_the_starting_month_only_and_only_since_2019(
        self, lease: tuple[date, date], later: timedelta
    ) -> None:
        signed_on, starts_on = lease
        flanders, brussels = (
            index_rent(invented, Decimal(1000), region, signed_on, starts_on, starts_on + later)
            for region in (Region.FLANDERS, Region.BRUSSELS)
        )
        decided = starts_on if signed_on >= FLEMISH_RULE_SINCE else signed_on
        assert flanders.starting_month.plus(1) == (decided.year, decided.month)
        assert brussels.starting_month.plus(1) == (signed_on.year, signed_on.month)
        assert (flanders.anniversary, flanders.new_month) == (brussels.anniversary, brussels.new_month)

    @given(leases, years_later)
    def test_all_but_flanders_have_one_rule(self, lease: tuple[date, date], later: timedelta) -> None:
        signed_on, starts_on = lease
        brussels, *others = (
            index_rent(invented, Decimal(1000), region, signed_on, starts_on, starts_on + later).indexation
            for region in (Region.BRUSSELS, Region.WALLONIA, Region.GERMAN_SPEAKING_COMMUNITY)
        )
        assert others == [brussels, brussels]

    @given(regions, leases, years_later)
    def test_both_figures_are_in_the_base_year_in_force_for_the_starting_month(
        self, region: Region, lease: tuple[date, date], later: timedelta
    ) -> None:
        receipt = index_rent(invented, Decimal(1000), region, *lease, lease[1] + later)
        expected = base_in_force(receipt.starting_month)
        assert receipt.indexation.start.base_year == receipt.indexation.end.base_year == expected

    @pytest.mark.parametrize(
        ("signed_on", "starts_on", "expected"),
        [
            ("2018-12-31", "2019-03-01", "2018-11"),  # the day of signature decides, not that of entry into force
            ("2019-01-01", "2019-03-01", "2019-02"),
            ("2019-01-01", "2018-12-15", "2018-11"),
        ],
    )
    def test_the_flemish_rule_is_for_leases_signed_from_2019_on(
        self, signed_on: str, starts_on: str, expected: str
    ) -> None:
        assert str(rent_of(Region.FLANDERS, signed_on, starts_on, "2021-06-01").starting_month) == expected

    @pytest.mark.parametrize(("on", "new_month"), [("2021-01-30", "2019-12"), ("2021-01-31", "2020-12")])
    def test_the_month_before_january_is_that_of_the_year_before(self, on: str, new_month: str) -> None:
        receipt = rent_of(Region.BRUSSELS, "2017-01-15", "2017-01-31", on)
        assert str(receipt.new_month) == new_month
        assert str(receipt.starting_month) == "2016-12"

    def test_the_first_lease_of_the_health_index_starts_from_its_first_month(self) -> None:
        receipt = rent_of(Region.BRUSSELS, "1994-02-01", "1994-02-01", "1995-02-01")
        assert (str(receipt.starting_month), receipt.indexation.base_year) == ("1994-01", 1988)

    def test_an_index_that_fell_lowers_the_rent(self) -> None:
        receipt = rent_of(Region.BRUSSELS, "2008-09-10", "2008-10-01", "2009-10-01")
        assert receipt.indexation.indexed < receipt.indexation.amount == Decimal(1000)


class TestLeapDay:
    @pytest.mark.parametrize(
        ("on", "anniversary"),
        [
            ("2021-02-28", "2021-02-28"),
            ("2021-03-01", "2021-02-28"),
            ("2022-02-27", "2021-02-28"),
            ("2024-02-28", "2023-02-28"),
            ("2024-02-29", "2024-02-29"),
            ("2025-02-28", "2025-02-28"),
        ],
    )
    def test_a_lease_from_29_february_has_its_anniversary_on_the_28th_in_common_years(
        self, on: str, anniversary: str
    ) -> None:
        receipt = rent_of(Region.WALLONIA, "2020-02-10", "2020-02-29", on)
        assert str(receipt.anniversary) == anniversary
        assert receipt.new_month.number == 1

    def test_its_first_anniversary_is_not_a_day_earlier(self) -> None:
        with pytest.raises(AnniversaryAhead, match="is 2021-02-28"):
            rent_of(Region.WALLONIA, "2020-02-10", "2020-02-29", "2021-02-27")

    def test_a_lease_from_28_february_keeps_its_day_in_leap_years(self) -> None:
        assert latest_anniversary(date(2019, 2, 28), date(2020, 2, 29)) == date(2020, 2, 28)

    @given(st.sampled_from([year for year in range(1994, 2091) if isleap(year)]), st.integers(1, 10))
    def test_every_anniversary_of_a_leap_day_is_the_last_of_february(self, year: int, later: int) -> None:
        found = latest_anniversary(date(year, 2, 29), date(year + later, 3, 1))
        assert found == date(year + later, 3, 1) - DAY


class TestReasons:
    @pytest.mark.parametrize(
        ("region", "signed_on", "starting", "source"),
        [
            (Region.BRUSSELS, "2019-02-15", "2019-01 is the month before that of the signature", "Housing Code"),
            (Region.WALLONIA, "2019-02-15", "2019-01 is the month before that of the signature", "15 March 2018"),
            (Region.FLANDERS, "2018-12-31", "2018-11 is the month before that of the signature", "1728bis"),
            (Region.FLANDERS, "2019-02-15", "2019-03 is the month before that of the entry", "9 November 2018"),
        ],
    )
    def test_each_month_comes_with_its_rule_its_day_and_its_source(
        self, region: Region, signed_on: str, starting: str, source: str
    ) -> None:
        receipt = rent_of(region, signed_on, "2019-04-01", "2022-06-15")
        assert receipt.starting_month_rule.startswith(starting)
        assert ("2019-04-01" if "entry" in starting else signed_on) in receipt.starting_month_rule
        assert receipt.new_month_rule.startswith("2022-03 is the month before that of the anniversary")
        assert "2022-04-01" in receipt.new_month_rule
        assert all(source in rule for rule in (receipt.starting_month_rule, receipt.new_month_rule))

    @pytest.mark.parametrize("region", Region)
    def test_what_was_not_looked_at_is_named_and_nothing_else(self, region: Region) -> None:
        text = rent_of(region, "2019-02-15", "2019-04-01", "2022-06-15").not_included
        assert text.startswith("Not taken into account: ")
        assert all(
            part in text for part in ("a right to indexation", "a revision", "a main residence", "social housing")
        )
        assert not any(part in text for part in ("certificate", "index skip"))

    def test_a_lease_under_the_flemish_rule_may_start_from_its_signature_if_it_is_for_no_home(self) -> None:
        new, old, other = (
            rent_of(region, signed_on, "2019-04-01", "2022-06-15").not_included
            for region, signed_on in (
                (Region.FLANDERS, "2019-02-15"),
                (Region.FLANDERS, "2018-12-31"),
                (Region.BRUSSELS, "2019-02-15"),
            )
        )
        assert "which may start from its signature" in new
        assert "which may start from its signature" not in old + other
