"""`belref risk diff`, `releases`, `export` and `log`: what is in the store, and what differs."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from adapters.risk_files.text import write_csv, write_json
from domain.errors import NoActiveRelease
from domain.risk.comparison import Comparison
from domain.risk.releases import Draft, ReleaseHistory, UnknownRelease
from domain.risk.tables import RiskTable
from domain.use_cases.releases import ReleaseService
from entrypoints.cli.commands import Command, Refused, cell, err, print_json, show
from entrypoints.cli.opening import lasting_store, opened_releases
from entrypoints.cli.risk_options import (
    all_option,
    json_option,
    read_file,
)
from entrypoints.cli.risk_rendering import (
    Difference,
    Side,
    event_body,
    log_table,
    release_body,
    releases_table,
)
from entrypoints.container import Container


@click.command(cls=Command)
@click.argument("first", metavar="FILE|RELEASE")
@click.argument("second", metavar="[FILE|RELEASE]", required=False)
@all_option
@click.option("--exit-code", is_flag=True, help="Exit with 1 when the tables differ.")
@json_option
def diff(first: str, second: str | None, *, all_ranges: bool, exit_code: bool, as_json: bool) -> None:
    """Compare two tables.

    From that in service to FILE|RELEASE, or from the first to the second.

    A name with a slash, or of a file that exists, is a file: write ./7 for the file 7 where there is none.
    """
    names = [first] if second is None else [first, second]
    drafts = {name: read_file(Path(name)) for name in names if _is_file(name)}
    if second is not None and first in drafts and second in drafts:
        before, after = ((Side.of_file(drafts[name], name), drafts[name].table) for name in names)
        found = Difference(before[0], after[0], Comparison(before[1], after[1]))
    else:
        found = asyncio.run(_difference(lasting_store(), names, drafts))
    if as_json:
        print_json(found.body())
    else:
        show(*found.for_people(all_ranges=all_ranges))
    if exit_code and found.comparison.changes:
        click.get_current_context().exit(1)


@click.command(cls=Command)
@json_option
def releases(*, as_json: bool) -> None:
    """List the releases, in the order of loading."""
    history = asyncio.run(_history(lasting_store()))
    if as_json:
        active = history.active.id if history.activations else None
        items = [release_body(each, history) for each in history.releases]
        print_json({"active": active, "items": items, "total": len(items)})
    elif history.releases:
        show(releases_table(history))
    else:
        show("There is no release yet.")


@click.command(cls=Command)
@click.argument("release", required=False)
@click.option("--json/--csv", "as_json", help="In which form; otherwise CSV.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Into a file, whole or not at all.")
def export(release: str | None, output: Path | None, *, as_json: bool) -> None:
    """Write the table of a release.

    That in service, unless RELEASE is given. `load` reads it again as the same table.
    """
    source, table = asyncio.run(_table(lasting_store(), release))
    text = (write_json if as_json else write_csv)(table)
    text = text if text.endswith("\n") else f"{text}\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        _write_whole(output, text)
        ranges = f"{len(table.ranges):,} range{'' if len(table.ranges) == 1 else 's'}"
        show(
            cell(f"{output}: {ranges} of {source}, as {'JSON' if as_json else 'CSV'}."), to=err
        )  # it may be /dev/stdout


@click.command(cls=Command)
@click.option("--limit", type=click.IntRange(min=1), help="No more than the last so many.")
@json_option
def log(limit: int | None, *, as_json: bool) -> None:
    """List what was done, when and by whom.

    Loading, putting into service and rolling back; the newest last.
    """
    every = asyncio.run(_history(lasting_store())).events
    events = every[-(limit or 0) :]
    if as_json:
        print_json({"items": [event_body(event) for event in events], "total": len(every)})
    elif events:
        show(log_table(events))
    else:
        show("Nothing was ever loaded.")


def _is_file(name: str) -> bool:
    return os.sep in name or Path(name).is_file()


async def _difference(container: Container, names: Sequence[str], drafts: Mapping[str, Draft]) -> Difference:
    async with opened_releases(container) as service:
        history = await service.history()
        found = [await _side(service, history, name, drafts) for name in names]
        if len(found) == 1:
            active = history.active if history.activations else None
            table = RiskTable() if active is None else await service.table(active.id)
            found.insert(0, (Side.of(active, history), table))
        (before, old), (after, new) = found
        return Difference(before, after, Comparison(old, new))


async def _side(
    service: ReleaseService, history: ReleaseHistory, name: str, drafts: Mapping[str, Draft]
) -> tuple[Side, RiskTable]:
    if name in drafts:
        return Side.of_file(drafts[name], name), drafts[name].table
    try:
        release = history.numbered(name)
    except UnknownRelease as error:
        raise Refused("unknown_release", [f"There is neither a file nor a release '{error.release}'"]) from error
    return Side.of(release, history), await service.table(release.id)


async def _history(container: Container) -> ReleaseHistory:
    async with opened_releases(container) as service:
        return await service.history()


async def _table(container: Container, name: str | None) -> tuple[str, RiskTable]:
    async with opened_releases(container) as service:
        history = await service.history()
        try:
            release = history.active if name is None else history.numbered(name)
        except NoActiveRelease as error:
            raise Refused("no_active_release", ["No release is in service: name one"]) from error
        return release.id, await service.table(release.id)


def _write_whole(path: Path, text: str) -> None:
    """:raises Refused: when the file cannot be written; then it is what it was"""
    path = path.resolve()
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.exists() and not path.is_file():  # such as /dev/stdout, which is no file to replace
            path.write_text(text, encoding="utf-8")
            return
        try:
            with unfinished.open("w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Refused("unwritable", [f"{path} cannot be written: {reason}"]) from error
