"""The table of all health indices that are published, and what follows from it by the rules of their publisher.

Two kinds of figures follow: those of other base years, by an official coefficient, and the smoothed health index.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cached_property
from hashlib import sha256

from domain.errors import LogicalError
from domain.health_index.figures import (
    FIRST_MONTH,
    IN_FORCE_SINCE,
    Change,
    Figure,
    Month,
    Provenance,
    base_in_force,
    convert,
)


@dataclass(eq=False)
class UnknownBaseYear(LogicalError):
    base_year: str
    known: tuple[int, ...]

    def __str__(self) -> str:
        return f"Year {self.base_year} is not valid"


@dataclass(eq=False)
class NoFigure(LogicalError):
    month: "Month"
    base_year: int

    def __str__(self) -> str:
        return (
            f"No health index in base {self.base_year} is known for {self.month}, and none can be derived: "
            "that takes a figure in the base year then in force, and an official coefficient from there"
        )


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

_CENT = Decimal("0.01")
_LATEST_BASE = max(IN_FORCE_SINCE)


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
        """A short name for this content: equal tables have equal versions, however their numbers are written."""
        lines = (f"{f.month},{f.base_year},{_exact(f.value)},{_exact(f.smoothed)}" for f in self.figures())
        return sha256("\n".join(lines).encode()).hexdigest()[:16]

    def figures(self) -> Iterable[Figure]:
        """Every published figure, by base year and month."""
        return (figure for months in self._by_base.values() for figure in months.values())

    def published(self, month: Month, base_year: int) -> Figure | None:
        """Statbel's own figure, or None."""
        return self._by_base.get(base_year, {}).get(month)

    def derived(self, month: Month, base_year: int) -> Figure | None:
        """The published figure of the base in force, converted; None where there is none, or no coefficient.

        Statbel converts from the base in force, in one step; so does this, or not at all.
        """
        in_force = self.base_in_force(month)
        source = None if in_force is None else self.published(month, in_force)
        value = None if source is None else convert(source.value, source.base_year, base_year)
        return None if value is None else Figure(month, base_year, value, provenance=Provenance.DERIVED)

    def base_in_force(self, month: Month) -> int | None:
        """The base year in which Statbel computed the index of this month; None where nobody knows.

        That is so in the months that a base year newer than the known ones covers, once this year itself is over: the
        mean of a year that is not over cannot be 100 yet.

        :raises BeforeFirstMonth: before January 1994
        """
        in_force = base_in_force(month)
        newer = any(_LATEST_BASE < base < month.year and month in self._by_base[base] for base in self._by_base)
        return None if newer else in_force

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

    def smoothed_by_rule(self, month: Month, base_year: int) -> Decimal | None:
        """The smoothed health index by the rule of its time; None where a figure or a coefficient for it is not known.

        It is converted in one step from the base in which Statbel smooths. That is the base in force; for the months
        before 2006 the tables in bases 2004 and 2013 were smoothed in base 2004. So computed, all 986 published
        smoothed figures at hand in bases 1988 to 2013 come out exactly.

        :raises BeforeFirstMonth: before January 1994
        """
        origin = self.base_in_force(month)
        if origin is None:
            return None
        if SMOOTHED_BLOCKED_MONTHS[0] <= month <= SMOOTHED_BLOCKED_MONTHS[1]:
            origin, smoothed = SMOOTHED_BLOCKED_BASE, SMOOTHED_BLOCKED
        else:
            if origin < 2004 <= base_year:
                origin = 2004
            window = [month.plus(-back) for back in range(SMOOTHED_MONTHS) if month.plus(-back) >= FIRST_MONTH]
            figures = [self.published(each, origin) or self.derived(each, origin) for each in window]
            values = [figure.value for figure in figures if figure is not None]
            if len(values) < len(window):
                return None
            factor = SMOOTHED_FACTOR if month >= SMOOTHED_FACTOR_SINCE else 1
            smoothed = (sum(values, Decimal()) * factor / len(values)).quantize(_CENT, ROUND_HALF_UP)
        return smoothed if origin == base_year else convert(smoothed, origin, base_year)

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

    def require(self, base_year: int) -> None:
        """Go on only where a figure is published in this base year.

        :raises UnknownBaseYear: where none is
        """
        self._months(base_year)

    def _months(self, base_year: int) -> dict[Month, Figure]:
        months = self._by_base.get(base_year)
        if months is None:
            raise UnknownBaseYear(str(base_year), self.base_years)
        return months

    def _figure(self, month: Month, base_year: int) -> Figure | None:
        figure = self.published(month, base_year) or self.derived(month, base_year)
        return None if figure is None else self._with_smoothed(figure)

    def _with_smoothed(self, figure: Figure) -> Figure:
        if figure.smoothed is not None:
            return figure
        smoothed = self.smoothed_by_rule(figure.month, figure.base_year)
        return replace(figure, smoothed=smoothed, smoothed_provenance=Provenance.DERIVED) if smoothed else figure

    def _whole_series(self, base_year: int) -> list[Figure]:
        self._months(base_year)
        every = sorted({month for others in self._by_base.values() for month in others})
        found = (self._figure(month, base_year) for month in every)
        return [figure for figure in found if figure is not None]


def _month(figure: Figure) -> Month:
    return figure.month


def _exact(number: Decimal | None) -> Fraction | None:
    return None if number is None else Fraction(number)
