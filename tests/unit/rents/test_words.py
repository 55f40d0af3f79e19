"""The sentences of the law that no number stands for, word for word."""

from datetime import date
from decimal import Decimal

import pytest

from adapters.bundled import load_snapshot
from domain.health_index.table import IndexTable
from domain.leases.certificates import EnergyLabel, NotIndexable
from domain.leases.index_skip import skipped_index
from domain.leases.lawful import Lease, lawful_rent
from domain.leases.rent import DateOutOfRange, LeaseBeforeHealthIndex, Region, index_rent, not_included

TABLE = IndexTable(load_snapshot().figures)
GERMAN = Region.GERMAN_SPEAKING_COMMUNITY
DAY = date(2014, 10, 1)


@pytest.mark.parametrize(
    ("region", "ending"),
    [
        (
            Region.BRUSSELS,
            "a main residence, and a home let by a social housing company (SISP/OVM) or the Fonds du Logement.",
        ),
        (
            Region.FLANDERS,
            (
                "a main residence, which may start from its signature, and social housing (student leases follow the "
                "same rule since 21 March 2024)."
            ),
        ),
        (Region.WALLONIA, "a main residence, and social housing."),
        (GERMAN, "a main residence, and social housing."),
    ],
)
def test_what_was_not_looked_at(region: Region, ending: str) -> None:
    assert not_included(region, date(2019, 1, 1)) == (
        "Not taken into account: whether the lease gives a right to indexation and whether it was asked for in time; "
        f"a revision of the rent since the lease was signed; a lease for something else than {ending}"
    )


@pytest.mark.parametrize(
    ("region", "inferred"),
    [
        (Region.WALLONIA, ""),
        (GERMAN, "; that it held in the German-speaking municipalities is inferred"),
    ],
)
def test_the_index_skip(region: Region, inferred: str) -> None:
    found = skipped_index(TABLE.figure, index_rent(TABLE.figure, Decimal(900), region, DAY, DAY, date(2016, 12, 1)))
    assert found is not None
    assert found.rule == (
        "2015-09 is the month one year before 2016-09: the index skip for main residences let on 2016-04-01, on "
        "anniversaries up to 2018-03-31 (Walloon decree of 3 March 2016; annulled by Constitutional Court 32/2018, "
        f"amounts already due stand{inferred})"
    )


def test_a_home_without_a_certificate() -> None:
    lease = Lease(Decimal(900), Region.BRUSSELS, DAY, DAY, EnergyLabel.NONE)
    with pytest.raises(NotIndexable) as caught:
        lawful_rent(TABLE.figure, lease, date(2024, 1, 1))
    assert str(caught.value) == (
        "The rent of a home without an energy certificate cannot be indexed in Brussels on the anniversary 2023-10-01: "
        "since 2022-10-14 the tenant must have been given a certificate, and the lease must be registered"
    )


def test_dates_that_no_lease_has() -> None:
    with pytest.raises(DateOutOfRange) as caught:
        index_rent(TABLE.figure, Decimal(900), Region.BRUSSELS, DAY, DAY, date(2101, 1, 1))
    assert str(caught.value) == (
        "2101-01-01 lies outside 1900-01-01 to 2100-12-31, the dates that are taken for those of a lease"
    )
    old = date(1994, 1, 31)
    with pytest.raises(LeaseBeforeHealthIndex) as early:
        index_rent(TABLE.figure, Decimal(900), Region.BRUSSELS, old, old, DAY)
    assert str(early.value) == (
        "A lease signed on 1994-01-31, before 1994-02-01, starts from the consumer price index, which is not known here"
    )
