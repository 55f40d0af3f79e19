"""Log lines: one JSON object each, or coloured text for people. Ours and those of libraries look the same."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer

if TYPE_CHECKING:
    from entrypoints.metrics import Series

_LINES_AT_ONCE = 128
_SECONDS_AT_MOST = 0.2
_A_SECOND = 1_000_000_000  # nanoseconds
_LINE = (
    '%s"milliseconds": %.2f, "event": "request", "request_id": "%s", "logger": "access", "level": "info", '
    '"timestamp": "SECOND.%06dZ"}\n'
)
_PARTS = 4


def configure_logs(level: str, *, for_people: bool = False) -> None:
    """Send everything to standard error, from `level` on; traces never show the values of local variables."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: list[Any] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if for_people
        else [
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("httpx2", "httpcore2"):
        logging.getLogger(chatty).setLevel("WARNING")
    logging.getLogger("stamina").setLevel("ERROR")  # what comes of its retries is logged where it matters


# -- one line for each request: through structlog it costs half of what the web server does for one --

log = structlog.get_logger("access")


class AccessLog(Protocol):
    """Where the lines go."""

    def write(self, request: Series, identity: str, seconds: float, trace_id: str | None = None) -> None:
        """The line of one request: its kind, its id, what it took, and its trace where there is one, in hexadecimal."""

    def flush(self) -> None:
        """Write out what waits, if anything does."""


class StructuredAccessLog:
    """Each line at once, through structlog, however that is configured."""

    def write(self, request: Series, identity: str, seconds: float, trace_id: str | None = None) -> None:
        log.info(
            "request",
            method=request.method,
            route=request.route,
            status=request.status,
            milliseconds=round(seconds * 1000, 2),
            request_id=identity,
            **({} if trace_id is None else {"trace_id": trace_id}),
        )

    def flush(self) -> None:
        pass


class BatchedAccessLog:
    """The same lines as JSON, made by hand and written many at once; to be used within a running event loop.

    They wait for a fifth of a second at most. Who stops the service calls `flush`.
    """

    def __init__(
        self, write: Callable[[str], object], *, clock: Callable[[], int] = time.time_ns, at_once: int = _LINES_AT_ONCE
    ) -> None:
        """`clock` gives nanoseconds since 1970."""
        self._write, self._clock = write, clock
        self._most = at_once * _PARTS
        self._waiting: list[object] = []  # the parts of one line after the other, all of one second
        self._second = self._end = 0
        self._line = ""
        self._timer: asyncio.TimerHandle | None = None

    def write(self, request: Series, identity: str, seconds: float, trace_id: str | None = None) -> None:
        if trace_id is not None:
            identity = f'{identity}", "trace_id": "{trace_id}'  # in its place, as all lines have the same parts
        now = self._clock()
        if not self._second <= now < self._end:
            self._turn(now)
        waiting = self._waiting
        waiting += (request.line, seconds * 1000, identity, (now - self._second) // 1000)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_SECONDS_AT_MOST, self._in_time)
        if len(waiting) >= self._most:
            self.flush()

    def flush(self) -> None:
        waiting = self._waiting
        if waiting:
            self._waiting = []
            self._write(self._line * (len(waiting) // _PARTS) % tuple(waiting))

    def _turn(self, now: int) -> None:
        """Begin another second: the lines of one are all the same but for their parts, and are made at a stroke."""
        self.flush()
        self._second = now - now % _A_SECOND
        self._end = self._second + _A_SECOND
        shown = datetime.fromtimestamp(self._second // _A_SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        self._line = _LINE.replace("SECOND", shown)

    def _in_time(self) -> None:
        self._timer = None
        self.flush()


class SilentAccessLog:
    """For a log level above that of the lines."""

    def write(self, request: Series, identity: str, seconds: float, trace_id: str | None = None) -> None:
        pass

    def flush(self) -> None:
        pass


def written_to(stream: TextIO) -> Callable[[str], None]:
    """Lines written to a stream, and out of it."""

    def write(text: str) -> None:
        stream.write(text)
        stream.flush()

    return write


def access_log(level: str, *, for_people: bool = False) -> AccessLog:
    """What writes the line of each request, for logs that are configured with the same arguments."""
    if level not in {"debug", "info"}:
        return SilentAccessLog()
    return StructuredAccessLog() if for_people else BatchedAccessLog(written_to(sys.stderr))
