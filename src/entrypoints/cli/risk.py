"""`belref risk`: the life of a risk table from a file to service, for whoever answers for it."""

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
from entrypoints.cli.commands import Group, Refused, print_json, show
from entrypoints.cli.risk_changes import activate, load, rollback
from entrypoints.cli.risk_options import (
    all_option,
    file_argument,
    json_option,
    lasting_store,
    opened_releases,
    read_file,
)
from entrypoints.cli.risk_rendering import (
    Difference,
    Side,
    contents,
    draft_body,
    event_body,
    log_table,
    release_body,
    releases_table,
)
from entrypoints.container import Container

_EXIT_CODES = """\b
Exit codes:
  0    done
  1    refused: faults, too much change, an unknown release, nothing to roll
       back to, somebody else was faster; diff --exit-code: the tables differ
  2    not understood
  3    the store does not answer
  130  interrupted
"""


@click.group(cls=Group, epilog=_EXIT_CODES)
def risk() -> None:
    """Risk tables: check, compare, load, put into service, roll back.

    A table that is loaded becomes a release, which never changes; one release is in service. RELEASE is the id of a
    release, or its number. Releases live in Postgres (DB_DSN) or in a folder (DATA_DIR).
    """


@risk.command()
@file_argument
@json_option
def check(file: Path, *, as_json: bool) -> None:
    """Check a file.

    Prints what is in it, or everything that is wrong with it, with the lines.
    """
    draft = read_file(file)
    if as_json:
        print_json({"valid": True, "draft": draft_body(draft)})
        return
    ranges = len(draft.table.ranges)
    show(f"{draft.label} is a valid risk table of {ranges:,} range{'' if ranges == 1 else 's'}.", contents(draft.table))


@risk.command()
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
        show(*found.shown(all_ranges=all_ranges))
    if exit_code and found.comparison.changes:
        click.get_current_context().exit(1)


for _command in (load, activate, rollback):
    risk.add_command(_command)


@risk.command()
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


@risk.command()
@click.argument("release", required=False)
@click.option("--json/--csv", "as_json", help="In which form; otherwise CSV.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Into a file, whole or not at all.")
def export(release: str | None, output: Path | None, *, as_json: bool) -> None:
    """Write the table of a release.

    That in service, unless RELEASE is given. `load` reads it again as the same table.
    """
    table = asyncio.run(_table(lasting_store(), release))
    text = (write_json if as_json else write_csv)(table)
    text = text if text.endswith("\n") else f"{text}\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        _write_whole(output, text)


@risk.command()
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


async def _table(container: Container, name: str | None) -> RiskTable:
    async with opened_releases(container) as service:
        history = await service.history()
        try:
            release = history.active if name is None else history.numbered(name)
        except NoActiveRelease as error:
            raise Refused("no_active_release", ["No release is in service: name one"]) from error
        return await service.table(release.id)


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
