"""Whether figures agree with each other: base years, months, and the smoothed health index."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from domain.errors import Rejection, SourceRejected
from domain.health_index import Change, Month
from domain.index_table import SMOOTHED_FACTOR, SMOOTHED_FACTOR_SINCE, IndexTable

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
    given: IndexTable, known: IndexTable, merged: IndexTable, corrected: Sequence[Change], source: str
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
            latest = merged.latest(other)
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


def _verify_jumps(given: IndexTable, merged: IndexTable, corrected: Sequence[Change], source: str) -> None:
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


def _undoubted(merged: IndexTable, given: IndexTable, corrected: Sequence[Change]) -> IndexTable:
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
