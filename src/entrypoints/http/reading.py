"""Reading what clients write in paths, queries and bodies: a value, or the 400 that names it."""

import re
from collections.abc import Awaitable
from datetime import UTC, date, datetime
from typing import Literal, TypeVar

from domain.clock import InvalidInstant, end_of_day
from domain.health_index.figures import InvalidMonth, Month
from domain.health_index.indexation import IndexKind
from domain.leases.rent import Region
from domain.risk.releases import UnknownRelease
from domain.risk.tables import InvalidZipcode, RiskFactor, Zipcode, parse_zipcode
from domain.use_cases.health_index import HealthIndexService, IndexView
from domain.use_cases.zipcodes import At
from entrypoints.http.problems import INVALID_ZIPCODE, UNKNOWN_RELEASE, bad_input

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?"
)
_FACTORS = frozenset(factor.value for factor in RiskFactor)
_LAST_PAGE = 1_000_000
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}", re.ASCII)


def read_zipcode(text: str) -> Zipcode:
    """A zipcode of the path; 400 for anything but an integer from 1000 to 9999."""
    try:
        return parse_zipcode(text)
    except InvalidZipcode as error:
        raise bad_input("path", "zipcode", str(error), text, INVALID_ZIPCODE) from error


def read_month(location: Literal["path", "query", "body"], name: str, text: str) -> Month:
    """A month; 400 for anything but `YYYY-MM`."""
    try:
        return Month.parse(text)
    except InvalidMonth as error:
        raise bad_input(location, name, str(error), text) from error


def read_optional_month(name: str, text: str | None) -> Month | None:
    """A month of the query, where there is one."""
    return None if text is None else read_month("query", name, text)


def read_whole_number(name: str, text: str, *, at_least: int | None = None, at_most: int | None = None) -> int:
    """An integer of the query, written in decimal digits; 400 for anything else."""
    if not _WHOLE_NUMBER.fullmatch(text):
        raise bad_input("query", name, f"{name} is not a whole number", text)
    value = int(text)
    if at_least is not None and value < at_least:
        raise bad_input("query", name, f"{name} is less than {at_least}", text)
    if at_most is not None and value > at_most:
        raise bad_input("query", name, f"{name} is more than {at_most}", text)
    return value


def read_page(page: str, page_size: str, largest: int) -> tuple[int, int]:
    """Which page, from 1, and how many items it has; 400 for a page that cannot be."""
    number = read_whole_number("page", page, at_least=1, at_most=_LAST_PAGE)
    return number, read_whole_number("page_size", page_size, at_least=1, at_most=largest)


def read_optional_whole_number(name: str, text: str | None) -> int | None:
    """An integer of the query, where there is one."""
    return None if text is None else read_whole_number(name, text)


def read_view(index: HealthIndexService, as_of: str | None) -> IndexView:
    """What is known now, or was known at the instant of the query; 400 for one that cannot be told."""
    return index.now() if as_of is None else read_view_at(index, read_instant("query", as_of), "query")


def read_view_at(index: HealthIndexService, instant: datetime, location: Literal["query", "body"]) -> IndexView:
    """What was known at an instant; 400 for one that cannot be told."""
    try:
        return index.at(instant)
    except InvalidInstant as error:
        raise bad_input(location, "as_of", str(error), instant.isoformat()) from error


def read_instant(location: Literal["query", "body"], text: str) -> datetime:
    """An instant as RFC 3339 writes it, or a day, which stands for its end in Brussels; 400 for anything else."""
    if _INSTANT.fullmatch(text):
        try:
            instant = datetime.fromisoformat(text)
            if instant.tzinfo is None:
                return end_of_day(instant.date())
            return instant.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    detail = "as_of is neither a day (YYYY-MM-DD) nor an instant with its offset (YYYY-MM-DDThh:mm:ssZ)"
    raise bad_input(location, "as_of", detail, text)


def read_at(as_of: str | None, release: str | None) -> At:
    """Which risk table is asked; 400 for two answers to that."""
    if as_of is not None and release is not None:
        raise bad_input("query", "release", "as_of and release are two ways to name one table: give one", release)
    return release if as_of is None else read_instant("query", as_of)


Answer = TypeVar("Answer")


async def asked(answer: Awaitable[Answer], at: At) -> Answer:
    """An answer of the table that the query names; 400 where there is no such table."""
    try:
        return await answer
    except UnknownRelease as error:
        raise bad_input("query", "release", str(error), str(at), UNKNOWN_RELEASE) from error
    except InvalidInstant as error:
        raise bad_input("query", "as_of", str(error), error.value.isoformat()) from error


def read_date(location: Literal["query", "body"], name: str, text: str) -> date:
    """A date; 400 for anything but `YYYY-MM-DD`."""
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise bad_input(location, name, f"{name} is not a date written as YYYY-MM-DD", text)


def read_kind(text: str) -> IndexKind:
    """Which index; 400 for anything but the two that there are."""
    try:
        return IndexKind(text)
    except ValueError as error:
        raise bad_input("query", "index", "index is neither health nor smoothed", text) from error


def read_region(text: str) -> Region:
    """A region; 400 for anything but the three that there are."""
    try:
        return Region(text)
    except ValueError as error:
        raise bad_input("query", "region", "region is not brussels, flanders or wallonia", text) from error


def read_risk_factor(text: str) -> RiskFactor:
    """A risk factor of the query; 400 for anything but A, B and C."""
    if text not in _FACTORS:
        raise bad_input("query", "risk_factor", "risk_factor is not A, B or C", text)
    return RiskFactor(text)
