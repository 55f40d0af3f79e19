"""`belref`: serve, ask from the command line what the service answers over HTTP, and look after risk tables."""

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

import click

_COMMANDS = {
    "index": "questions",
    "indexation": "questions",
    "rent": "questions",
    "zipcode": "questions",
    "risk": "risk",
    "serve": "service",
    "migrate": "service",
}
"""Where each command is. A module is imported when its command is asked for: the web framework takes a while."""


class _Commands(click.Group):
    """Finds commands in their modules."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the same for everybody
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(import_module(f"entrypoints.cli.{_COMMANDS[cmd_name]}"), cmd_name)
        return command if isinstance(command, click.Command) else None


_EXIT_CODES = """\b
Exit codes: 0 done; 1 refused; 2 not understood; 3 a store or a source does not
answer; 130 interrupted.
"""


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EXIT_CODES)
@click.version_option(package_name="belref")
def cli() -> None:
    """The Belgian health index, and the risk factor of a Belgian zipcode.

    Settings come from the environment and from a file .env in the working directory.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. Exit codes: 0 done, 1 refused, 2 not understood, 3 no answer from elsewhere, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # where a character cannot be shown, the rest of the line still can
            stream.reconfigure(errors="replace")
    try:
        code = cli.main(args=arguments, prog_name="belref", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    sys.exit(code or 0)
