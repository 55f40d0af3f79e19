"""What a deployment promises, one check for each promise; an operator runs all of them against any address."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from entrypoints.verify.deployment import Deployment, NotAsPromisedError, Reply


class Outcome(StrEnum):
    """What came of a check; `skipped` where this machine, or that deployment, leaves out what it needs."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """A check and what came of it; `detail` says why it failed or was skipped."""

    name: str
    promise: str
    outcome: Outcome
    detail: str = ""


class SkippedError(Exception):
    """A check cannot be made here; the message says why."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a deployment promises, in words, and how that is held against it."""

    name: str
    words: str
    check: Callable[[Deployment], None]


def promise(name: str, words: str) -> Callable[[Callable[[Deployment], None]], Promise]:
    """Make a promise of a function that raises unless it is kept."""
    return lambda check: Promise(name, words, check)


def run(promises: Iterable[Promise], deployment: Deployment) -> Iterator[Result]:
    """Check each promise in turn. A defect of an answer fails the check, whatever it makes of it.

    :raises UnreachableError: when the deployment does not answer
    """
    for each in promises:
        try:
            each.check(deployment)
        except NotAsPromisedError as error:
            yield Result(each.name, each.words, Outcome.FAILED, str(error))
        except SkippedError as error:
            yield Result(each.name, each.words, Outcome.SKIPPED, str(error))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            detail = f"an answer has another form than promised: {type(error).__name__}: {error}"
            yield Result(each.name, each.words, Outcome.FAILED, detail[:300])
        else:
            yield Result(each.name, each.words, Outcome.OK)


def expect(condition: object, reply: Reply, words: str) -> None:
    """:raises NotAsPromisedError: naming the answer, unless the condition holds"""
    if not condition:
        raise NotAsPromisedError(f"{reply}: {words}")


def succeeded(reply: Reply) -> Reply:
    """The same reply, which must be a 200."""
    expect(reply.status == 200, reply, f"status {reply.status}, not 200")
    return reply


def same(found: object, wanted: object, reply: Reply, what: str) -> None:
    """:raises NotAsPromisedError: when they differ"""
    expect(found == wanted, reply, f"{what} is {str(found)[:120]}, not {str(wanted)[:120]}")
