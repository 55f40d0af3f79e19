"""`/v1/rent-indexations`: what a lease may ask, on a day or on every anniversary, with its receipt; many at once."""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import RawBody

from domain.clock import Clock, start_of_day, today
from domain.leases.places import Places
from domain.leases.rent import Region
from domain.use_cases.health_index import HealthIndexService
from entrypoints.http import parameters as p
from entrypoints.http import reading as r
from entrypoints.http.batches import BATCH_PROBLEMS, Outcomes, answer_each, decode_cases, read_batch
from entrypoints.http.health_index.figures import validity_of
from entrypoints.http.health_index.indexations import FIGURE_PROBLEMS, LARGEST_BODY, figures_as_of, receipt_tag
from entrypoints.http.health_index.receipts import raw_amount
from entrypoints.http.openapi.responses import NOT_MODIFIED, documented
from entrypoints.http.problems import (
    ANNIVERSARY_AHEAD,
    INVALID_ZIPCODE,
    LEASE_BEFORE_HEALTH_INDEX,
    MEANINGLESS_RENT_BEFORE,
    MIXED_UP_DATES,
    NO_PLACE,
    NO_SUCH_LABEL,
    NOT_ACCEPTABLE,
    NOT_INDEXABLE,
    REGION_MISMATCH,
    SEVERAL_REGIONS,
    ProblemError,
)
from entrypoints.http.rents.cases import LeaseCase, RentCase, naming_fields, read_lease
from entrypoints.http.rents.receipts import RentBody, rent_receipt
from entrypoints.http.rents.schedules import ScheduleBody, schedule_body, schedule_lines
from entrypoints.http.representation import CSV, JSON, Validity, preferred, represent, represent_csv

_PROBLEMS = (
    *FIGURE_PROBLEMS,
    INVALID_ZIPCODE,
    REGION_MISMATCH,
    SEVERAL_REGIONS,
    NO_PLACE,
    NO_SUCH_LABEL,
    MEANINGLESS_RENT_BEFORE,
    NOT_INDEXABLE,
    MIXED_UP_DATES,
    LEASE_BEFORE_HEALTH_INDEX,
    ANNIVERSARY_AHEAD,
)

_LAW = "law-2022"
"""Part of every tag: another name whenever the same figures lead to another answer, as with the energy certificate."""


@get(
    "/",
    summary="What a lease may ask after its latest anniversary, with its receipt",
    description="The base rent on the last anniversary of the entry into force, by the index and by the law of the "
    "region on energy certificates. The receipt names every rule with its source, what was inferred, and what is not "
    "taken into account.",
    operation_id="getRentIndexation",
    responses={**documented(*_PROBLEMS), **NOT_MODIFIED},
)
async def get_rent_indexation(
    request: Request[Any, Any, Any],
    index: NamedDependency[HealthIndexService],
    places: NamedDependency[Places],
    clock: NamedDependency[Clock],
    rent: p.RentQuery,
    signed_on: p.SignedOnQuery,
    starts_on: p.StartsOnQuery,
    region: p.RegionQuery = None,
    zipcode: p.ZipcodeQuery = None,
    energy_label: p.EnergyLabelQuery = None,
    rent_before: p.RentBeforeQuery = None,
    on: p.OnQuery = None,
    as_of: p.AsOfQuery = None,
) -> Response[RentBody]:
    case = _case(rent, region, zipcode, signed_on, starts_on, energy_label, rent_before)
    lease, day = read_lease(places, case, "query"), _day("on", on, clock)
    view, known_at = figures_as_of(index, as_of, "query")
    with naming_fields("query", lease):
        body = rent_receipt(view, known_at, lease, day)
    validity = _validity(validity_of(index, view, as_of), clock, given=on)
    return represent(request, body, tag=f"{receipt_tag(view, known_at)}-{day}-{_LAW}", validity=validity)


