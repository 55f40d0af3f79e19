"""`belref`: serve, and ask from the command line what the service answers over HTTP."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from domain.errors import DomainError, InvalidRiskTable
from domain.health_index import Figure
from domain.index_service import Refresh
from domain.zipcodes import Release, RiskFactor, Zipcode, parse_zipcode
from entrypoints.container import Container
from entrypoints.lifecycle import NotStartedError, opened_storage
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
    """The latest figures of the bundled snapshot."""
    container = _container(load_settings())
    _print_figures(container.index().now().latest(base_year))
    known = container.index().now().freshness
    out.print(f"Source: Statbel ({known.source}), read {known.as_of:%Y-%m-%d}: {known.status}.")


@index.command()
def refresh() -> None:
    """Read the source now, and print what it brings beyond the bundled snapshot.

    Nothing is stored: a running service reads the source by itself.
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
        return await container.uncached_index().refresh()
    finally:
        await container.statbel().aclose()


@cli.command()
@click.argument("code")
def zipcode(code: str) -> None:
    """The risk factor of a zipcode."""
    number = parse_zipcode(code)
    factor, release = asyncio.run(_factor(_container(load_settings()), number))
    out.print(f"{number} {factor} (release {release})")


async def _factor(container: Container, number: Zipcode) -> tuple[RiskFactor, str]:
    async with opened_storage(container):
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
    except (DomainError, InvalidSettingsError, NotStartedError) as error:
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


def _print_refresh(brought: Refresh) -> None:
    if brought.added:
        out.print(f"New: {len(brought.added)}")
        _print_figures(brought.added)
    for change in brought.changed:
        before, after = change.before, change.after
        out.print(f"Changed: {after.month} in base {after.base_year} from {before.value} to {after.value}")
    if not brought.added and not brought.changed:
        out.print("Nothing new.")
