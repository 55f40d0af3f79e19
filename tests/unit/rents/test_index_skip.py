"""The Walloon index skip: which anniversaries it reaches, and what it makes of their rents."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from adapters.bundled import load_snapshot
from domain.health_index.indexation import half_up
from domain.health_index.table import IndexTable
from domain.leases.lawful import LawfulRent, Lease, lawful_rent
from domain.leases.rent import Region

TABLE = IndexTable(load_snapshot().figures)
GERMAN = Region.GERMAN_SPEAKING_COMMUNITY


def rent_of(region: Region, starts_on: str, on: str) -> LawfulRent:
    start = date.fromisoformat(starts_on)
    return lawful_rent(TABLE.figure, Lease(Decimal(1000), region, start, start), date.fromisoformat(on))


@pytest.mark.parametrize(
    ("region", "starts_on", "on", "skipped"),
    [
        (Region.WALLONIA, "2015-04-01", "2016-04-01", True),
        (Region.WALLONIA, "2015-03-31", "2018-04-15", True),  # the anniversary of 31 March 2018 is the latest
        (Region.WALLONIA, "2015-03-31", "2016-04-15", False),
        (Region.WALLONIA, "2015-04-01", "2018-04-01", False),
        (Region.WALLONIA, "2016-04-01", "2017-04-01", True),
        (Region.WALLONIA, "2016-04-02", "2017-04-02", False),
        (GERMAN, "2016-04-01", "2017-04-01", True),
        (Region.BRUSSELS, "2015-04-01", "2016-04-01", False),
        (Region.FLANDERS, "2015-04-01", "2016-04-01", False),
    ],
)
def test_it_reaches_homes_let_on_1_april_2016_until_31_march_2018(
    region: Region, starts_on: str, on: str, *, skipped: bool
) -> None:
    found = rent_of(region, starts_on, on)
    assert (found.skipped is not None) == skipped
    assert (found.rent != found.ordinary.indexation.indexed) == skipped


@pytest.mark.parametrize(("starts_on", "base"), [("2012-10-01", 2004), ("2014-10-01", 2013)])
def test_the_new_index_is_that_of_thirteen_months_before_the_anniversary(starts_on: str, base: int) -> None:
    found = rent_of(Region.WALLONIA, starts_on, "2016-12-01")
    assert found.skipped is not None
    new, start = found.skipped.indexation.end, found.ordinary.indexation.start
    assert (str(found.ordinary.anniversary), str(found.ordinary.new_month)) == ("2016-10-01", "2016-09")
    assert (str(new.month), new.base_year, start.base_year) == ("2015-09", base, base)
    assert found.rent == half_up(Fraction(1000) * Fraction(new.value) / Fraction(start.value), 2)
    assert found.formula == found.skipped.indexation.formula


@pytest.mark.parametrize(("region", "inferred"), [(Region.WALLONIA, False), (GERMAN, True)])
def test_it_says_its_decree_and_what_became_of_it(region: Region, *, inferred: bool) -> None:
    found = rent_of(region, "2014-10-01", "2016-12-01")
    assert found.skipped is not None
    for part in ("2015-09", "decree of 3 March 2016", "32/2018", "main residences"):
        assert part in found.skipped.rule
    assert ("inferred" in found.skipped.rule) == inferred


def test_the_ordinary_rule_is_back_afterwards_as_if_nothing_had_been_skipped() -> None:
    found = rent_of(Region.WALLONIA, "2014-10-01", "2018-10-01")
    assert found.rent == found.ordinary.indexation.indexed
    assert str(found.ordinary.new_month) == "2018-09"
