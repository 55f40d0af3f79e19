"""When figures are expected, and what follows from that for whoever keeps them."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import BRUSSELS
from domain.health_index.calendar import PublicationCalendar, Status
from domain.health_index.figures import Figure, Month

WEEKDAYS = PublicationCalendar()
publication_date, freshness = WEEKDAYS.publication_date, WEEKDAYS.freshness
age_limits, cache_lifetime = WEEKDAYS.age_limits, WEEKDAYS.cache_lifetime
ALL_MONTHS = [Month(year, number) for year in range(1994, 2101) for number in range(1, 13)]
SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))

months = st.sampled_from(ALL_MONTHS)
instants = st.datetimes(datetime(1994, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds the zone


def publication_day(latest: str) -> datetime:
    """The start of the day, in Brussels, on which the month after the latest known is expected; in UTC."""
    return start_of(publication_date(Month.parse(latest).plus(1)))


def start_of(day: date) -> datetime:
    return datetime.combine(day, time(), BRUSSELS).astimezone(UTC)


def status(latest: str, now: str) -> Status:
    return freshness(Month.parse(latest), datetime(2020, 1, 1, tzinfo=UTC), "test", datetime.fromisoformat(now)).status


class TestPublicationDate:
    def test_it_is_the_last_weekday_but_one_of_every_month(self) -> None:
        for month in ALL_MONTHS:
            days = [date(*month, day) for day in range(1, monthrange(*month)[1] + 1)]
            assert publication_date(month) == [day for day in days if day.isoweekday() not in {6, 7}][-2]

    @pytest.mark.parametrize("day", ["2026-07-30", "2026-08-28", "2026-09-29"])
    def test_it_agrees_with_the_days_that_were_seen(self, day: str) -> None:
        assert publication_date(Month.parse(day[:7])) == date.fromisoformat(day)

    @pytest.mark.parametrize("day", ["2023-02-27", "2024-02-28", "2026-12-30", "2027-01-28"])
    def test_short_months_and_the_turn_of_the_year_are_no_exception(self, day: str) -> None:
        assert publication_date(Month.parse(day[:7])) == date.fromisoformat(day)


class TestFreshness:
    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            ("2026-09-28T12:00:00+00:00", Status.FRESH),
            ("2026-09-28T21:59:59+00:00", Status.FRESH),  # 23:59:59 in Brussels
            ("2026-09-28T22:00:00+00:00", Status.DUE),  # midnight in Brussels, two hours before midnight UTC
            ("2026-09-29T12:00:00+00:00", Status.DUE),
            ("2026-09-30T21:59:59+00:00", Status.DUE),
            ("2026-09-30T22:00:00+00:00", Status.OVERDUE),
            ("2027-09-30T12:00:00+00:00", Status.OVERDUE),
        ],
    )
    def test_around_the_day_of_publication(self, now: str, expected: Status) -> None:
        assert status("2026-08", now) is expected

    @pytest.mark.parametrize(
        ("latest", "now", "expected"),
        [
            # 30 December 2025 is the day for December; in winter Brussels is one hour ahead.
            ("2025-12", "2025-12-31T23:30:00+00:00", Status.FRESH),
            ("2025-12", "2026-01-01T00:00:00+00:00", Status.FRESH),
            ("2025-11", "2025-12-29T22:59:59+00:00", Status.FRESH),
            ("2025-11", "2025-12-29T23:00:00+00:00", Status.DUE),
            ("2025-11", "2025-12-31T22:59:59+00:00", Status.DUE),
            ("2025-11", "2025-12-31T23:00:00+00:00", Status.OVERDUE),  # 1 January in Brussels
            ("2025-11", "2026-01-01T12:00:00+00:00", Status.OVERDUE),
            # 29 January 2026 is the day for January, 26 February for February.
            ("2025-12", "2026-01-30T22:59:59+00:00", Status.DUE),
            ("2025-12", "2026-01-31T12:00:00+00:00", Status.OVERDUE),
            ("2026-01", "2026-01-31T12:00:00+00:00", Status.FRESH),
            ("2026-01", "2026-02-28T12:00:00+00:00", Status.OVERDUE),
            ("2026-02", "2026-02-28T12:00:00+00:00", Status.FRESH),
            # 28 February 2024 is the day for February, with a 29th after it.
            ("2024-01", "2024-02-27T23:00:00+00:00", Status.DUE),
            ("2024-01", "2024-02-29T22:59:59+00:00", Status.DUE),
            ("2024-01", "2024-02-29T23:00:00+00:00", Status.OVERDUE),
            ("2024-02", "2024-02-29T12:00:00+00:00", Status.FRESH),
        ],
    )
    def test_on_the_days_on_which_calendars_go_wrong(self, latest: str, now: str, expected: Status) -> None:
        assert status(latest, now) is expected

    @given(months, st.integers(-40, 400), st.integers(0, 86_399))
    def test_the_status_counts_days_in_brussels_wherever_the_clock_is(
        self, latest: Month, days: int, seconds: int
    ) -> None:
        expected = publication_date(latest.plus(1))
        local = datetime.combine(expected + timedelta(days=days), time(), BRUSSELS) + timedelta(seconds=seconds)
        found = freshness(latest, local, "statbel", local.astimezone(UTC))
        assert (found.latest_month, found.as_of, found.source) == (latest, local, "statbel")
        assert found.next_publication == expected
        assert found.status is (Status.FRESH if days < 0 else Status.DUE if days < 2 else Status.OVERDUE)


class TestAgeLimits:
    def test_hours_while_nothing_new_is_expected(self) -> None:
        assert age_limits(Month(2026, 8), publication_day("2026-08") - 10 * DAY).fresh == 6 * HOUR

    @pytest.mark.parametrize(
        ("before", "expected"),
        [
            (7 * HOUR, 6 * HOUR),
            (5 * HOUR, 5 * HOUR),
            (MINUTE, MINUTE),
            (SECOND, 40 * SECOND),
            (timedelta(), 40 * SECOND),
            (-39 * HOUR, 40 * SECOND),
            (-40 * HOUR, 30 * MINUTE),
            (-90 * DAY, 30 * MINUTE),
        ],
    )
    def test_seconds_from_eight_in_the_morning_of_the_day_to_the_end_of_the_next(
        self, before: timedelta, expected: timedelta
    ) -> None:
        morning = publication_day("2026-08") + 8 * HOUR
        assert age_limits(Month(2026, 8), morning - before).fresh == expected

    @given(months, instants)
    def test_limits_follow_one_another(self, latest: Month, now: datetime) -> None:
        limits = age_limits(latest, now)
        assert 40 * SECOND <= limits.fresh <= 6 * HOUR
        assert limits.fresh <= limits.stale < limits.last_resort == 60 * DAY

    @given(months, st.integers(0, 100 * 24 * 60))
    def test_what_is_read_before_the_day_of_publication_is_not_fresh_beyond_its_first_seconds(
        self, latest: Month, minutes: int
    ) -> None:
        morning = start_of(publication_date(latest.plus(1))) + 8 * HOUR
        read = morning - minutes * MINUTE
        assert read + age_limits(latest, read).fresh <= max(morning, read + 40 * SECOND)


class TestMonthsMissing:
    @pytest.mark.parametrize(
        ("now", "missing"),
        [
            ("2026-09-29T21:59:00+00:00", 0),
            ("2026-09-29T22:00:00+00:00", 1),
            ("2026-10-30T12:00:00+00:00", 2),
            ("2027-01-01T12:00:00+00:00", 4),
        ],
    )
    def test_counts_those_that_were_expected_before_today(self, now: str, missing: int) -> None:
        assert WEEKDAYS.months_missing(Month(2026, 8), datetime.fromisoformat(now)) == missing

    @given(months, instants)
    def test_none_is_missing_while_the_figures_are_fresh(self, latest: Month, now: datetime) -> None:
        status = freshness(latest, now, "test", now).status
        missing = WEEKDAYS.months_missing(latest, now)
        assert (missing == 0) if status is Status.FRESH else (missing >= (status is Status.OVERDUE))


class TestPublishedSince:
    @pytest.mark.parametrize(
        ("month", "base_year", "since"),
        [
            ("2020-01", 2013, "2020-01-30"),
            ("1994-01", 2013, "2014-01-30"),  # the first month that was published in this base year
            ("2025-07", 2025, "2026-01-29"),
            ("2036-03", 2035, "2036-03-28"),  # a base year of which nothing is known
        ],
    )
    def test_is_the_day_of_the_month_or_of_the_base_year_whichever_came_later(
        self, month: str, base_year: int, since: str
    ) -> None:
        figure = Figure(Month.parse(month), base_year, Decimal(100))
        assert WEEKDAYS.published_since(figure) == start_of(date.fromisoformat(since))


class TestHolidays:
    HOLIDAYS = frozenset(map(date.fromisoformat, ("2026-12-25", "2026-05-25", "2027-03-29", "2026-12-30")))
    CALENDAR = PublicationCalendar(HOLIDAYS.__contains__)

    @pytest.mark.parametrize(
        ("month", "day"), [("2026-12", "2026-12-29"), ("2027-03", "2027-03-30"), ("2026-05", "2026-05-28")]
    )
    def test_nobody_publishes_on_a_holiday(self, month: str, day: str) -> None:
        assert self.CALENDAR.publication_date(Month.parse(month)) == date.fromisoformat(day)


class TestCacheLifetime:
    @given(months, instants, st.integers(1, 500))
    def test_a_closed_month_is_kept_for_a_day_at_most(self, latest: Month, now: datetime, earlier: int) -> None:
        lifetime = cache_lifetime(latest.plus(-earlier), latest, now)
        left = start_of(publication_date(latest.plus(1))) - now
        assert lifetime == (HOUR if left <= timedelta() else min(DAY, max(left, MINUTE)))

    @given(months, instants, st.none() | st.integers(0, 5))
    def test_what_may_change_is_kept_for_minutes(self, latest: Month, now: datetime, later: int | None) -> None:
        month = None if later is None else latest.plus(later)
        assert MINUTE <= cache_lifetime(month, latest, now) <= 5 * MINUTE

    @given(months, st.integers(-3600, 3600))
    def test_it_never_outlives_the_next_expected_publication(self, latest: Month, seconds: int) -> None:
        expected = start_of(publication_date(latest.plus(1)))
        now = expected - timedelta(seconds=seconds)
        lifetime = cache_lifetime(None, latest, now)
        assert now + lifetime <= max(expected, now + MINUTE)
        assert cache_lifetime(latest, latest, now) == lifetime

    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            ("2026-09-28T12:00:00+00:00", 5 * MINUTE),
            ("2026-09-28T21:57:00+00:00", 3 * MINUTE),  # three minutes to midnight in Brussels
            ("2026-09-28T21:59:30+00:00", MINUTE),
            ("2026-09-28T22:00:00+00:00", MINUTE),
            ("2026-10-28T12:00:00+00:00", MINUTE),
        ],
    )
    def test_it_shrinks_towards_midnight_in_brussels(self, now: str, expected: timedelta) -> None:
        assert cache_lifetime(None, Month(2026, 8), datetime.fromisoformat(now)) == expected
