"""`belref index`: asking from the command line what the service answers over HTTP about the health index."""

import asyncio
from collections.abc import Sequence

import click
from rich.table import Table

from domain.health_index.figures import Figure, Month
from domain.use_cases.health_index import IndexView, Refresh
from entrypoints.cli.commands import Group, err, out, print_json
from entrypoints.cli.opening import known_figures, make_container
from entrypoints.container import Container
from entrypoints.http.health_index.bodies import csv_lines, series_item
from entrypoints.lifecycle import opened_history
from entrypoints.settings import Settings, load_settings


@click.group(cls=Group)
def index() -> None:
    """The health index."""


@index.command()
@click.option("--base-year", type=int, help="This base year alone.")
@click.option("--published", is_flag=True, help="What Statbel published alone, which may be older.")
def latest(base_year: int | None, *, published: bool) -> None:
    """The latest figures that can be given."""
    view = _known(load_settings())
    _print_figures(view.latest(base_year, published=published))
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


def _known(settings: Settings) -> IndexView:
    return asyncio.run(known_figures(make_container(settings)))


def _print_figures(figures: Sequence[Figure]) -> None:
    shown = Table("base year", "month", "health index", "smoothed", "provenance")
    for figure in figures:
        smoothed = "" if figure.smoothed is None else str(figure.smoothed)
        off = "" if figure.margin is None else f" (to {figure.margin})"
        shown.add_row(str(figure.base_year), str(figure.month), str(figure.value), smoothed, figure.provenance + off)
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
    if not brought.stored:
        out.print("The store does not answer: nothing was kept.")
