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

from domain.coherence import LARGEST_GAP, verify_coherence
from domain.errors import Rejection, SourceRejected
from domain.freshness import BRUSSELS
from domain.health_index import FIRST_MONTH, IN_FORCE_SINCE, Change, Figure, Month, Provenance, convert
from domain.index_table import IndexTable

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
_LEAST_OVERLAP = 6  # months that must agree before a base year is taken for granted


def verify(figures: Sequence[Figure], known: IndexTable, source: str, now: datetime) -> None:
    """Refuse figures that cannot be Statbel's.

    Checked, in this order: at least one figure; no two for one month and base; none before 1994, in a base year before
    1988, computed, or after the month of `now` (aware); only positive numbers with exactly two decimals; anchors; no
    month missing between the first and the last of a base year, but for holes that are known; of six known figures or
    more of a base year, no more than half different; agreement between base years by the official coefficients and, for
    a month that is new in its base year, by their quotient in the months known before; no jump above 3 % from a month
    to the next, or by a correction; smoothed figures that follow from the others. What is new is held against what is
    known, too.

    :raises SourceRejected: naming the first check that fails
    """
    if not figures:
        raise SourceRejected(source, Rejection.NO_FIGURES, "there is no health index in it")
    _verify_each(figures, source)
    _verify_past(figures, source, now)
    given = IndexTable(figures)
    _verify_gaps(given, known, source)
    merged, _, changed = known.merged(figures)
    corrected = [change for change in changed if change.before.value != change.after.value]
    _verify_corrections(corrected, given, known, source)
    verify_coherence(given, known, merged, corrected, source)


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
        if Provenance.DERIVED in (figure.provenance, figure.smoothed_provenance):
            reason = f"{figure.month} in base {figure.base_year} is computed, not published"
            raise SourceRejected(source, Rejection.MALFORMED_RECORD, reason)
        for number in (figure.value, figure.value if figure.smoothed is None else figure.smoothed):
            if not number.is_finite() or number <= 0 or number.as_tuple().exponent != -2:
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


def _verify_corrections(corrected: Sequence[Change], given: IndexTable, known: IndexTable, source: str) -> None:
    """Single figures are corrected; a whole window that differs is another window, such as one shifted by a month."""
    for base in given.base_years:
        overlap = sum(f.base_year == base and known.published(f.month, base) is not None for f in given.figures())
        others = [change for change in corrected if change.after.base_year == base]
        if overlap >= _LEAST_OVERLAP and len(others) * 2 > overlap:
            before, after = others[0].before, others[0].after
            raise SourceRejected(
                source,
                Rejection.ANCHOR,
                f"{len(others)} of {overlap} known figures in base {base} differ, such as {after.month}: "
                f"{after.value}, known as {before.value}",
            )


def establish_base(figures: Sequence[Figure], known: IndexTable, source: str) -> list[Figure]:
    """Give figures of an unnamed base year (written as 0) the one base year in which they are known.

    The base year must agree with all months that are known in it or follow by an official coefficient, and with no
    fewer than six different ones.

    :raises SourceRejected: when no base year fits, or more than one does
    """
    fitting = [base for base in known.base_years if _agrees(figures, known, base)]
    if len(fitting) != 1:
        what = "several base years fit" if fitting else "no base year fits"
        raise SourceRejected(source, Rejection.UNKNOWN_BASE, f"{what} {len(figures)} figures that name none")
    return [replace(figure, base_year=fitting[0]) for figure in figures]


def _agrees(figures: Iterable[Figure], known: IndexTable, base: int) -> bool:
    answers = [(figure.month, _fits(figure, known, base)) for figure in figures]
    agreeing = {month for month, fits in answers if fits}
    return len(agreeing) >= _LEAST_OVERLAP and all(fits is not False for _, fits in answers)


def _fits(figure: Figure, known: IndexTable, base: int) -> bool | None:
    """Whether a figure taken for one in this base year is what is known; None where nothing can be said.

    Where its month is not published in this base year, what an official coefficient makes of the base in force decides,
    or, when that is this base year, what it makes of the figure.
    """
    if figure.month < FIRST_MONTH:
        return None
    there = known.published(figure.month, base)
    if there is not None:
        return figure.value == there.value
    if known.base_in_force(figure.month) == base:
        others = [known.published(figure.month, other) for other in known.base_years]
        pairs = [(convert(figure.value, base, other.base_year), other.value) for other in others if other is not None]
    else:
        derived = known.derived(figure.month, base)
        pairs = [] if derived is None else [(derived.value, figure.value)]
    gaps = [abs(computed - value) for computed, value in pairs if computed is not None]
    return max(gaps) <= LARGEST_GAP if gaps else None
