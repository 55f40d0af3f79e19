"""`belref`: serve, and ask from the command line what the service answers over HTTP."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from domain.errors import DomainError, InvalidRiskTable
from domain.freshness import BRUSSELS
from domain.health_index import Figure, Month
from domain.index_service import IndexView, Refresh
from domain.indexation import Indexation, IndexKind, index_amount, parse_amount
from domain.rent import Region, index_rent
from domain.zipcodes import Release, RiskFactor, Zipcode, parse_zipcode
from entrypoints.container import Container
from entrypoints.http.health_index import csv_lines, series_item
from entrypoints.http.problems import ProblemError
from entrypoints.http.receipts import IndexationCase, RentCase, indexation_receipt, rent_receipt, written
from entrypoints.http.representation import encode
from entrypoints.lifecycle import NotStartedError, opened_history, opened_storage
from entrypoints.logs import configure_logs
from entrypoints.main import serve as serve_http
from entrypoints.settings import InvalidSettingsError, Settings, load_settings

_FAULTS_SHOWN = 100

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="belref")
def cli() -> None:
    """The Belgian health index, and the risk factor of a Belgian zipcode.

    Settings come from the environment and from a file .env in the working directory.
    """


@cli.command()
def serve() -> None:
    """Serve HTTP until SIGTERM or Ctrl-C."""
    serve_http(load_settings())


@cli.group()
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
        _print_json([series_item(figure) for figure in figures])
    else:
        _print_figures(figures)


@index.command()
def refresh() -> None:
    """Read the source now, and print what it brings beyond what is known.

    With Postgres it is kept there, and running replicas take it over. A running service reads the source by itself.
    """
    settings = load_settings()
    container = _container(settings)
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


@cli.command()
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
    container = _container(load_settings())
    view = asyncio.run(_view(container))
    if as_json:
        _print_json(indexation_receipt(view, container.uncached_index().last_change(), case, "body"))
        return
    done = index_amount(view.figure, euro, start, end, base_year=base_year, kind=case.index)
    out.print(f"[bold]{done.indexed}[/bold]")
    _print_receipt(done)


@cli.command()
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
    container = _container(load_settings())
    view = asyncio.run(_view(container))
    day = container.clock()().astimezone(BRUSSELS).date() if on is None else on.date()
    euro, case = (
        parse_amount(amount),
        RentCase(written(amount), Region(region), signed_on.date(), starts_on.date(), day),
    )
    if as_json:
        _print_json(rent_receipt(view, container.uncached_index().last_change(), case, container.clock(), "body"))
        return
    done = index_rent(view.figure, euro, case.region, case.signed_on, case.starts_on, day)
    out.print(f"[bold]{done.indexation.indexed}[/bold] from {done.anniversary} on")
    _print_receipt(done.indexation)
    for text in (done.starting_month_rule, done.new_month_rule, done.not_included):
        out.print(text, markup=False)


def _known(settings: Settings) -> IndexView:
    return asyncio.run(_view(_container(settings)))


async def _view(container: Container) -> IndexView:
    async with opened_history(container):
        return container.uncached_index().now()


@cli.command()
@click.argument("code")
def zipcode(code: str) -> None:
    """The risk factor of a zipcode."""
    number = parse_zipcode(code)
    factor, release = asyncio.run(_factor(_container(load_settings()), number))
    out.print(f"{number} {factor} (release {release})")


async def _factor(container: Container, number: Zipcode) -> tuple[RiskFactor, str]:
    async with opened_storage(container, seed=False):
        return await container.risks().factor(number)


@cli.command()
def migrate() -> None:
    """Bring the database of MIGRATION_DSN up to the schema of this version."""
    settings = load_settings()
    if settings.migration_dsn is None:
        raise InvalidSettingsError("MIGRATION_DSN is not set: it names the database and the role that owns its tables")
    with err.status("migrating ..."):
        applied = _container(settings).migrate()
    for migration in applied:
        out.print(f"applied {migration}")
    if not applied:
        out.print("Nothing to do.")


@cli.group()
def risk() -> None:
    """Risk tables."""


@risk.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check a risk table: print what is in it, or everything that is wrong with it."""
    table = Container.read_risk_table(file)
    release = Release.of(table, file.name)
    out.print(f"{file.name} is a valid risk table of {len(table.ranges)} ranges (release {release.id}).")
    shown = Table("risk factor", "ranges", "zipcodes")
    for factor, count in table.counts().items():
        ranges = sum(item.factor is factor for item in table.ranges)
        shown.add_row(factor.value, f"{ranges:,}", f"{count:,}")
    shown.add_row("all", f"{len(table.ranges):,}", f"{sum(table.counts().values()):,}")
    out.print(shown)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. Exit codes: 0 done, 1 refused, 2 not understood, 130 interrupted."""
    try:
        code = cli.main(args=arguments, prog_name="belref", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except InvalidRiskTable as error:
        for fault in error.faults[:_FAULTS_SHOWN]:
            err.print(f"line {fault.line}: {fault.reason}", markup=False)
        if len(error.faults) > _FAULTS_SHOWN:
            err.print(f"... and {len(error.faults) - _FAULTS_SHOWN:,} more")
        err.print(f"Refused: {len(error.faults):,} fault{'s' if len(error.faults) > 1 else ''}.")
        sys.exit(1)
    except (DomainError, InvalidSettingsError, NotStartedError, ProblemError) as error:
        err.print(str(error), markup=False)
        sys.exit(1)
    sys.exit(code or 0)


def _container(settings: Settings) -> Container:
    configure_logs("warning", for_people=True)
    return Container(settings=settings)


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


def _print_json(body: object) -> None:
    click.echo(encode(body))


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
