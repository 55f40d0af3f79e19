"""`belref risk`: the life of a risk table from a file to service, for whoever answers for it."""

from pathlib import Path

import click

from entrypoints.cli.commands import Command, Group, print_json, show
from entrypoints.cli.risk_options import file_argument, json_option, read_file
from entrypoints.cli.risk_rendering import contents, draft_body

_MODULES = {
    "check": "risk",
    "diff": "risk_questions",
    "load": "risk_changes",
    "activate": "risk_changes",
    "rollback": "risk_changes",
    "releases": "risk_questions",
    "export": "risk_questions",
    "log": "risk_questions",
}

_EXIT_CODES = """\b
Exit codes:
  0    done
  1    refused: faults, too much change, an unknown release, nothing to roll
       back to, another release came into service meanwhile;
       diff --exit-code: the tables differ
  2    not understood
  3    the store does not answer
  130  interrupted
"""


@click.group(cls=Group, modules=_MODULES, epilog=_EXIT_CODES)
def risk() -> None:
    """Risk tables: check, compare, load, put into service, roll back.

    A table that is loaded becomes a release, which never changes; one release is in service. RELEASE is the id of a
    release, or its number. Releases live in Postgres (DB_DSN) or in a folder (DATA_DIR).
    """


@click.command(cls=Command)
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
