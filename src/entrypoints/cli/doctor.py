"""`belref doctor`: what an operator looks at first."""

import asyncio
from collections.abc import Sequence

import click

from entrypoints.cli.commands import Command, cell, noticed, out, print_json, show
from entrypoints.cli.opening import make_container
from entrypoints.cli.values import json_option
from entrypoints.doctor.examination import Examination
from entrypoints.doctor.findings import Outcome
from entrypoints.doctor.in_force import InForce, settings_in_force
from entrypoints.settings import load_settings

_STYLES = {
    Outcome.OK: "green",
    Outcome.WARNING: "bold yellow",
    Outcome.FAILED: "bold red",
    Outcome.SKIPPED: "yellow",
}


@click.command(cls=Command)
@click.option("--offline", is_flag=True, help="Do not ask Statbel.")
@click.option("--all", "all_settings", is_flag=True, help="Show the settings that were left at their defaults, too.")
@json_option
def doctor(*, offline: bool, all_settings: bool, as_json: bool) -> int:
    """Look at the settings, and at all that a service with them leans on.

    It asks and changes nothing. One line for each thing, with what to do where
    there is something to do; exit code 1 when a check fails.
    """
    settings = load_settings()
    in_force = settings_in_force(settings)
    if not as_json:
        _show_settings([each for each in in_force if all_settings or each.origin != "default"])
    examination = Examination(make_container(settings), offline=offline)
    return asyncio.run(_examine(examination, in_force if as_json else None))


async def _examine(examination: Examination, in_force: Sequence[InForce] | None) -> int:
    """Show what is found, as JSON with these settings where they are given; the exit code.

    Within the event loop, whose end waits for a name server that is silent.
    """
    async with noticed("looking ..."):
        found = [each async for each in examination.findings()]
    counts = {outcome.value: sum(each.outcome is outcome for each in found) for outcome in Outcome}
    if in_force is not None:
        values = [{"name": each.name, "value": each.value, "origin": each.origin} for each in in_force]
        checks = [
            {"name": each.name, "outcome": each.outcome, "detail": each.detail, "advice": each.advice} for each in found
        ]
        print_json({"settings": values, "checks": checks, **counts})
    else:
        for each in found:
            out.print(f"{each.outcome:8}", style=_STYLES[each.outcome], end="")
            show(cell(each.line))
        show(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    return 1 if counts[Outcome.FAILED.value] else 0


def _show_settings(settings: Sequence[InForce]) -> None:
    width = max((len(each.name) for each in settings), default=0)
    for each in settings:
        show(cell(f"{each.name:{width}}  {each.value or '(empty)'}  ({each.origin})"))
    if not settings:
        show("every setting has its default")
