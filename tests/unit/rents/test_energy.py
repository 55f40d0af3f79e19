"""The energy certificate: whom its law reaches and when, and what holds for every lease and label."""

import re
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.bundled import load_snapshot
from domain.health_index.indexation import InvalidAmount, half_up
from domain.health_index.table import IndexTable
from domain.leases.certificates import REGIMES, EnergyLabel, MeaninglessRentBefore, NoSuchLabel, NotIndexable, _shares
from domain.leases.corrections import Adapted, Corrected, Limited
from domain.leases.lawful import LawfulRent, Lease, lawful_rent
from domain.leases.rent import Region

TABLE = IndexTable(load_snapshot().figures)
GERMAN = Region.GERMAN_SPEAKING_COMMUNITY
DAY = timedelta(days=1)
YEARS = {
    Region.BRUSSELS: ("2022-10-14", "2023-10-13"),
    Region.FLANDERS: ("2022-10-01", "2023-09-30"),
    Region.WALLONIA: ("2022-11-01", "2023-10-31"),
    GERMAN: ("2023-01-01", "2023-12-31"),
}
HALF = {Region.BRUSSELS: "E", Region.FLANDERS: "D", Region.WALLONIA: "E", GERMAN: "E"}

regions = st.sampled_from(Region)
rents = st.decimals(Decimal("0.01"), Decimal(10**9), places=2)
signatures = st.dates(date(1994, 2, 1), date(2024, 6, 1))
leases = st.builds(
    lambda rent, region, signed_on, days: Lease(rent, region, signed_on, signed_on + days * DAY),
    rents,
    regions,
    signatures,
    st.integers(-31, 400),
)
days = st.dates(date(2022, 10, 1), date(2026, 9, 30))


def rent_of(region: Region, starts_on: str | date, on: str | date, label: str | None, rent: str = "1000") -> LawfulRent:
    start, day = (date.fromisoformat(str(each)) for each in (starts_on, on))
    lease = Lease(Decimal(rent), region, start, start, None if label is None else EnergyLabel(label))
    return lawful_rent(TABLE.figure, lease, day)


def labels_of(region: Region) -> list[EnergyLabel]:
    """Those that can be answered, best first."""
    return [each for each in REGIMES[region].shares if each is not EnergyLabel.NONE or region is not Region.BRUSSELS]


def with_label(lease: Lease, label: EnergyLabel | None) -> Lease:
    return Lease(lease.rent, lease.region, lease.signed_on, lease.starts_on, label, lease.rent_before)


def recomputed(formula: str) -> Fraction:
    """The result of a formula, from its numbers alone."""
    calculation = formula.partition(" (rounded")[0].rpartition(" = ")[0]
    text = calculation.replace("\N{MULTIPLICATION SIGN}", "*").replace("\N{DIVISION SIGN}", "/")
    assert re.fullmatch(r"[-+*/(). ,0-9min]+", text)
    exact = re.sub(r"[0-9]+(\.[0-9]+)?", lambda number: f"Fraction('{number[0]}')", text)
    return Fraction(eval(exact, {"Fraction": Fraction, "min": min}))  # noqa: S307 - digits and signs alone


