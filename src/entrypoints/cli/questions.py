"""`belref index`: asking from the command line what the service answers over HTTP about the health index."""

import asyncio
from collections.abc import Sequence

import click
from rich.table import Table

from domain.errors import SourceRejected, SourceUnavailable
from domain.health_index.figures import Figure, Month
from domain.use_cases.health_index import IndexView, Refresh
from entrypoints.cli.commands import Group, Refused, Unanswered, err, print_json, show
from entrypoints.cli.opening import known_figures, make_container
from entrypoints.cli.values import MONTH, json_option
from entrypoints.container import Container
from entrypoints.http.health_index.bodies import MonthBody, csv_lines, figure_bodies, freshness_body, series_item
from entrypoints.lifecycle import opened_history
from entrypoints.settings import Settings, load_settings


@click.group(cls=Group)
def index() -> None:
    """The health index."""


@index.command()
@click.option("--base-year", type=int, help="This base year alone.")
@click.option("--published", is_flag=True, help="What Statbel published alone, which may be older.")
@json_option
def latest(base_year: int | None, *, published: bool, as_json: bool) -> None:
    """The latest figures that can be given."""
    view = _known(load_settings())
    _print_month(view, view.latest(base_year, published=published), as_json=as_json)


@index.command()
@click.argument("wanted", metavar="YYYY-MM", type=MONTH)
@click.option("--base-year", type=int, help="This base year alone.")
@json_option
def month(wanted: Month, base_year: int | None, *, as_json: bool) -> None:
    """The figures of a month."""
    view = _known(load_settings())
    _print_month(view, view.of_month(wanted, base_year), as_json=as_json)


@index.command()
@click.option("--base-year", type=int, required=True)
@click.option("--from", "first", type=MONTH, metavar="YYYY-MM", help="The first month, included.")
@click.option("--to", "last", type=MONTH, metavar="YYYY-MM", help="The last month, included.")
@click.option("--csv", "form", flag_value="csv", help="As comma-separated values.")
@click.option("--json", "form", flag_value="json", help="As JSON.")
def series(base_year: int, first: Month | None, last: Month | None, form: str | None) -> None:
    """The figures of a base year, month by month."""
    figures = _known(load_settings()).series(base_year, first, last)
    if form == "csv":
        click.echo(csv_lines(figures).replace("\r\n", "\n"), nl=False)
    elif form == "json":
        print_json([series_item(figure) for figure in figures])
    else:
        _print_figures(figures)


@index.command()
@click.option(
    "--accept-revision", is_flag=True, help="Believe it though most of what is known differs: Statbel has revised it."
)
@click.option("--verbose", is_flag=True, help="Why each source failed, and not the first alone.")
@json_option
def refresh(*, accept_revision: bool, verbose: bool, as_json: bool) -> None:
    """Read the source now, and print what it brings beyond what is known.

    With Postgres it is kept there, and running replicas take it over. A running service reads the source by itself.
    """
    settings = load_settings()
    container = make_container(settings)
    with err.status(f"reading {settings.health_index_source} ..."):
        try:
            brought = asyncio.run(_refresh(container, accept_revision=accept_revision))
        except (SourceUnavailable, SourceRejected) as error:
            source = container.statbel()
            failures = source.failures if source.answered_by is None else ()  # it answered, and is not believed here
            raise _refused(error, failures, verbose=verbose) from error
    view = container.uncached_index().now()
    if as_json:
        print_json(_refresh_body(view, brought))
        return
    _print_refresh(brought)
    known = view.freshness
    show(f"Latest month known: {known.latest_month}; next expected on {known.next_publication}: {known.status}.")


def _refused(error: SourceUnavailable | SourceRejected, failures: Sequence[Exception], *, verbose: bool) -> Refused:
    """The first failure in one line, or all of them; programs are told all."""
    lines = [str(failure) for failure in failures] or [str(error)]
    first, *others = lines
    if others:
        count = "1 other source" if len(others) == 1 else f"{len(others)} other sources"
        first += f" (and {count} failed; --verbose says why)"
    kind = Unanswered if isinstance(error, SourceUnavailable) else Refused
    name = "source_unavailable" if isinstance(error, SourceUnavailable) else "source_rejected"
    return kind(name, lines, message="\n".join(lines) if verbose else first)


async def _refresh(container: Container, *, accept_revision: bool) -> Refresh:
    try:
        async with opened_history(container):
            return await container.uncached_index().refresh(accept_revision=accept_revision)
    finally:
        await container.statbel().aclose()


def _known(settings: Settings) -> IndexView:
    return asyncio.run(known_figures(make_container(settings)))


def _print_month(view: IndexView, figures: list[Figure], *, as_json: bool) -> None:
    if as_json:
        latest_month = str(max(figure.month for figure in figures))
        print_json(MonthBody(latest_month, figure_bodies(view, figures), freshness_body(view)))
        return
    _print_figures(figures)
    known = view.freshness
    show(f"Source: Statbel ({known.source}), read {known.as_of:%Y-%m-%d}: {known.status}.")


def _print_figures(figures: Sequence[Figure]) -> None:
    shown = Table("base year", "month", "health index", "smoothed", "provenance")
    for figure in figures:
        smoothed = "" if figure.smoothed is None else str(figure.smoothed)
        off = "" if figure.margin is None else f" (to {figure.margin})"
        shown.add_row(str(figure.base_year), str(figure.month), str(figure.value), smoothed, figure.provenance + off)
    show(shown)


def _refresh_body(view: IndexView, brought: Refresh) -> dict[str, object]:
    changed = [
        {
            "base_year": change.after.base_year,
            "month": str(change.after.month),
            "before": change.before.value,
            "after": change.after.value,
        }
        for change in brought.changed
    ]
    return {
        "added": figure_bodies(view, brought.added),
        "changed": changed,
        "stored": brought.stored,
        "freshness": freshness_body(view),
    }


def _print_refresh(brought: Refresh) -> None:
    if brought.added:
        show(f"New: {len(brought.added)}")
        _print_figures(brought.added)
    for change in brought.changed:
        before, after = change.before, change.after
        show(f"Changed: {after.month} in base {after.base_year} from {before.value} to {after.value}")
    if not brought.added and not brought.changed:
        show("Nothing new.")
    if not brought.stored:
        show("The store does not answer: nothing was kept.")
