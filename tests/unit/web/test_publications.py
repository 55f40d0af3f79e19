"""`/v1/publications`: when months are expected, as JSON and as a calendar to subscribe to."""

from datetime import UTC, date, datetime, timedelta

import httpx2
import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import make_app, make_client

from domain.clock import today
from domain.health_index.calendar import PublicationCalendar, PublishingStatus
from domain.health_index.figures import Month

PATH = "/v1/publications"
ICS = {"Accept": "text/calendar"}


async def test_they_reach_a_year_back_and_a_year_ahead(client: httpx2.AsyncClient) -> None:
    body = (await client.get(PATH)).json()
    months = [item["month"] for item in body["items"]]
    assert (months[0], months[-1], body["total"]) == ("2025-09", "2027-09", 25)
    assert months == sorted(months)
    assert {"month": "2026-08", "expected_on": "2026-08-28", "status": "known"} in body["items"]
    assert {"month": "2026-09", "expected_on": "2026-09-29", "status": "ahead"} in body["items"]


@pytest.mark.parametrize(
    ("now", "september", "october"),
    [
        (datetime(2026, 9, 28, 21, 59, tzinfo=UTC), "ahead", "ahead"),
        (datetime(2026, 9, 28, 22, tzinfo=UTC), "due", "ahead"),  # midnight in Brussels
        (datetime(2026, 9, 30, 21, 59, tzinfo=UTC), "due", "ahead"),
        (datetime(2026, 9, 30, 22, tzinfo=UTC), "overdue", "ahead"),
        (datetime(2026, 11, 27, 12, tzinfo=UTC), "overdue", "overdue"),
    ],
)
async def test_a_month_that_does_not_come_is_due_and_then_overdue(now: datetime, september: str, october: str) -> None:
    async with make_client(make_app(now=now)) as client:
        found = {item["month"]: item["status"] for item in (await client.get(PATH)).json()["items"]}
        assert (found["2026-08"], found["2026-09"], found["2026-10"]) == ("known", september, october)


async def test_the_calendar_says_the_same(client: httpx2.AsyncClient) -> None:
    items = (await client.get(PATH)).json()["items"]
    answer = await client.get(PATH, headers=ICS)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["vary"].startswith("Accept")
    feed = icalendar.Calendar.from_ical(answer.content)
    events = feed.walk("VEVENT")
    assert [(str(e["summary"])[-7:], e.decoded("dtstart").isoformat()) for e in events] == [
        (item["month"], item["expected_on"]) for item in items
    ]
    assert {item["month"] for item in items if item["status"] == "known"} == {
        str(e["summary"])[-7:] for e in events if str(e["status"]) == "CONFIRMED"
    }
    assert len({str(e["uid"]) for e in events}) == 25
    assert all(type(e.decoded("dtstart")) is date for e in events)


async def test_its_lines_are_those_of_rfc_5545(client: httpx2.AsyncClient) -> None:
    content = (await client.get(PATH, headers=ICS)).content
    assert content.startswith(b"BEGIN:VCALENDAR\r\n")
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")


async def test_another_form_is_not_acceptable(client: httpx2.AsyncClient) -> None:
    answer = await client.get(PATH, headers={"Accept": "text/csv"})
    assert (answer.status_code, answer.json()["type"]) == (406, "urn:problem-type:belgif:notAcceptable")


async def test_the_two_forms_have_versions_of_their_own_that_last_while_nothing_changes() -> None:
    async with make_client(make_app()) as client:
        json, ics = await client.get(PATH), await client.get(PATH, headers=ICS)
        assert json.headers["etag"] != ics.headers["etag"]
        again = await client.get(PATH, headers={**ICS, "If-None-Match": ics.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    async with make_client(make_app(now=datetime(2026, 9, 29, 12, tzinfo=UTC))) as client:
        assert (await client.get(PATH)).headers["etag"] != json.headers["etag"]


async def test_nobody_keeps_it_beyond_the_day() -> None:
    async with make_client(make_app(now=datetime(2026, 9, 10, 21, 59, 30, tzinfo=UTC))) as client:
        assert (await client.get(PATH)).headers["cache-control"].startswith("public, max-age=29,")


@given(
    st.datetimes(datetime(1995, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - UTC
    st.integers(-400, 40),
)
def test_every_month_is_known_or_has_a_status_by_its_day(now: datetime, months: int) -> None:
    day = today(now)
    latest = Month(day.year, day.month).plus(months)
    items = PublicationCalendar().publishings(latest, now)
    assert len(items) == 25
    for item in items:
        assert (item.status is PublishingStatus.KNOWN) == (item.month <= latest)
        if item.month > latest:
            due = item.expected_on <= day < item.expected_on + timedelta(days=2)
            assert (item.status is PublishingStatus.DUE) == due
            assert (item.status is PublishingStatus.AHEAD) == (item.expected_on > day)