class TestWhom:
    @pytest.mark.parametrize("region", Region)
    def test_leases_in_force_before_the_first_day_of_the_year_and_no_later_ones(self, region: Region) -> None:
        first = date.fromisoformat(YEARS[region][0])
        reached = rent_of(region, first - DAY, "2024-06-01", "F")
        later = rent_of(region, first, "2024-06-01", "F")
        assert reached.rent < reached.ordinary.indexation.indexed
        assert (later.energy.status, later.rent) == ("notConcerned", later.ordinary.indexation.indexed)
        assert (reached.energy.label, later.energy.label) == ("F", "F")

    @pytest.mark.parametrize("region", Region)
    def test_anniversaries_in_the_year_are_limited_its_first_and_last_day_included(self, region: Region) -> None:
        first, last = (date.fromisoformat(day) for day in YEARS[region])
        for anniversary, status in [(first - DAY, "notConcerned"), (first, "limited"), (last, "limited")]:
            start = anniversary.replace(year=2018)
            assert rent_of(region, start, anniversary, "F").energy.status == status
        after = "corrected" if region in {Region.BRUSSELS, Region.FLANDERS} else "adapted"
        start = (last + DAY).replace(year=2018)
        assert rent_of(region, start, last, "F").energy.status == "limited"  # by the anniversary a year before
        assert rent_of(region, start, last + DAY, "F").energy.status == after

    @pytest.mark.parametrize("region", Region)
    def test_the_day_after_the_year_keeps_the_rent_of_the_last_anniversary(self, region: Region) -> None:
        last = date.fromisoformat(YEARS[region][1])
        found = [rent_of(region, last.replace(year=2018), last + n * DAY, HALF[region]) for n in (0, 1, 300)]
        assert {(each.rent, each.energy.status) for each in found} == {(found[0].rent, "limited")}

    @pytest.mark.parametrize(
        ("region", "shares"),
        [
            (Region.BRUSSELS, "A 1, B 1, C 1, D 1, E 1/2, F 0, G 0, none 0"),
            (Region.FLANDERS, "A 1, B 1, C 1, D 1/2, E 0, F 0, none 0"),
            (Region.WALLONIA, "A 1, B 1, C 1, D 3/4, E 1/2, F 0, G 0, none 0"),
            (GERMAN, "A 1, B 1, C 1, D 1, E 1/2, F 0, G 0, none 0"),
        ],
    )
    def test_each_label_has_its_share(self, region: Region, shares: str) -> None:
        assert ", ".join(f"{label} {share}" for label, share in REGIMES[region].shares.items()) == shares

    def test_shares_are_read_as_they_are_written(self) -> None:
        assert dict(_shares("A 100, D 75, none 0")) == {"A": 1, "D": Fraction(3, 4), "none": 0}


class TestRestrictionYear:
    @pytest.mark.parametrize("region", Region)
    def test_the_rent_before_is_that_of_a_year_before_by_the_ordinary_rule(self, region: Region) -> None:
        year_before = rent_of(region, "2018-03-01", "2022-03-01", None)
        full = rent_of(region, "2018-03-01", "2023-03-01", "A")
        assert rent_of(region, "2018-03-01", "2023-03-01", "F").rent == year_before.rent
        middle = (year_before.rent + full.rent) / 2
        assert rent_of(region, "2018-03-01", "2023-03-01", HALF[region]).rent == half_up(Fraction(middle), 2)

    @pytest.mark.parametrize("region", Region)
    def test_on_a_first_anniversary_it_is_that_of_the_contract(self, region: Region) -> None:
        assert rent_of(region, "2022-03-01", "2023-03-01", "F").rent == Decimal(1000)
        found = rent_of(region, "2022-03-01", "2023-03-01", HALF[region])
        full = found.ordinary.indexation.indexed
        assert found.rent == half_up(Fraction(1000 + full) / 2, 2)
        assert found.energy.calculation.steps[0] == "rent before: 1000.00"

    def test_in_flanders_it_is_the_rent_really_paid_where_that_is_given(self) -> None:
        day = date(2018, 3, 1)
        rents = {
            label: lawful_rent(
                TABLE.figure,
                Lease(Decimal(1000), Region.FLANDERS, day, day, EnergyLabel(label), Decimal(1020)),
                date(2023, 3, 1),
            ).rent
            for label in "ADF"
        }
        assert rents["F"] == Decimal(1020)
        assert rents["D"] == half_up(Fraction(Decimal(1020) + rents["A"]) / 2, 2)

    def test_a_rent_paid_above_the_ordinary_one_gives_no_more_than_that(self) -> None:
        day = date(2018, 3, 1)
        for label in (*labels_of(Region.FLANDERS), None):
            lease = Lease(Decimal(1000), Region.FLANDERS, day, day, label, Decimal(5000))
            found = lawful_rent(TABLE.figure, lease, date(2023, 3, 1))
            assert found.rent == found.ordinary.indexation.indexed
            assert half_up(recomputed(found.formula), 2) == found.rent

    @pytest.mark.parametrize(
        ("region", "starts_on", "on", "reason"),
        [
            (Region.BRUSSELS, "2018-03-01", "2023-03-01", "whatever was paid"),
            (Region.WALLONIA, "2018-03-01", "2023-03-01", "whatever was paid"),
            (GERMAN, "2018-03-01", "2023-03-01", "whatever was paid"),
            (Region.FLANDERS, "2018-03-01", "2024-03-01", "on the anniversary 2023-03-01 alone"),
            (Region.FLANDERS, "2018-03-01", "2022-09-30", "on the anniversary 2023-03-01 alone"),
            (Region.FLANDERS, "2022-10-01", "2023-10-01", "leases in force from 2022-10-01 on are not limited"),
        ],
    )
    def test_elsewhere_a_rent_paid_is_refused(self, region: Region, starts_on: str, on: str, reason: str) -> None:
        start = date.fromisoformat(starts_on)
        lease = Lease(Decimal(1000), region, start, start, EnergyLabel.A, Decimal(900))
        with pytest.raises(MeaninglessRentBefore, match=reason):
            lawful_rent(TABLE.figure, lease, date.fromisoformat(on))

    def test_a_rent_paid_is_an_amount_like_any_other(self) -> None:
        day = date(2018, 3, 1)
        lease = Lease(Decimal(1000), Region.FLANDERS, day, day, EnergyLabel.A, Decimal("900.005"))
        with pytest.raises(InvalidAmount):
            lawful_rent(TABLE.figure, lease, date(2023, 3, 1))


