"""Every anniversary of a lease in one answer: the same as each by itself."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.bundled import load_snapshot
from domain.errors import LogicalError
from domain.health_index.indexation import InvalidAmount
from domain.health_index.table import IndexTable, NoFigure
from domain.leases.certificates import EnergyLabel, MeaninglessRentBefore, NoSuchLabel, NotIndexable
from domain.leases.lawful import Lease, RentSchedule, lawful_rent, rent_schedule
from domain.leases.rent import AnniversaryAhead, DateOutOfRange, Region

TABLE = IndexTable(load_snapshot().figures)
DAY = timedelta(days=1)

leases = st.builds(
    lambda region, signed_on, days, label: Lease(
        Decimal("912.34"), region, signed_on, signed_on + days * DAY, None if label is None else EnergyLabel(label)
    ),
    st.sampled_from(Region),
    st.dates(date(1994, 2, 1), date(2024, 6, 1)),
    st.integers(-31, 400),
    st.sampled_from(["A", "D", "E", "F", None]),
)


def schedule_of(lease: str, until: str, label: str | None = None, paid: str | None = None) -> RentSchedule:
    """Of `region rent signed starts`."""
    region, rent, signed_on, starts_on = lease.split()
    dates = date.fromisoformat(signed_on), date.fromisoformat(starts_on)
    asked = Lease(
        Decimal(rent),
        Region(region),
        *dates,
        None if label is None else EnergyLabel(label),
        None if paid is None else Decimal(paid),
    )
    return rent_schedule(TABLE.figure, asked, date.fromisoformat(until))


@given(leases)
def test_each_row_is_the_single_answer_of_its_anniversary(lease: Lease) -> None:
    schedule = rent_schedule(TABLE.figure, lease, date(2026, 9, 30))
    assert not schedule.pending
    for row in schedule.rents:
        single = lawful_rent(TABLE.figure, lease, row.anniversary)
        assert row.anniversary == single.ordinary.anniversary
        assert row.ordinary == single.ordinary.indexation
        assert (row.rent, row.status) == (single.rent, single.energy.status)
        assert row.skipped == (single.skipped is not None)


@given(leases)
def test_the_rows_are_all_anniversaries_oldest_first(lease: Lease) -> None:
    rows = rent_schedule(TABLE.figure, lease, date(2026, 9, 30)).rents
    years = [row.anniversary.year for row in rows]
    assert years == list(range(lease.starts_on.year + 1, years[-1] + 1))
    assert rows[-1].anniversary <= date(2026, 9, 30) < rows[-1].anniversary + 367 * DAY


def test_a_lease_of_1994_has_passed_every_law() -> None:
    rows = schedule_of("wallonia 400 1994-02-10 1994-03-01", "2026-09-01", "E").rents
    assert len(rows) == 32
    assert [row.anniversary.year for row in rows if row.skipped] == [2017, 2018]
    assert [row.status for row in rows[-5:]] == ["notConcerned", "limited", "adapted", "adapted", "adapted"]


def test_a_schedule_names_the_month_of_its_starting_index_even_where_it_has_one_row() -> None:
    schedule = schedule_of("brussels 900 2024-08-15 2024-10-01", "2025-10-01")
    assert (str(schedule.starting_month), len(schedule.rents)) == ("2024-07", 1)


def test_a_rent_paid_counts_on_its_anniversary_alone() -> None:
    lease = "flanders 900 2019-08-15 2019-10-01"
    with_it, without = (schedule_of(lease, "2026-09-01", "F", paid).rents for paid in ("910", None))
    assert [one.rent == other.rent for one, other in zip(with_it, without, strict=True)] == (
        [True, True, False, True, True, True]
    )
    assert with_it[2].rent == Decimal("910.00")


def test_an_anniversary_whose_index_is_not_known_yet_is_pending() -> None:
    schedule = schedule_of("brussels 900 2019-08-15 2019-10-01", "2028-01-01", "E")
    assert schedule.rents[-1].anniversary == date(2025, 10, 1)
    assert [(str(each.anniversary), str(each.month)) for each in schedule.pending] == [
        ("2026-10-01", "2026-09"),
        ("2027-10-01", "2027-09"),
    ]
    assert all(isinstance(each.error, NoFigure) for each in schedule.pending)


@pytest.mark.parametrize(
    ("lease", "until", "label", "paid", "error"),
    [
        ("brussels 900 2019-08-15 2019-10-01", "2020-09-30", None, None, AnniversaryAhead),
        ("brussels 900 2019-08-15 2019-10-01", "2101-01-01", None, None, DateOutOfRange),
        ("brussels 900.001 2019-08-15 2019-10-01", "2022-10-01", None, None, InvalidAmount),
        ("brussels 900 2019-08-15 2019-10-01", "2023-10-01", "none", None, NotIndexable),
        ("flanders 900 2019-08-15 2019-10-01", "2021-10-01", "G", None, NoSuchLabel),
        ("flanders 900 2019-08-15 2019-10-01", "2022-09-30", "F", "880", MeaninglessRentBefore),
        ("flanders 900 2019-08-15 2019-10-01", "2023-09-30", "F", "0", InvalidAmount),
        ("wallonia 900 2019-08-15 2019-11-01", "2023-10-31", "F", "880", MeaninglessRentBefore),
        ("wallonia 900 2026-08-15 2026-10-01", "2027-10-31", "F", None, NoFigure),
    ],
)
def test_what_a_single_answer_refuses_is_refused(
    lease: str, until: str, label: str | None, paid: str | None, error: type[LogicalError]
) -> None:
    with pytest.raises(error):
        schedule_of(lease, until, label, paid)


def test_without_a_certificate_brussels_has_a_schedule_up_to_october_2022() -> None:
    assert len(schedule_of("brussels 900 2019-08-15 2019-10-01", "2022-10-13", "none").rents) == 3
