"""What stands between any source of figures and the service.

Invented and mixed-up tables of this index circulate, and publishers change a view without a word. A reading is believed
as a whole or not at all; a correction of single figures passes, and is reported by `IndexTable.merged`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType

from domain.errors import Rejection, SourceRejected
from domain.freshness import BRUSSELS
from domain.health_index import FIRST_MONTH, IN_FORCE_SINCE, Figure, IndexTable, Month, base_in_force, convert

ANCHORS: Mapping[tuple[int, Month], Decimal] = MappingProxyType(
    {
        (1988, Month(1994, 1)): Decimal("115.65"),
        (2013, Month(1994, 1)): Decimal("69.81"),
        (1988, Month(1997, 12)): Decimal("122.68"),
        (1996, Month(1997, 12)): Decimal("101.75"),
        (2004, Month(2010, 6)): Decimal("112.74"),
        (2013, Month(2020, 1)): Decimal("109.72"),
        (2004, Month(2022, 4)): Decimal("144.43"),
        (2013, Month(2022, 4)): Decimal("119.59"),
        (2013, Month(2023, 11)): Decimal("128.55"),
    }
)
"""Figures seen in Statbel's own publications. A table that gives another number for one of them is not Statbel's."""

_FIRST_BASE = min(IN_FORCE_SINCE)  # 0 stands for a base year that was never established
_LARGEST_JUMP = Decimal("0.03")  # the largest on record is 2.4 % (October 2022)
_LARGEST_GAP = Decimal("0.02")  # between a base year and the coefficient of another, in index points
_LEAST_OVERLAP = 6  # months that must agree before a base year is taken for granted


def verify(figures: Sequence[Figure], known: IndexTable, source: str, now: datetime) -> None:
    """Refuse figures that cannot be Statbel's.

    Checked: at least one figure; no two for one month and base; none before 1994, after the month of `now` (aware) or
    in a base year before 1988; only positive numbers; no month missing between the first and the last of a base year,
    but for holes that are known; anchors; agreement between base years by the official coefficients, for a month that
    is new with those that are known too; no jump above 3 % from a month to the next, the months that are known already
    included.

    :raises SourceRejected: naming the first check that fails
    """
    if not figures:
        raise SourceRejected(source, Rejection.NO_FIGURES, "there is no health index in it")
    _verify_each(figures, source)
    _verify_past(figures, source, now)
    given = IndexTable(figures)
    _verify_gaps(given, known, source)
    merged, _, _ = known.merged(figures)
    _verify_bases(given, known, merged, source)
    _verify_jumps(merged, {figure.base_year for figure in figures}, source)


def _verify_each(figures: Sequence[Figure], source: str) -> None:
    twice = [key for key, count in Counter((f.base_year, f.month) for f in figures).items() if count > 1]
    if twice:
        base, month = min(twice)
        raise SourceRejected(source, Rejection.CONFLICT, f"{month} in base {base} is there twice")
    for figure in figures:
        if figure.month < FIRST_MONTH:
            raise SourceRejected(source, Rejection.MALFORMED_RECORD, f"there was no health index in {figure.month}")
        if figure.base_year < _FIRST_BASE:
            raise SourceRejected(source, Rejection.UNKNOWN_BASE, f"there is no health index in base {figure.base_year}")
        for number in (figure.value, figure.value if figure.smoothed is None else figure.smoothed):
            if not number.is_finite() or number <= 0:
                raise SourceRejected(source, Rejection.MALFORMED_NUMBER, f"{figure.month} is {number}")
        anchor = ANCHORS.get((figure.base_year, figure.month))
        if anchor is not None and figure.value != anchor:
            raise SourceRejected(
                source,
                Rejection.ANCHOR,
                f"{figure.month} in base {figure.base_year} is {figure.value}, Statbel published {anchor}",
            )


def _verify_past(figures: Sequence[Figure], source: str, now: datetime) -> None:
    here = now.astimezone(BRUSSELS)
    latest = max(figure.month for figure in figures)
    if latest > (here.year, here.month):
        raise SourceRejected(source, Rejection.MALFORMED_RECORD, f"{latest} has not begun")


def _verify_gaps(given: IndexTable, known: IndexTable, source: str) -> None:
    for base in given.base_years:
        months = [figure.month for figure in given.figures() if figure.base_year == base]
        for before, after in pairwise(months):
            month = before.plus(1)
            while month < after and _known_gap(known, month, base):
                month = month.plus(1)
            if month < after:
                raise SourceRejected(source, Rejection.MISSING_FIGURE, f"{month} in base {base} is missing")


def _known_gap(known: IndexTable, month: Month, base: int) -> bool:
    """Whether the figures known before have the same hole, as the bundled ones of the youngest base year do."""
    return base in known.base_years and known.published(month, base) is None and month < known.latest(base).month


def _verify_bases(given: IndexTable, known: IndexTable, merged: IndexTable, source: str) -> None:
    for figure in given.figures():
        # A correction need not agree with what is known: its other base years may come with the next reading.
        among = merged if known.published(figure.month, figure.base_year) is None else given
        in_force = base_in_force(figure.month)
        origin = among.published(figure.month, in_force)
        for base in among.base_years if figure.base_year == in_force else (figure.base_year,):
            other = among.published(figure.month, base)
            expected = None if origin is None else convert(origin.value, in_force, base)
            if other is not None and expected is not None and abs(expected - other.value) > _LARGEST_GAP:
                raise SourceRejected(
                    source,
                    Rejection.BASES_DISAGREE,
                    f"{figure.month} in base {base} is {other.value}, base {in_force} leads to {expected}",
                )


def _verify_jumps(merged: IndexTable, bases: Iterable[int], source: str) -> None:
    wanted = set(bases)
    before: Figure | None = None
    for figure in merged.figures():
        if (
            figure.base_year in wanted
            and before is not None
            and (before.base_year, before.month.plus(1)) == (figure.base_year, figure.month)
            and abs(figure.value / before.value - 1) > _LARGEST_JUMP
        ):
            raise SourceRejected(
                source,
                Rejection.JUMP,
                f"from {before.value} in {before.month} to {figure.value} in {figure.month} (base {figure.base_year})",
            )
        before = figure


def establish_base(figures: Sequence[Figure], known: IndexTable, source: str) -> list[Figure]:
    """Give figures of an unnamed base year (written as 0) the one base year in which they are known.

    The base year must agree with all months that are known in it, and with no fewer than six.

    :raises SourceRejected: when no base year fits, or more than one does
    """
    fitting = [base for base in known.base_years if _agrees(figures, known, base)]
    if len(fitting) != 1:
        what = "several base years fit" if fitting else "no base year fits"
        raise SourceRejected(source, Rejection.UNKNOWN_BASE, f"{what} {len(figures)} figures that name none")
    return [replace(figure, base_year=fitting[0]) for figure in figures]


def _agrees(figures: Iterable[Figure], known: IndexTable, base: int) -> bool:
    pairs = [(figure, known.published(figure.month, base)) for figure in figures]
    overlap = [(figure.value, other.value) for figure, other in pairs if other is not None]
    return len(overlap) >= _LEAST_OVERLAP and all(value == other for value, other in overlap)
