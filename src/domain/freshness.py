"""When the next figure is expected, how fresh what is known is, and how old an answer of a source may be."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.health_index import Month

BRUSSELS = ZoneInfo("Europe/Brussels")


class Status(StrEnum):
    """`fresh`: nothing more is expected yet. `due`: expected today or yesterday. `overdue`: expected before that."""

    FRESH = "fresh"
    DUE = "due"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Freshness:
    """How current the figures are.

    `as_of` is when the source was last read successfully; `next_publication` is the expected date of the first month
    that is not known, which lies in the past when the status is overdue.
    """

    latest_month: Month
    as_of: datetime
    source: str
    next_publication: date
    status: Status


@dataclass(frozen=True, slots=True)
class AgeLimits:
    """How long an answer of the source is good for, counted from when it was read.

    Up to `fresh` it is given as it is; then up to `stale` it is still given while a newer one is fetched; up to
    `last_resort` it is given when the source fails.
    """

    fresh: timedelta
    stale: timedelta
    last_resort: timedelta


def publication_date(month: Month) -> date:
    """The day on which Statbel is expected to publish a month: the last weekday but one of that month.

    Seen on 2026-07-30, 2026-08-28 and 2026-09-29. Belgian holidays are not taken into account yet.
    """
    following = month.plus(1)
    day = date(following.year, following.number, 1)
    weekdays = 0
    while weekdays < 2:
        day -= timedelta(days=1)
        weekdays += day.weekday() < 5
    return day


def freshness(latest_month: Month, as_of: datetime, source: str, now: datetime) -> Freshness:
    """Judge what is known at an instant (aware); days are counted in Brussels."""
    expected = publication_date(latest_month.plus(1))
    late = (now.astimezone(BRUSSELS).date() - expected).days
    status = Status.FRESH if late < 0 else Status.DUE if late <= 1 else Status.OVERDUE
    return Freshness(latest_month, as_of, source, expected, status)


def age_limits(latest_month: Month, now: datetime) -> AgeLimits:
    """How old an answer may be: hours while nothing new is expected, minutes from the day of publication on."""
    expected = datetime.combine(publication_date(latest_month.plus(1)), time(), BRUSSELS).astimezone(UTC)
    calm, watchful = timedelta(hours=6), timedelta(minutes=5)
    fresh = min(calm, max(expected - now, watchful))
    return AgeLimits(fresh, stale=fresh + timedelta(hours=6), last_resort=timedelta(days=60))


def cache_lifetime(month: Month | None, latest_month: Month, now: datetime) -> timedelta:
    """How long a client may keep an answer: a day for a closed month, minutes for what the next publication changes.

    `month` is None for an answer that says what is latest. What may change is kept no longer than to the start of the
    day of the next expected publication, and for a minute from then on.
    """
    expected = datetime.combine(publication_date(latest_month.plus(1)), time(), BRUSSELS).astimezone(UTC)
    if month is not None and month < latest_month:
        return timedelta(days=1)
    return min(timedelta(minutes=5), max(expected - now, timedelta(minutes=1)))
