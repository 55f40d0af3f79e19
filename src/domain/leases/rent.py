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

_SKIP_FIRST, _SKIP_LAST = date(2016, 4, 1), date(2018, 3, 31)


class Region(StrEnum):
    """Where the home lies. Wallonia includes the German-speaking municipalities."""

    BRUSSELS = "brussels"
    FLANDERS = "flanders"
    WALLONIA = "wallonia"


_CIVIL_CODE = "old Civil Code, article 1728bis"
_FLEMISH_DECREE = "Flemish decree of 9 November 2018 on residential leases, article 34"
_SOURCE: Mapping[Region, str] = MappingProxyType(
    {
        Region.BRUSSELS: f"{_CIVIL_CODE}, with article 224 of the Brussels Housing Code",
        Region.FLANDERS: _CIVIL_CODE,
        Region.WALLONIA: f"{_CIVIL_CODE}, and article 26 of the Walloon decree of 15 March 2018 on residential leases",
    }
)
_CORRECTED_SINCE: Mapping[Region, str] = MappingProxyType(
    {
        Region.BRUSSELS: "in Brussels since 14 October 2022",
        Region.FLANDERS: "in Flanders since 1 October 2022",
        Region.WALLONIA: "in Wallonia since 1 November 2022",
    }
)


@dataclass(frozen=True, slots=True)
class RentIndexation:
    """An indexed rent and why it is that: the receipt of the sum, and the rule behind each of its two months.

    `on` is the day asked about, `anniversary` the latest one not after it. `not_included` says what may still lower
    the rent, in words for anyone.
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
    _check_dates(signed_on, starts_on, on)
    anniversary = latest_anniversary(starts_on, on)
    flemish = region is Region.FLANDERS and signed_on >= FLEMISH_RULE_SINCE
    decided, event = (starts_on, "the entry into force") if flemish else (signed_on, "the signature")
    source = _FLEMISH_DECREE if flemish else _SOURCE[region]
    starting_month, new_month = _month_before(decided), _month_before(anniversary)
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
        not_included=_not_included(region, starts_on, anniversary, flemish=flemish),
    )


def latest_anniversary(starts_on: date, on: date) -> date:
    """The latest anniversary of an entry into force that is not after a day.

    A lease in force from 29 February has its anniversary on the 28th in common years: it then falls in the same month
    every year, so that the new index is always January's, and a year that lacks the day ends with the last day of the
    month, as in article 3 of Regulation 1182/71 on time limits. No Belgian source was found that says it of rents.

    :raises AnniversaryAhead: when the first one is still to come
    """
    this_year = _in_year(starts_on, on.year)
    latest = this_year if this_year <= on else _in_year(starts_on, on.year - 1)
    if latest <= starts_on:
        raise AnniversaryAhead(_in_year(starts_on, starts_on.year + 1), on)
    return latest


def _check_dates(signed_on: date, starts_on: date, on: date) -> None:
    for day in (signed_on, starts_on, on):
        if not FIRST_DATE <= day <= LAST_DATE:
            raise DateOutOfRange(day, FIRST_DATE, LAST_DATE)
    if starts_on < signed_on - LONGEST_BEFORE_SIGNATURE:
        reason = f"it starts more than {LONGEST_BEFORE_SIGNATURE.days} days before it is signed"
        raise MixedUpDates(signed_on, starts_on, reason)
    if starts_on > _in_year(signed_on, signed_on.year + LONGEST_AFTER_SIGNATURE):
        reason = f"it starts more than {LONGEST_AFTER_SIGNATURE} years after it is signed"
        raise MixedUpDates(signed_on, starts_on, reason)
    if signed_on < FIRST_SIGNATURE:
        raise LeaseBeforeHealthIndex(signed_on, FIRST_SIGNATURE)


def _in_year(day: date, year: int) -> date:
    if (day.month, day.day) == (2, 29) and not isleap(year):
        return date(year, 2, 28)
    return day.replace(year=year)


def _month_before(day: date) -> Month:
    return Month(day.year, day.month).plus(-1)


def _not_included(region: Region, starts_on: date, anniversary: date, *, flemish: bool) -> str:
    corrections = f"the limits and corrections by energy certificate {_CORRECTED_SINCE[region]}"
    parts = [
        f"{corrections}, which may lower this rent, in later years too",
        "whether the lease gives a right to indexation and whether it was asked for in time",
        "a revision of the rent since the lease was signed",
    ]
    if flemish:
        parts.append("a lease for something else than a main residence, which may start from its signature")
    # Decree of 3 March 2016, annulled by the Constitutional Court (judgment 32/2018), its effects upheld until the
    # first anniversary after 31 March 2018.
    if region is Region.WALLONIA and starts_on <= _SKIP_FIRST <= anniversary <= _SKIP_LAST:
        parts.append(
            "the Walloon index skip, by which a main residence let on 1 April 2016 followed the index of a year before "
            "this one until 31 March 2018"
        )
    return f"Not taken into account: {'; '.join(parts)}."
