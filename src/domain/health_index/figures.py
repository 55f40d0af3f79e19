"""The Belgian health index: months, figures, base years, and the coefficients between these.

The health index is the consumer price index without tobacco, alcohol and motor fuel. Statbel publishes it monthly since
January 1994, one figure per base year; each figure is in index points, where the average of the base year is 100.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from domain.errors import LogicalError


@dataclass(eq=False)
class InvalidMonth(LogicalError):
    value: str

    def __str__(self) -> str:
        return f"'{self.value}' is not a month written as YYYY-MM"


@dataclass(eq=False)
class BeforeFirstMonth(LogicalError):
    month: "Month"
    first_month: "Month"

    def __str__(self) -> str:
        return (
            f"The health index starts in {self.first_month}; there is none for {self.month}, "
            "only the consumer price index"
        )


_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)
_CENT = Decimal("0.01")


class Month(NamedTuple):
    """A calendar month; months compare and sort by time."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read `YYYY-MM`.

        :raises InvalidMonth: for anything else
        """
        match = _MONTH.fullmatch(text)
        if match is None or match[1] == "0000":
            raise InvalidMonth(text[:32])
        return cls(int(match[1]), int(match[2]))

    def plus(self, months: int) -> "Month":
        """The month so many months later, or earlier when negative."""
        year, index = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(year, index + 1)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"


FIRST_MONTH = Month(1994, 1)
"""The first health index that was published (royal decree of 24 December 1993)."""


class Provenance(StrEnum):
    """`published`: Statbel's own figure. `derived`: computed here by an official coefficient, exact by every test.
    `estimated`: computed here by a coefficient that was only inferred, at most `LARGEST_ERROR` off.
    """

    PUBLISHED = "published"
    DERIVED = "derived"
    ESTIMATED = "estimated"


LARGEST_ERROR = Decimal("0.02")
"""By how many index points an estimated figure may be off: an inferred coefficient is uncertain by 0.0001, which makes
0.011 of an index of 110, and the rounding to the cent adds to it."""


@dataclass(frozen=True, slots=True)
class Figure:
    """The health index of a month in a base year, in index points with two decimals.

    `smoothed` is the smoothed health index of the same month and base; None where it is not known. Each of the two has
    a provenance of its own.
    """

    month: Month
    base_year: int
    value: Decimal
    smoothed: Decimal | None = None
    provenance: Provenance = Provenance.PUBLISHED
    smoothed_provenance: Provenance = Provenance.PUBLISHED

    @property
    def margin(self) -> Decimal | None:
        """By how many index points the figure may be off; None for one that is exact."""
        return LARGEST_ERROR if self.provenance is Provenance.ESTIMATED else None


@dataclass(frozen=True, slots=True)
class Publication:
    """Figures as a source gave them; `as_of` is when it was read (aware), `source` a short name for it."""

    figures: tuple[Figure, ...]
    as_of: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A published figure that a source now gives differently."""

    before: Figure
    after: Figure


# -- base years ------------------------------------------------------------------------------------

IN_FORCE_SINCE: Mapping[int, Month] = MappingProxyType(
    {
        1988: Month(1994, 1),
        1996: Month(1998, 1),
        2004: Month(2006, 1),
        2013: Month(2014, 1),
        2025: Month(2026, 1),
    }
)
"""From which month on Statbel computed the index in a base year. Inferred: these are the only periods with which the
official coefficients reproduce every published figure of 1994 to 2024."""


class Coefficient(NamedTuple):
    """What a figure is multiplied by to convert it to another base year.

    Make an inferred one official by taking its `official=False` away, once Statbel is seen to publish it.
    """

    factor: Decimal
    official: bool = True


COEFFICIENTS: Mapping[tuple[int, int], Coefficient] = MappingProxyType(
    {
        (1988, 1996): Coefficient(Decimal("0.8294")),
        (1988, 2004): Coefficient(Decimal("0.7290")),
        (1988, 2013): Coefficient(Decimal("0.6036")),
        (1996, 1988): Coefficient(Decimal("1.2057")),
        (1996, 2004): Coefficient(Decimal("0.8790")),
        (1996, 2013): Coefficient(Decimal("0.7278")),
        (2004, 1988): Coefficient(Decimal("1.3717")),
        (2004, 1996): Coefficient(Decimal("1.1377")),
        (2004, 2013): Coefficient(Decimal("0.8280")),
        (2013, 1988): Coefficient(Decimal("1.6566")),
        (2013, 1996): Coefficient(Decimal("1.3740")),
        (2013, 2004): Coefficient(Decimal("1.2077")),
        # Not seen on Statbel's own page. 0.7376 is called official by two public repositories and fits 6 of 6 pairs of
        # 2025; 1.3557 fits 7 of 7 of 2026. Each is the only number of four decimals that does, in this direction alone.
        (2013, 2025): Coefficient(Decimal("0.7376")),
        (2025, 2013): Coefficient(Decimal("1.3557")),
        # Inferred: 1.3557 times the official step from base 2013, rounded to four decimals. Such products give all 18
        # official coefficients. 2.2459 lies on the edge of rounding: 2.2458 is possible.
        (2025, 2004): Coefficient(Decimal("1.6373"), official=False),
        (2025, 1996): Coefficient(Decimal("1.8627"), official=False),
        (2025, 1988): Coefficient(Decimal("2.2459"), official=False),
    }
)
"""Statbel's coefficients for the health index, from one base year to another. They are not inverses of each other, and
two steps in a row give wrong cents."""


def base_in_force(month: Month) -> int:
    """The base year in which Statbel computed the index of this month, as far as is known today.

    :raises BeforeFirstMonth: before January 1994
    """
    if month < FIRST_MONTH:
        raise BeforeFirstMonth(month, FIRST_MONTH)
    return max(base for base, since in IN_FORCE_SINCE.items() if since <= month)


def convert(value: Decimal, from_base: int, to_base: int) -> Decimal | None:
    """A figure in another base year, rounded half up to two decimals; None where there is no official coefficient.

    Exact only for a figure in the base in force when its month was published: 0 mismatches in 1,124 pairs.
    """
    coefficient = COEFFICIENTS.get((from_base, to_base))
    return _times(value, coefficient.factor) if coefficient is not None and coefficient.official else None


def estimate(value: Decimal, from_base: int, to_base: int) -> Decimal | None:
    """The same by a coefficient that was only inferred; None where there is none."""
    coefficient = COEFFICIENTS.get((from_base, to_base))
    return None if coefficient is None or coefficient.official else _times(value, coefficient.factor)


def before_conversion(converted: Decimal, from_base: int, to_base: int) -> set[Decimal] | None:
    """Every figure in `from_base` of which `convert` makes this one; None where there is no official coefficient."""
    coefficient = COEFFICIENTS.get((from_base, to_base))
    if coefficient is None or not coefficient.official:
        return None
    nearest = (converted / coefficient.factor).quantize(_CENT, ROUND_HALF_UP)
    near = (nearest + _CENT * step for step in range(-2, 3))  # 0.6036, the least, makes one cent of two at most
    return {value for value in near if _times(value, coefficient.factor) == converted}


def _times(value: Decimal, factor: Decimal) -> Decimal:
    return (value * factor).quantize(_CENT, ROUND_HALF_UP)
