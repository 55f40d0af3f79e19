"""What one client may take of the process: bytes, connections, time. Who takes more is told so where that can be."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Protocol

import structlog

from entrypoints.http.problems import Kind
from entrypoints.metrics import Metrics

log = structlog.get_logger(__name__)

_LOOK_EVERY = 1.0  # seconds
_LOG_EVERY = 60.0


class Limits(NamedTuple):
    """The limits of a connection, and of how many there are."""

    connections: int = 1000
    target_bytes: int = 8 * 1024
    headers: int = 100
    header_bytes: int = 32 * 1024
    header_seconds: float = 10
    body_seconds: float = 30
    write_seconds: float = 60
    keep_alive_seconds: float = 5


class Reason(StrEnum):
    """Why a request or a connection was refused, as the metrics and the log say it."""

    CONNECTIONS = "connections"
    TARGET = "target"
    HEADERS = "headers"
    HEADER_TIME = "header_time"
    BODY_TIME = "body_time"
    WRITE_TIME = "write_time"
    MALFORMED = "malformed"


TOO_LONG = Kind("urn:problem-type:belref:targetTooLong", 414, "Target Too Long")
HEADERS_TOO_LARGE = Kind("urn:problem-type:belref:headersTooLarge", 431, "Headers Too Large")
TIMED_OUT = Kind("urn:problem-type:belref:requestTimeout", 408, "Request Timeout")


class Guarded(Protocol):
    """A connection, as the guard sees it."""

    def is_idle(self) -> bool:
        """Whether nothing is being answered, nor on its way."""

    def look(self, now: float) -> None:
        """End what has lasted for too long."""

    def close(self) -> None:
        """Close it once what was written is out."""


class Guard:
    """Counts connections and refusals, and looks after all connections once a second: timers of their own would cost
    more than an answer.
    """

    def __init__(self, limits: Limits, metrics: Metrics, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.limits, self._metrics, self._monotonic = limits, metrics, monotonic
        self.closing = False
        self._connections: dict[Guarded, None] = {}  # in the order of their coming
        self._timer: asyncio.TimerHandle | None = None
        self._untold: Counter[Reason] = Counter()
        self._told = -_LOG_EVERY
        metrics.watch_connections(lambda: len(self._connections))
        for reason in Reason:  # at 0 from the start: a counter that appears at 1 has not risen, to Prometheus
            metrics.refused.labels(reason)

    def admit(self, connection: Guarded, loop: asyncio.AbstractEventLoop) -> bool:
        """Take a connection, in the place of the oldest idle one where there are too many; False where all are busy."""
        if len(self._connections) >= self.limits.connections:
            self.count(Reason.CONNECTIONS)
            idle = next((each for each in self._connections if each.is_idle()), None)
            if idle is None:
                return False
            self.forget(idle)
            idle.close()
        self._connections[connection] = None
        if self._timer is None:
            self._timer = loop.call_later(_LOOK_EVERY, self._look, loop)
        return True

    def forget(self, connection: Guarded) -> None:
        self._connections.pop(connection, None)

    def count(self, reason: Reason) -> None:
        """Count a refusal; the log hears of all of them once a minute at most."""
        self._metrics.refused.labels(reason).inc()
        self._untold[reason] += 1
        self._tell()

    def _tell(self) -> None:
        now = self._monotonic()
        if self._untold and now - self._told >= _LOG_EVERY:
            log.warning("requests refused", **{reason.value: number for reason, number in self._untold.items()})
            self._untold.clear()
            self._told = now

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = self._monotonic()
        for connection in list(self._connections):
            connection.look(now)
        self._tell()
        if self._connections:
            self._timer = loop.call_later(_LOOK_EVERY, self._look, loop)
