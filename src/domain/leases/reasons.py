"""Why a rent is what it is by its energy certificate, in a sentence or two with the source, for anyone."""

from datetime import date

from domain.health_index.indexation import Indexation
from domain.leases.certificates import Afterwards, EnergyLabel, Regime
from domain.leases.corrections import Adapted, Corrected, EnergyEffect, EnergyStatus, Limited, decimal_share


def energy_rule(effect: EnergyEffect, starts_on: date) -> str:
    """The rule that was applied to a lease in force since a day, and its source."""
    regime, found = effect.regime, effect.calculation
    if effect.status is EnergyStatus.NOT_CONCERNED:
        return _not_concerned(effect, starts_on)
    if effect.status is EnergyStatus.UNKNOWN:
        return _unknown(regime)
    label = _label(effect.label)
    if isinstance(found, Limited):
        return (
            f"{effect.anniversary} lies in the restriction year of {regime.name}, {regime.first} to {regime.last}: "
            f"{label} takes {_percent(found)} of the rise from the rent before to the ordinary rent; "
            f"{_before(regime, found)} ({regime.limit_source})"
        )
    if isinstance(found, Corrected):
        part = "the earlier" if found.share == 0 else f"the earlier with {_percent(found)} of the rise"
        return (
            f"After its restriction year, {regime.name} multiplies every later rent of {label} by a factor: of the "
            f"indices of {found.previous.month} and {found.current.month} in base {found.current.base_year}, the month "
            f"before the anniversary of that year, {effect.limited_on}, and a year earlier, {part} is divided by the "
            f"later ({regime.after_source})"
        )
    if isinstance(found, Adapted):
        return (
            f"The rent of {effect.limited_on}, in the restriction year of {regime.name}, is the new base rent of "
            f"{label}, with {_percent(found)} of that year's rise, and {found.start.month} the new starting month, "
            f"until the lease ends ({regime.after_source})"
        )
    return f"{label[0].upper()}{label[1:]} takes the whole indexation in {regime.name} ({regime.limit_source})"


def inferred_of(effect: EnergyEffect) -> str:
    """What of the rule was read in no source; empty where all of it was, or none of it was applied."""
    if effect.status is EnergyStatus.NOT_CONCERNED:
        return ""
    regime, in_the_year = effect.regime, effect.anniversary <= effect.regime.last
    if effect.status is EnergyStatus.UNLIMITED and (in_the_year or regime.afterwards is Afterwards.FACTOR):
        return ""
    return regime.inferred_limit if in_the_year else regime.inferred_after


def conditions_of(effect: EnergyEffect) -> tuple[str, ...]:
    """What else the law asks for on that anniversary, which nobody can compute."""
    return tuple(text for since, text in effect.regime.conditions if since <= effect.anniversary)


def _not_concerned(effect: EnergyEffect, starts_on: date) -> str:
    regime = effect.regime
    if effect.limited_on is None:
        return (
            f"The limits by energy certificate in {regime.name} are for leases in force before {regime.first}; this "
            f"one is in force from {starts_on} on ({regime.limit_source})"
        )
    return (
        f"The limits by energy certificate in {regime.name} begin on {regime.first}, after the anniversary "
        f"{effect.anniversary} ({regime.limit_source})"
    )


def _unknown(regime: Regime) -> str:
    limited = [
        label.value
        for label, share in regime.shares.items()
        if share < 1 and not (regime.certificate_required and label is EnergyLabel.NONE)
    ]
    names = f"{', '.join(limited[:-1])} or {limited[-1]}"
    without = "; without a certificate there is no indexation" if regime.certificate_required else ""
    return f"No label was given: in {regime.name} label {names} would lower this rent{without} ({regime.limit_source})"


def _before(regime: Regime, found: Limited) -> str:
    if found.paid:
        return "the rent before is the one really paid, as it was given"
    whose = "that of a year before by the ordinary rule" if isinstance(found.before, Indexation) else "the contract's"
    return f"the rent before is {whose}" + (
        ", as the one really paid, from which the law starts, was not given" if regime.paid_rent_counts else ""
    )


def _label(label: EnergyLabel | None) -> str:
    return "a home without a certificate" if label is EnergyLabel.NONE else f"label {label}"


def _percent(found: Limited | Corrected | Adapted) -> str:
    return f"{decimal_share(found.share) * 100:.0f} %"
