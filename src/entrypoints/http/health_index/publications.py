"""`/v1/publications`: when Statbel publishes, as JSON and as a calendar to subscribe to."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

import icalendar
import msgspec
from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from domain.clock import Clock, end_of_day, today
from domain.health_index.calendar import Publishing, PublishingStatus
from domain.use_cases.health_index import HealthIndexService
from entrypoints.http.health_index.bodies import ATTRIBUTION
from entrypoints.http.openapi.responses import NOT_MODIFIED, documented
from entrypoints.http.problems import BAD_REQUEST, NOT_ACCEPTABLE, ProblemError
from entrypoints.http.representation import CALENDAR, JSON, Validity, preferred, represent, represent_calendar

_PRODUCT = "-//belref//Belgian health index//EN"
_ASK_AGAIN = timedelta(hours=12)


class PublicationItem(msgspec.Struct, frozen=True):
    """A month of the health index, and the day on which it was or is expected."""

    month: str
    expected_on: date
    status: PublishingStatus


class PublicationsBody(msgspec.Struct, frozen=True):
    """The months of a year back and a year ahead, ascending."""

    items: list[PublicationItem]
    total: int


@get(
    "/v1/publications",
    summary="When each month of the health index is expected, a year back and a year ahead",
    description="`Accept: text/calendar` gives the same as an iCalendar feed, to subscribe to. The days "
    "follow from the working days of each month: the last but one, as on every day that was seen.",
    operation_id="listPublications",
    responses={**documented(BAD_REQUEST, NOT_ACCEPTABLE), **NOT_MODIFIED},
)
async def list_publications(
    request: Request[Any, Any, Any], index: NamedDependency[HealthIndexService], clock: NamedDependency[Clock]
) -> Response[PublicationsBody]:
    accepted = preferred(request, [JSON, CALENDAR])
    if accepted is None:
        raise ProblemError(NOT_ACCEPTABLE, f"The publications are available as {JSON} or {CALENDAR}")
    now, publishings = clock(), index.publishings()
    items = [PublicationItem(str(each.month), each.expected_on, each.status) for each in publishings]
    tag = sha256(msgspec.json.encode(items)).hexdigest()[:16]
    # Days end here: what is ahead today may be due tomorrow.
    validity = Validity(min(index.cache_lifetime(), end_of_day(today(now)) - now))
    if accepted == CALENDAR:
        return represent_calendar(
            request, calendar_of(publishings, index.last_change()), tag=f"{tag}-ics", validity=validity
        )
    return represent(request, PublicationsBody(items, len(items)), tag=tag, validity=validity, vary="Accept")


def calendar_of(publishings: Sequence[Publishing], changed_at: datetime) -> bytes:
    """An iCalendar feed (RFC 5545) with a whole day for each; `changed_at` (aware) is when the feed changed last."""
    feed = icalendar.Calendar()
    feed.add("prodid", _PRODUCT)
    feed.add("version", "2.0")
    feed.add("x-wr-calname", "Belgian health index")
    feed.add("refresh-interval", _ASK_AGAIN, parameters={"VALUE": "DURATION"})
    for each in publishings:
        event = icalendar.Event()
        event.add("uid", f"health-index-{each.month}@belref")
        event.add("dtstamp", changed_at)
        event.add("dtstart", each.expected_on)
        event.add("summary", f"Belgian health index of {each.month}")
        event.add("description", f"{_DESCRIPTIONS[each.status]} Source of the figures: {ATTRIBUTION}.")
        event.add("status", "CONFIRMED" if each.status is PublishingStatus.KNOWN else "TENTATIVE")
        event.add("transp", "TRANSPARENT")
        feed.add_component(event)
    return bytes(feed.to_ical())


_DESCRIPTIONS = {
    PublishingStatus.KNOWN: "Published; this was the day on which it was expected.",
    PublishingStatus.DUE: "Expected on this day and not known yet.",
    PublishingStatus.OVERDUE: "Was expected on this day and is not known.",
    PublishingStatus.AHEAD: "Expected on this day, the last working day of the month but one.",
}

router = Router("/", route_handlers=[list_publications], tags=["health index"])
