"""The errors of the domain: one tree, drawn as it is, and messages that people can do something with."""

import inspect
import pickle
import re
from datetime import UTC, date, datetime

import pytest
from tests.worlds.domain_errors import every_error

from domain import errors
from domain.clock import InvalidInstant
from domain.errors import (
    DomainError,
    LogicalError,
    NoActiveRelease,
    Rejection,
    SourceRejected,
    SourceUnavailable,
    StorageNotReady,
    StorageUnavailable,
    TechnicalError,
)
from domain.health_index.figures import BeforeFirstMonth, InvalidMonth, Month
from domain.health_index.indexation import InvalidAmount, MixedBaseYears, NoSmoothedFigure
from domain.health_index.table import NoFigure, UnknownBaseYear
from domain.leases.certificates import MeaninglessRentBefore, NoSuchLabel, NotIndexable
from domain.leases.places import NoPlace, RegionMismatch, SeveralRegions
from domain.leases.rent import AnniversaryAhead, DateOutOfRange, LeaseBeforeHealthIndex, MixedUpDates, Region
from domain.risk.comparison import Comparison
from domain.risk.releases import ActiveReleaseChanged, NoRiskFactor, NothingToRollBackTo, UnknownRelease, Withdrawal
from domain.risk.tables import Fault, InvalidRiskTable, InvalidZipcode, RiskFactor, RiskTable, Zipcode
from domain.use_cases.health_index import NotYetPublished, ReversedPeriod
from domain.use_cases.releases import TooMuchChange

EXAMPLES: dict[DomainError, str] = {
    InvalidZipcode("999"): "Zipcode 999 is not valid",
    NoRiskFactor(9993, "0002-5d41402a"): "Zipcode 9993 has no risk factor in release 0002-5d41402a",
    NoRiskFactor(
        9993,
        "0003-5d41402a",
        Withdrawal(RiskFactor.B, "0001-168866b8", datetime(2026, 9, 1, tzinfo=UTC), "0002-7c1d09e4"),
    ): (
        "Zipcode 9993 has no risk factor in release 0003-5d41402a; "
        "it had B in release 0001-168866b8, until 0002-7c1d09e4 took its place"
    ),
    InvalidMonth("2020-13"): "'2020-13' is not a month written as YYYY-MM",
    InvalidInstant(datetime(2030, 1, 1, tzinfo=UTC), "it lies ahead"): (
        "What was known at 2030-01-01T00:00:00+00:00 cannot be said: it lies ahead"
    ),
    ReversedPeriod(Month(2021, 1), Month(2020, 12)): ("The period starts in 2021-01, after its end in 2020-12"),
    UnknownBaseYear("2020", (2013, 2004)): "There is no base year 2020: figures are published in 2013, 2004",
    BeforeFirstMonth(Month(1993, 12), Month(1994, 1)): (
        "The health index starts in 1994-01; there is none for 1993-12, only the consumer price index"
    ),
    NotYetPublished(Month(2026, 11), Month(2026, 8), date(2026, 9, 29)): (
        "The health index of 2026-11 is not published yet: the latest month known is 2026-08, "
        "the next one is expected on 2026-09-29"
    ),
    NoFigure(Month(2026, 5), 2004): (
        "No health index in base 2004 is known for 2026-05, and none can be derived: "
        "that takes a figure in the base year then in force, and an official coefficient from there"
    ),
    NoSmoothedFigure(Month(1994, 2), 2004): "No smoothed health index in base 2004 is known for 1994-02",
    InvalidAmount("5e2", "it is not a number"): "'5e2' is not an amount: it is not a number",
    MixedBaseYears(2004, 2013): (
        "The starting index is in base 2004 and the new index in base 2013: one fraction takes one base year"
    ),
    DateOutOfRange(date(201, 5, 1), date(1900, 1, 1), date(2100, 12, 31)): (
        "0201-05-01 lies outside 1900-01-01 to 2100-12-31, the dates that are taken for those of a lease"
    ),
    MixedUpDates(date(2020, 9, 1), date(2010, 9, 1), "it starts more than 31 days before it is signed"): (
        "A lease signed on 2020-09-01 and in force from 2010-09-01 is not plausible: "
        "it starts more than 31 days before it is signed"
    ),
    LeaseBeforeHealthIndex(date(1993, 12, 15), date(1994, 2, 1)): (
        "A lease signed on 1993-12-15, before 1994-02-01, starts from the consumer price index, which is not known here"
    ),
    AnniversaryAhead(date(2026, 9, 1), date(2026, 8, 31)): (
        "The rent is not indexed yet on 2026-08-31: the first anniversary of the entry into force is 2026-09-01"
    ),
    NoSuchLabel("G", Region.FLANDERS, ("A", "F", "none")): (
        "Energy label G does not exist in Flanders: labels there are A, F, none"
    ),
    NotIndexable(Region.BRUSSELS, date(2025, 3, 1), date(2022, 10, 14)): (
        "The rent of a home without an energy certificate cannot be indexed in Brussels on the anniversary 2025-03-01: "
        "since 2022-10-14 the tenant must have been given a certificate, and the lease must be registered"
    ),
    MeaninglessRentBefore("nobody asks for it"): (
        "The rent paid before the anniversary has no meaning here: nobody asks for it"
    ),
    NoPlace(Zipcode(1001)): "Zipcode 1001 belongs to no municipality (special zipcodes of organisations do not)",
    RegionMismatch(Zipcode(1000), Region.FLANDERS, (Region.BRUSSELS,)): (
        "Zipcode 1000 lies in Brussels, not in Flanders: give one of the two"
    ),
    SeveralRegions(Zipcode(1234), {"Here": Region.BRUSSELS, "There": Region.FLANDERS}): (
        "Zipcode 1234 lies in two regions with laws of their own, Here (brussels) and There (flanders): give the region"
    ),
    InvalidRiskTable([Fault(3, "'D' is not a risk factor")]): (
        "The risk table is not valid: line 3: 'D' is not a risk factor"
    ),
    UnknownRelease("0009-00000000"): "There is no release '0009-00000000'",
    TooMuchChange("0002-5d41402a", Comparison(RiskTable(), RiskTable()), ["it drops A", "it drops B"]): (
        "Release 0002-5d41402a was not put into service: it drops A; it drops B"
    ),
    ActiveReleaseChanged("0001-168866b8", "0002-7c1d09e4"): (
        "0002-7c1d09e4 was put into service meanwhile, in place of 0001-168866b8: compare again"
    ),
    ActiveReleaseChanged(None, "0001-168866b8"): (
        "0001-168866b8 was put into service meanwhile, in place of none: compare again"
    ),
    NothingToRollBackTo(): "No release was in service before the active one",
    StorageNotReady("it is empty"): "The store cannot be used: it is empty",
    StorageUnavailable("timed out"): "The store does not answer: timed out",
    NoActiveRelease(): "No risk table has been loaded yet",
    SourceUnavailable("statbel", "timed out"): "statbel does not answer: timed out",
    SourceRejected("statbel", Rejection.JUMP, "from 100 to 200"): (
        "statbel is not believed: implausible jump: from 100 to 200"
    ),
}


