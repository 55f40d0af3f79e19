"""The two ways in which a client reaches the tools: standard input and output, and streamable HTTP."""

import asyncio
import signal
from collections.abc import Sequence

import uvicorn
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings

from entrypoints.mcp.api import Belref
from entrypoints.mcp.tools import make_server

PATH = "/mcp"
LARGEST_REQUEST = 64 * 1024
"""Bytes; the arguments of a call are a few hundred."""

_AT_ONCE = 64
_HERE = ("127.0.0.1", "localhost", "[::1]")


def serve_stdio(url: str, timeout: float) -> None:
    """Answer on standard input and output until the client closes them or Ctrl-C; nothing else is written there."""

    async def serve() -> None:
        async with Belref(url, timeout=timeout) as belref, stdio_server() as (reading, writing):
            server = make_server(belref)
            await server.run(reading, writing, server.create_initialization_options())

    # Ctrl-C would wait for the thread that reads standard input until somebody presses Enter. There is nothing to save.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    asyncio.run(serve())


def serve_http(url: str, timeout: float, host: str, port: int, names: Sequence[str]) -> None:
    """Answer at `PATH` until SIGTERM or Ctrl-C. `names` are those by which clients reach this machine from elsewhere.

    A `Host` or `Origin` that is none of them is refused: a page of another site, whose name was bound to this address
    anew (DNS rebinding), reaches no tool.
    """

    async def serve() -> None:
        async with Belref(url, timeout=timeout) as belref:
            app = make_server(belref).streamable_http_app(
                streamable_http_path=PATH,
                stateless_http=True,  # no session is kept: any replica answers any call
                json_response=True,
                max_request_body_size=LARGEST_REQUEST,
                transport_security=allowed(names),
                host=host,
            )
            config = uvicorn.Config(
                app, host=host, port=port, log_config=None, access_log=False, limit_concurrency=_AT_ONCE
            )
            await uvicorn.Server(config).serve()

    asyncio.run(serve())


def allowed(names: Sequence[str]) -> TransportSecuritySettings:
    """Which hosts and origins may ask: those of this machine, and these names, on any port."""
    hosts = [form for name in (*_HERE, *names) for form in (name, f"{name}:*")]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=hosts,
        allowed_origins=[f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts],
    )
