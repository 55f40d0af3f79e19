"""What the page of a rent and its letters show: the answer of the law, every anniversary, and every other label."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple
from urllib.parse import urlencode

from markupsafe import Markup

from domain.errors import LogicalError
from domain.health_index.figures import base_in_force
from domain.health_index.indexation import Indexation, InvalidAmount
from domain.leases.certificates import REGIMES, EnergyLabel, MeaninglessRentBefore, NoSuchLabel, NotIndexable
from domain.leases.corrections import Adapted, Corrected, EnergyStatus, Limited, decimal_share
from domain.leases.lawful import LawfulRent, Lease, RentSchedule, lawful_rent, rent_schedule
from domain.leases.places import NoPlace, Place, Places, RegionMismatch, SeveralRegions
from domain.leases.reasons import conditions_of, inferred_of
from domain.leases.rent import FLEMISH_RULE_SINCE, AnniversaryAhead, DateOutOfRange, LeaseBeforeHealthIndex, Region
from domain.use_cases.health_index import IndexView
from entrypoints.http.pages.forms import Form
from entrypoints.http.pages.messages import message_of, region_name
from entrypoints.http.pages.plots import Step, rent_plot
from entrypoints.http.pages.rendering import Reader
from entrypoints.http.pages.sums import Sum, rent_sum

RENT_FIELDS = ("rent", "zipcode", "region", "energy_label", "signed_on", "starts_on", "rent_before", "on")
LETTER_FIELDS = (*RENT_FIELDS, "by")
REGION_CHOICES = tuple(each.value for each in Region)
LABEL_CHOICES = tuple(each.value for each in EnergyLabel)

_FIELD_OF: dict[type[LogicalError], str] = {
    AnniversaryAhead: "on",
    DateOutOfRange: "signed_on",
    LeaseBeforeHealthIndex: "signed_on",
    MeaninglessRentBefore: "rent_before",
    NoSuchLabel: "energy_label",
    NotIndexable: "energy_label",
    InvalidAmount: "rent",
}
"""Where a refusal of the law is shown; the dates of a lease for all others."""


@dataclass(frozen=True, slots=True)
class OtherLabel:
    """The rent under a label, and by how much it differs from that of the lease; None where there is no indexation."""

    label: EnergyLabel
    rent: Decimal | None
    difference: Decimal | None
    is_own: bool


class Reason(NamedTuple):
    """A rule that was applied, and the law that it stands in."""

    text: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class RentAnswer:
    """The rent of a lease on a day."""

    lease: Lease
    place: Place | None
    on: date
    lawful: LawfulRent
    schedule: RentSchedule
    others: Sequence[OtherLabel]
    plot: Markup
    region: str
    sum: Sum
    reasons: Sequence[Reason]
    energy: str
    law: str

    @property
    def ordinary(self) -> Indexation:
        return self.lawful.ordinary.indexation

    @property
    def shown(self) -> Indexation:
        """The fraction that is drawn: that of the index alone, or of the index skip."""
        return self.ordinary if self.lawful.skipped is None else self.lawful.skipped.indexation

    @property
    def difference(self) -> Decimal:
        """What the certificate takes off, in euro."""
        return self.shown.indexed - self.lawful.rent

    @property
    def is_limited(self) -> bool:
        """Whether the law ever took something off what the index alone gives."""
        return any(each.rent != each.ordinary.indexed for each in self.schedule.rents)

    @property
    def rent_before(self) -> Decimal:
        """What could be asked until this anniversary."""
        earlier = [each.rent for each in self.schedule.rents if each.anniversary < self.lawful.ordinary.anniversary]
        return earlier[-1] if earlier else self.ordinary.amount

    @property
    def query(self) -> dict[str, object]:
        """What was asked, as an address that stays the same."""
        lease = self.lease
        asked: dict[str, object] = {"rent": self.ordinary.amount}
        asked |= {"region": lease.region} if self.place is None else {"zipcode": self.place.zipcode}
        if self.place is not None and len(self.place.regions) > 1:
            asked["region"] = lease.region
        asked |= {"signed_on": lease.signed_on, "starts_on": lease.starts_on}
        if lease.label is not None:
            asked["energy_label"] = lease.label
        if lease.rent_before is not None:
            asked["rent_before"] = lease.rent_before
        return {**asked, "on": self.on}

    @property
    def machine(self) -> str:
        """The address of the same for machines."""
        return f"/v1/rent-indexations?{urlencode(self.query)}"


def rent(view: IndexView, places: Places, form: Form, today: date, reader: Reader) -> RentAnswer | None:
    """The answer to the form, or none where it holds an error."""
    amount, paid = form.amount("rent"), form.amount("rent_before", required=False)
    signed_on, starts_on = form.day("signed_on"), form.day("starts_on")
    on = form.day("on", required=False) or today
    label = form.choice("energy_label", LABEL_CHOICES)
    place, region = _place(places, form, reader)
    if form.errors or amount is None or signed_on is None or starts_on is None or region is None:
        return None
    lease = Lease(amount, region, signed_on, starts_on, None if label is None else EnergyLabel(label), paid)
    try:
        lawful = lawful_rent(view.figure, lease, on)
        schedule = rent_schedule(view.figure, lease, on)
    except LogicalError as error:
        form.refuse(_FIELD_OF.get(type(error), "starts_on"), message_of(error, reader.texts, reader.writer))
        return None
    steps = [Step(each.anniversary, each.rent, each.ordinary.indexed) for each in schedule.rents]
    return RentAnswer(
        lease=lease,
        place=place,
        on=on,
        lawful=lawful,
        schedule=schedule,
        others=_others(view, lease, on, lawful.rent) if lawful.energy.limited_on is not None else (),
        plot=rent_plot([Step(starts_on, amount, amount), *steps], reader.writer, reader.texts.rent),
        region=region_name(region, reader.texts),
        sum=rent_sum(lawful, reader),
        reasons=_reasons(lawful, reader),
        energy=_energy(lawful, reader),
        law=_law(lawful, reader),
    )


def _place(places: Places, form: Form, reader: Reader) -> tuple[Place | None, Region | None]:
    number, claimed = form.zipcode("zipcode", required=False), form.choice("region", REGION_CHOICES)
    region = None if claimed is None else Region(claimed)
    if number is None:
        if region is None and not form.errors.keys() & {"zipcode", "region"}:
            form.refuse("zipcode", reader.texts.errors.place_needed)
        return None, region
    try:
        place = places.place(number)
        return place, place.region(region)
    except NoPlace as error:
        if region is not None:
            return None, region
        form.refuse("zipcode", message_of(error, reader.texts, reader.writer))
    except (SeveralRegions, RegionMismatch) as error:
        form.refuse("region", message_of(error, reader.texts, reader.writer))
    return None, None


def _others(view: IndexView, lease: Lease, on: date, own: Decimal) -> list[OtherLabel]:
    """The same lease under each label of its region. Without one, the label that was paid for counts as none."""
    found = []
    for label in REGIMES[lease.region].shares:
        rent: Decimal | None = None
        with suppress(NotIndexable):
            rent = lawful_rent(view.figure, replace(lease, label=label), on).rent
        found.append(OtherLabel(label, rent, None if rent is None else rent - own, label is lease.label))
    return found


# -- why ----------------------------------------------------------------------------------------------


def _reasons(lawful: LawfulRent, reader: Reader) -> list[Reason]:
    """Why the rent is what it is, a sentence for each rule, in the language of the reader."""
    words, writer, ordinary = reader.texts.law, reader.writer, lawful.ordinary
    base_year, start_month = ordinary.indexation.base_year, ordinary.starting_month
    by_entry = _starts_by_entry(lawful)
    start = words.start_entry if by_entry else words.start_signature
    in_force = base_year == base_in_force(start_month)
    base = reader.texts.amount.base_in_force if in_force else reader.texts.amount.base_common
    said = [
        Reason(start.format(month=writer.month(start_month)), _source(reader, "index", ordinary.region, by_entry)),
        Reason(words.new_month.format(month=writer.month(ordinary.new_month), date=writer.date(ordinary.anniversary))),
        Reason(base.format(base_year=base_year, month=writer.month(start_month))),
    ]
    if lawful.skipped is not None:
        said.append(Reason(words.skip.format(month=writer.month(lawful.skipped.indexation.end.month))))
    said.append(Reason(_energy(lawful, reader), _source(reader, "energy", ordinary.region)))
    conditions = " ".join(conditions_of(lawful.energy))
    others = {
        words.inferred: bool(inferred_of(lawful.energy)),
        words.registered: "registered" in conditions,
        words.certificate: "energy certificate" in conditions,
        words.not_included: True,
    }
    return [*said, *(Reason(text) for text, holds in others.items() if holds)]


def _law(lawful: LawfulRent, reader: Reader) -> str:
    """The sources of both rules, for a letter."""
    region = lawful.ordinary.region
    sources = [_source(reader, "index", region, _starts_by_entry(lawful))]
    if lawful.energy.status is not EnergyStatus.NOT_CONCERNED:
        sources.append(_source(reader, "energy", region))
    return " \N{MIDDLE DOT} ".join(sources)


def _source(reader: Reader, kind: str, region: Region, by_decree: bool = False) -> str:  # noqa: FBT001, FBT002
    name = f"{kind}_{region.replace('-', '_')}"
    return str(getattr(reader.texts.law, f"{name}_decree" if by_decree else name))


def _starts_by_entry(lawful: LawfulRent) -> bool:
    """Whether the month before the entry into force, and not before the signature, gives the starting index."""
    return lawful.ordinary.region is Region.FLANDERS and lawful.ordinary.signed_on >= FLEMISH_RULE_SINCE


def _energy(lawful: LawfulRent, reader: Reader) -> str:
    words, writer, effect = reader.texts.law, reader.writer, lawful.energy
    regime, found = effect.regime, effect.calculation
    region = region_name(regime.region, reader.texts)
    share = writer.percent(decimal_share(getattr(found, "share", Fraction(1))) * 100 // 1)
    match effect.status, found:
        case EnergyStatus.NOT_CONCERNED, _:
            text = words.later if effect.limited_on is None else words.before
            return text.format(region=region, date=writer.date(regime.first))
        case EnergyStatus.UNKNOWN, _:
            lowest = lawful.rent if effect.worst is None else effect.worst.rent
            return words.unknown.format(region=region, lowest=writer.euro(lowest))
        case _, Limited():
            before = found.before if isinstance(found.before, Decimal) else found.before.indexed
            return words.limited.format(
                region=region,
                first=writer.date(regime.first),
                last=writer.date(regime.last),
                share=share,
                before=writer.euro(before),
            )
        case _, Corrected():
            return words.corrected.format(
                region=region,
                share=share,
                previous=writer.month(found.previous.month),
                current=writer.month(found.current.month),
                base_year=found.current.base_year,
            )
        case _, Adapted():
            return words.adapted.format(
                region=region,
                share=share,
                date=writer.date(effect.limited_on or effect.anniversary),
                rent=writer.euro(found.base.rent),
                month=writer.month(found.start.month),
            )
        case _:
            return words.unlimited.format(region=region)
