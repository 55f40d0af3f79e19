"""`belref verify`: an operator's acceptance test of any deployment."""

from collections.abc import Iterable

import click

from entrypoints.cli.commands import Command, Unanswered, cell, out, print_json, show
from entrypoints.cli.values import json_option, service_url
from entrypoints.verify import against
from entrypoints.verify.checks import Outcome, Result, run
from entrypoints.verify.deployment import Deployment, UnreachableError
from entrypoints.verify.promises import PROMISES

_STYLES = {Outcome.OK: "green", Outcome.FAILED: "bold red", Outcome.SKIPPED: "yellow"}


@click.command(cls=Command)
@click.argument("url")
@click.option("--only", type=click.Choice(list(PROMISES)), multiple=True, metavar="CHECK", help="May be repeated.")
@click.option("--against", "other", metavar="URL", help="Compare with another deployment, answer by answer, instead.")
@click.option("--timeout", type=click.FloatRange(0.1, 60), default=10.0, help="Seconds for a step of a request.")
@json_option
def verify(url: str, only: tuple[str, ...], other: str | None, timeout: float, *, as_json: bool) -> int:
    """Hold the service at URL against what belref promises.

    It asks and changes nothing. One line for each promise; exit code 1 when one is
    broken, 3 when nobody answers.
    """
    one = _deployment(url, timeout)
    try:
        found = (
            run([PROMISES[name] for name in only or PROMISES], one)
            if other is None
            else against.compare(one, _deployment(other, timeout))
        )
        results = list(found if as_json else _shown(found))
    except UnreachableError as error:
        raise Unanswered("unreachable", [str(error)]) from error
    finally:
        one.close()
    counts = {outcome.value: sum(result.outcome is outcome for result in results) for outcome in Outcome}
    if as_json:
        checks = [
            {"name": each.name, "promise": each.promise, "outcome": each.outcome, "detail": each.detail}
            for each in results
        ]
        print_json({"url": url, "against": other, "checks": checks, **counts})
    else:
        show(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    return 1 if counts[Outcome.FAILED.value] else 0


def _deployment(url: str, timeout: float) -> Deployment:
    return Deployment(service_url(url), timeout=timeout)


def _shown(results: Iterable[Result]) -> Iterable[Result]:
    """The same results, each printed as soon as it is known."""
    for result in results:
        out.print(f"{result.outcome:8}", style=_STYLES[result.outcome], end="")
        show(cell(f"{result.name}: {result.detail or result.promise}"))
        yield result
