"""The bundled figures, places and sample risk table, so that the service answers before it has reached anything."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import msgspec

from domain.health_index.figures import Figure, Month, Publication
from domain.leases.places import Municipality, Place, Places, Province
from domain.leases.rent import Region
from domain.risk.tables import parse_zipcode

_DATA = Path(__file__).parent / "data"
_COMPILED = datetime(2026, 11, 22, tzinfo=UTC)
_SMOOTHED = "smoothed_"

SAMPLE_RISK_TABLE = _DATA / "risk_table.sample.csv"
"""Invented ranges that cover the country; an operator puts a table of its own in its place."""


def load_snapshot() -> Publication:
    """The health index of 1994-01 to 2026-08, as far as it was at hand when this version was made.

    Source: Statbel, CC BY 4.0; what was seen only in secondary sources is marked so in the file.
    """
    with (_DATA / "health_index.csv").open(encoding="ascii", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        figures = tuple(figure for row in rows for figure in _figures(row))
    return Publication(figures, _COMPILED, "snapshot")


def _figures(row: dict[str, str]) -> Iterator[Figure]:
    month = Month.parse(row["month"])
    for column, value in row.items():
        if value and column.isdecimal():
            smoothed = row[_SMOOTHED + column]
            yield Figure(month, int(column), Decimal(value), Decimal(smoothed) if smoothed else None)


class _Municipality(msgspec.Struct):
    refnis: str
    name: dict[str, str]
    province: str | None
    region: Region


class _Places(msgspec.Struct):
    attribution: str
    valid_from: date
    provinces: list[Province]
    municipalities: list[_Municipality]
    zipcodes: dict[str, list[str]]


def load_places() -> Places:
    """The municipalities of every zipcode by Statbel's conversion table; `scripts/places.py` made the file."""
    content = (_DATA / "places.json").read_bytes()
    read = msgspec.json.decode(content, type=_Places)
    provinces = {each.refnis: each for each in read.provinces}
    municipalities = {
        each.refnis: Municipality(
            each.refnis, each.name, None if each.province is None else provinces[each.province], each.region
        )
        for each in read.municipalities
    }
    places = [
        Place(parse_zipcode(zipcode), tuple(municipalities[refnis] for refnis in every))
        for zipcode, every in read.zipcodes.items()
    ]
    return Places(places, read.valid_from, read.attribution, sha256(content).hexdigest()[:16])
