"""`belref mcp`: tools for assistants, in a process of its own, towards any belref."""

import logging
import sys

import click

from entrypoints.cli.commands import Command, Refused
from entrypoints.cli.values import service_url
from entrypoints.logs import configure_logs

_MISSING = (
    "belref mcp needs the extra 'mcp', which is not installed: "
    "pip install --require-hashes -r requirements/mcp.txt, or pip install 'belref[mcp]'"
)


@click.command(cls=Command)
@click.option(
    "--url",
    envvar="BELREF_URL",
    show_envvar=True,
    default="http://127.0.0.1:5000",
    show_default=True,
    callback=lambda _ctx, _param, value: service_url(value),
    help="The belref to ask.",
)
@click.option("--http", is_flag=True, help="Listen for streamable HTTP, in place of standard input and output.")
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="With --http: where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=5001, show_default=True, help="0 for any that is free.")
@click.option("--allowed-host", "names", metavar="NAME", multiple=True, help="A name of this machine; may be repeated.")
@click.option("--timeout", type=click.FloatRange(0.1, 60), default=10.0, show_default=True, help="Seconds to wait.")
def mcp(url: str, host: str, port: int, names: tuple[str, ...], timeout: float, *, http: bool) -> None:
    """Offer six tools by the Model Context Protocol (MCP).

    Figures, amounts, rents, zipcodes, how current they are, and a check of claimed
    figures. It asks the belref at --url and changes nothing. Needs the extra `mcp`.
    """
    try:
        from entrypoints.mcp.serving import serve_http, serve_stdio  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"mcp", "mcp_types", "pydantic", "starlette"}:
            raise
        raise Refused("missing_extra", [_MISSING]) from error
    configure_logs("info" if http else "warning", for_people=sys.stderr.isatty())
    logging.getLogger("mcp").setLevel("WARNING")
    if http:
        serve_http(url, timeout, host, port, names)
    else:
        serve_stdio(url, timeout)