class TestAfterwards:
    def test_a_factor_stays_the_same_at_every_later_anniversary(self) -> None:
        found = [rent_of(Region.BRUSSELS, "2018-03-01", f"{year}-03-01", "E").energy for year in (2024, 2025, 2026)]
        calculations = [each.calculation for each in found]
        assert all(isinstance(each, Corrected) for each in calculations)
        assert len({each.factor for each in calculations if isinstance(each, Corrected)}) == 1

    @pytest.mark.parametrize(
        ("starts_on", "months"),
        [
            ("2018-01-01", "2021-12 2022-12"),
            ("2018-10-13", "2022-09 2023-09"),  # the last day of the year of Brussels
            ("2018-10-14", "2021-09 2022-09"),  # the first
            ("2022-10-13", "2022-09 2023-09"),  # a first anniversary: the month before the entry into force
            ("2020-02-29", "2022-01 2023-01"),
        ],
    )
    def test_its_indices_are_those_of_the_anniversary_in_the_year(self, starts_on: str, months: str) -> None:
        found = rent_of(Region.BRUSSELS, starts_on, "2025-06-01", "G").energy.calculation
        assert isinstance(found, Corrected)
        assert f"{found.previous.month} {found.current.month}" == months

    def test_a_new_start_is_the_rent_of_the_restriction_year_and_the_month_before_it(self) -> None:
        in_the_year = rent_of(Region.WALLONIA, "2018-03-01", "2023-03-01", "D")
        found = rent_of(Region.WALLONIA, "2018-03-01", "2025-03-01", "D").energy.calculation
        assert isinstance(found, Adapted)
        assert found.base.rent == in_the_year.rent
        assert (str(found.start.month), str(found.end.month)) == ("2023-02", "2025-02")
        assert found.rent == half_up(
            Fraction(in_the_year.rent) * Fraction(found.end.value) / Fraction(found.start.value), 2
        )

    def test_a_new_start_needs_no_figure_in_the_base_year_of_an_old_lease(self) -> None:
        found = rent_of(Region.WALLONIA, "2001-03-01", "2026-03-01", "E").energy.calculation
        assert isinstance(found, Adapted)
        assert (found.start.base_year, found.end.base_year) == (2013, 2013)
        assert found.base.ordinary.base_year == 1996

    def test_the_largest_rent_may_grow_beyond_what_a_contract_may_say(self) -> None:
        assert rent_of(Region.WALLONIA, "2018-03-01", "2024-03-01", "D", rent=str(10**9)).rent > 10**9


