"""What the commands of `belref risk` share: their options, and reading a file."""

import getpass
import os
from pathlib import Path

import click

from adapters.risk_files.reading import read_draft
from domain.risk.releases import Draft
from domain.risk.tables import InvalidRiskTable
from entrypoints.cli.commands import Notice, refused_file

_MAX_NAME, _MAX_LABEL = 100, 200


def _operator() -> str:
    """The name under which somebody is logged in; his number where a container has no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):  # which of them depends on the version of Python
        return str(os.getuid())


def _printable(limit: int, text: str, param: click.Parameter) -> str:
    if not text.strip() or len(text) > limit or not text.isprintable():
        raise click.BadParameter(f"give 1 to {limit} characters that can be printed", param=param)
    return text.strip()


def _check_by(_: click.Context, param: click.Parameter, text: str) -> str:
    return _printable(_MAX_NAME, text, param)


def _check_label(_: click.Context, param: click.Parameter, text: str | None) -> str | None:
    return None if text is None else _printable(_MAX_LABEL, text, param)


file_argument = click.argument("file", type=click.Path(path_type=Path))
json_option = click.option("--json", "as_json", is_flag=True, help="Nothing but JSON on standard output.")
force_option = click.option("--force", is_flag=True, help="However much it changes.")
all_option = click.option("--all", "all_ranges", is_flag=True, help="All ranges that differ, and not the first 40.")
label_option = click.option(
    "--label", metavar="TEXT", callback=_check_label, help="What to call it; otherwise the name of the file."
)
by_option = click.option(
    "--by",
    metavar="NAME",
    envvar="BELREF_OPERATOR",
    default=_operator,
    callback=_check_by,
    help="Who does it, for the log; otherwise BELREF_OPERATOR, or the name of the login.",
)


def read_file(path: Path, label: str | None = None) -> Draft:
    """Read and check a file.

    :raises Refused: with every fault
    """
    name = "".join(each if each.isprintable() else "_" for each in path.name)[:_MAX_LABEL]
    notice = Notice()
    try:
        return read_draft(path, label=label or name, progress=notice.reading, checked=notice.checking)
    except InvalidRiskTable as error:
        raise refused_file(name, error) from error
    finally:
        notice.close()