@get(
    "/schedule",
    summary="The rents of a lease from each of its anniversaries on, as JSON or CSV",
    description="Each row is what `/v1/rent-indexations` answers for its anniversary. Those whose index is not known "
    "yet stand under `pending`; in CSV their fields are empty.",
    operation_id="getRentSchedule",
    responses={**documented(*_PROBLEMS, NOT_ACCEPTABLE), **NOT_MODIFIED},
)
async def get_rent_schedule(
    request: Request[Any, Any, Any],
    index: NamedDependency[HealthIndexService],
    places: NamedDependency[Places],
    clock: NamedDependency[Clock],
    rent: p.RentQuery,
    signed_on: p.SignedOnQuery,
    starts_on: p.StartsOnQuery,
    region: p.RegionQuery = None,
    zipcode: p.ZipcodeQuery = None,
    energy_label: p.EnergyLabelQuery = None,
    rent_before: p.RentBeforeQuery = None,
    until: p.UntilQuery = None,
    as_of: p.AsOfQuery = None,
) -> Response[ScheduleBody]:
    accepted = preferred(request, [JSON, CSV])
    if accepted is None:
        raise ProblemError(NOT_ACCEPTABLE, f"The schedule is available as {JSON} or {CSV}")
    case = _case(rent, region, zipcode, signed_on, starts_on, energy_label, rent_before)
    lease, day = read_lease(places, case, "query"), _day("until", until, clock)
    view, known_at = figures_as_of(index, as_of, "query")
    with naming_fields("query", lease):
        body = schedule_body(view, known_at, lease, day)
    validity = _validity(validity_of(index, view, as_of), clock, given=until)
    tag = f"{receipt_tag(view, known_at)}-{day}-{_LAW}"
    if accepted == CSV:
        return represent_csv(request, schedule_lines(body), tag=f"{tag}-csv", validity=validity)
    return represent(request, body, tag=tag, validity=validity, vary="Accept")


@post(
    "/",
    summary="Up to 1,000 leases at once: each a result or a problem, in order",
    description="The fields of a case are the parameters of the GET. All cases are answered with what is known at one "
    "instant.",
    operation_id="createRentIndexations",
    status_code=200,
    responses=documented(*BATCH_PROBLEMS),
    request_max_body_size=LARGEST_BODY,
)
async def post_rent_indexations(
    request: Request[Any, Any, Any],
    index: NamedDependency[HealthIndexService],
    places: NamedDependency[Places],
    clock: NamedDependency[Clock],
    body: RawBody,
) -> Response[Outcomes[RentBody]]:
    cases = read_batch(request, body, decode_cases)
    view, known_at = figures_as_of(index, cases.as_of, "body")

    def receipt(case: RentCase) -> RentBody:
        lease = read_lease(places, case, "body")
        with naming_fields("body", lease):
            return rent_receipt(view, known_at, lease, case.on or today(clock()))

    return await answer_each(request, cases, _read_rent, receipt)


_read_rent = msgspec.json.Decoder(RentCase)


def _case(
    rent: str,
    region: str | None,
    zipcode: str | None,
    signed_on: str,
    starts_on: str,
    energy_label: str | None,
    rent_before: str | None,
) -> LeaseCase:
    return LeaseCase(
        rent=raw_amount(rent),
        region=r.read(r.one_of(Region), "region", region),
        zipcode=zipcode,
        signed_on=r.read(r.parse_date, "signed_on", signed_on),
        starts_on=r.read(r.parse_date, "starts_on", starts_on),
        energy_label=energy_label,
        rent_before=raw_amount(rent_before),
    )


def _day(name: str, text: str | None, clock: Clock) -> date:
    return today(clock()) if text is None else r.read(r.parse_date, name, text)


def _validity(validity: Validity, clock: Clock, *, given: str | None) -> Validity:
    """An answer about today lasts until midnight at the longest."""
    if given is not None:
        return validity
    return validity._replace(lifetime=min(validity.lifetime, _until_midnight(clock())))


def _until_midnight(now: datetime) -> timedelta:
    return start_of_day(today(now) + timedelta(days=1)) - now


router = Router(
    "/v1/rent-indexations",
    route_handlers=[get_rent_indexation, get_rent_schedule, post_rent_indexations],
    tags=["rents"],
)
