"""The table of all health indices that are published, and what follows from it by the rules of their publisher.

Two kinds of figures follow: those of other base years, by a coefficient, and the smoothed health index.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cached_property
from hashlib import sha256
from typing import NamedTuple

from domain.errors import LogicalError
from domain.health_index.figures import (
    FIRST_MONTH,
    IN_FORCE_SINCE,
    Correction,
    Figure,
    Month,
    Provenance,
    base_in_force,
    before_conversion,
    convert,
    estimate,
)


@dataclass(eq=False)
class UnknownBaseYear(LogicalError):
    base_year: str
    known: tuple[int, ...]

    def __str__(self) -> str:
        there_are = ", ".join(map(str, self.known))
        return f"There is no base year {self.base_year}: figures are published in {there_are}"


@dataclass(eq=False)
class NoFigure(LogicalError):
    month: "Month"
    base_year: int

    def __str__(self) -> str:
        return (
            f"No health index in base {self.base_year} is known for {self.month}, and none can be derived: "
            "that takes a figure in the base year then in force, and an official coefficient from there"
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """A published figure beside what an inferred coefficient makes of the base in force."""

    published: Figure
    estimated: Decimal

    @property
    def agrees(self) -> bool:
        return self.published.value == self.estimated


@dataclass(frozen=True, slots=True)
class Movement:
    """By how many percent an index differs from that of the month before, and from that of the same month of the year
    before: two decimals, rounded half up, as Statbel prints it. None where one of the two is not known.
    """

    month: Decimal | None
    year: Decimal | None


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


class SmoothingOrigin(NamedTuple):
    """For months from `first` to `last`, both included, the smoothed index in `base_years_from` and later base years
    is the mean of figures in base `origin`, converted from there.
    """

    first: Month
    last: Month
    base_years_from: int
    origin: int


SMOOTHING_ORIGINS = (
    # The tables in bases 2004 and 2013 were smoothed in base 2004: 288 of 288 published figures.
    SmoothingOrigin(FIRST_MONTH, Month(2005, 12), base_years_from=2004, origin=2004),
    # 6 of 6 published figures in base 2025, 2025-07 to 2025-12; by way of base 2013 five of them are 0.01 too low. That
    # it holds for the first half of the year is inferred.
    SmoothingOrigin(Month(2025, 1), Month(2025, 12), base_years_from=2025, origin=2025),
)
"""Where Statbel did not smooth in the base year in force."""

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
        self._figures: dict[tuple[int, Month], Figure] = {}  # likewise
        self._in_force: dict[Month, Decimal | None] = {}  # what `_figure_in_force` found out

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
        """The figure of the base in force, converted; None where it is not known, or no official coefficient is.

        Statbel converts from the base in force, in one step; so does this, or not at all. Where the figure of the base
        in force is not published, it is derived itself when one figure alone leads to all that are published of its
        month: 2026-08 can only be 103.49 in base 2025, since nothing else makes 140.30 in base 2013.
        """
        in_force = self.base_in_force(month)
        source = None if in_force is None else self._figure_in_force(month, in_force)
        if in_force is None or source is None:
            return None
        value = source if in_force == base_year else convert(source, in_force, base_year)
        return None if value is None else Figure(month, base_year, value, provenance=Provenance.DERIVED)

    def estimated(self, month: Month, base_year: int) -> Figure | None:
        """The figure of the base in force by a coefficient that was only inferred; None where there is none."""
        in_force = self.base_in_force(month)
        source = None if in_force is None else self._figure_in_force(month, in_force)
        value = None if in_force is None or source is None else estimate(source, in_force, base_year)
        return None if value is None else Figure(month, base_year, value, provenance=Provenance.ESTIMATED)

    def base_in_force(self, month: Month) -> int | None:
        """The base year in which Statbel computed the index of this month; None where nobody knows.

        That is so in the months that a base year newer than the known ones covers, once this year itself is over: the
        mean of a year that is not over cannot be 100 yet.

        :raises BeforeFirstMonth: before January 1994
        """
        in_force = base_in_force(month)
        newer = any(_LATEST_BASE < base < month.year and month in self._by_base[base] for base in self._by_base)
        return None if newer else in_force

    def latest_published(self, base_year: int) -> Figure:
        """The latest figure published in a base year.

        :raises UnknownBaseYear: where none is
        """
        months = self._months(base_year)
        return self._with_smoothed(months[next(reversed(months))])

    def latest(self, base_year: int) -> Figure:
        """The latest figure that can be given in a base year, as `figure` gives it.

        :raises UnknownBaseYear: for a base year without any published figure
        """
        return self.whole_series(base_year)[-1]

    def figure(self, month: Month, base_year: int) -> Figure:
        """The figure of a month: published where it is, else derived from the base in force, else estimated.

        :raises UnknownBaseYear: for a base year without any published figure
        :raises BeforeFirstMonth: before January 1994
        :raises NoFigure: where there is none of the three
        """
        self._months(base_year)
        figure = self._figure(month, base_year)
        if figure is None:
            raise NoFigure(month, base_year)
        return figure

    def of_month(self, month: Month) -> list[Figure]:
        """The figures of a month in every base year where there is one, as `figure` gives it, latest base first."""
        found = (self._figure(month, base) for base in self._by_base)
        return [figure for figure in found if figure is not None]

    def series(self, base_year: int, first: Month, last: Month) -> list[Figure]:
        """The figures from `first` to `last`, both included, ascending; months without a figure are left out.

        :raises UnknownBaseYear: for a base year without any figure
        """
        every = self.whole_series(base_year)
        return every[bisect_left(every, first, key=_month) : bisect_right(every, last, key=_month)]

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Every published figure that would be estimated otherwise: by these the inferred coefficients are judged."""
        pairs = ((figure, self.estimated(figure.month, figure.base_year)) for figure in self.figures())
        return tuple(Comparison(figure, estimate.value) for figure, estimate in pairs if estimate is not None)

    def movement(self, month: Month) -> Movement:
        """How the index of a month differs from those before it, in the base in force for the month.

        Agrees with the rates in Statbel's press texts: 2.45 (2025-11), 2.21 (2025-12), 1.37 (2026-01), 3.22 (2026-07).

        :raises BeforeFirstMonth: before January 1994
        """
        in_force = self.base_in_force(month)
        if in_force is None or (now := self._without_estimate(month, in_force)) is None:
            return Movement(None, None)
        rates: list[Decimal | None] = []
        for back in (1, 12):
            before = month.plus(-back)
            then = None if before < FIRST_MONTH else self._without_estimate(before, in_force)
            rates.append(None if then is None else _percent(now.value, then.value))
        return Movement(*rates)

    def smoothed_by_rule(self, month: Month, base_year: int) -> Decimal | None:
        """The smoothed health index by the rule of its time; None where a figure or a coefficient for it is not known.

        It is computed in the base in which Statbel smooths, rounded, and converted from there in one step. So computed,
        all 999 published smoothed figures at hand come out exactly.

        :raises BeforeFirstMonth: before January 1994
        """
        found = self._smoothed_at_origin(month, base_year)
        if found is None:
            return None
        origin, smoothed = found
        return smoothed if origin == base_year else convert(smoothed, origin, base_year)

    def _smoothed_at_origin(self, month: Month, base_year: int) -> tuple[int, Decimal] | None:
        """The base year in which Statbel smooths for tables in `base_year`, and the smoothed index in it."""
        origin = self.base_in_force(month)
        if origin is None:
            return None
        if SMOOTHED_BLOCKED_MONTHS[0] <= month <= SMOOTHED_BLOCKED_MONTHS[1]:
            return SMOOTHED_BLOCKED_BASE, SMOOTHED_BLOCKED
        for each in SMOOTHING_ORIGINS:
            if each.first <= month <= each.last and base_year >= each.base_years_from:
                origin = each.origin
        window = [month.plus(-back) for back in range(SMOOTHED_MONTHS) if month.plus(-back) >= FIRST_MONTH]
        figures = [self._without_estimate(each, origin) for each in window]
        values = [figure.value for figure in figures if figure is not None]
        if len(values) < len(window):
            return None
        factor = SMOOTHED_FACTOR if month >= SMOOTHED_FACTOR_SINCE else 1
        return origin, (sum(values, Decimal()) * factor / len(values)).quantize(_CENT, ROUND_HALF_UP)

    def merged(self, figures: Iterable[Figure]) -> tuple["IndexTable", list[Figure], list[Correction]]:
        """The table with these figures in it, the figures that are new or newly complete, and those that changed.

        A figure that is missing is not a deletion, and a smoothed figure that is not repeated stays.
        """
        added: list[Figure] = []
        changed: list[Correction] = []
        for given in figures:
            known = self.published(given.month, given.base_year)
            if known is None:
                added.append(given)
                continue
            after = given if given.smoothed is not None else replace(given, smoothed=known.smoothed)
            if after.value == known.value and known.smoothed is None and after.smoothed is not None:
                added.append(after)
            elif (after.value, after.smoothed) != (known.value, known.smoothed):
                changed.append(Correction(known, after))
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

    def _without_estimate(self, month: Month, base_year: int) -> Figure | None:
        return self.published(month, base_year) or self.derived(month, base_year)

    def _figure(self, month: Month, base_year: int) -> Figure | None:
        """Made at its first use: a schedule of rents asks for thirty, and smoothing one takes as long as indexing."""
        figure = self._figures.get((base_year, month))
        if figure is None:
            found = self._without_estimate(month, base_year) or self.estimated(month, base_year)
            if found is None:
                return None
            figure = self._figures[base_year, month] = self._with_smoothed(found)
        return figure

    def _figure_in_force(self, month: Month, in_force: int) -> Decimal | None:
        """The figure that others of its month are converted from, published or the only one that there can be."""
        published = self.published(month, in_force)
        if published is not None:
            return published.value
        if month not in self._in_force:
            others = (self.published(month, base) for base in self._by_base)
            leading = [before_conversion(each.value, in_force, each.base_year) for each in others if each is not None]
            possible = [values for values in leading if values is not None]
            common = set.intersection(*possible) if possible else set()
            self._in_force[month] = common.pop() if len(common) == 1 else None
        return self._in_force[month]

    def _with_smoothed(self, figure: Figure) -> Figure:
        if figure.smoothed is not None:
            return figure
        month, base_year = figure.month, figure.base_year
        smoothed, provenance = self.smoothed_by_rule(month, base_year), Provenance.DERIVED
        if smoothed is None and (found := self._smoothed_at_origin(month, base_year)) is not None:
            origin, at_origin = found
            smoothed, provenance = estimate(at_origin, origin, base_year), Provenance.ESTIMATED
        return replace(figure, smoothed=smoothed, smoothed_provenance=provenance) if smoothed else figure

    def whole_series(self, base_year: int) -> list[Figure]:
        """Every figure that can be given in a base year, ascending; made at its first use, and not to be changed.

        :raises UnknownBaseYear: for a base year without any published figure
        """
        self._months(base_year)
        every = self._series.get(base_year)
        if every is None:
            months = sorted({month for others in self._by_base.values() for month in others})
            found = (self._figure(month, base_year) for month in months)
            every = self._series[base_year] = [figure for figure in found if figure is not None]
        return every


def _month(figure: Figure) -> Month:
    return figure.month


def _percent(now: Decimal, then: Decimal) -> Decimal:
    return ((now - then) * 100 / then).quantize(_CENT, ROUND_HALF_UP)


def _exact(number: Decimal | None) -> Fraction | None:
    return None if number is None else Fraction(number)