def drawn() -> dict[str, str]:
    """The tree in the docstring of the module: each name and the name that it hangs from."""
    parents = {0: "Exception"}
    found: dict[str, str] = {}
    for line in inspect.cleandoc(errors.__doc__ or "").splitlines():
        match = re.match(r"([│├└─ ]*)([A-Z][A-Za-z]+)(?: {2,}|$)", line)
        if match is not None and not line.startswith("Everything"):
            depth = len(match[1]) // 4
            found[match[2]] = parents[depth]
            parents[depth + 1] = match[2]
    return found


def test_the_tree_is_drawn_as_it_is() -> None:
    bases = {error.__name__: error.__bases__[0].__name__ for error in every_error()}
    assert len(bases) > 10
    assert drawn() == bases


def test_every_error_is_either_logical_or_technical() -> None:
    raised = every_error() - {DomainError, LogicalError, TechnicalError}
    assert all(issubclass(error, LogicalError) != issubclass(error, TechnicalError) for error in raised)
    assert raised == {type(example) for example in EXAMPLES}


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_says_what_is_wrong(error: DomainError) -> None:
    assert str(error) == EXAMPLES[error]


def told(error: DomainError) -> dict[str, object]:
    """What it carries; two comparisons say the same when they find the same."""
    return {name: value.changes if isinstance(value, Comparison) else value for name, value in vars(error).items()}


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_survives_the_way_to_another_process(error: DomainError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(again), told(again), str(again)) == (type(error), told(error), str(error))


def test_two_errors_that_say_the_same_are_still_two_events() -> None:
    assert InvalidZipcode("999") != InvalidZipcode("999")


def test_a_bad_table_shows_its_first_fault_and_counts_the_others() -> None:
    faults = [Fault(line, "'D' is not a risk factor") for line in (3, 5, 8)]
    assert str(InvalidRiskTable(faults[:2])).endswith("line 3: 'D' is not a risk factor (and 1 more)")
    assert str(InvalidRiskTable(faults)).endswith("line 3: 'D' is not a risk factor (and 2 more)")
