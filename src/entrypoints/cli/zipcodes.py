"""`belref zipcode` and `belref zipcodes`: what the risk table says of one zipcode, and which have a factor."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

import click

from domain.errors import LogicalError
from domain.ports import Listing
from domain.risk.tables import RiskFactor, Zipcode
from domain.use_cases.zipcodes import At, Rating, RiskService
from entrypoints.cli.commands import Command, Unanswered, print_json, refusal
from entrypoints.cli.opening import make_container
from entrypoints.cli.values import INSTANT, ZIPCODE, json_option
from entrypoints.container import Container
from entrypoints.lifecycle import NotStartedError, opened_storage
from entrypoints.settings import load_settings

Answer = TypeVar("Answer")

_as_of_option = click.option(
    "--as-of", type=INSTANT, metavar="DAY|INSTANT", help="As it was then: at an instant, or at the end of a day."
)
_release_option = click.option("--release", metavar="RELEASE", help="As a release says, by its id or its number.")


@click.command(cls=Command)
@click.argument("code", metavar="ZIPCODE", type=ZIPCODE)
@_as_of_option
@_release_option
@json_option
def zipcode(code: Zipcode, as_of: datetime | None, release: str | None, *, as_json: bool) -> None:
    """The risk factor of a zipcode."""

    async def ask(risks: RiskService, at: At) -> Rating:
        return await risks.factor(code, at)

    factor, source, _ = _answer(ask, as_of, release)
    if as_json:
        print_json({"zipcode": code, "risk_factor": factor, "release": source})
    else:
        click.echo(f"{code} {factor} (release {source})")


@click.command(cls=Command)
@click.option(
    "--factor",
    "factors",
    type=click.Choice([each.value for each in RiskFactor]),
    multiple=True,
    help="Those with this factor alone; may be repeated.",
)
@_as_of_option
@_release_option
@json_option
def zipcodes(factors: Sequence[str], as_of: datetime | None, release: str | None, *, as_json: bool) -> None:
    """The zipcodes that have a risk factor, ascending."""

    async def ask(risks: RiskService, at: At) -> Listing:
        return await risks.select([RiskFactor(each) for each in factors], at)

    found = _answer(ask, as_of, release)
    if as_json:
        items = [{"zipcode": each, "risk_factor": factor} for each, factor in found.items]
        print_json({"items": items, "total": len(items), "release": found.release})
    else:
        click.echo("".join(f"{each} {factor}\n" for each, factor in found.items), nl=False)


def _answer(ask: Callable[[RiskService, At], Awaitable[Answer]], as_of: datetime | None, release: str | None) -> Answer:
    if as_of is not None and release is not None:
        raise click.UsageError("--as-of and --release name one table each: give one of them")
    try:
        return asyncio.run(_ask(make_container(load_settings()), ask, as_of, release))
    except NotStartedError as error:
        if isinstance(error.__cause__, LogicalError):  # such as a table with faults
            raise refusal(error) from error
        raise Unanswered("storage_unavailable", [str(error)]) from error


async def _ask(
    container: Container, ask: Callable[[RiskService, At], Awaitable[Answer]], at: At, release: str | None
) -> Answer:
    async with opened_storage(container, seed=False):
        risks = container.risks()
        if release is not None:
            at = (await risks.history()).numbered(release).id
        return await ask(risks, at)
