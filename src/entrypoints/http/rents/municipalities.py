"""The place of a zipcode, as clients get it."""

from datetime import date

import msgspec

from domain.leases.places import Names, Places
from domain.leases.rent import Region
from domain.risk.tables import Zipcode


class ProvinceBody(msgspec.Struct, frozen=True):
    """A province by its REFNIS code, and its names by language."""

    refnis: str
    name: Names


class MunicipalityBody(msgspec.Struct, frozen=True):
    """A municipality by its REFNIS code, its names by language, and where it lies; in Brussels there is no province."""

    refnis: str
    name: Names
    province: ProvinceBody | None
    region: Region


class PlaceBody(msgspec.Struct, frozen=True):
    """The municipalities of a zipcode. `province` and `region` are those of all of them; null where they differ."""

    zipcode: int
    municipalities: list[MunicipalityBody]
    province: ProvinceBody | None
    region: Region | None
    valid_from: date
    attribution: str


def place_body(places: Places, zipcode: Zipcode) -> PlaceBody:
    """What a zipcode stands for.

    :raises NoPlace: where it belongs to no municipality
    """
    place = places.place(zipcode)
    municipalities = [
        MunicipalityBody(
            each.refnis,
            each.name,
            None if each.province is None else ProvinceBody(each.province.refnis, each.province.name),
            each.region,
        )
        for each in place.municipalities
    ]
    provinces = [each.province for each in municipalities]
    return PlaceBody(
        zipcode,
        municipalities,
        provinces[0] if all(each == provinces[0] for each in provinces) else None,
        place.regions[0] if len(place.regions) == 1 else None,
        places.valid_from,
        places.attribution,
    )
