"""Reading what clients write in paths, queries and bodies: a value, or the 400 that names it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Literal, TypeVar, overload

from domain.clock import InvalidInstant, end_of_day
from domain.errors import LogicalError
from domain.risk.releases import UnknownRelease
from domain.use_cases.health_index import HealthIndexService, IndexView
from domain.use_cases.zipcodes import At
from entrypoints.http.problems import BY_DOMAIN_ERROR, ProblemError, bad_input

Location = Literal["path", "query", "body"]
Value = TypeVar("Value")
Choice = TypeVar("Choice", bound=StrEnum)

LAST_PAGE = 1_000_000

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?"
)
_LOST_PLUS = re.compile(r"(?P<before>.+T.+) (?P<offset>[0-9]{2}:[0-9]{2})")
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}", re.ASCII)


class UnreadableError(ValueError):
    """A text that is not what it should be; the message says what that is, after the name of the value."""


@contextmanager
def reading(name: str, text: str, location: Location = "query") -> Iterator[None]:
    """The one way from a value that cannot be to a 400: it names the value, and says what would be right."""
    try:
        yield
    except (UnreadableError, LogicalError) as error:
        raise _refusal(error, name, text, location) from error


def _refusal(error: UnreadableError | LogicalError, name: str, text: str, location: Location) -> ProblemError:
    if isinstance(error, UnreadableError):
        return bad_input(location, name, f"{name} {error}", text)
    return bad_input(location, name, str(error), text, BY_DOMAIN_ERROR[type(error)])


@overload
def read(parse: Callable[[str], Value], name: str, text: str, location: Location = ...) -> Value: ...
@overload
def read(parse: Callable[[str], Value], name: str, text: str | None, location: Location = ...) -> Value | None: ...


def read(parse: Callable[[str], Value], name: str, text: str | None, location: Location = "query") -> Value | None:
    """What a parser makes of a text, or None where nothing is given."""
    if text is None:
        return None
    try:  # not `reading`, which takes longer than most parsers
        return parse(text)
    except (UnreadableError, LogicalError) as error:
        raise _refusal(error, name, text, location) from error


# -- parsers of what is no value of the domain ---------------------------------------------------------------


def whole_number(at_least: int | None = None, at_most: int | None = None) -> Callable[[str], int]:
    """A parser of integers that are written in decimal digits."""

    def parse(text: str) -> int:
        if not _WHOLE_NUMBER.fullmatch(text):
            raise UnreadableError("is not a whole number")
        value = int(text)
        if at_least is not None and value < at_least:
            raise UnreadableError(f"is less than {at_least}")
        if at_most is not None and value > at_most:
            raise UnreadableError(f"is more than {at_most}")
        return value

    return parse


def one_of(kind: type[Choice]) -> Callable[[str], Choice]:
    """A parser of the values of an enumeration."""

    def parse(text: str) -> Choice:
        try:
            return kind(text)
        except ValueError as error:
            *first, last = [each.value for each in kind]
            raise UnreadableError(f"is not {', '.join(first)} or {last}") from error

    return parse


def parse_date(text: str) -> date:
    """Read `YYYY-MM-DD`, and nothing else of what ISO 8601 allows."""
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise UnreadableError("is not a date written as YYYY-MM-DD")


def parse_instant(text: str) -> datetime:
    """Read an instant as RFC 3339 writes it, or a day, which stands for its end in Brussels."""
    if _INSTANT.fullmatch(text):
        try:
            instant = datetime.fromisoformat(text)
            if instant.tzinfo is None:
                return end_of_day(instant.date())
            return instant.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    if (lost := _LOST_PLUS.fullmatch(text)) and _INSTANT.fullmatch(f"{lost['before']}+{lost['offset']}"):
        right = f"{lost['before']}%2B{lost['offset']}"
        raise UnreadableError(f"has a blank for its plus: in a query, a plus is written as %2B, so {right}")
    raise UnreadableError(
        "is neither a day (YYYY-MM-DD) nor an instant with its offset (YYYY-MM-DDThh:mm:ssZ, or +01:00 for Z)"
    )


def read_page(page: str, page_size: str, largest: int) -> tuple[int, int]:
    """Which page, from 1, and how many items it has."""
    return read(whole_number(1, LAST_PAGE), "page", page), read(whole_number(1, largest), "page_size", page_size)


# -- what is asked: of which figures, of which table ---------------------------------------------------------------


def read_view(index: HealthIndexService, as_of: str | None) -> IndexView:
    """What is known now, or was known at the instant of the query."""
    if as_of is None:
        return index.now()
    with reading("as_of", as_of):
        return index.at(parse_instant(as_of))


def read_at(as_of: str | None, release: str | None) -> At:
    """Which risk table is asked; 400 for two answers to that."""
    if as_of is not None and release is not None:
        raise bad_input("query", "release", "as_of and release are two ways to name one table: give one", release)
    return release if as_of is None else read(parse_instant, "as_of", as_of)


@contextmanager
def reading_at(at: At) -> Iterator[None]:
    """The same as `reading`, for the table that `read_at` gave: there may be no such table.

    What a table that is there does not cover passes: it is an answer, not a wrong value.
    """
    try:
        yield
    except (InvalidInstant, UnknownRelease) as error:
        name = "as_of" if isinstance(at, datetime) else "release"
        raise bad_input("query", name, str(error), str(at), BY_DOMAIN_ERROR[type(error)]) from error
