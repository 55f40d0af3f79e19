"""The time that the service goes by: an injected clock, and days as they begin and end in Belgium."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.errors import LogicalError

Clock = Callable[[], datetime]
"""Says what time it is, as an aware datetime."""

BRUSSELS = ZoneInfo("Europe/Brussels")


@dataclass(eq=False)
class InvalidInstant(LogicalError):
    value: datetime
    reason: str

    def __str__(self) -> str:
        return f"What was known at {self.value.isoformat()} cannot be said: {self.reason}"


def today(now: datetime) -> date:
    """The date in Belgium at an instant (aware)."""
    return now.astimezone(BRUSSELS).date()


def start_of_day(day: date) -> datetime:
    """The instant at which a day begins in Belgium, in UTC."""
    return datetime.combine(day, time(), BRUSSELS).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """The last microsecond of a day in Belgium, in UTC.

    :raises OverflowError: for the last day of year 9999
    """
    return start_of_day(day + timedelta(days=1)) - timedelta(microseconds=1)
