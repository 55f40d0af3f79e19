"""`/metrics` on a port of its own, for a network that clients do not reach (`METRICS_PORT`)."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import structlog
import uvicorn
from litestar.types import ASGIApp, Receive, Send

from entrypoints.lifecycle import NotStartedError
from entrypoints.metrics import Metrics, exposition

log = structlog.get_logger(__name__)


@contextlib.asynccontextmanager
async def metrics_served(metrics: Metrics, host: str, port: int | None) -> AsyncIterator[None]:
    """Serve them for as long as the service runs; not at all without a port, or with 0.

    :raises NotStartedError: for a port that cannot be used
    """
    if not port:
        yield
        return
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise NotStartedError(f"METRICS_PORT: {host}:{port} cannot be used: {error.strerror}") from error
    server = _Server(
        uvicorn.Config(
            make_metrics_app(metrics), log_config=None, access_log=False, server_header=False, lifespan="off"
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listening]))
    log.info("metrics on a port of their own", host=host, port=port)
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    """Leaves signals to the server beside it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def make_metrics_app(metrics: Metrics) -> ASGIApp:
    """What answers on that port: `/metrics`, and nothing else."""

    async def app(scope: Any, receive: Receive, send: Send) -> None:  # noqa: ARG001
        if scope["type"] != "http":
            return
        accept = b", ".join(value for name, value in scope["headers"] if name == b"accept")
        status, body, media_type = 404, b"There is nothing here but /metrics\n", "text/plain; charset=utf-8"
        if scope["path"] == "/metrics" and scope["method"] in {"GET", "HEAD"}:
            status, (body, media_type) = 200, await exposition(metrics, accept.decode("latin-1"))
        headers = [
            (b"content-type", media_type.encode("latin-1")),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else body
        await send({"type": "http.response.body", "body": body, "more_body": False})

    return app
