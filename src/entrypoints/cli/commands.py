"""What the commands of `belref` have in common: where they write, how they wait, and how they refuse."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import click
import msgspec
from rich.console import Console, RenderableType
from rich.status import Status
from rich.table import Table
from rich.text import Text

from domain.errors import DomainError, SourceUnavailable, StorageUnavailable
from domain.risk.tables import InvalidRiskTable
from entrypoints.settings import InvalidSettingsError

MOMENT = 0.7
"""How many seconds something may take before a word is said of it."""

FAULTS_SHOWN = 100

_WIDE = 1000  # columns: half an id is of no use to anybody, and programs read along

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(body: object) -> None:
    """One line of JSON on standard output; decimals are numbers that keep their decimals."""
    click.echo(msgspec.json.Encoder(decimal_format="number").encode(body))


def show(*shown: RenderableType, to: Console = out) -> None:
    """Text as it stands, whatever brackets are in it, and tables as wide as they are."""
    for each in shown:
        if isinstance(each, Table):
            Console(file=to.file, width=_WIDE).print(each)
        else:
            to.print(each, markup=False)


def cell(text: str) -> Text:
    """Text that somebody else wrote, without what would move the cursor or colour the terminal."""
    return Text("".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text))


def encodable(text: str) -> str:
    """Text that may come from the name of a file, which is any bytes, as text that can be written as UTF-8."""
    return text.encode("utf-8", "replace").decode()


class Refused(click.ClickException):
    """Ends a command: said on standard error, or as JSON on standard output where JSON was asked for."""

    exit_code = 1

    def __init__(
        self,
        kind: str,
        reasons: Sequence[str],
        *,
        message: str | None = None,
        details: Mapping[str, object] | None = None,
        shown: Sequence[RenderableType] = (),
    ) -> None:
        """`kind` and `reasons` are for programs, with `details`; for people there is `shown`, and then the message."""
        reasons = [encodable(reason) for reason in reasons]
        super().__init__("\n".join(reasons) if message is None else message)
        self.as_json = False
        self._shown = shown
        self._body = {"error": kind, "refused": reasons, **(details or {})}

    def show(self, file: object = None) -> None:  # noqa: ARG002 - click offers a stream; the choice is made here
        if self.as_json:
            print_json(self._body)
        else:
            show(*self._shown, *map(cell, self.message.split("\n")), to=err)


class NotUnderstood(Refused):
    """What was given cannot be read, be it an argument, a line of a file or a setting."""

    exit_code = 2


class Unanswered(Refused):
    """Nothing is wrong with what was asked: it may be asked again later."""

    exit_code = 3


def refusal(error: Exception) -> Refused:
    """The refusal that a failure comes to."""
    kind = "".join(f"_{each.lower()}" if each.isupper() else each for each in type(error).__name__).strip("_")
    refused = Refused  # most failures are answers, if not wanted ones
    if isinstance(error, StorageUnavailable | SourceUnavailable):
        refused = Unanswered
    elif isinstance(error, InvalidSettingsError):
        refused = NotUnderstood
    return refused(kind.removesuffix("_error"), [str(error)])


def refused_file(name: str, error: InvalidRiskTable) -> Refused:
    """A file with faults: as many as are told for programs, the first hundred for people, and how many there are."""
    faults = [{"line": fault.line or None, "reason": encodable(fault.reason)} for fault in error.faults]
    details = {"file": name, "faults": faults, "total": error.total}
    if not error.faults[0].line:  # the file as a whole: there is no more to say of it
        return Refused("invalid_risk_table", [f"{name}: {error.faults[0].reason}"], details=details)
    count = "1 fault" if error.total == 1 else f"{error.total:,} faults"
    shown = [str(fault) for fault in error.faults[:FAULTS_SHOWN]]
    if error.total > FAULTS_SHOWN:
        shown.append(f"... and {error.total - FAULTS_SHOWN:,} more")
    return Refused(
        "invalid_risk_table",
        [f"{name} has {count}"],
        message=f"Refused: {name} has {count}.",
        details=details,
        shown=[cell(line) for line in shown],
    )


class Command(click.Command):
    """Turns what may go wrong into a refusal; the parameter `as_json` says in which form."""

    refuses_in_json = True

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Refused as error:
            refused = error
        except (DomainError, InvalidSettingsError) as error:
            refused = refusal(error)
        refused.as_json = self.refuses_in_json and bool(ctx.params.get("as_json"))
        raise refused


class Group(click.Group):
    """A group of such commands, in the order in which they are used.

    `modules` says where each is: a module is imported when its command is asked for, as some load much that others do
    not need.
    """

    command_class = Command

    def __init__(self, *arguments: Any, modules: Mapping[str, str] | None = None, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._modules = modules or {}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the same for everybody
        return [*self._modules, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._modules:
            return super().get_command(ctx, cmd_name)
        command = getattr(import_module(f"entrypoints.cli.{self._modules[cmd_name]}"), cmd_name)
        return command if isinstance(command, click.Command) else None


class Notice:
    """A line on standard error that says what is going on: on a terminal, once it has taken longer than a moment."""

    def __init__(
        self, console: Console = err, monotonic: Callable[[], float] = time.monotonic, *, silent: bool = False
    ) -> None:
        """`monotonic` gives seconds; a `silent` one says nothing."""
        self._console, self._monotonic = console, monotonic
        self._shown = console.is_terminal and not silent
        self._began = monotonic()
        self._status: Status | None = None

    def reading(self, done: int, total: int) -> None:
        """How many bytes of a file are read, of how many; 0 where nobody knows that."""
        self.say(f"reading: {done * 100 // total} % of {total:,} bytes" if total else f"reading: {done:,} bytes")

    def checking(self, rows: int) -> None:
        """How many rows of a file are checked."""
        self.say(f"checking: {rows:,} rows")

    def say(self, text: str) -> None:
        """Say it, if it is time to."""
        if self._status is not None:
            self._status.update(text)
        elif self._shown and self._monotonic() - self._began >= MOMENT:
            self._status = self._console.status(text)
            self._status.start()

    def close(self) -> None:
        """Take the line away again."""
        if self._status is not None:
            self._status.stop()


@contextlib.asynccontextmanager
async def noticed(text: str) -> AsyncIterator[None]:
    """Say what is going on for as long as the block takes."""
    notice = Notice()
    timer = asyncio.get_running_loop().call_later(MOMENT, notice.say, text)
    try:
        yield
    finally:
        timer.cancel()
        notice.close()
