"""`belref risk load`, `activate` and `rollback`: what changes releases, or which one is in service."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import RenderableType

from domain.risk.releases import Draft, Release, ReleaseHistory, ReleaseStatus
from domain.use_cases.releases import Activated, ReleaseService, TooMuchChange
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
from entrypoints.cli.risk_rendering import Difference, Json, Side, counted, draft_body, instant, release_body
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
        trial = asyncio.run(_try(container, draft, file.name))
        _finish_trial(trial, draft, force=force, all_ranges=all_ranges, as_json=as_json)
        return
    loading = asyncio.run(_load(container, draft, by, activate=activate, force=force, all_ranges=all_ranges))
    if as_json:
        difference = None if loading.outcome is None else loading.outcome.difference.body()
        release = release_body(loading.release, loading.history)
        body = {"dry_run": False, "known": loading.known, "draft": draft_body(draft), "release": release}
        print_json({**body, "activated": loading.outcome is not None, "diff": difference})
        return
    show(_said_of(loading))
    if loading.outcome is not None:
        show(*loading.outcome.shown(all_ranges=all_ranges))
    elif loading.history.standing(loading.release.id).status is not ReleaseStatus.ACTIVE:
        show(f"It is not in service; to put it there: belref risk activate {loading.release.id}")


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
    outcome = asyncio.run(_activate(lasting_store(), release, by, force=force, all_ranges=all_ranges))
    _finish(outcome, all_ranges=all_ranges, as_json=as_json)


@click.command(cls=Command)
@click.option("--from", "leaving", metavar="RELEASE", help="Only while this release is in service.")
@by_option
@all_option
@json_option
def rollback(leaving: str | None, by: str, *, all_ranges: bool, as_json: bool) -> None:
    """Put the release before into service again.

    A second time, the one before that; with --from, it may be repeated safely.
    """
    _finish(asyncio.run(_roll_back(lasting_store(), by, leaving)), all_ranges=all_ranges, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is in service now, and what that changed."""

    done: Activated
    history: ReleaseHistory
    difference: Difference
    again: str = ""

    @classmethod
    def of(cls, done: Activated, again: str = "") -> "_Outcome":
        sides = Side.of(done.before, done.history), Side.of(done.release, done.history)
        return cls(done, done.history, Difference(*sides, done.comparison), again)

    def shown(self, *, all_ranges: bool) -> list[RenderableType]:
        release, before = self.done.release, self.done.before
        if self.done.already:
            return [f"{release.id} was in service already."]
        if before is None:
            return [f"{release.id} is in service; none was before."]
        heading = f"{release.id} is in service{self.again}, in place of {before.id}."
        return [heading, *self.difference.shown(all_ranges=all_ranges)]

    def body(self) -> Json:
        return {
            "release": release_body(self.done.release, self.history),
            "in_place_of": None if self.done.before is None else self.done.before.id,
            "already": self.done.already,
            "diff": self.difference.body(),
        }


@dataclass(frozen=True, slots=True)
class _Loading:
    """A release of a file, whether it was known, and how it came into service where that was asked."""

    release: Release
    known: bool
    history: ReleaseHistory
    outcome: _Outcome | None = None


@dataclass(frozen=True, slots=True)
class _Trial:
    """What loading would do."""

    known: Release | None
    history: ReleaseHistory
    difference: Difference
    objections: list[str]


async def _load(
    container: Container, draft: Draft, by: str, *, activate: bool, force: bool, all_ranges: bool
) -> _Loading:
    async with opened_releases(container) as service:
        loaded = await service.load(draft, by)
        if not activate:
            return _Loading(loaded.release, loaded.known, loaded.history)
        outcome = await _into_service(service, loaded.release, by, force=force, all_ranges=all_ranges)
        return _Loading(loaded.release, loaded.known, outcome.history, outcome)


async def _activate(container: Container, name: str, by: str, *, force: bool, all_ranges: bool) -> _Outcome:
    async with opened_releases(container) as service:
        release = (await service.history()).numbered(name)
        return await _into_service(service, release, by, force=force, all_ranges=all_ranges)


async def _roll_back(container: Container, by: str, leaving: str | None) -> _Outcome:
    async with opened_releases(container) as service:
        name = None if leaving is None else (await service.history()).numbered(leaving).id
        return _Outcome.of(await service.rollback(by, leaving=name), again=" again")


async def _try(container: Container, draft: Draft, name: str) -> _Trial:
    async with opened_releases(container) as service:
        history = await service.history()
        before, comparison = await service.compare(draft.table)
        difference = Difference(Side.of(before, history), Side.of_file(draft, name), comparison)
        return _Trial(history.of_table(draft.table), history, difference, comparison.objections(service.max_share))


async def _into_service(
    service: ReleaseService, release: Release, by: str, *, force: bool, all_ranges: bool
) -> _Outcome:
    """:raises Refused: for too much change, with the difference and what to type next"""
    before = await service.history()
    try:
        return _Outcome.of(await service.activate(release.id, by, force=force))
    except TooMuchChange as error:
        in_service = before.active if before.activations else None
        difference = Difference(Side.of(in_service, before), Side.of(release, before), error.comparison)
        command = f"belref risk activate {release.id} --force"
        standing = before.standing(release.id).status
        raise _too_much(
            error.reasons,
            f"{release.id} is loaded, and stays {standing}. To put it into service all the same: {command}",
            details={"release": release_body(release, before), "command": command, "diff": difference.body()},
            shown=difference.shown(all_ranges=all_ranges),
        ) from error


def _too_much(reasons: Sequence[str], advice: str, *, details: Json, shown: list[RenderableType]) -> Refused:
    message = "\n".join([*(f"Refused: {reason}." for reason in reasons), advice])
    return Refused("too_much_change", list(reasons), message=message, details=details, shown=shown)


def _said_of(loading: _Loading) -> str:
    release = loading.release
    if loading.known:
        when = f"{instant(release.created_at)} by {cell(release.created_by)}"
        return f"{release.id} has this table: it was loaded on {when}, and is not loaded twice."
    return f"{release.id} is loaded: {cell(release.label)}, {counted(release.counts, release.ranges)}."


def _finish(outcome: _Outcome, *, all_ranges: bool, as_json: bool) -> None:
    if as_json:
        print_json(outcome.body())
    else:
        show(*outcome.shown(all_ranges=all_ranges))


def _finish_trial(trial: _Trial, draft: Draft, *, force: bool, all_ranges: bool, as_json: bool) -> None:
    """:raises Refused: when it would be too much change"""
    known = None if trial.known is None else release_body(trial.known, trial.history)
    body: Json = {"dry_run": True, "known": known is not None, "draft": draft_body(draft), "release": known}
    body |= {"activated": False, "diff": trial.difference.body()}
    refused = bool(trial.objections) and not force
    if not as_json:
        show(f"{draft.label} is valid: {counted(draft.table.counts(), len(draft.table.ranges))}.")
        show("It is new." if trial.known is None else f"It was loaded before, as {trial.known.id}.")
        show(*trial.difference.shown(all_ranges=all_ranges))
    if refused:
        raise _too_much(trial.objections, "Nothing was changed: this is a dry run.", details=body, shown=[])
    if as_json:
        print_json(body)
    else:
        show("It may be put into service. Nothing was changed: this is a dry run.")
