"""What the law makes of a Belgian rent on the anniversary of the lease.

Indexed rent = base rent times new index, divided by starting index. The rule was written down in article 1728bis of the
old Civil Code (inserted by the law of 29 December 1983; health index by article 16 of the royal decree of 24 December
1993; new index by article 3 of the law of 13 April 1997):

- the base rent is that of the contract, without charges, never last year's indexed rent;
- once a year, at the earliest on the anniversary of the entry into force;
- the new index is that of the month before the month of this anniversary;
- the starting index is that of the month before the month in which the lease was signed: the health index for leases
  signed from 1 February 1994 on, the consumer price index for older ones.

The Regions have taken over the leases of homes since: Brussels in article 224 of its Housing Code, Wallonia in article
26 of the decree of 15 March 2018, Flanders in article 34 of the decree of 9 November 2018. Flanders changed one thing,
for main residences, in leases signed from 1 January 2019 on: their starting index is that of the month before the entry
into force.
"""

from calendar import isleap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from domain.errors import LogicalError
from domain.health_index.figures import Month
from domain.health_index.indexation import FigureLookup, Indexation, index_amount


@dataclass(eq=False)
class DateOutOfRange(LogicalError):
    value: date
    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.value} lies outside {self.first} to {self.last}, the dates that are taken for those of a lease"


@dataclass(eq=False)
class MixedUpDates(LogicalError):
    signed_on: date
    starts_on: date
    reason: str

    def __str__(self) -> str:
        return f"A lease signed on {self.signed_on} and in force from {self.starts_on} is not plausible: {self.reason}"


@dataclass(eq=False)
class LeaseBeforeHealthIndex(LogicalError):
    """`first_signature` is the first day on which a lease could be signed that starts from the health index."""

    signed_on: date
    first_signature: date

    def __str__(self) -> str:
        return (
            f"A lease signed on {self.signed_on}, before {self.first_signature}, starts from the consumer price index, "
            "which is not known here"
        )


@dataclass(eq=False)
class AnniversaryAhead(LogicalError):
    first_anniversary: date
    on: date

    def __str__(self) -> str:
        return (
            f"The rent is not indexed yet on {self.on}: "
            f"the first anniversary of the entry into force is {self.first_anniversary}"
        )


FIRST_DATE, LAST_DATE = date(1900, 1, 1), date(2100, 12, 31)
"""No lease that anybody still indexes is older, and no anniversary worth asking for is later: the rest are slips."""

FIRST_SIGNATURE = date(1994, 2, 1)
"""The first day on which a lease could be signed that starts from the health index (old Civil Code, 1728bis)."""

FLEMISH_RULE_SINCE = date(2019, 1, 1)
"""Leases signed from this day on start from the month before their entry into force, in Flanders."""

LONGEST_BEFORE_SIGNATURE = timedelta(days=31)
LONGEST_AFTER_SIGNATURE = 5  # years


class Region(StrEnum):
    """Whose law of rents a home is under. The German-speaking Community is nine municipalities inside Wallonia, which
    have followed a law of their own since 2020; Wallonia is the rest.
    """

    BRUSSELS = "brussels"
    FLANDERS = "flanders"
    WALLONIA = "wallonia"
    GERMAN_SPEAKING_COMMUNITY = "german-speaking-community"

    @property
    def in_words(self) -> str:
        """As a sentence in English names it."""
        return "the German-speaking Community" if self is self.GERMAN_SPEAKING_COMMUNITY else self.capitalize()


_CIVIL_CODE = "old Civil Code, article 1728bis"
_FLEMISH_DECREE = "Flemish decree of 9 November 2018 on residential leases, article 34"
_WALLOON_DECREE = "article 26 of the Walloon decree of 15 March 2018 on residential leases"
_SOURCE: Mapping[Region, str] = MappingProxyType(
    {
        Region.BRUSSELS: f"{_CIVIL_CODE}, with article 224 of the Brussels Housing Code",
        Region.FLANDERS: _CIVIL_CODE,
        Region.WALLONIA: f"{_CIVIL_CODE}, and {_WALLOON_DECREE}",
        # Inferred: it took over the law of the Walloon Region with its powers, and VSZ computes by the same rule.
        Region.GERMAN_SPEAKING_COMMUNITY: f"{_CIVIL_CODE}; as in Wallonia, which is inferred",
    }
)
_OUT_OF_SCOPE: Mapping[Region, str] = MappingProxyType(
    {
        Region.BRUSSELS: "and a home let by a social housing company (SISP/OVM) or the Fonds du Logement",
        Region.FLANDERS: "and social housing (student leases follow the same rule since 21 March 2024)",
        Region.WALLONIA: "and social housing",
        Region.GERMAN_SPEAKING_COMMUNITY: "and social housing",
    }
)


@dataclass(frozen=True, slots=True)
class RentIndexation:
    """An indexed rent and why it is that: the receipt of the sum, and the rule behind each of its two months.

    `on` is the day asked about, `anniversary` the latest one not after it. `not_included` says what was not
    looked at and may change the rent, in words for anyone.
    """

    indexation: Indexation
    region: Region
    signed_on: date
    starts_on: date
    on: date
    anniversary: date
    starting_month_rule: str
    new_month_rule: str
    not_included: str

    @property
    def starting_month(self) -> Month:
        return self.indexation.start.month

    @property
    def new_month(self) -> Month:
        return self.indexation.end.month


