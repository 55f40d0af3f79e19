"""The rent that a lease may ask, by the whole law: the ordinary rule, the Walloon index skip, the energy certificate.

One anniversary (`lawful_rent`), or every one of a lease (`rent_schedule`).
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from domain.errors import LogicalError
from domain.health_index.figures import Month
from domain.health_index.indexation import FigureLookup, Indexation, check_amount, index_amount
from domain.leases.certificates import REGIMES, EnergyLabel
from domain.leases.corrections import EnergyEffect, EnergyStatus, OrdinaryRent, energy_effect
from domain.leases.index_skip import SkippedIndex, skip_index, skipped_index, skips
from domain.leases.rent import (
    Region,
    RentIndexation,
    anniversary_in,
    check_dates,
    index_rent,
    latest_anniversary,
    month_before,
    starting_month_of,
)


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease of a main residence. `rent` is the base rent of the contract, in euro.

    `label` is that of the certificate at hand; None where nobody said. `rent_before` is the rent really paid before the
    anniversary in the restriction year, which counts in Flanders alone.
    """

    rent: Decimal
    region: Region
    signed_on: date
    starts_on: date
    label: EnergyLabel | None = None
    rent_before: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LawfulRent:
    """What a lease may ask on a day, beside what it might ask by the index alone."""

    ordinary: RentIndexation
    skipped: SkippedIndex | None
    energy: EnergyEffect

    @property
    def rent(self) -> Decimal:
        """In euro and cents."""
        return self.energy.rent if self.skipped is None else self.skipped.indexation.indexed

    @property
    def formula(self) -> str:
        """The calculation of this rent with its numbers."""
        return self.energy.calculation.formula if self.skipped is None else self.skipped.indexation.formula


def lawful_rent(figure: FigureLookup, lease: Lease, on: date) -> LawfulRent:
    """The rent that a lease may ask on a day, by the latest anniversary not after that day.

    :raises NoSuchLabel: for a label that does not exist in this region
    :raises NotIndexable: in Brussels without a certificate
    :raises MeaninglessRentBefore: for a rent paid where nothing follows from it
    :raises LogicalError: as `index_rent` does
    """
    regime = REGIMES[lease.region]
    check_dates(lease.signed_on, lease.starts_on, on)
    anniversary = latest_anniversary(lease.starts_on, on)
    regime.check_label(lease.label, anniversary)
    regime.check_rent_before(lease.rent_before, lease.starts_on, anniversary, anniversary)
    ordinary = index_rent(figure, lease.rent, lease.region, lease.signed_on, lease.starts_on, on)
    effect = energy_effect(
        _ordinary_rents(figure, lease), figure, regime, lease.starts_on, anniversary, lease.label, lease.rent_before
    )
    return LawfulRent(ordinary, skipped_index(figure, ordinary), effect)


# -- every anniversary -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScheduledRent:
    """The rent from an anniversary on: `ordinary` by the index alone, `rent` by the whole law, in euro and cents."""

    anniversary: date
    ordinary: Indexation
    rent: Decimal
    status: EnergyStatus
    skipped: bool


@dataclass(frozen=True, slots=True)
class PendingRent:
    """An anniversary whose rent cannot be said: `month` is that of its new index, `error` says why."""

    anniversary: date
    month: Month
    error: LogicalError


@dataclass(frozen=True, slots=True)
class RentSchedule:
    """The rents of a lease, oldest first, and the anniversaries up to the same day of which none can be said yet."""

    starting_month: Month
    rents: tuple[ScheduledRent, ...]
    pending: tuple[PendingRent, ...]


def rent_schedule(figure: FigureLookup, lease: Lease, until: date) -> RentSchedule:
    """The rents from every anniversary of a lease on that is not after a day: on each, what `lawful_rent` says.

    :raises LogicalError: as `lawful_rent` does, for the lease and for the last anniversary; an index that is not known
        leaves an anniversary pending, and raises where that is true of all of them
    """
    regime = REGIMES[lease.region]
    check_dates(lease.signed_on, lease.starts_on, until)
    last = latest_anniversary(lease.starts_on, until)
    every = [anniversary_in(lease.starts_on, year) for year in range(lease.starts_on.year + 1, last.year + 1)]
    regime.check_label(lease.label, last)
    regime.check_rent_before(lease.rent_before, lease.starts_on, every[0], last)
    check_amount(lease.rent)
    looked_up = lru_cache(maxsize=None)(figure)
    ordinary = lru_cache(maxsize=None)(_ordinary_rents(looked_up, lease))
    rents: list[ScheduledRent] = []
    pending: list[PendingRent] = []
    for anniversary in every:
        try:
            effect = energy_effect(
                ordinary, looked_up, regime, lease.starts_on, anniversary, lease.label, lease.rent_before
            )
            whole = ordinary(anniversary)
            skipped = skip_index(looked_up, whole) if skips(lease.region, lease.starts_on, anniversary) else None
        except LogicalError as error:
            pending.append(PendingRent(anniversary, month_before(anniversary), error))
        else:
            rent = effect.rent if skipped is None else skipped.indexed
            rents.append(ScheduledRent(anniversary, whole, rent, effect.status, skipped is not None))
    if not rents:
        raise pending[0].error
    return RentSchedule(rents[0].ordinary.start.month, tuple(rents), tuple(pending))


def _ordinary_rents(figure: FigureLookup, lease: Lease) -> OrdinaryRent:
    starting_month = starting_month_of(lease.region, lease.signed_on, lease.starts_on)
    return lambda anniversary: index_amount(figure, lease.rent, starting_month, month_before(anniversary))
