"""Zipcodes, municipalities, and by whose law rents are indexed."""

from datetime import date

import pytest

from domain.leases.places import Municipality, NoPlace, Place, Places, Province, RegionMismatch, SeveralRegions
from domain.leases.rent import Region
from domain.risk.tables import Zipcode

FLEMISH_BRABANT = Province("20001", {"nl": "Provincie Vlaams-Brabant"})
VILVOORDE = Municipality("23088", {"nl": "Vilvoorde", "fr": "Vilvorde"}, FLEMISH_BRABANT, Region.FLANDERS)
ZEMST = Municipality("23096", {"nl": "Zemst", "fr": "Zemst"}, FLEMISH_BRABANT, Region.FLANDERS)
BRUSSELS = Municipality("21004", {"nl": "Brussel", "fr": "Bruxelles"}, None, Region.BRUSSELS)
ONE = Place(Zipcode(1804), (VILVOORDE, ZEMST))
TWO = Place(Zipcode(1234), (BRUSSELS, VILVOORDE))


def test_two_municipalities_of_one_region_are_no_problem() -> None:
    assert ONE.region() == Region.FLANDERS
    assert ONE.region(Region.FLANDERS) == Region.FLANDERS


def test_a_region_that_the_zipcode_does_not_lie_in_is_refused() -> None:
    with pytest.raises(RegionMismatch, match="1804 lies in Flanders, not in Wallonia") as caught:
        ONE.region(Region.WALLONIA)
    assert (caught.value.zipcode, caught.value.region) == (1804, Region.WALLONIA)


def test_in_two_regions_somebody_must_say_in_which() -> None:
    with pytest.raises(SeveralRegions) as caught:
        TWO.region()
    assert caught.value.zipcode == 1234
    assert caught.value.regions == {"Brussel": Region.BRUSSELS, "Vilvoorde": Region.FLANDERS}
    assert str(caught.value) == (
        "Zipcode 1234 lies in two regions with laws of their own, Brussel (brussels) and Vilvoorde (flanders): "
        "give the region"
    )
    assert [TWO.region(each) for each in (Region.BRUSSELS, Region.FLANDERS)] == [Region.BRUSSELS, Region.FLANDERS]
    with pytest.raises(RegionMismatch, match="lies in Brussels and Flanders, not in Wallonia"):
        TWO.region(Region.WALLONIA)


def test_a_zipcode_is_found_or_refused() -> None:
    places = Places([ONE, TWO], date(2025, 1, 1), "Statbel", "1")
    assert places.place(Zipcode(1234)) == TWO
    assert list(places) == [ONE, TWO]
    with pytest.raises(NoPlace, match="Zipcode 1235 belongs to no municipality"):
        places.place(Zipcode(1235))
