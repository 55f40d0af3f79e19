"""Leases as clients write them, in a query or in a case of a batch, and how they are read."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Literal

import msgspec

from domain.leases.certificates import EnergyLabel, MeaninglessRentBefore, NoSuchLabel
from domain.leases.lawful import Lease
from domain.leases.places import Places, RegionMismatch, SeveralRegions
from domain.leases.rent import Region
from entrypoints.http import reading as r
from entrypoints.http.health_index.receipts import read_amount
from entrypoints.http.problems import (
    MEANINGLESS_RENT_BEFORE,
    NO_SUCH_LABEL,
    REGION_MISMATCH,
    SEVERAL_REGIONS,
    bad_input,
)

Location = Literal["query", "body"]

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


def read_lease(places: Places, case: LeaseCase, location: Location) -> Lease:
    """The lease of a case; a problem that names the field where it is none.

    :raises NoPlace: for a zipcode that belongs to no municipality
    """
    rent = read_amount(location, "rent", case.rent)
    return Lease(
        rent,
        _read_region(places, case, location),
        case.signed_on,
        case.starts_on,
        None if case.energy_label is None else read_label(location, case.energy_label),
        None if bytes(case.rent_before) == b"null" else read_amount(location, "rent_before", case.rent_before),
    )


def read_label(location: Location, text: str) -> EnergyLabel:
    """An energy label; 400 for anything but those that there are."""
    if text not in LABELS:
        hint = ", its plus written as %2B" if location == "query" and text.startswith("A ") else ""
        raise bad_input(location, "energy_label", f"energy_label is not one of {', '.join(LABELS)}{hint}", text)
    return EnergyLabel.A if text.startswith("A") else EnergyLabel(text)


@contextmanager
def naming_fields(location: Location, lease: Lease) -> Iterator[None]:
    """Name the field that is wrong where the law refuses one."""
    try:
        yield
    except NoSuchLabel as error:
        raise bad_input(location, "energy_label", str(error), error.label, NO_SUCH_LABEL) from error
    except MeaninglessRentBefore as error:
        raise bad_input(location, "rent_before", str(error), str(lease.rent_before), MEANINGLESS_RENT_BEFORE) from error


def _read_region(places: Places, case: LeaseCase, location: Location) -> Region:
    if case.zipcode is None:
        if case.region is None:
            detail = "region is missing: give a region or, in its place, a zipcode"
            raise bad_input(location, "region", detail, None)
        return case.region
    number = r.read_zipcode(str(case.zipcode), location)
    try:
        return places.place(number).region(case.region)
    except SeveralRegions as error:
        raise bad_input(location, "zipcode", str(error), str(number), SEVERAL_REGIONS) from error
    except RegionMismatch as error:
        raise bad_input(location, "zipcode", str(error), str(number), REGION_MISMATCH) from error
