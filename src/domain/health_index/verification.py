"""What stands between any source of figures and the service.

Invented and mixed-up tables of this index circulate, and publishers change a view without a word. A reading is believed
as a whole or not at all; a correction of single figures passes, and `IndexTable.merged` reports it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType

from domain.clock import today
from domain.errors import Rejection, SourceRejected
from domain.health_index.figures import FIRST_MONTH, IN_FORCE_SINCE, Correction, Figure, Month, Provenance, convert
from domain.health_index.table import SMOOTHED_FACTOR, SMOOTHED_FACTOR_SINCE, IndexTable

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
        if {figure.provenance, figure.smoothed_provenance} != {Provenance.PUBLISHED}:
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
    here = today(now)
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
    return (
        base in known.base_years and known.published(month, base) is None and month < known.latest_published(base).month
    )


def _verify_corrections(corrected: Sequence[Correction], given: IndexTable, known: IndexTable, source: str) -> None:
    """Single figures are corrected; a whole window that differs is another window, such as one shifted by a month."""
    for base in given.base_years:
        overlap = sum(f.base_year == base and known.published(f.month, base) is not None for f in given.figures())
        others = [change for change in corrected if change.after.base_year == base]
        if overlap >= _LEAST_OVERLAP and len(others) * 2 > overlap:
            before, after = others[0].before, others[0].after
            raise SourceRejected(
                source,
                Rejection.REVISED,
                f"{len(others)} of {overlap} known figures in base {base} differ, such as {after.month}: "
                f"{after.value}, known as {before.value}",
            )


def unheard_of(figures: Iterable[Figure], known: IndexTable) -> set[int]:
    """Base years of a reading that nobody has heard of and nothing confirms: neither known nor ever in force, in a
    reading that repeats no figure that is known. A view that mislabels its base year looks like this.
    """
    given = IndexTable(figures)
    if any((there := known.published(f.month, f.base_year)) and there.value == f.value for f in given.figures()):
        return set()
    return set(given.base_years) - set(known.base_years) - IN_FORCE_SINCE.keys()


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


LARGEST_GAP = Decimal("0.02")
"""Between a published figure and what an official coefficient or the rule of smoothing leads to, in index points."""

_LARGEST_JUMP = Decimal("0.03")  # from a month to the next; the largest on record is 2.4 % (October 2022)

_LARGEST_DRIFT = Decimal("0.001")
"""By how much the quotient of two base years may differ from one month to another. It would not, but for rounding: of
four figures to the cent (0.005 of 50 points or more: 0.01 % each) and of four coefficients to four decimals (0.00005 of
0.44 or more: 0.0114 % each), 0.086 % at the very worst. In the figures of 1994 to 2026 it is 0.023 %. Two base years
that are mistaken for each other are 12 % apart at least."""

_LARGEST_LAG = Decimal("0.048")
"""By how much the mean of four months may differ from the last of them when none is more than 3 % from the next:
(1 + 1/0.97 + 1/0.97^2 + 1/0.97^3) / 4 = 1.0474. In the figures of 1994 to 2026 it is 2.7 %, the year included in which
the smoothed index stood still."""


def verify_coherence(
    given: IndexTable, known: IndexTable, merged: IndexTable, corrected: Sequence[Correction], source: str
) -> None:
    """Refuse figures that contradict each other or what is known.

    `merged` is what is known with what is given in it; `corrected` are the known figures that are given differently.
    They need not agree with what is known of their month in other base years: that may come with the next reading.

    :raises SourceRejected: for base years that disagree by the official coefficients, or for a month that is new by
        their quotient in other months; a jump above 3 % from a month to the next, or by a correction; a smoothed index
        that does not follow from the months before it or, where they are not known, is not near the health index of its
        month
    """
    _verify_bases(given, known, merged, source)
    _verify_quotients(given, known, merged, source)
    _verify_jumps(given, merged, corrected, source)
    _verify_smoothed(given, known, _undoubted(merged, given, corrected), source)


def _verify_bases(given: IndexTable, known: IndexTable, merged: IndexTable, source: str) -> None:
    for figure in given.figures():
        among = merged if known.published(figure.month, figure.base_year) is None else given
        in_force = among.base_in_force(figure.month)
        for base in among.base_years if figure.base_year == in_force else (figure.base_year,):
            other, expected = among.published(figure.month, base), among.derived(figure.month, base)
            if other is not None and expected is not None and abs(expected.value - other.value) > LARGEST_GAP:
                raise SourceRejected(
                    source,
                    Rejection.BASES_DISAGREE,
                    f"{figure.month} in base {base} is {other.value}, base {in_force} leads to {expected.value}",
                )


def _verify_quotients(given: IndexTable, known: IndexTable, merged: IndexTable, source: str) -> None:
    """Base years move together, also where no coefficient leads from one to the other.

    Where the other base year ends before the month, its latest figure stands in, with 3 % for each month between. Any
    one month in which both are known will do: a correction may have reached only one of them yet. Months that are new
    say nothing of each other, for all of them may have the wrong name, unless nothing else is known.
    """
    for base in given.base_years:
        new = [f for f in given.figures() if f.base_year == base and known.published(f.month, base) is None]
        for other in merged.base_years if new else ():
            if other == base:
                continue
            every = _quotients(merged, base, other)
            quotients = {month: every[month] for month in every if known.published(month, base) is not None} or every
            latest = merged.latest_published(other)
            for figure in new:
                beside = latest if figure.month > latest.month else merged.published(figure.month, other)
                if beside is None:
                    continue
                quotient = figure.value / beside.value
                limit = (1 + _LARGEST_JUMP) ** _months_between(beside.month, figure.month) - 1 + _LARGEST_DRIFT
                agree = (abs(quotient / q - 1) <= limit for month, q in quotients.items() if month != figure.month)
                if len(quotients) > (figure.month in quotients) and not any(agree):
                    raise SourceRejected(
                        source,
                        Rejection.BASES_DISAGREE,
                        f"{figure.month} in base {base} is {figure.value}, {quotient:.4f} times the {beside.value} "
                        f"of {beside.month} in base {other}, as in no other month",
                    )


def _quotients(table: IndexTable, base: int, other: int) -> dict[Month, Decimal]:
    pairs = ((f, table.published(f.month, other)) for f in table.figures() if f.base_year == base)
    return {figure.month: figure.value / beside.value for figure, beside in pairs if beside is not None}


def _months_between(first: Month, last: Month) -> int:
    return (last.year - first.year) * 12 + last.number - first.number


def _verify_jumps(given: IndexTable, merged: IndexTable, corrected: Sequence[Correction], source: str) -> None:
    steps = [(change.before, change.after) for change in corrected]
    steps += (
        (before, after)
        for before, after in pairwise(merged.figures())
        if after.base_year in given.base_years
        and (before.base_year, before.month.plus(1)) == (after.base_year, after.month)
    )
    for before, after in steps:
        if abs(after.value / before.value - 1) > _LARGEST_JUMP:
            raise SourceRejected(
                source,
                Rejection.JUMP,
                f"from {before.value} in {before.month} to {after.value} in {after.month} (base {after.base_year})",
            )


def _undoubted(merged: IndexTable, given: IndexTable, corrected: Sequence[Correction]) -> IndexTable:
    """Without what a correction leaves in doubt: its month in the base years that this reading does not give."""
    months = {change.after.month for change in corrected}
    return IndexTable(
        f for f in merged.figures() if f.month not in months or given.published(f.month, f.base_year) is not None
    )


def _verify_smoothed(given: IndexTable, known: IndexTable, among: IndexTable, source: str) -> None:
    for figure in given.figures():
        before = known.published(figure.month, figure.base_year)
        if figure.smoothed is None or (before is not None and before.smoothed == figure.smoothed):
            continue
        expected, limit = among.smoothed_by_rule(figure.month, figure.base_year), LARGEST_GAP
        if expected is None:
            expected = figure.value * (SMOOTHED_FACTOR if figure.month >= SMOOTHED_FACTOR_SINCE else 1)
            limit = expected * _LARGEST_LAG
        if abs(figure.smoothed - expected) > limit:
            raise SourceRejected(
                source,
                Rejection.SMOOTHED,
                f"{figure.month} in base {figure.base_year} is {figure.smoothed}, "
                f"{limit:.2f} or less from {expected:.2f} was expected",
            )
