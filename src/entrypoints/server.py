"""Build the service from its settings and serve it."""

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version
from typing import Literal

import structlog
import uvicorn
from litestar import Litestar

from domain.errors import StorageUnavailable
from entrypoints.container import Container
from entrypoints.descriptors import descriptors_watched
from entrypoints.http.app import Lifespan, create_app, keep_answers
from entrypoints.http.edge.application import Edge
from entrypoints.http.edge.guarded import missing_attributes
from entrypoints.http.edge.guards import Guard, Limits
from entrypoints.http.edge.protocol import protocol_for
from entrypoints.lag import loop_lag_measured
from entrypoints.lifecycle import NotStartedError, running
from entrypoints.logs import access_log, configure_logs
from entrypoints.metrics_port import metrics_served
from entrypoints.settings import Environment, Settings, load_settings, misspelt, split
from entrypoints.tracing.switch import start_tracing

log = structlog.get_logger(__name__)

_LAST_TRACES = 3.0  # seconds to send them in, once all else is closed


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests in flight are finished first.

    :raises NotStartedError: when there would be nothing to answer with, or for an address that cannot be used
    """
    _configure_logs(settings)
    for name, meant in misspelt().items():
        log.warning("a name in .env is no setting", name=name, probably_meant=meant)
    tracing = start_tracing()
    container = Container(settings=settings, tracing=tracing)
    try:
        if settings.redis_url is not None:
            container.redis()
    except ValueError as error:
        raise NotStartedError(f"REDIS_URL: {error}") from error
    try:
        application = build_app(container)
    except StorageUnavailable as error:
        raise NotStartedError(f"DB_DSN: {error.reason}") from error
    config = uvicorn.Config(
        application,
        http=_protocol(application, container),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody asks for the address or the scheme of a client
        lifespan="off",
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )

    async def main() -> None:
        task = asyncio.current_task()
        if task is not None:  # while Postgres is waited for, a signal ends the waiting and closes what is open
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        # Outside of the server, so that a start that fails is one line and not the server's trace of it.
        async with (
            descriptors_watched(),
            loop_lag_measured(container.metrics()),
            metrics_served(container.metrics(), settings.host, settings.metrics_port),
            running(container),
        ):
            _spare_what_stays()
            try:
                await _Server(config).serve()
            finally:
                application.close()

    try:
        with (
            asyncio.Runner(loop_factory=config.get_loop_factory()) as runner,
            contextlib.suppress(asyncio.CancelledError),
        ):
            runner.run(main())
    finally:
        if tracing is not None:  # last of all, as what is closed before may still end spans
            tracing.close(min(settings.shutdown_seconds, _LAST_TRACES))


def _spare_what_stays() -> None:
    """Let the collector pass over what there is now: to look at all of it takes 20 to 30 ms, and nobody is answered."""
    gc.collect()
    gc.freeze()


def _protocol(application: Edge, container: Container) -> type[asyncio.Protocol] | Literal["auto"]:
    """Our own, or uvicorn's where that is not what ours leans on: slower, and the same answers."""
    missing = missing_attributes(application)
    if missing:
        log.warning("this uvicorn is not known: answers are not kept, and limits not held", missing=missing)
        return "auto"
    settings = container.settings()
    kept = (
        keep_answers(container.index(), container.risks(), container.clock(), container.metrics())
        if settings.response_cache
        else None
    )
    limits = Limits(
        connections=settings.max_connections,
        target_bytes=settings.max_target_bytes,
        headers=settings.max_headers,
        header_bytes=settings.max_header_bytes,
        header_seconds=settings.header_seconds,
        body_seconds=settings.body_seconds,
        write_seconds=settings.write_seconds,
        keep_alive_seconds=settings.keep_alive_seconds,
    )
    return protocol_for(application, kept, Guard(limits, container.metrics()))


class _Server(uvicorn.Server):
    """Ends by returning. uvicorn would raise the signal again, and nothing behind the server would be closed.

    In a terminal it says where to look as soon as it listens.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sys.stderr.isatty():
            port = self.servers[0].sockets[0].getsockname()[1]  # the setting may be 0, for any that is free
            host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
            sys.stderr.write(f"belref {version('belref')}: http://{host}:{port}, API at /schema\n")

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:  # what is open is being closed: another signal must not cut that short
                loop.add_signal_handler(number, _nothing)


def _nothing() -> None:
    """In answer to a signal that has been heard already."""


def app() -> Edge:
    """The application for servers that import it, such as one that reloads; its lifespan opens what it needs."""
    settings = load_settings()
    _configure_logs(settings)
    container = Container(settings=settings)

    @contextlib.asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with loop_lag_measured(container.metrics()), running(container):
            yield

    return build_app(container, lifespan)


def build_app(container: Container, *lifespan: Lifespan) -> Edge:
    """The HTTP application over what the container holds."""
    settings = container.settings()
    edge = create_app(
        index=container.index(),
        risks=container.risks(),
        clock=container.clock(),
        checks=container.checks(),
        metrics=container.metrics(),
        places=container.places(),
        allow_origins=split(settings.cors_origins),
        lifespan=lifespan,
        show_metrics=settings.metrics_port is None,
        access_log=access_log(settings.log_level, for_people=_for_people(settings)),
    )
    edge.tracing = container.tracing()
    return edge


def _configure_logs(settings: Settings) -> None:
    configure_logs(settings.log_level, for_people=_for_people(settings))


def _for_people(settings: Settings) -> bool:
    return settings.environment is Environment.DEVELOPMENT or sys.stderr.isatty()
