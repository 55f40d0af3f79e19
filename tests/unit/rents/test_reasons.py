"""What is said of a rent beside its numbers: the rule with its source, what was inferred, what must be checked."""

from datetime import date
from decimal import Decimal

import pytest

from adapters.bundled import load_snapshot
from domain.health_index.table import IndexTable
from domain.leases.certificates import EnergyLabel
from domain.leases.lawful import Lease, lawful_rent
from domain.leases.reasons import conditions_of, energy_rule, inferred_of
from domain.leases.rent import Region

TABLE = IndexTable(load_snapshot().figures)
GERMAN = Region.GERMAN_SPEAKING_COMMUNITY


def said(
    region: Region, label: str | None, on: str, starts_on: str = "2019-03-01", paid: str | None = None
) -> tuple[str, str, tuple[str, ...]]:
    """The rule, what was inferred, and the conditions."""
    start = date.fromisoformat(starts_on)
    given = None if label is None else EnergyLabel(label)
    lease = Lease(Decimal(900), region, start, start, given, None if paid is None else Decimal(paid))
    effect = lawful_rent(TABLE.figure, lease, date.fromisoformat(on)).energy
    return energy_rule(effect, start), inferred_of(effect), conditions_of(effect)


@pytest.mark.parametrize(
    ("region", "label", "on", "rule"),
    [
        (
            Region.BRUSSELS,
            "E",
            "2022-03-01",
            (
                "The limits by energy certificate in Brussels begin on 2022-10-14, after the anniversary 2022-03-01 "
                "(logement.brussels; Constitutional Court 63/2024)"
            ),
        ),
        (
            Region.FLANDERS,
            "C",
            "2024-03-01",
            (
                "Label C takes the whole indexation in Flanders (Flemish decree of 3 October 2022, article 3; "
                "Constitutional Court, 21 March 2024)"
            ),
        ),
        (
            Region.WALLONIA,
            "D",
            "2023-03-01",
            (
                "2023-03-01 lies in the restriction year of Wallonia, 2022-11-01 to 2023-10-31: label D takes 75 % "
                "of the "
                "rise from the rent before to the ordinary rent; the rent before is that of a year before by the "
                "ordinary "
                "rule (Walloon decree of 19 October 2022; Constitutional Court 64/2024)"
            ),
        ),
        (
            Region.FLANDERS,
            "none",
            "2024-03-01",
            (
                "After its restriction year, Flanders multiplies every later rent of a home without a certificate by "
                "a factor: of the "
                "indices of 2022-02 and 2023-02 in base 2013, the month before the anniversary of that year, "
                "2023-03-01, "
                "and a year earlier, the earlier is divided by the later (vlaanderen.be)"
            ),
        ),
        (
            Region.BRUSSELS,
            "E",
            "2024-03-01",
            (
                "After its restriction year, Brussels multiplies every later rent of label E by a factor: of the "
                "indices "
                "of 2022-02 and 2023-02 in base 2013, the month before the anniversary of that year, 2023-03-01, and a "
                "year earlier, the earlier with 50 % of the rise is divided by the later (logement.brussels; "
                "indexatiehulp.be, reviewed on 10 June 2026)"
            ),
        ),
        (
            GERMAN,
            "G",
            "2025-03-01",
            (
                "The rent of 2023-03-01, in the restriction year of the German-speaking Community, is the new base "
                "rent of "
                "label G, with 0 % of that year's rise, and 2023-02 the new starting month, until the lease ends "
                "(programme decree of the German-speaking Community of 2022 (verbraucherschutzzentrale.be))"
            ),
        ),
        (
            Region.BRUSSELS,
            None,
            "2024-03-01",
            (
                "No label was given: in Brussels label E, F or G would lower this rent; without a certificate "
                "there is no indexation (logement.brussels; Constitutional Court 63/2024)"
            ),
        ),
        (
            Region.FLANDERS,
            None,
            "2024-03-01",
            (
                "No label was given: in Flanders label D, E, F or none would lower this rent "
                "(Flemish decree of 3 October 2022, article 3; Constitutional Court, 21 March 2024)"
            ),
        ),
    ],
)
def test_the_rule_is_a_sentence_with_its_source(region: Region, label: str | None, on: str, rule: str) -> None:
    assert said(region, label, on)[0] == rule


