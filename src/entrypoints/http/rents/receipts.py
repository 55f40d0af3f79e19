"""The receipt of a rent, as clients get it."""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from domain.health_index.indexation import check_amount
from domain.leases.certificates import EnergyLabel
from domain.leases.corrections import Adapted, Corrected, EnergyEffect, EnergyStatus, Limited, decimal_share
from domain.leases.lawful import LawfulRent, Lease, lawful_rent
from domain.leases.reasons import conditions_of, energy_rule, inferred_of
from domain.leases.rent import Region
from domain.use_cases.health_index import IndexView
from entrypoints.http.health_index.bodies import ATTRIBUTION
from entrypoints.http.health_index.receipts import IndexUsed, fraction, index_used, permalink

OptionalAmount = Decimal | msgspec.UnsetType
OptionalText = str | msgspec.UnsetType


class RentRule(msgspec.Struct, frozen=True):
    """Why these months, with the source of the rule."""

    starting_month: str
    new_month: str


class EnergyBody(msgspec.Struct, frozen=True, kw_only=True):
    """What the energy certificate does to the rent. `formula` recomputes to the indexed rent, after `steps` where it
    goes through other rents; `indices` are those in it that the ordinary calculation does not have.

    `share` is the part of the rise that the label allowed in the restriction year, `factor` what later rents are
    multiplied by, to nine decimals. `lowest_rent` is what the worst label would leave, where no label was given.
    `conditions` are facts of the law to be checked, `inferred` says what was read in no source.
    """

    status: EnergyStatus
    label: EnergyLabel | None
    rule: str
    formula: str
    steps: list[str] | msgspec.UnsetType = msgspec.UNSET
    indices: list[IndexUsed] | msgspec.UnsetType = msgspec.UNSET
    share: OptionalAmount = msgspec.UNSET
    factor: OptionalAmount = msgspec.UNSET
    lowest_rent: OptionalAmount = msgspec.UNSET
    lowest_formula: OptionalText = msgspec.UNSET
    conditions: list[str]
    inferred: OptionalText = msgspec.UNSET


class IndexSkipBody(msgspec.Struct, frozen=True):
    """The Walloon index skip of 2016 to 2018: the index of a year before in place of the new index."""

    rule: str
    end: IndexUsed
    formula: str


class RentBody(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt for a rent. `indexed_rent` is what the lease may ask, `ordinary_rent` what the index alone would give:
    `start`, `end`, `ratio`, `formula` and `rule` lead to the latter, `energy` and `index_skip` to the former.
    """

    rent: Decimal
    indexed_rent: Decimal
    ordinary_rent: Decimal
    region: Region
    signed_on: date
    starts_on: date
    on: date
    anniversary: date
    base_year: int
    base_year_rule: str
    start: IndexUsed
    end: IndexUsed
    ratio: Decimal
    formula: str
    rounding: str
    rule: RentRule
    energy: EnergyBody
    index_skip: IndexSkipBody | msgspec.UnsetType = msgspec.UNSET
    not_included: str
    as_of: datetime
    permalink: str
    settled: bool
    attribution: str = ATTRIBUTION


def rent_receipt(view: IndexView, known_at: datetime, lease: Lease, on: date) -> RentBody:
    """The receipt of what a lease may ask on a day.

    :raises LogicalError: as `lawful_rent` does
    """
    done = lawful_rent(view.figure, lease, on)
    ordinary = done.ordinary
    return RentBody(
        rent=check_amount(ordinary.indexation.amount),
        indexed_rent=done.rent,
        ordinary_rent=ordinary.indexation.indexed,
        region=ordinary.region,
        signed_on=ordinary.signed_on,
        starts_on=ordinary.starts_on,
        on=ordinary.on,
        anniversary=ordinary.anniversary,
        base_year=ordinary.indexation.base_year,
        base_year_rule=ordinary.indexation.base_year_rule,
        **fraction(ordinary.indexation),
        rule=RentRule(ordinary.starting_month_rule, ordinary.new_month_rule),
        energy=_energy(done),
        index_skip=msgspec.UNSET
        if done.skipped is None
        else IndexSkipBody(done.skipped.rule, index_used(done.skipped.indexation.end), done.skipped.indexation.formula),
        not_included=ordinary.not_included,
        as_of=known_at,
        settled=view.settled,
        permalink=permalink("/v1/rent-indexations", known_at, **question(lease), on=on, **certificate(lease)),
    )


def _energy(done: LawfulRent) -> EnergyBody:
    effect = done.energy
    found, worst, inferred = effect.calculation, effect.worst, inferred_of(effect)
    return EnergyBody(
        status=effect.status,
        label=effect.label,
        rule=energy_rule(effect, done.ordinary.starts_on),
        formula=done.formula,
        steps=list(found.steps) or msgspec.UNSET,
        indices=_indices(effect) or msgspec.UNSET,
        share=decimal_share(found.share) if isinstance(found, Limited | Adapted) else msgspec.UNSET,
        factor=found.factor if isinstance(found, Corrected) else msgspec.UNSET,
        lowest_rent=msgspec.UNSET if worst is None else worst.rent,
        lowest_formula=msgspec.UNSET if worst is None else worst.formula,
        conditions=list(conditions_of(effect)),
        inferred=inferred or msgspec.UNSET,
    )


def _indices(effect: EnergyEffect) -> list[IndexUsed]:
    found = effect.calculation if effect.worst is None else effect.worst
    if isinstance(found, Corrected):
        return [index_used(found.previous), index_used(found.current)]
    return [index_used(found.start), index_used(found.end)] if isinstance(found, Adapted) else []


def question(lease: Lease) -> dict[str, object]:
    """A lease as a permalink names it."""
    return {
        "rent": check_amount(lease.rent),
        "region": lease.region,
        "signed_on": lease.signed_on,
        "starts_on": lease.starts_on,
    }


def certificate(lease: Lease) -> dict[str, object]:
    """What was said of its certificate, as a permalink names it; nothing where nothing was."""
    given = {
        "energy_label": lease.label,
        "rent_before": None if lease.rent_before is None else check_amount(lease.rent_before),
    }
    return {name: value for name, value in given.items() if value is not None}
