"""The schedule of the rents of a lease, as clients get it."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import msgspec

from domain.health_index.indexation import check_amount
from domain.leases.certificates import EnergyLabel
from domain.leases.corrections import EnergyStatus
from domain.leases.lawful import Lease, RentSchedule, rent_schedule
from domain.leases.rent import Region, not_included
from domain.use_cases.health_index import IndexView
from entrypoints.http.health_index.bodies import ATTRIBUTION
from entrypoints.http.health_index.receipts import permalink
from entrypoints.http.rents.receipts import certificate, question


class ScheduleItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The rent from an anniversary on. `month` and `index` are the new ones; `index_skip` is there where it is true."""

    anniversary: date
    month: str
    index: Decimal
    ordinary_rent: Decimal
    indexed_rent: Decimal
    energy_status: EnergyStatus
    base_year: int
    starting_index: Decimal
    index_skip: bool = False


class PendingItem(msgspec.Struct, frozen=True):
    """An anniversary whose rent cannot be said yet, and why."""

    anniversary: date
    month: str
    detail: str


class ScheduleBody(msgspec.Struct, frozen=True, kw_only=True):
    """Every anniversary of a lease up to a day, oldest first; each is the receipt of that day in short."""

    items: list[ScheduleItem]
    total: int
    pending: list[PendingItem]
    rent: Decimal
    region: Region
    signed_on: date
    starts_on: date
    until: date
    energy_label: EnergyLabel | None
    starting_month: str
    not_included: str
    as_of: datetime
    permalink: str
    settled: bool
    attribution: str = ATTRIBUTION


def schedule_body(view: IndexView, known_at: datetime, lease: Lease, until: date) -> ScheduleBody:
    """The schedule of a lease up to a day.

    :raises LogicalError: as `rent_schedule` does
    """
    done = rent_schedule(view.figure, lease, until)
    items = list(_items(done))
    return ScheduleBody(
        items=items,
        total=len(items),
        pending=[PendingItem(each.anniversary, str(each.month), str(each.error)) for each in done.pending],
        rent=check_amount(lease.rent),
        region=lease.region,
        signed_on=lease.signed_on,
        starts_on=lease.starts_on,
        until=until,
        energy_label=lease.label,
        starting_month=str(done.starting_month),
        not_included=not_included(lease.region, lease.signed_on),
        as_of=known_at,
        settled=view.settled,
        permalink=permalink(
            "/v1/rent-indexations/schedule", known_at, **question(lease), until=until, **certificate(lease)
        ),
    )


CSV_COLUMNS = "anniversary,month,index,ordinary_rent,indexed_rent,energy_status,base_year,starting_index,index_skip"


def schedule_lines(body: ScheduleBody) -> str:
    """A schedule as CSV with a header; an empty field is not known yet."""
    rows = (
        f"{i.anniversary},{i.month},{i.index},{i.ordinary_rent},{i.indexed_rent},{i.energy_status},{i.base_year},"
        f"{i.starting_index},{'true' if i.index_skip else 'false'}"
        for i in body.items
    )
    pending = (f"{each.anniversary},{each.month},,,,,,," for each in body.pending)
    return "\r\n".join([CSV_COLUMNS, *rows, *pending, ""])


def _items(schedule: RentSchedule) -> Iterator[ScheduleItem]:
    for each in schedule.rents:
        whole = each.ordinary
        yield ScheduleItem(
            anniversary=each.anniversary,
            month=str(whole.end.month),
            index=whole.end_index,
            ordinary_rent=whole.indexed,
            indexed_rent=each.rent,
            energy_status=each.status,
            base_year=whole.base_year,
            starting_index=whole.start_index,
            index_skip=each.skipped,
        )
