"""Where a home lies: the municipalities of its zipcode, and by whose law its rent is indexed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from domain.errors import LogicalError
from domain.leases.rent import Region
from domain.risk.tables import Zipcode

Names = Mapping[str, str]
"""The name of a place by language: `nl`, `fr`, and `de` where the source has it."""


@dataclass(eq=False)
class NoPlace(LogicalError):
    zipcode: Zipcode

    def __str__(self) -> str:
        return f"Zipcode {self.zipcode} belongs to no municipality (special zipcodes of organisations do not)"


@dataclass(eq=False)
class SeveralRegions(LogicalError):
    """`regions` is by the name of each municipality."""

    zipcode: Zipcode
    regions: Mapping[str, Region]

    def __str__(self) -> str:
        places = " and ".join(f"{name} ({region})" for name, region in self.regions.items())
        return f"Zipcode {self.zipcode} lies in two regions with laws of their own, {places}: give the region"


@dataclass(eq=False)
class RegionMismatch(LogicalError):
    zipcode: Zipcode
    region: Region
    regions: Sequence[Region]

    def __str__(self) -> str:
        there = " and ".join(each.in_words for each in self.regions)
        return f"Zipcode {self.zipcode} lies in {there}, not in {self.region.in_words}: give one of the two"


@dataclass(frozen=True, slots=True)
class Province:
    """A province, by its REFNIS code."""

    refnis: str
    name: Names


@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality, by its REFNIS code. Those of Brussels lie in no province."""

    refnis: str
    name: Names
    province: Province | None
    region: Region


@dataclass(frozen=True, slots=True)
class Place:
    """What a zipcode stands for; it has at least one municipality."""

    zipcode: Zipcode
    municipalities: tuple[Municipality, ...]

    @property
    def regions(self) -> tuple[Region, ...]:
        """Each region in which a part of it lies, once."""
        return tuple(dict.fromkeys(each.region for each in self.municipalities))

    def region(self, claimed: Region | None = None) -> Region:
        """By whose law rents here are indexed; `claimed` is what somebody says of it.

        :raises RegionMismatch: where no part of it lies in the region that is claimed
        :raises SeveralRegions: where it lies in several, and nobody says in which
        """
        regions = self.regions
        if claimed is not None:
            if claimed not in regions:
                raise RegionMismatch(self.zipcode, claimed, regions)
            return claimed
        if len(regions) > 1:
            raise SeveralRegions(self.zipcode, {each.name["nl"]: each.region for each in self.municipalities})
        return regions[0]


class Places:
    """All zipcodes that belong to a municipality; immutable.

    `attribution` names the sources, `version` this content.
    """

    def __init__(self, places: Sequence[Place], valid_from: date, attribution: str, version: str) -> None:
        self._by_zipcode = {place.zipcode: place for place in places}
        self.valid_from, self.attribution, self.version = valid_from, attribution, version

    def __iter__(self) -> Iterator[Place]:
        return iter(self._by_zipcode.values())

    def place(self, zipcode: Zipcode) -> Place:
        """What a zipcode stands for.

        :raises NoPlace: where it belongs to no municipality
        """
        place = self._by_zipcode.get(zipcode)
        if place is None:
            raise NoPlace(zipcode)
        return place
