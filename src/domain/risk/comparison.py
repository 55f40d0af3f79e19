"""What differs between two risk tables, and whether so much is likely to be a mistake."""

from collections import Counter as CountOf
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple

from domain.risk.tables import FACTOR_OF_CODE, FIRST_ZIPCODE, RiskFactor, RiskRange, RiskTable

DEFAULT_MAX_SHARE = Fraction(20, 100)
"""How much of a table may change unless the operator forces it."""


class Change(NamedTuple):
    """Neighbouring zipcodes that go from one factor to another; None stands for no factor."""

    first: int
    last: int
    before: RiskFactor | None
    after: RiskFactor | None

    @property
    def zipcodes(self) -> int:
        """How many zipcodes change."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        span = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        count = "1 zipcode" if self.zipcodes == 1 else f"{self.zipcodes:,} zipcodes"
        return f"{span} {self.before or 'none'}\N{RIGHTWARDS ARROW}{self.after or 'none'}, {count}"


@dataclass(frozen=True, slots=True)
class FactorChange:
    """How many zipcodes have a factor before and after, how many gain it and how many lose it."""

    before: int
    after: int
    gained: int
    lost: int


class Comparison:
    """The changes that lead from one table to another, in as few ranges as possible, ascending; empty for equal tables.

    It holds neither table, so that many may be kept.
    """

    def __init__(self, before: RiskTable, after: RiskTable) -> None:
        old, new = before.codes[FIRST_ZIPCODE:], after.codes[FIRST_ZIPCODE:]
        self.changes = tuple(_runs(old, new))
        self._before, self._after = before.counts(), after.counts()
        # By pairs of factors, of which there are few: the ranges that change may be thousands.
        pairs = CountOf(zip(old, new, strict=True)).items()
        self._moves = [(FACTOR_OF_CODE[was], FACTOR_OF_CODE[is_], count) for (was, is_), count in pairs if was != is_]

    @property
    def added(self) -> int:
        """How many zipcodes gain a factor and had none."""
        return sum(count for before, _, count in self._moves if before is None)

    @property
    def removed(self) -> int:
        """How many zipcodes lose their factor."""
        return sum(count for _, after, count in self._moves if after is None)

    @property
    def changed(self) -> int:
        """How many zipcodes have a factor before and another one after."""
        return sum(count for before, after, count in self._moves if before is not None and after is not None)

    @property
    def covered(self) -> int:
        """How many zipcodes have a factor in one of the two tables or in both."""
        return sum(self._after.values()) + self.removed

    @property
    def share(self) -> Fraction:
        """How much of `covered` is added, removed or changed."""
        return Fraction(self.added + self.removed + self.changed, self.covered or 1)

    @property
    def percent(self) -> Decimal:
        """The share in percent, with two decimals, rounded half up."""
        share = self.share
        return Decimal((share.numerator * 20_000 + share.denominator) // (share.denominator * 2)).scaleb(-2)

    @property
    def withdrawn(self) -> tuple[RiskRange, ...]:
        """The ranges that lose their factor, with it."""
        return tuple(
            RiskRange(change.first, change.last, change.before)
            for change in self.changes
            if change.before is not None and change.after is None
        )

    def by_factor(self) -> dict[RiskFactor, FactorChange]:
        """The changes of each factor, counted."""
        return {
            factor: FactorChange(
                self._before[factor],
                self._after[factor],
                gained=sum(count for _, after, count in self._moves if after is factor),
                lost=sum(count for before, _, count in self._moves if before is factor),
            )
            for factor in RiskFactor
        }

    def objections(self, max_share: Fraction = DEFAULT_MAX_SHARE) -> list[str]:
        """Why the change looks like a mistake; empty when it does not, and for a first table.

        It does when more than `max_share` of all covered zipcodes change, or when a factor disappears.
        """
        if not any(self._before.values()):
            return []
        found = []
        if self.share > max_share:
            touched = self.added + self.removed + self.changed
            found.append(
                f"it changes {touched:,} of {self.covered:,} zipcodes ({in_percent(self.share)}), "
                f"more than {in_percent(max_share)}"
            )
        for factor, change in self.by_factor().items():
            if change.before and not change.after:
                count = "1 zipcode" if change.before == 1 else f"{change.before:,} zipcodes"
                found.append(f"it drops factor {factor} entirely, which {count} had")
        return found


def _runs(before: bytes, after: bytes) -> Iterator[Change]:
    first = FIRST_ZIPCODE
    for (old, new), run in groupby(zip(before, after, strict=True)):
        following = first + len(tuple(run))
        if old != new:
            yield Change(first, following - 1, FACTOR_OF_CODE[old], FACTOR_OF_CODE[new])
        first = following


def in_percent(share: Fraction) -> str:
    """A share in percent, rounded up to a tenth, so that what exceeds a limit never reads as equal to it."""
    tenths = -(-share.numerator * 1000 // share.denominator)
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10} %"
