"""What differs between two risk tables, and whether so much is likely to be a mistake."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import groupby

from domain.risk.tables import FIRST_ZIPCODE, LAST_ZIPCODE, RiskFactor, RiskRange, RiskTable, Zipcode

DEFAULT_MAX_SHARE = Fraction(20, 100)
"""How much of a table may change unless the operator forces it."""


@dataclass(frozen=True, slots=True)
class Change:
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
    """The changes that lead from one table to another, in as few ranges as possible, ascending."""

    def __init__(self, before: RiskTable, after: RiskTable) -> None:
        self._before, self._after = before, after

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """Every change, ascending; empty for equal tables."""
        return tuple(self._runs())

    @property
    def added(self) -> int:
        """How many zipcodes gain a factor and had none."""
        return sum(change.zipcodes for change in self.changes if change.before is None)

    @property
    def removed(self) -> int:
        """How many zipcodes lose their factor."""
        return sum(change.zipcodes for change in self.changes if change.after is None)

    @property
    def changed(self) -> int:
        """How many zipcodes have a factor before and another one after."""
        return sum(change.zipcodes for change in self.changes if change.before and change.after)

    @property
    def covered(self) -> int:
        """How many zipcodes have a factor in one of the two tables or in both."""
        return sum(self._after.counts().values()) + self.removed

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
        before, after = self._before.counts(), self._after.counts()
        return {
            factor: FactorChange(
                before[factor],
                after[factor],
                gained=sum(change.zipcodes for change in self.changes if change.after is factor),
                lost=sum(change.zipcodes for change in self.changes if change.before is factor),
            )
            for factor in RiskFactor
        }

    def objections(self, max_share: Fraction = DEFAULT_MAX_SHARE) -> list[str]:
        """Why the change looks like a mistake; empty when it does not, and for a first table.

        It does when more than `max_share` of all covered zipcodes change, or when a factor disappears.
        """
        if not any(self._before.counts().values()):
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

    def _runs(self) -> Iterator[Change]:
        before, after = self._before.codes, self._after.codes
        differing = (each for each in range(FIRST_ZIPCODE, LAST_ZIPCODE + 1) if before[each] != after[each])
        keyed = groupby(enumerate(differing), key=lambda pair: (pair[1] - pair[0], before[pair[1]], after[pair[1]]))
        for _, run in keyed:
            zipcodes = [Zipcode(zipcode) for _, zipcode in run]
            first, last = zipcodes[0], zipcodes[-1]
            yield Change(first, last, self._before.factor(first), self._after.factor(first))


def in_percent(share: Fraction) -> str:
    """A share in percent, rounded up to a tenth, so that what exceeds a limit never reads as equal to it."""
    tenths = -(-share.numerator * 1000 // share.denominator)
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10} %"
