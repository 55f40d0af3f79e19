"""The Belgian health index: months, base years, figures, and the table of all that is published.

The health index is the consumer price index without tobacco, alcohol and motor fuel. Statbel publishes it monthly since
January 1994, one figure per base year; each figure is in index points, where the average of the base year is 100.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import NamedTuple

from domain.errors import BeforeFirstMonth, InvalidMonth, NoFigure, UnknownBaseYear

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
    """`published`: Statbel's own figure. `derived`: computed here with an official coefficient."""

    PUBLISHED = "published"
    DERIVED = "derived"


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


@dataclass(frozen=True, slots=True)
class Publication:
    """Figures as a source gave them; `as_of` is when it was read (aware), `source` a short name for it."""

    figures: tuple[Figure, ...]
    as_of: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Change:
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

COEFFICIENTS: Mapping[tuple[int, int], Decimal] = MappingProxyType(
    {
        (1988, 1996): Decimal("0.8294"),
        (1988, 2004): Decimal("0.7290"),
        (1988, 2013): Decimal("0.6036"),
        (1996, 1988): Decimal("1.2057"),
        (1996, 2004): Decimal("0.8790"),
        (1996, 2013): Decimal("0.7278"),
        (2004, 1988): Decimal("1.3717"),
        (2004, 1996): Decimal("1.1377"),
        (2004, 2013): Decimal("0.8280"),
        (2013, 1988): Decimal("1.6566"),
        (2013, 1996): Decimal("1.3740"),
        (2013, 2004): Decimal("1.2077"),
        # Not seen on Statbel's own page: 0.7376 is called official by two public repositories; 1.3557 is the only
        # number of four decimals that fits all four pairs of figures published in both base years.
        (2013, 2025): Decimal("0.7376"),
        (2025, 2013): Decimal("1.3557"),
    }
)
"""Statbel's coefficients for the health index, from one base year to another. They are not inverses of each other, and
two steps in a row give wrong cents."""

SMOOTHED_MONTHS = 4
"""The smoothed health index is the mean of so many months up to its own, fewer at the start in 1994 (royal decree of 24
December 1993)."""

SMOOTHED_FACTOR = Decimal("0.98")
SMOOTHED_FACTOR_SINCE = Month(2016, 4)
"""Times this factor since April 2016 (law of 23 April 2015 on the promotion of employment)."""

SMOOTHED_BLOCKED = Decimal("100.66")
SMOOTHED_BLOCKED_BASE = 2013
SMOOTHED_BLOCKED_MONTHS = (Month(2015, 4), Month(2016, 3))
"""By the same law it stood still at that of March 2015 in these months, both included, until the factor was reached."""


def base_in_force(month: Month) -> int:
    """The base year in which Statbel computed the index of this month, as far as is known today.

    :raises BeforeFirstMonth: before January 1994
    """
    if month < FIRST_MONTH:
        raise BeforeFirstMonth(month, FIRST_MONTH)
    return max(base for base, since in IN_FORCE_SINCE.items() if since <= month)


def convert(value: Decimal, from_base: int, to_base: int) -> Decimal | None:
    """A figure in another base year, rounded half up to two decimals; None where there is no coefficient.

    Exact only for a figure in the base in force when its month was published: 0 mismatches in 1,110 pairs.
    """
    coefficient = COEFFICIENTS.get((from_base, to_base))
    return None if coefficient is None else (value * coefficient).quantize(_CENT, ROUND_HALF_UP)


# -- the table -------------------------------------------------------------------------------------


