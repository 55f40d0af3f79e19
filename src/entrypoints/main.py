"""Build the service from its settings, open what it needs, serve, and close in reverse."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine

import structlog
import uvicorn
from litestar import Litestar

from domain.errors import InvalidRiskTable
from entrypoints.container import Container
from entrypoints.http.app import create_app
from entrypoints.http.edge import Edge
from entrypoints.logs import configure_logs
from entrypoints.settings import Environment, InvalidSettingsError, Settings, split

log = structlog.get_logger(__name__)

_FAULTS_LOGGED = 100


def build_app(settings: Settings) -> Edge:
    """The application as ASGI; it opens what it needs when its lifespan starts.

    :raises InvalidSettingsError: for a risk table with faults, each of which is in the log
    """
    container = Container(settings=settings)

    @contextlib.asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            if settings.health_index_source == "statbel":
                stack.push_async_callback(container.statbel().aclose)
                stack.push_async_callback(container.cached_statbel().aclose)
                await stack.enter_async_context(_in_background(container.refresher().run()))
            yield

    try:
        risks = container.risks()
    except InvalidRiskTable as error:
        for fault in error.faults[:_FAULTS_LOGGED]:
            log.warning("fault in the risk table", line=fault.line, reason=fault.reason)
        raise InvalidSettingsError(f"RISK_TABLE_FILE: {error}") from error
    return create_app(
        index=container.index(),
        risks=risks,
        clock=container.clock(),
        checks=container.checks(),
        allow_origins=split(settings.cors_origins),
        lifespan=[lifespan],
    )


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests in flight are finished first.

    :raises InvalidSettingsError: as `build_app` does
    """
    configure_logs(settings.log_level, for_people=settings.environment is Environment.DEVELOPMENT)
    app = build_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    uvicorn.Server(config).run()


@contextlib.asynccontextmanager
async def _in_background(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run something beside the block, and end it with the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