class TestLabels:
    def test_flanders_has_no_g(self) -> None:
        with pytest.raises(NoSuchLabel, match="label G does not exist in Flanders: labels there are A, B, C, D, E, F"):
            rent_of(Region.FLANDERS, "2018-03-01", "2020-03-01", "G")

    @pytest.mark.parametrize("starts_on", ["2018-10-14", "2022-10-14", "2024-02-01"])
    def test_brussels_indexes_no_rent_without_a_certificate_whenever_the_lease_began(self, starts_on: str) -> None:
        with pytest.raises(NotIndexable, match="since 2022-10-14"):
            rent_of(Region.BRUSSELS, starts_on, "2025-12-01", "none")

    def test_before_14_october_2022_brussels_asked_for_none(self) -> None:
        found = rent_of(Region.BRUSSELS, "2018-10-13", "2022-10-13", "none")
        assert (found.energy.status, found.rent) == ("notConcerned", found.ordinary.indexation.indexed)
        with pytest.raises(NotIndexable):
            rent_of(Region.BRUSSELS, "2018-10-14", "2022-10-14", "none")

    @pytest.mark.parametrize("region", [Region.FLANDERS, Region.WALLONIA, GERMAN])
    @pytest.mark.parametrize("on", ["2023-03-01", "2026-03-01"])
    def test_elsewhere_none_is_as_the_worst_label(self, region: Region, on: str) -> None:
        none, worst = (rent_of(region, "2018-03-01", on, label) for label in ("none", "F"))
        assert (none.rent, none.formula) == (worst.rent, worst.formula)

    @pytest.mark.parametrize("region", Region)
    @pytest.mark.parametrize("on", ["2023-03-01", "2026-03-01"])
    def test_without_a_label_the_rent_is_the_ordinary_one_beside_the_lowest(self, region: Region, on: str) -> None:
        unknown, worst = (rent_of(region, "2018-03-01", on, label) for label in (None, "F"))
        assert unknown.energy.status == "unknown"
        assert unknown.rent == unknown.ordinary.indexation.indexed
        assert unknown.energy.worst == worst.energy.calculation
        assert worst.energy.worst is None

    @pytest.mark.parametrize("region", Region)
    def test_without_a_label_nothing_is_unknown_where_the_law_does_not_reach(self, region: Region) -> None:
        for starts_on, on in (("2018-03-01", "2022-09-01"), ("2023-01-01", "2026-03-01")):
            found = rent_of(region, starts_on, on, None)
            assert (found.energy.status, found.energy.worst) == ("notConcerned", None)


class TestRules:
    @given(leases, days)
    def test_no_label_gives_more_than_a_better_one_or_than_the_index_alone(self, lease: Lease, on: date) -> None:
        if on < lease.starts_on + 366 * DAY:
            return
        rents = [lawful_rent(TABLE.figure, with_label(lease, each), on).rent for each in labels_of(lease.region)]
        found = lawful_rent(TABLE.figure, lease, on)
        ordinary = found.ordinary.indexation.indexed
        assert all(better >= worse for better, worse in pairwise([ordinary, *rents]))
        assert rents[0] == found.rent == ordinary
        if found.energy.worst is not None:
            assert found.energy.worst.rent == rents[-1]

    @given(leases, days, st.sampled_from("ABCDEF"))
    def test_a_receipt_recomputes_to_its_own_rent_and_its_steps_to_theirs(
        self, lease: Lease, on: date, label: str
    ) -> None:
        if on < lease.starts_on + 366 * DAY:
            return
        found = lawful_rent(TABLE.figure, with_label(lease, EnergyLabel(label)), on)
        assert half_up(recomputed(found.formula), 2) == found.rent
        for step in found.energy.calculation.steps:
            name, _, formula = step.partition(": ")
            if " = " in formula:
                result = Decimal(formula.partition(" (rounded")[0].rpartition(" = ")[2])
                assert half_up(recomputed(formula), 2) == result, name

    def test_a_formula_names_the_ordinary_rent_only_where_that_is_less(self) -> None:
        equal = rent_of(Region.WALLONIA, "2018-03-01", "2023-03-01", "D", rent="0.01")
        less = rent_of(GERMAN, "2020-12-15", "2025-12-20", "E", rent="0.09")
        assert (equal.rent, equal.formula.startswith("min(")) == (equal.ordinary.indexation.indexed, False)
        times, over = "\N{MULTIPLICATION SIGN}", "\N{DIVISION SIGN}"
        assert less.formula == f"min(0.11 {times} 136.49 {over} 128.55, 0.11) = 0.11"
        assert less.rent == less.ordinary.indexation.indexed == Decimal("0.11")

    @given(leases, st.sampled_from("DEF"))
    def test_limited_rents_lie_between_the_rent_before_and_the_ordinary_one(self, lease: Lease, label: str) -> None:
        limited_on = REGIMES[lease.region].limited_anniversary(lease.starts_on)
        if limited_on is None:
            return
        found = lawful_rent(TABLE.figure, with_label(lease, EnergyLabel(label)), limited_on).energy.calculation
        if isinstance(found, Limited):
            before = found.before if isinstance(found.before, Decimal) else found.before.indexed
            assert min(before, found.ordinary.indexed) <= found.rent <= found.ordinary.indexed
