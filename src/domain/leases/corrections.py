"""What is left of an indexed rent by the energy certificate: two mechanisms over the dated data of `certificates`.

In the restriction year, of all four regimes: rent before + share times (ordinary rent - rent before). Afterwards, for a
label that was limited,

- in Brussels and Flanders: rent times I(new) / I(start) times factor, where the factor is (prev + share times (curr -
  prev)) / curr; curr and prev are the indices of the month before the anniversary in the restriction year and of that
  month a year earlier, both in base 2013, whatever the base year of the lease: so the factors that were published came
  about, and 26 of 26 come out to nine decimals;
- in Wallonia and the German-speaking Community: the rent of the restriction year times I(new) / I(curr).

A factor is one formula and is rounded once, at the end; each rent of a chain is a rent, and is rounded half up to the
cent, as the public calculators print it. Inferred, for no source speaks of it: no rent is ever above the ordinary one,
which the rounding of a chain may else miss by a cent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from domain.health_index.figures import Figure
from domain.health_index.indexation import OVER, TIMES, FigureLookup, Indexation, check_amount, half_up
from domain.leases.certificates import Afterwards, EnergyLabel, Regime
from domain.leases.rent import anniversary_in, month_before

OrdinaryRent = Callable[[date], Indexation]
"""The rent of the lease by the ordinary rule on one of its anniversaries."""

INDEX_BASE = 2013
"""The base year of the indices of the restriction years and later ones, whatever that of the lease: it was in force in
these years, and the factors were published from it. In base 2004 that of an October would be 0.898853 in place of
0.898895: 4 cents in 1,000 euro."""


class EnergyStatus(StrEnum):
    """`notConcerned`: the law does not reach this anniversary. `unlimited`: a good label. `limited`: an anniversary in
    the restriction year. `corrected`, `adapted`: one after it, by a factor or by a new start. `unknown`: no label was
    given.
    """

    NOT_CONCERNED = "notConcerned"
    UNLIMITED = "unlimited"
    LIMITED = "limited"
    CORRECTED = "corrected"
    ADAPTED = "adapted"
    UNKNOWN = "unknown"


# -- calculations ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ordinary:
    """The rent by the index alone."""

    indexation: Indexation

    @property
    def rent(self) -> Decimal:
        return self.indexation.indexed

    @property
    def formula(self) -> str:
        return self.indexation.formula

    @property
    def steps(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Limited:
    """The rent of the restriction year. `before` is an indexation where the rent before was one, else an amount: the
    contract's, or with `paid` the one that was given as really paid.
    """

    ordinary: Indexation
    before: Indexation | Decimal
    share: Fraction
    paid: bool = False

    @property
    def rent(self) -> Decimal:
        return min(self._uncapped, self.ordinary.indexed)

    @property
    def formula(self) -> str:
        before, ordinary = self._rent_before, self.ordinary.indexed
        allowed = f"{before} + {decimal_share(self.share)} {TIMES} ({ordinary} - {before})"
        return _capped(allowed, self._uncapped, ordinary)

    @property
    def steps(self) -> tuple[str, ...]:
        before = f"{self.before}" if isinstance(self.before, Decimal) else self.before.formula
        return f"rent before: {before}", f"ordinary rent: {self.ordinary.formula}"

    @property
    def _rent_before(self) -> Decimal:
        return self.before if isinstance(self.before, Decimal) else self.before.indexed

    @property
    def _uncapped(self) -> Decimal:
        before = Fraction(self._rent_before)
        return half_up(before + self.share * (Fraction(self.ordinary.indexed) - before), 2)


@dataclass(frozen=True, slots=True)
class Corrected:
    """A rent of Brussels or Flanders after the restriction year, whose indices are `previous` and `current`."""

    ordinary: Indexation
    previous: Figure
    current: Figure
    share: Fraction

    @property
    def rent(self) -> Decimal:
        return half_up(self.ordinary.unrounded * self._fraction, 2)

    @property
    def factor(self) -> Decimal:
        """The factor with nine decimals, as it is published. The rent follows from the fraction, not from this."""
        return half_up(self._fraction, 9)

    @property
    def formula(self) -> str:
        whole = self.ordinary
        rent = f"{check_amount(whole.amount)} {TIMES} {whole.end_index:f} {OVER} {whole.start_index:f}"
        previous, current = self.previous.value, self.current.value
        if self.share == Fraction(1, 2):
            part = f"{decimal_share(self.share)} {TIMES} ({previous} + {current})"
        elif self.share == 0:
            part = f"{previous}"
        else:
            part = f"({previous} + {decimal_share(self.share)} {TIMES} ({current} - {previous}))"
        return _rounded(f"{rent} {TIMES} {part} {OVER} {current}", self.rent)

    @property
    def steps(self) -> tuple[str, ...]:
        return ()

    @property
    def _fraction(self) -> Fraction:
        previous, current = Fraction(self.previous.value), Fraction(self.current.value)
        return (previous + self.share * (current - previous)) / current


@dataclass(frozen=True, slots=True)
class Adapted:
    """A rent of Wallonia or the German-speaking Community after the restriction year, whose rent is the new base."""

    base: Limited
    start: Figure
    end: Figure
    ordinary: Indexation

    @property
    def share(self) -> Fraction:
        return self.base.share

    @property
    def rent(self) -> Decimal:
        return min(self._uncapped, self.ordinary.indexed)

    @property
    def formula(self) -> str:
        chain = f"{self.base.rent} {TIMES} {self.end.value} {OVER} {self.start.value}"
        return _capped(chain, self._uncapped, self.ordinary.indexed)

    @property
    def steps(self) -> tuple[str, ...]:
        return (*self.base.steps, f"new base rent: {self.base.formula}")

    @property
    def _uncapped(self) -> Decimal:
        return half_up(Fraction(self.base.rent) * Fraction(self.end.value) / Fraction(self.start.value), 2)


Calculation = Ordinary | Limited | Corrected | Adapted


def decimal_share(share: Fraction) -> Decimal:
    """A share as a decimal fraction, such as 0.75."""
    return half_up(share, 2)


def _rounded(calculation: str, rent: Decimal) -> str:
    return f"{calculation} = {rent} (rounded half up to the cent)"


def _capped(calculation: str, rent: Decimal, most: Decimal) -> str:
    return _rounded(calculation, rent) if rent <= most else f"min({calculation}, {most}) = {most}"


# -- which of them -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EnergyEffect:
    """What the certificate does to a rent on an anniversary.

    `limited_on` is the anniversary in the restriction year, of a lease that was in force when it began. `worst` is the
    calculation for the worst label, where none was given and it matters.
    """

    regime: Regime
    status: EnergyStatus
    label: EnergyLabel | None
    calculation: Calculation
    anniversary: date
    limited_on: date | None
    worst: Calculation | None = None

    @property
    def rent(self) -> Decimal:
        """What the lease may ask, in euro and cents."""
        return self.calculation.rent


def energy_effect(
    ordinary: OrdinaryRent,
    figure: FigureLookup,
    regime: Regime,
    starts_on: date,
    anniversary: date,
    label: EnergyLabel | None = None,
    rent_before: Decimal | None = None,
) -> EnergyEffect:
    """The rent that is left on an anniversary, by the label of the certificate at hand.

    `Regime.check_label` has let the label through. `rent_before` is the rent really paid before the anniversary in the
    restriction year, where the law starts from it; without it, the rent of a year before by the ordinary rule is taken,
    or that of the contract.

    :raises LogicalError: as `ordinary` and `figure` do
    """
    limited_on = regime.limited_anniversary(starts_on)
    if limited_on is None or anniversary < limited_on:
        whole = Ordinary(ordinary(anniversary))
        return EnergyEffect(regime, EnergyStatus.NOT_CONCERNED, label, whole, anniversary, limited_on)

    def limited(share: Fraction) -> Limited:
        if rent_before is not None:
            return Limited(ordinary(limited_on), check_amount(rent_before), share, paid=True)
        return Limited(ordinary(limited_on), _rent_before(ordinary, starts_on, limited_on), share)

    def of_share(share: Fraction) -> Calculation:
        if share == 1:
            return Ordinary(ordinary(anniversary))
        if anniversary == limited_on:
            return limited(share)
        current = figure(month_before(limited_on), INDEX_BASE)
        if regime.afterwards is Afterwards.FACTOR:
            previous = figure(current.month.plus(-12), INDEX_BASE)
            return Corrected(ordinary(anniversary), previous, current, share)
        return Adapted(limited(share), current, figure(month_before(anniversary), INDEX_BASE), ordinary(anniversary))

    found = of_share(Fraction(1) if label is None else regime.share(label))
    status = EnergyStatus.UNKNOWN if label is None else _STATUS[type(found)]
    worst = of_share(min(regime.shares.values())) if label is None else None
    return EnergyEffect(regime, status, label, found, anniversary, limited_on, worst)


_STATUS = {
    Ordinary: EnergyStatus.UNLIMITED,
    Limited: EnergyStatus.LIMITED,
    Corrected: EnergyStatus.CORRECTED,
    Adapted: EnergyStatus.ADAPTED,
}


def _rent_before(ordinary: OrdinaryRent, starts_on: date, limited_on: date) -> Indexation | Decimal:
    a_year_before = anniversary_in(starts_on, limited_on.year - 1)
    return ordinary(a_year_before) if a_year_before > starts_on else check_amount(ordinary(limited_on).amount)
