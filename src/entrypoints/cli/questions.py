"""Asking from the command line what the service answers over HTTP."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import click
from rich.table import Table

from domain.clock import today
from domain.errors import LogicalError
from domain.health_index.figures import Figure, Month
from domain.health_index.indexation import Indexation, IndexKind, index_amount, parse_amount
from domain.leases.rent import Region, index_rent
from domain.risk.tables import RiskFactor, Zipcode, parse_zipcode
from domain.use_cases.health_index import IndexView, Refresh
from domain.use_cases.zipcodes import At
from entrypoints.cli.commands import Command, Group, Refused, Unanswered, err, make_container, out, print_json
from entrypoints.container import Container
from entrypoints.http.health_index.bodies import csv_lines, series_item
from entrypoints.http.health_index.receipts import IndexationCase, RentCase, indexation_receipt, rent_receipt, written
from entrypoints.http.problems import ProblemError
from entrypoints.http.reading import read_instant
from entrypoints.lifecycle import NotStartedError, opened_history, opened_storage
from entrypoints.settings import Settings, load_settings


class _Question(Command):
    """What the HTTP interface would answer with a problem is a refusal here, and in words alone."""

    refuses_in_json = False

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ProblemError as error:
            raise Refused("problem", [str(error)]) from error


@click.group(cls=Group)
def index() -> None:
    """The health index."""


@index.command()
@click.option("--base-year", type=int, help="This base year alone.")
def latest(base_year: int | None) -> None:
    """The latest figures that are known."""
    view = _known(load_settings())
    _print_figures(view.latest(base_year))
    known = view.freshness
    out.print(f"Source: Statbel ({known.source}), read {known.as_of:%Y-%m-%d}: {known.status}.")


@index.command()
@click.option("--base-year", type=int, required=True)
@click.option("--from", "first", metavar="YYYY-MM", help="The first month, included.")
@click.option("--to", "last", metavar="YYYY-MM", help="The last month, included.")
@click.option("--csv", "form", flag_value="csv", help="As comma-separated values.")
@click.option("--json", "form", flag_value="json", help="As JSON.")
def series(base_year: int, first: str | None, last: str | None, form: str | None) -> None:
    """The figures of a base year, month by month."""
    start, end = (None if text is None else Month.parse(text) for text in (first, last))
    figures = _known(load_settings()).series(base_year, start, end)
    if form == "csv":
        click.echo(csv_lines(figures).replace("\r\n", "\n"), nl=False)
    elif form == "json":
        print_json([series_item(figure) for figure in figures])
    else:
        _print_figures(figures)


@index.command()
def refresh() -> None:
    """Read the source now, and print what it brings beyond what is known.

    With Postgres it is kept there, and running replicas take it over. A running service reads the source by itself.
    """
    settings = load_settings()
    container = make_container(settings)
    with err.status(f"reading {settings.health_index_source} ..."):
        brought = asyncio.run(_refresh(container))
    _print_refresh(brought)
    known = container.uncached_index().now().freshness
    out.print(f"Latest month known: {known.latest_month}; next expected on {known.next_publication}: {known.status}.")


async def _refresh(container: Container) -> Refresh:
    try:
        async with opened_history(container):
            return await container.uncached_index().refresh()
    finally:
        await container.statbel().aclose()


@click.command(cls=_Question)
@click.argument("amount")
@click.option("--from", "first", required=True, metavar="YYYY-MM", help="The starting month.")
@click.option("--to", "last", required=True, metavar="YYYY-MM", help="The month of the new index.")
@click.option("--base-year", type=int, help="Otherwise that in force in the starting month.")
@click.option("--index", "kind", type=click.Choice([k.value for k in IndexKind]), default=IndexKind.HEALTH.value)
@click.option("--json", "as_json", is_flag=True, help="As JSON, as the HTTP API gives it.")
def indexation(amount: str, first: str, last: str, base_year: int | None, kind: str, *, as_json: bool) -> None:
    """AMOUNT euro, indexed from one month to another."""
    euro, case = parse_amount(amount), IndexationCase(written(amount), first, last, base_year, IndexKind(kind))
    start, end = Month.parse(first), Month.parse(last)
    container = make_container(load_settings())
    view = asyncio.run(_view(container))
    if as_json:
        print_json(indexation_receipt(view, container.uncached_index().last_change(), case, "body"))
        return
    done = index_amount(view.figure, euro, start, end, base_year=base_year, kind=case.index)
    out.print(f"[bold]{done.indexed}[/bold]")
    _print_receipt(done)


@click.command(cls=_Question)
@click.argument("amount", metavar="RENT")
@click.option("--region", type=click.Choice([r.value for r in Region]), required=True)
@click.option("--signed-on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="When the lease was signed.")
@click.option("--starts-on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="When it entered into force.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The day asked about; otherwise today.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, as the HTTP API gives it.")
def rent(
    amount: str, region: str, signed_on: datetime, starts_on: datetime, on: datetime | None, *, as_json: bool
) -> None:
    """What a lease of RENT euro may ask after its latest anniversary."""
    container = make_container(load_settings())
    view = asyncio.run(_view(container))
    day = today(container.clock()()) if on is None else on.date()
    euro, case = (
        parse_amount(amount),
        RentCase(written(amount), Region(region), signed_on.date(), starts_on.date(), day),
    )
    if as_json:
        print_json(rent_receipt(view, container.uncached_index().last_change(), case, container.clock(), "body"))
        return
    done = index_rent(view.figure, euro, case.region, case.signed_on, case.starts_on, day)
    out.print(f"[bold]{done.indexation.indexed}[/bold] from {done.anniversary} on")
    _print_receipt(done.indexation)
    for text in (done.starting_month_rule, done.new_month_rule, done.not_included):
        out.print(text, markup=False)


def _known(settings: Settings) -> IndexView:
    return asyncio.run(_view(make_container(settings)))


async def _view(container: Container) -> IndexView:
    async with opened_history(container):
        return container.uncached_index().now()


@click.command(cls=_Question)
@click.argument("code")
@click.option("--as-of", metavar="DAY|INSTANT", help="As it was then: at an instant, or at the end of a day.")
@click.option("--release", metavar="RELEASE", help="As a release says, by its id or its number.")
def zipcode(code: str, as_of: str | None, release: str | None) -> None:
    """The risk factor of a zipcode."""
    if as_of is not None and release is not None:
        raise click.UsageError("--as-of and --release name one table each: give one of them")
    number = parse_zipcode(code)
    at = None if as_of is None else read_instant("query", as_of)
    try:
        factor, source = asyncio.run(_factor(make_container(load_settings()), number, at, release))
    except NotStartedError as error:
        if isinstance(error.__cause__, LogicalError):  # such as a table with faults
            raise
        raise Unanswered("storage_unavailable", [str(error)]) from error
    out.print(f"{number} {factor} (release {source})")


async def _factor(container: Container, number: Zipcode, at: At, release: str | None) -> tuple[RiskFactor, str]:
    async with opened_storage(container, seed=False):
        risks = container.risks()
        if release is not None:
            at = (await risks.history()).numbered(release).id
        return await risks.factor(number, at)


def _print_figures(figures: Sequence[Figure]) -> None:
    shown = Table("base year", "month", "health index", "smoothed", "provenance")
    for figure in figures:
        smoothed = "" if figure.smoothed is None else str(figure.smoothed)
        shown.add_row(str(figure.base_year), str(figure.month), str(figure.value), smoothed, figure.provenance)
    out.print(shown)


def _print_receipt(done: Indexation) -> None:
    out.print(done.formula, markup=False)
    for figure, index in ((done.start, done.start_index), (done.end, done.end_index)):
        provenance = figure.provenance if done.kind is IndexKind.HEALTH else figure.smoothed_provenance
        out.print(f"{done.kind} index of {figure.month} in base {figure.base_year}: {index} ({provenance})")
    out.print(f"base year: {done.base_year_rule}", markup=False)


def _print_refresh(brought: Refresh) -> None:
    if brought.added:
        out.print(f"New: {len(brought.added)}")
        _print_figures(brought.added)
    for change in brought.changed:
        before, after = change.before, change.after
        out.print(f"Changed: {after.month} in base {after.base_year} from {before.value} to {after.value}")
    if not brought.added and not brought.changed:
        out.print("Nothing new.")
    if not brought.stored:
        out.print("The store does not answer: nothing was kept.")
