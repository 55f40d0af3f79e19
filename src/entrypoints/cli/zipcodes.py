"""`belref zipcode`: what the risk table says of a zipcode."""

import asyncio

import click

from domain.errors import LogicalError
from domain.risk.tables import RiskFactor, Zipcode, parse_zipcode
from domain.use_cases.zipcodes import At
from entrypoints.cli.commands import Command, Refused, Unanswered, out, refusal
from entrypoints.cli.opening import make_container
from entrypoints.container import Container
from entrypoints.http.problems import ProblemError
from entrypoints.http.reading import parse_instant, read
from entrypoints.lifecycle import NotStartedError, opened_storage
from entrypoints.settings import load_settings


@click.command(cls=Command)
@click.argument("code")
@click.option("--as-of", metavar="DAY|INSTANT", help="As it was then: at an instant, or at the end of a day.")
@click.option("--release", metavar="RELEASE", help="As a release says, by its id or its number.")
def zipcode(code: str, as_of: str | None, release: str | None) -> None:
    """The risk factor of a zipcode."""
    if as_of is not None and release is not None:
        raise click.UsageError("--as-of and --release name one table each: give one of them")
    number = parse_zipcode(code)
    try:
        at = read(parse_instant, "as_of", as_of)
        factor, source = asyncio.run(_factor(make_container(load_settings()), number, at, release))
    except NotStartedError as error:
        if isinstance(error.__cause__, LogicalError):  # such as a table with faults
            raise refusal(error) from error
        raise Unanswered("storage_unavailable", [str(error)]) from error
    except ProblemError as error:
        raise Refused("problem", [str(error)]) from error
    out.print(f"{number} {factor} (release {source})")


async def _factor(container: Container, number: Zipcode, at: At, release: str | None) -> tuple[RiskFactor, str]:
    async with opened_storage(container, seed=False):
        risks = container.risks()
        if release is not None:
            at = (await risks.history()).numbered(release).id
        return await risks.factor(number, at)
