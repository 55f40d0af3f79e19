"""`belref risk load`, `activate` and `rollback`: what changes releases, or which one is in service."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import RenderableType

from domain.risk.releases import Draft, Release, ReleaseHistory, ReleaseStatus
from domain.use_cases.releases import Activated, Loaded, ReleaseService, TooMuchChange
from entrypoints.cli.commands import Command, Refused, cell, print_json, show
from entrypoints.cli.opening import lasting_store, opened_releases
from entrypoints.cli.risk_options import (
    all_option,
    by_option,
    file_argument,
    force_option,
    json_option,
    label_option,
    read_file,
)
from entrypoints.cli.risk_rendering import Difference, Json, Side, draft_body, in_numbers, instant, release_body
from entrypoints.container import Container


@click.command(cls=Command)
@file_argument
@label_option
@click.option("--activate", is_flag=True, help="Put it into service, unless it changes too much.")
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would change, and whether it may.")
@force_option
@by_option
@all_option
@json_option
def load(
    file: Path,
    label: str | None,
    by: str,
    *,
    activate: bool,
    dry_run: bool,
    force: bool,
    all_ranges: bool,
    as_json: bool,
) -> None:
    """Make a release of a file.

    With --activate, a release that changes too much is loaded all the same: it waits for `activate RELEASE --force`.
    """
    if force and not (activate or dry_run):
        raise click.UsageError("--force goes with --activate or --dry-run: loading alone changes no answer")
    container = lasting_store()
    draft = read_file(file, label)
    if dry_run:
        history, difference, objections = asyncio.run(_try(container, draft, file.name))
        _finish_trial(history, difference, [] if force else objections, draft, all_ranges=all_ranges, as_json=as_json)
        return
    loaded, done = asyncio.run(_load(container, draft, by, activate=activate, force=force, all_ranges=all_ranges))
    release = loaded.release
    if as_json:
        diff = None if done is None else _difference(done).body()
        standing = release_body(release, (done or loaded).history)
        body = {"dry_run": False, "known": loaded.known, "draft": draft_body(draft), "release": standing}
        print_json({**body, "activated": done is not None, "diff": diff})
        return
    show(_said_of(loaded))
    if done is not None:
        show(*_shown(done, all_ranges=all_ranges))
    elif loaded.history.standing(release.id).status is not ReleaseStatus.ACTIVE:
        show(f"It is not in service; to put it there: belref risk activate {release.id}")


@click.command(cls=Command)
@click.argument("release")
@force_option
@by_option
@all_option
@json_option
def activate(release: str, by: str, *, force: bool, all_ranges: bool, as_json: bool) -> None:
    """Put a release into service.

    One that changes too much is refused, with what it changes.
    """
    done = asyncio.run(_activate(lasting_store(), release, by, force=force, all_ranges=all_ranges))
    _finish(done, all_ranges=all_ranges, as_json=as_json)


@click.command(cls=Command)
@click.option("--from", "leaving", metavar="RELEASE", help="Only while this release is in service.")
@by_option
@all_option
@json_option
def rollback(leaving: str | None, by: str, *, all_ranges: bool, as_json: bool) -> None:
    """Put the release before into service again.

    A second time, the one before that; with --from, it may be repeated safely.
    """
    done = asyncio.run(_roll_back(lasting_store(), by, leaving))
    _finish(done, all_ranges=all_ranges, as_json=as_json, again=" again")


async def _load(
    container: Container, draft: Draft, by: str, *, activate: bool, force: bool, all_ranges: bool
) -> tuple[Loaded, Activated | None]:
    """The release of the draft, and how it came into service where that was asked."""
    async with opened_releases(container) as service:
        loaded = await service.load(draft, by)
        if not activate:
            return loaded, None
        return loaded, await _into_service(service, loaded.release, by, force=force, all_ranges=all_ranges)


async def _activate(container: Container, name: str, by: str, *, force: bool, all_ranges: bool) -> Activated:
    async with opened_releases(container) as service:
        release = (await service.history()).numbered(name)
        return await _into_service(service, release, by, force=force, all_ranges=all_ranges)


async def _roll_back(container: Container, by: str, leaving: str | None) -> Activated:
    async with opened_releases(container) as service:
        name = None if leaving is None else (await service.history()).numbered(leaving).id
        return await service.rollback(by, leaving=name)


async def _try(container: Container, draft: Draft, name: str) -> tuple[ReleaseHistory, Difference, list[str]]:
    """What there is, what putting the draft into service would change, and why that looks like a mistake."""
    async with opened_releases(container) as service:
        history = await service.history()
        before, comparison = await service.compare(draft.table)
        difference = Difference(Side.of(before, history), Side.of_file(draft, name), comparison)
        return history, difference, comparison.objections(service.max_share)


async def _into_service(
    service: ReleaseService, release: Release, by: str, *, force: bool, all_ranges: bool
) -> Activated:
    """:raises Refused: for too much change, with the difference and what to type next"""
    before = await service.history()
    try:
        return await service.activate(release.id, by, force=force)
    except TooMuchChange as error:
        in_service = before.active if before.activations else None
        difference = Difference(Side.of(in_service, before), Side.of(release, before), error.comparison)
        command = f"belref risk activate {release.id} --force"
        standing = before.standing(release.id).status
        raise _too_much(
            error.reasons,
            f"{release.id} is loaded, and stays {standing}. To put it into service all the same: {command}",
            details={"release": release_body(release, before), "command": command, "diff": difference.body()},
            shown=difference.for_people(all_ranges=all_ranges),
        ) from error


def _too_much(reasons: Sequence[str], advice: str, *, details: Json, shown: list[RenderableType]) -> Refused:
    message = "\n".join([*(f"Refused: {reason}." for reason in reasons), advice])
    return Refused("too_much_change", list(reasons), message=message, details=details, shown=shown)


def _said_of(loaded: Loaded) -> str:
    release = loaded.release
    if loaded.known:
        when = f"{instant(release.created_at)} by {cell(release.created_by)}"
        return f"{release.id} has this table: it was loaded on {when}, and is not loaded twice."
    return f"{release.id} is loaded: {cell(release.label)}, {in_numbers(release.counts, release.ranges)}."


def _difference(done: Activated) -> Difference:
    return Difference(Side.of(done.before, done.history), Side.of(done.release, done.history), done.comparison)


def _shown(done: Activated, again: str = "", *, all_ranges: bool) -> list[RenderableType]:
    release, before = done.release, done.before
    if done.already:
        return [f"{release.id} was in service already."]
    if before is None:
        return [f"{release.id} is in service; none was before."]
    heading = f"{release.id} is in service{again}, in place of {before.id}."
    return [heading, *_difference(done).for_people(all_ranges=all_ranges)]


def _finish(done: Activated, *, all_ranges: bool, as_json: bool, again: str = "") -> None:
    if not as_json:
        show(*_shown(done, again, all_ranges=all_ranges))
        return
    print_json(
        {
            "release": release_body(done.release, done.history),
            "in_place_of": None if done.before is None else done.before.id,
            "already": done.already,
            "diff": _difference(done).body(),
        }
    )


def _finish_trial(
    history: ReleaseHistory,
    difference: Difference,
    objections: Sequence[str],
    draft: Draft,
    *,
    all_ranges: bool,
    as_json: bool,
) -> None:
    """:raises Refused: when there are objections"""
    known = history.of_table(draft.table)
    release = None if known is None else release_body(known, history)
    body: Json = {"dry_run": True, "known": known is not None, "draft": draft_body(draft), "release": release}
    body |= {"activated": False, "diff": difference.body()}
    if not as_json:
        show(f"{draft.label} is valid: {in_numbers(draft.table.counts(), len(draft.table.ranges))}.")
        show("It is new." if known is None else f"It was loaded before, as {known.id}.")
        show(*difference.for_people(all_ranges=all_ranges))
    if objections:
        raise _too_much(objections, "Nothing was changed: this is a dry run.", details=body, shown=[])
    if as_json:
        print_json(body)
    else:
        show("It may be put into service. Nothing was changed: this is a dry run.")