def index_rent(
    figure: FigureLookup, rent: Decimal, region: Region, signed_on: date, starts_on: date, on: date
) -> RentIndexation:
    """The rent that a lease may ask on a day: its base rent, indexed up to the latest anniversary not after that day.

    `rent` is the base rent in euro, `starts_on` the entry into force. Figures are of the health index, in the base year
    that `choose_base_year` gives: a rent never rests on an estimated figure. An indexed rent may be lower than the base
    rent: the law follows the index both ways.

    An entry into force more than 31 days before the signature, or more than five years after it, is taken for a slip:
    keys are handed over before the paper is signed by days or weeks, and homes are let ahead of their construction by a
    few years; what is further apart is two dates in the wrong order or a wrong century, and would be answered with the
    wrong starting index.

    :raises InvalidAmount: for a rent that is no amount
    :raises DateOutOfRange: for a date before 1900 or after 2100
    :raises MixedUpDates: for an entry into force too far from the signature
    :raises LeaseBeforeHealthIndex: for a lease signed before 1 February 1994
    :raises AnniversaryAhead: for a day before the first anniversary
    :raises LogicalError: as `figure` does: `NotYetPublished`, `UnknownBaseYear`, `NoFigure`
    """
    check_dates(signed_on, starts_on, on)
    anniversary = latest_anniversary(starts_on, on)
    flemish = _follows_flemish_decree(region, signed_on)
    decided, event = (starts_on, "the entry into force") if flemish else (signed_on, "the signature")
    source = _FLEMISH_DECREE if flemish else _SOURCE[region]
    starting_month, new_month = month_before(decided), month_before(anniversary)
    return RentIndexation(
        indexation=index_amount(figure, rent, starting_month, new_month),
        region=region,
        signed_on=signed_on,
        starts_on=starts_on,
        on=on,
        anniversary=anniversary,
        starting_month_rule=f"{starting_month} is the month before that of {event}, {decided} ({source})",
        new_month_rule=(
            f"{new_month} is the month before that of the anniversary of the entry into force, {anniversary} ({source})"
        ),
        not_included=not_included(region, signed_on),
    )


def starting_month_of(region: Region, signed_on: date, starts_on: date) -> Month:
    """The month of the starting index."""
    return month_before(starts_on if _follows_flemish_decree(region, signed_on) else signed_on)


def latest_anniversary(starts_on: date, on: date) -> date:
    """The latest anniversary of an entry into force that is not after a day.

    A lease in force from 29 February has its anniversary on the 28th in common years: it then falls in the same month
    every year, so that the new index is always January's, and a year that lacks the day ends with the last day of the
    month, as in article 3 of Regulation 1182/71 on time limits. No Belgian source was found that says it of rents.

    :raises AnniversaryAhead: when the first one is still to come
    """
    this_year = anniversary_in(starts_on, on.year)
    latest = this_year if this_year <= on else anniversary_in(starts_on, on.year - 1)
    if latest <= starts_on:
        raise AnniversaryAhead(anniversary_in(starts_on, starts_on.year + 1), on)
    return latest


def check_dates(signed_on: date, starts_on: date, on: date) -> None:
    """Refuse what is no lease, or none of the health index, and a day that nobody asks about.

    :raises DateOutOfRange: for a date before 1900 or after 2100
    :raises MixedUpDates: for an entry into force too far from the signature
    :raises LeaseBeforeHealthIndex: for a lease signed before 1 February 1994
    """
    for day in (signed_on, starts_on, on):
        if not FIRST_DATE <= day <= LAST_DATE:
            raise DateOutOfRange(day, FIRST_DATE, LAST_DATE)
    if starts_on < signed_on - LONGEST_BEFORE_SIGNATURE:
        reason = f"it starts more than {LONGEST_BEFORE_SIGNATURE.days} days before it is signed"
        raise MixedUpDates(signed_on, starts_on, reason)
    if starts_on > anniversary_in(signed_on, signed_on.year + LONGEST_AFTER_SIGNATURE):
        reason = f"it starts more than {LONGEST_AFTER_SIGNATURE} years after it is signed"
        raise MixedUpDates(signed_on, starts_on, reason)
    if signed_on < FIRST_SIGNATURE:
        raise LeaseBeforeHealthIndex(signed_on, FIRST_SIGNATURE)


def _follows_flemish_decree(region: Region, signed_on: date) -> bool:
    return region is Region.FLANDERS and signed_on >= FLEMISH_RULE_SINCE


def anniversary_in(day: date, year: int) -> date:
    """The anniversary of a day in a year; see `latest_anniversary` for that of 29 February."""
    if (day.month, day.day) == (2, 29) and not isleap(year):
        return date(year, 2, 28)
    return day.replace(year=year)


def month_before(day: date) -> Month:
    """The month before that of a day."""
    return Month(day.year, day.month).plus(-1)


def not_included(region: Region, signed_on: date) -> str:
    """What nobody looked at that may change the rent, in words for anyone."""
    flemish = _follows_flemish_decree(region, signed_on)
    parts = [
        "whether the lease gives a right to indexation and whether it was asked for in time",
        "a revision of the rent since the lease was signed",
        "a lease for something else than a main residence"
        + (", which may start from its signature" if flemish else "")
        + f", {_OUT_OF_SCOPE[region]}",
    ]
    return f"Not taken into account: {'; '.join(parts)}."
