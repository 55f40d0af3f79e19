"""`belref doctor`: what an operator looks at first."""

import asyncio

import click

from entrypoints.cli.commands import Command, cell, noticed, out, print_json, show
from entrypoints.cli.opening import make_container
from entrypoints.cli.values import json_option
from entrypoints.doctor.examination import Examination
from entrypoints.doctor.findings import Finding, Outcome
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
    found = asyncio.run(_findings(examination, silent=as_json))
    counts = {outcome.value: sum(each.outcome is outcome for each in found) for outcome in Outcome}
    if as_json:
        values = [{"name": each.name, "value": each.value, "origin": each.origin} for each in in_force]
        checks = [
            {"name": each.name, "outcome": each.outcome, "detail": each.detail, "advice": each.advice} for each in found
        ]
        print_json({"settings": values, "checks": checks, **counts})
    else:
        show(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    return 1 if counts[Outcome.FAILED.value] else 0


async def _findings(examination: Examination, *, silent: bool) -> list[Finding]:
    """All of them; unless `silent`, each is shown as soon as it is known."""
    found = []
    async with noticed("looking ..."):
        async for each in examination.findings():
            found.append(each)
            if not silent:
                out.print(f"{each.outcome:8}", style=_STYLES[each.outcome], end="")
                show(cell(each.line))
    return found


def _show_settings(settings: list[InForce]) -> None:
    width = max((len(each.name) for each in settings), default=0)
    for each in settings:
        show(cell(f"{each.name:{width}}  {each.value or '(empty)'}  ({each.origin})"))
    if not settings:
        show("every setting has its default")
