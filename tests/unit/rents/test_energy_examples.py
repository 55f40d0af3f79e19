"""Worked examples of the energy certificate, by administrations and calculators, and the published factors."""

from datetime import date
from decimal import Decimal

import pytest

from adapters.bundled import load_snapshot
from domain.health_index.table import IndexTable
from domain.leases.certificates import EnergyLabel
from domain.leases.corrections import Corrected
from domain.leases.lawful import LawfulRent, Lease, lawful_rent
from domain.leases.rent import Region

TABLE = IndexTable(load_snapshot().figures)
GERMAN = Region.GERMAN_SPEAKING_COMMUNITY


def rent_of(lease: str, on: str) -> LawfulRent:
    """Of `region rent signed starts label`, such as `flanders 750 2019-02-15 2019-03-01 D`."""
    region, rent, signed_on, starts_on, label = lease.split()
    dates = date.fromisoformat(signed_on), date.fromisoformat(starts_on)
    return lawful_rent(
        TABLE.figure, Lease(Decimal(rent), Region(region), *dates, EnergyLabel(label)), date.fromisoformat(on)
    )


@pytest.mark.parametrize(
    ("lease", "on", "rent", "status"),
    [
        # SPW Logement, at immoks.be
        pytest.param("wallonia 600 2019-09-15 2019-11-01 D", "2022-11-01", "684.47", "limited", id="SPW-D"),
        # energieinfowallonie.be, 5 October 2023
        pytest.param("wallonia 500 2020-09-15 2020-11-01 G", "2021-11-01", "516.97", "notConcerned", id="EIW-1a"),
        pytest.param("wallonia 500 2020-09-15 2020-11-01 G", "2022-11-01", "516.97", "limited", id="EIW-1b"),
        # formula.spec.ts of touchepas; its TP-LIEGE-2020 forgets the step of 2024 and is no oracle
        pytest.param("brussels 550 2019-09-01 2019-11-01 E", "2023-11-01", "611.62", "corrected", id="TP-BX-1"),
        pytest.param("wallonia 700 2023-01-01 2023-01-01 G", "2024-01-01", "708.98", "notConcerned", id="TP-7"),
        # verbraucherschutzzentrale.be: half of the way from the rent of 2022 to 809.35
        pytest.param(
            "german-speaking-community 700 2020-02-15 2020-03-01 D", "2023-03-01", "809.35", "unlimited", id="VSZ-1a"
        ),
        pytest.param("flanders 750 2019-02-15 2019-03-01 D", "2022-03-01", "818.67", "notConcerned", id="LOCALS-1"),
    ],
)
def test_they_come_out_to_the_cent(lease: str, on: str, rent: str, status: str) -> None:
    found = rent_of(lease, on)
    assert (str(found.rent), found.energy.status) == (rent, status)


def test_the_walloon_chain_shows_each_of_its_rents() -> None:
    found = rent_of("wallonia 600 2019-09-15 2019-11-01 D", "2022-11-01").energy.calculation
    assert found.formula.startswith("626.79 + 0.75 \N{MULTIPLICATION SIGN} (703.69 - 626.79) = 684.47 ")
    assert [step.partition(": ")[0] for step in found.steps] == ["rent before", "ordinary rent"]


@pytest.mark.parametrize(
    ("starts_on", "indices", "half", "whole"),
    [
        ("2009-11-01", "113.94 127.92", "0.945356473", "0.890712946"),
        ("2010-01-01", "115.60 127.89", "0.951950895", "0.903901791"),
    ],
    ids=["November", "January"],
)
@pytest.mark.parametrize("region", ["brussels", "flanders"])
def test_the_factors_that_were_published_come_out_to_nine_decimals(
    region: str, starts_on: str, indices: str, half: str, whole: str
) -> None:
    labels = {"brussels": "E G", "flanders": "D F"}[region].split()
    for label, factor in zip(labels, (half, whole), strict=True):
        # A lease of base 2004: the factor is one of base 2013 all the same.
        found = rent_of(f"{region} 900 2009-09-01 {starts_on} {label}", "2024-06-01").energy.calculation
        assert isinstance(found, Corrected)
        assert f"{found.previous.value} {found.current.value}" == indices
        assert (found.ordinary.base_year, found.current.base_year) == (2004, 2013)
        assert str(found.factor) == factor


def test_the_nine_decimals_are_for_people_and_the_fraction_is_the_law() -> None:
    found = rent_of("brussels 550 2019-09-01 2019-11-01 E", "2023-11-01").energy.calculation
    times, over = "\N{MULTIPLICATION SIGN}", "\N{DIVISION SIGN}"
    assert found.formula == (
        f"550.00 {times} 128.30 {over} 109.07 {times} 0.50 {times} (113.94 + 127.92) {over} 127.92 = 611.62 "
        "(rounded half up to the cent)"
    )