def test_a_lease_that_began_later_is_told_since_when() -> None:
    assert said(Region.WALLONIA, "G", "2026-01-15", "2022-11-01")[0] == (
        "The limits by energy certificate in Wallonia are for leases in force before 2022-11-01; this one is in force "
        "from 2022-11-01 on (Walloon decree of 19 October 2022; Constitutional Court 64/2024)"
    )


@pytest.mark.parametrize(
    ("region", "starts_on", "paid", "words"),
    [
        (Region.FLANDERS, "2019-03-01", "910", "the rent before is the one really paid, as it was given ("),
        (
            Region.FLANDERS,
            "2019-03-01",
            None,
            (
                "the rent before is that of a year before by the ordinary rule, as the one really paid, from which "
                "the law "
                "starts, was not given ("
            ),
        ),
        (Region.BRUSSELS, "2022-03-01", None, "the rent before is the contract's ("),
    ],
)
def test_it_says_which_rent_the_rise_starts_from(region: Region, starts_on: str, paid: str | None, words: str) -> None:
    assert words in said(region, "F", "2023-03-01", starts_on, paid)[0]


@pytest.mark.parametrize(
    ("region", "label", "on", "words"),
    [
        (Region.BRUSSELS, "E", "2022-03-01", ""),
        (Region.BRUSSELS, "E", "2023-03-01", "from the factor that followed"),
        (Region.BRUSSELS, "E", "2024-03-01", "takes the factor of its own label"),
        (Region.BRUSSELS, "A", "2024-03-01", ""),
        (Region.FLANDERS, "D", "2023-03-01", ""),
        (Region.FLANDERS, "D", "2024-03-01", "takes the factor of its own label"),
        (Region.FLANDERS, None, "2024-03-01", "takes the factor of its own label"),
        (Region.WALLONIA, "D", "2023-03-01", ""),
        (Region.WALLONIA, "A", "2023-03-01", ""),
        (Region.WALLONIA, "A", "2024-03-01", "whether a better certificate ends this"),
        (Region.WALLONIA, "D", "2024-03-01", "whether a better certificate ends this"),
        (GERMAN, "E", "2023-03-01", "the anniversary is that of the entry into force"),
        (GERMAN, "E", "2024-03-01", "the anniversary is that of the entry into force"),
        (GERMAN, "E", "2024-03-01", "whether a better certificate ends this"),
    ],
)
def test_what_was_read_in_no_source_is_said_where_it_bears_on_the_answer(
    region: Region, label: str | None, on: str, words: str
) -> None:
    inferred = said(region, label, on)[1]
    assert (words in inferred) if words else (inferred == "")


@pytest.mark.parametrize(
    ("region", "on", "conditions"),
    [
        (Region.BRUSSELS, "2022-03-01", 0),
        (Region.BRUSSELS, "2023-03-01", 2),
        (Region.FLANDERS, "2023-03-01", 0),
        (Region.WALLONIA, "2021-03-01", 1),
        (GERMAN, "2022-03-01", 0),
        (GERMAN, "2023-03-01", 1),
    ],
)
def test_conditions_are_named_from_the_anniversary_on_for_which_they_hold(
    region: Region, on: str, conditions: int
) -> None:
    assert len(said(region, "A", on)[2]) == conditions


def test_both_hold_on_the_very_days_on_which_they_begin_and_end() -> None:
    assert len(said(Region.WALLONIA, "A", "2018-09-01", "2015-09-01")[2]) == 1
    assert "factor that followed" in said(Region.BRUSSELS, "E", "2023-10-13", "2019-10-13")[1]


def test_before_registration_was_asked_for_in_wallonia_nothing_is() -> None:
    assert said(Region.WALLONIA, "A", "2018-03-01", "2015-03-01")[2] == ()
