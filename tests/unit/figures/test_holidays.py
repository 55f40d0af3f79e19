"""The public holidays of Belgium, as the calendar of publications is given them."""

from datetime import date

import pytest

from domain.health_index.calendar import PublicationCalendar
from domain.health_index.figures import Month
from entrypoints.container import belgian_holidays

CALENDAR = PublicationCalendar(belgian_holidays())


@pytest.mark.parametrize(
    "holiday",
    [
        *(
            "2026-01-01",
            "2026-04-06",
            "2026-05-01",
            "2026-05-14",
            "2026-05-25",
        ),  # Easter Monday, Ascension, Whit Monday
        *("2026-07-21", "2026-08-15", "2026-11-01", "2026-11-11", "2026-12-25"),
    ],
)
def test_the_ten_public_holidays_are_known(holiday: str) -> None:
    assert belgian_holidays()(date.fromisoformat(holiday))


@pytest.mark.parametrize("working_day", ["2026-07-11", "2026-09-27", "2026-11-15", "2026-12-24", "2026-04-03"])
def test_days_of_one_community_and_eves_are_not(working_day: str) -> None:
    assert not belgian_holidays()(date.fromisoformat(working_day))


@pytest.mark.parametrize(
    ("month", "day"),
    [
        ("2026-07", "2026-07-30"),
        ("2026-08", "2026-08-28"),
        ("2026-09", "2026-09-29"),
        ("2026-12", "2026-12-30"),  # Christmas is before it
        ("2024-03", "2024-03-28"),  # 31 March is Easter: the 29th is Good Friday, no holiday
        ("2029-03", "2029-03-29"),  # Easter Monday is on 2 April
        ("2032-03", "2032-03-30"),  # Easter Monday is the 29th, before it
        ("2027-03", "2027-03-30"),  # Easter Monday is the 29th
        ("2020-05", "2020-05-28"),  # Whit Monday is on 1 June
        ("2023-05", "2023-05-30"),  # Whit Monday is the 29th
        ("2027-05", "2027-05-28"),
        ("2026-10", "2026-10-29"),
        ("2026-01", "2026-01-29"),
        ("2024-02", "2024-02-28"),
        ("2026-02", "2026-02-26"),
    ],
)
def test_the_last_working_day_but_one(month: str, day: str) -> None:
    assert CALENDAR.publication_date(Month.parse(month)) == date.fromisoformat(day)
