"""Leases as clients write them, in a query or in a case of a batch, and how they are read."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import msgspec

from domain.leases.certificates import EnergyLabel, MeaninglessRentBefore, NoSuchLabel
from domain.leases.lawful import Lease
from domain.leases.places import Places
from domain.leases.rent import Region
from domain.risk.tables import parse_zipcode
from entrypoints.http import reading as r
from entrypoints.http.health_index.receipts import read_amount
from entrypoints.http.problems import bad_input

LABELS = (*(label.value for label in EnergyLabel), "A+", "A++")
"""What may be written for a label; `A+` and `A++` count as `A`, as no law of rents tells them apart."""


class LeaseCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One lease; the fields are those of the query. One of `region` and `zipcode` must be given."""

    rent: msgspec.Raw
    signed_on: date
    starts_on: date
    region: Region | None = None
    zipcode: int | str | None = None
    energy_label: str | None = None
    rent_before: msgspec.Raw = msgspec.Raw(b"null")


class RentCase(LeaseCase, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One lease, and the day asked about."""

    on: date | None = None


def read_lease(places: Places, case: LeaseCase, location: r.Location) -> Lease:
    """The lease of a case; a problem that names the field where it is none."""
    rent = read_amount(location, "rent", case.rent)
    return Lease(
        rent,
        _read_region(places, case, location),
        case.signed_on,
        case.starts_on,
        None if case.energy_label is None else read_label(location, case.energy_label),
        None if bytes(case.rent_before) == b"null" else read_amount(location, "rent_before", case.rent_before),
    )


def read_label(location: r.Location, text: str) -> EnergyLabel:
    """An energy label; 400 for anything but those that there are."""
    with r.reading("energy_label", text, location):
        if text not in LABELS:
            lost = ": in a query, a plus is written as %2B" if text.startswith("A ") else ""
            raise r.UnreadableError(f"is not one of {', '.join(LABELS)}{lost}")
        return EnergyLabel.A if text.startswith("A") else EnergyLabel(text)


@contextmanager
def naming_fields(location: r.Location, lease: Lease) -> Iterator[None]:
    """Name the field that is wrong where the law refuses one."""
    try:
        yield
    except NoSuchLabel as error:
        with r.reading("energy_label", error.label, location):
            raise
    except MeaninglessRentBefore:
        with r.reading("rent_before", str(lease.rent_before), location):
            raise


def _read_region(places: Places, case: LeaseCase, location: r.Location) -> Region:
    if case.zipcode is None:
        if case.region is None:
            detail = "region is missing: give a region or, in its place, a zipcode"
            raise bad_input(location, "region", detail, None)
        return case.region
    with r.reading("zipcode", str(case.zipcode), location):
        return places.place(parse_zipcode(str(case.zipcode))).region(case.region)
