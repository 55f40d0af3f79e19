"""When the next figure is expected, how fresh what is known is, and how old an answer of a source may be."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from domain.clock import BRUSSELS, start_of_day, today
from domain.health_index.figures import IN_FORCE_SINCE, Figure, Month


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


class PublishingStatus(StrEnum):
    """`known`: there is a figure. `due`: expected today or yesterday. `overdue`: before that. `ahead`: later."""

    KNOWN = "known"
    DUE = "due"
    OVERDUE = "overdue"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class Publishing:
    """The day on which a month was or is expected, and whether it has come."""

    month: Month
    expected_on: date
    status: PublishingStatus


@dataclass(frozen=True, slots=True)
class AgeLimits:
    """How long an answer of the source is good for, counted from when it was read.

    Up to `fresh` it is given as it is; then up to `stale` it is still given while a newer one is fetched; up to
    `last_resort` it is given when the source fails.
    """

    fresh: timedelta
    stale: timedelta
    last_resort: timedelta


def no_holidays(_: date) -> bool:
    """For a country without any; the service is given those of Belgium."""
    return False


@dataclass(frozen=True, slots=True)
class PublicationCalendar:
    """When Statbel publishes, and what follows from that. Days are counted in Brussels.

    `is_holiday` says of a date whether nobody works on it, weekends apart.
    """

    is_holiday: Callable[[date], bool] = no_holidays
    _dates: dict[Month, date] = field(default_factory=dict, init=False, repr=False, compare=False)

    def publication_date(self, month: Month) -> date:
        """The day on which Statbel is expected to publish a month: its last working day but one.

        Seen on 2026-07-30, 2026-08-28 and 2026-09-29.
        """
        found = self._dates.get(month)
        if found is None:  # only months of the figures and of the years around now are asked for
            found = self._dates[month] = self._last_working_day_but_one(month)
        return found

    def _last_working_day_but_one(self, month: Month) -> date:
        following = month.plus(1)
        day = date(following.year, following.number, 1)
        working_days = 0
        while working_days < 2:
            day -= timedelta(days=1)
            working_days += day.weekday() < 5 and not self.is_holiday(day)
        return day

    def published_since(self, figure: Figure) -> datetime:
        """From when on a figure was there to be known, as nearly as the calendar can tell: the start of the day on
        which its month, or the first month of its base year where that came later, was published.
        """
        since = max(figure.month, IN_FORCE_SINCE.get(figure.base_year, figure.month))
        return start_of_day(self.publication_date(since))

    def freshness(self, latest_month: Month, as_of: datetime, source: str, now: datetime) -> Freshness:
        """Judge what is known at an instant (aware)."""
        expected = self.publication_date(latest_month.plus(1))
        late = (today(now) - expected).days
        status = Status.FRESH if late < 0 else Status.DUE if late < _DUE_FOR.days else Status.OVERDUE
        return Freshness(latest_month, as_of, source, expected, status)

    def publishings(self, latest_month: Month, now: datetime) -> list[Publishing]:
        """The months of a year back and a year ahead of an instant (aware), ascending."""
        day = today(now)
        months = (Month(day.year, day.month).plus(number) for number in range(-_MONTHS_SHOWN, _MONTHS_SHOWN + 1))
        return [self._publishing(month, latest_month, day) for month in months]

    def _publishing(self, month: Month, latest_month: Month, day: date) -> Publishing:
        expected = self.publication_date(month)
        late = (day - expected).days
        if month <= latest_month:
            status = PublishingStatus.KNOWN
        elif late < 0:
            status = PublishingStatus.AHEAD
        else:
            status = PublishingStatus.DUE if late < _DUE_FOR.days else PublishingStatus.OVERDUE
        return Publishing(month, expected, status)

    def months_missing(self, latest_month: Month, now: datetime) -> int:
        """How many months were expected before today and are not known."""
        day, missing = today(now), 0
        while self.publication_date(latest_month.plus(missing + 1)) < day:
            missing += 1
        return missing

    def age_limits(self, latest_month: Month, now: datetime) -> AgeLimits:
        """How old an answer of the source may be.

        Hours while nothing new is expected; less than a minute from the morning of the expected day to the end of the
        next one; half an hour when a publication is overdue.
        """
        expected = self.publication_date(latest_month.plus(1))
        morning = datetime.combine(expected, _MORNING, BRUSSELS).astimezone(UTC)
        if now < morning:
            fresh = min(_CALM, max(morning - now, _WATCHFUL))
            return AgeLimits(fresh, stale=fresh + _CALM, last_resort=_LAST_RESORT)
        watched = now < start_of_day(expected + _DUE_FOR)
        fresh = _WATCHFUL if watched else _PATIENT
        return AgeLimits(fresh, stale=fresh, last_resort=_LAST_RESORT)

    def cache_lifetime(self, month: Month | None, latest_month: Month, now: datetime) -> timedelta:
        """How long a client may keep an answer: up to a day for a closed month, minutes for what may change.

        `month` is None for an answer that says what is latest. Neither is kept beyond the start of the day of the next
        expected publication; from then on a closed month is kept for an hour, and the rest for a minute.
        """
        closed = month is not None and month < latest_month
        left = start_of_day(self.publication_date(latest_month.plus(1))) - now
        if left <= timedelta():
            return _CLOSED_WHEN_DUE if closed else _SHORTEST
        return min(_CLOSED if closed else _LATEST, max(left, _SHORTEST))

    def steady(self, latest_month: Month, now: datetime) -> tuple[datetime, datetime]:
        """Until when `freshness` and `cache_lifetime` say the same as at an instant (aware), while nothing new is
        known; and the start of the day of the next expected publication.

        A lifetime alone may differ: between these instants, what is left until that day counts down.
        """
        day = self.publication_date(latest_month.plus(1))
        start = start_of_day(day)
        turns = (*(start - before for before in _TURNS), start, start_of_day(day + _DUE_FOR))
        return next((turn for turn in turns if turn > now), datetime.max.replace(tzinfo=UTC)), start


_MONTHS_SHOWN = 12  # in each direction

_MORNING = time(8)  # of Brussels; the hour of publication is not known, and the day is watched from its morning on
_WATCHFUL = timedelta(seconds=40)
_PATIENT = timedelta(minutes=30)
_CALM = timedelta(hours=6)
_LAST_RESORT = timedelta(days=60)
_DUE_FOR = timedelta(days=2)  # the expected day and the one after it; what is later is overdue

# How long a client may keep an answer about a closed month, about what is latest, and at least.
_CLOSED, _LATEST, _SHORTEST = timedelta(days=1), timedelta(minutes=5), timedelta(minutes=1)
_CLOSED_WHEN_DUE = timedelta(hours=1)

# When judgement and lifetimes turn, before the day of the next publication. A second after the first turn, what lasts a
# day can be told from what lasts until then.
_TURNS = (_CLOSED, _CLOSED - timedelta(seconds=1), _LATEST, _SHORTEST)
