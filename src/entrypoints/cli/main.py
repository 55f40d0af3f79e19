"""`belref`: serve, ask from the command line what the service answers over HTTP, and look after risk tables."""

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

import click

from entrypoints.cli.commands import Group

_MODULES = {
    "index": "questions",
    "indexation": "indexations",
    "rent": "rents",
    "place": "rents",
    "zipcode": "zipcodes",
    "zipcodes": "zipcodes",
    "risk": "risk",
    "doctor": "doctor",
    "verify": "verify",
    "mcp": "mcp",
    "serve": "service",
    "migrate": "service",
}

_EXIT_CODES = """\b
Exit codes: 0 done; 1 refused; 2 not understood; 3 a store or a source does not
answer; 130 interrupted.
"""


@click.group(cls=Group, modules=_MODULES, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EXIT_CODES)
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
    except BrokenPipeError:  # whoever read along has seen enough, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is flushed into the pipe any more
        sys.exit(1)
    sys.exit(code or 0)