class IndexTable:
    """All published figures by base year and month; immutable."""

    def __init__(self, figures: Iterable[Figure] = ()) -> None:
        """A later figure of the same month and base year replaces an earlier one."""
        by_base: dict[int, dict[Month, Figure]] = {}
        for figure in figures:
            by_base.setdefault(figure.base_year, {})[figure.month] = figure
        self._by_base = {base: dict(sorted(by_base[base].items())) for base in sorted(by_base, reverse=True)}
        self._series: dict[int, list[Figure]] = {}  # each made at its first use

    @property
    def base_years(self) -> tuple[int, ...]:
        """The base years in which a figure is published, latest first."""
        return tuple(self._by_base)

    @cached_property
    def latest_month(self) -> Month:
        """The latest month published in any base year; the table must not be empty."""
        return max(next(reversed(months)) for months in self._by_base.values())

    @cached_property
    def version(self) -> str:
        """A short name for this content: equal tables have equal versions."""
        lines = (f"{f.month},{f.base_year},{f.value},{f.smoothed}" for f in self.figures())
        return sha256("\n".join(lines).encode()).hexdigest()[:16]

    def figures(self) -> Iterable[Figure]:
        """Every published figure, by base year and month."""
        return (figure for months in self._by_base.values() for figure in months.values())

    def published(self, month: Month, base_year: int) -> Figure | None:
        """Statbel's own figure, or None."""
        return self._by_base.get(base_year, {}).get(month)

    def latest(self, base_year: int) -> Figure:
        """The latest figure published in a base year.

        :raises UnknownBaseYear: where none is
        """
        months = self._months(base_year)
        return self._with_smoothed(months[next(reversed(months))])

    def figure(self, month: Month, base_year: int) -> Figure:
        """The figure of a month: published where it is, else derived from the base in force.

        :raises UnknownBaseYear: for a base year without any figure
        :raises BeforeFirstMonth: before January 1994
        :raises NoFigure: where neither is to be had
        """
        self._months(base_year)
        figure = self._figure(month, base_year)
        if figure is None:
            raise NoFigure(month, base_year)
        return figure

    def of_month(self, month: Month) -> list[Figure]:
        """The figures of a month in every base year where one is published or can be derived, latest base first."""
        found = (self._figure(month, base) for base in self._by_base)
        return [figure for figure in found if figure is not None]

    def series(self, base_year: int, first: Month, last: Month) -> list[Figure]:
        """The figures from `first` to `last`, both included, ascending; months without a figure are left out.

        :raises UnknownBaseYear: for a base year without any figure
        """
        every = self._series.get(base_year)
        if every is None:
            every = self._series[base_year] = self._whole_series(base_year)
        return every[bisect_left(every, first, key=_month) : bisect_right(every, last, key=_month)]

    def merged(self, figures: Iterable[Figure]) -> tuple["IndexTable", list[Figure], list[Change]]:
        """The table with these figures in it, the figures that are new or newly complete, and those that changed.

        A figure that is missing is not a deletion, and a smoothed figure that is not repeated stays.
        """
        added: list[Figure] = []
        changed: list[Change] = []
        for given in figures:
            known = self.published(given.month, given.base_year)
            if known is None:
                added.append(given)
                continue
            after = given if given.smoothed is not None else replace(given, smoothed=known.smoothed)
            if after.value == known.value and known.smoothed is None and after.smoothed is not None:
                added.append(after)
            elif (after.value, after.smoothed) != (known.value, known.smoothed):
                changed.append(Change(known, after))
        if not added and not changed:
            return self, added, changed
        return IndexTable([*self.figures(), *added, *(change.after for change in changed)]), added, changed

    def _months(self, base_year: int) -> dict[Month, Figure]:
        months = self._by_base.get(base_year)
        if months is None:
            raise UnknownBaseYear(str(base_year), self.base_years)
        return months

    def _figure(self, month: Month, base_year: int) -> Figure | None:
        figure = self.published(month, base_year) or self._derive(month, base_year)
        return None if figure is None else self._with_smoothed(figure)

    def _derive(self, month: Month, base_year: int) -> Figure | None:
        """Statbel converts from the base in force, in one step; so does this, or not at all."""
        in_force = self._base_in_force(month)
        source = None if in_force is None else self.published(month, in_force)
        value = None if source is None else convert(source.value, source.base_year, base_year)
        return None if value is None else Figure(month, base_year, value, provenance=Provenance.DERIVED)

    def _base_in_force(self, month: Month) -> int | None:
        """A base year newer than the known ones may be in force in any month that it covers: then nobody knows."""
        in_force = base_in_force(month)
        return (
            None
            if any(base > max(IN_FORCE_SINCE) and month in self._by_base[base] for base in self._by_base)
            else in_force
        )

    def _with_smoothed(self, figure: Figure) -> Figure:
        if figure.smoothed is not None:
            return figure
        smoothed = self._smoothed(figure.month, figure.base_year)
        return replace(figure, smoothed=smoothed, smoothed_provenance=Provenance.DERIVED) if smoothed else figure

    def _smoothed(self, month: Month, base_year: int) -> Decimal | None:
        """The smoothed health index by the rule of its time, in one step from the base in which Statbel smooths.

        That is the base in force; for the months before 2006 the tables in bases 2004 and 2013 were smoothed in base
        2004. So computed, all 986 published smoothed figures at hand in bases 1988 to 2013 come out exactly.
        """
        origin = self._base_in_force(month)
        if origin is None:
            return None
        if SMOOTHED_BLOCKED_MONTHS[0] <= month <= SMOOTHED_BLOCKED_MONTHS[1]:
            origin, smoothed = SMOOTHED_BLOCKED_BASE, SMOOTHED_BLOCKED
        else:
            if origin < 2004 <= base_year:
                origin = 2004
            window = [month.plus(-back) for back in range(SMOOTHED_MONTHS) if month.plus(-back) >= FIRST_MONTH]
            figures = [self.published(each, origin) or self._derive(each, origin) for each in window]
            values = [figure.value for figure in figures if figure is not None]
            if len(values) < len(window):
                return None
            factor = SMOOTHED_FACTOR if month >= SMOOTHED_FACTOR_SINCE else 1
            smoothed = (sum(values, Decimal()) * factor / len(values)).quantize(_CENT, ROUND_HALF_UP)
        return smoothed if origin == base_year else convert(smoothed, origin, base_year)

    def _whole_series(self, base_year: int) -> list[Figure]:
        self._months(base_year)
        every = sorted({month for others in self._by_base.values() for month in others})
        found = (self._figure(month, base_year) for month in every)
        return [figure for figure in found if figure is not None]


def _month(figure: Figure) -> Month:
    return figure.month
