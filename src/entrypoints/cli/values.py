"""What may be given to a command: texts that are read as the HTTP interface reads them, or refused with exit code 2."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import click

from domain.errors import LogicalError
from domain.health_index.figures import Month
from domain.health_index.indexation import parse_amount
from domain.risk.tables import parse_zipcode
from entrypoints.http.reading import UnreadableError, parse_instant


class _Value(click.ParamType[Any]):
    """A text that one parser reads."""

    def __init__(self, name: str, parse: Callable[[str], object]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except UnreadableError as error:
            self.fail(f"'{value[:32]}' {error}", param, ctx)
        except LogicalError as error:
            self.fail(str(error), param, ctx)


MONTH = _Value("YYYY-MM", Month.parse)
AMOUNT = _Value("euro", parse_amount)
ZIPCODE = _Value("zipcode", parse_zipcode)
INSTANT = _Value("day|instant", parse_instant)


def service_url(url: str) -> str:
    """The address of a service; refused where it is none of http or https."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and " " not in url
    except ValueError:  # a port that is no number of one, half a pair of brackets
        good = False
    if not good:
        raise click.BadParameter(f"'{url}' is no address of http or https, such as http://127.0.0.1:5000")
    return url


json_option = click.option("--json", "as_json", is_flag=True, help="As JSON, as the HTTP API gives it.")
