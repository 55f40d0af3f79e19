"""One line in the log for each request, and the ids of requests.

Through structlog and logging a line costs as much as half of all that the web server does for a request.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Protocol, TextIO
from uuid import UUID

import structlog

from entrypoints.http.metrics import Series

_LINES_AT_ONCE = 128
_SECONDS_AT_MOST = 0.2
_A_SECOND = 1_000_000_000  # nanoseconds
_LINE = (
    '%s"milliseconds": %.2f, "event": "request", "request_id": "%s", "logger": "access", "level": "info", '
    '"timestamp": "SECOND.%06dZ"}\n'
)
_PARTS = 4

log = structlog.get_logger("access")


class AccessLog(Protocol):
    """Where the lines go."""

    def write(self, request: Series, identity: str, seconds: float) -> None:
        """The line of one request: its kind, its id, and what it took."""

    def flush(self) -> None:
        """Write out what waits, if anything does."""


class StructuredAccessLog:
    """Each line at once, through structlog, however that is configured."""

    def write(self, request: Series, identity: str, seconds: float) -> None:
        log.info(
            "request",
            method=request.method,
            route=request.route,
            status=request.status,
            milliseconds=round(seconds * 1000, 2),
            request_id=identity,
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

    def write(self, request: Series, identity: str, seconds: float) -> None:
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

    def write(self, request: Series, identity: str, seconds: float) -> None:
        pass

    def flush(self) -> None:
        pass


def written_to(stream: TextIO) -> Callable[[str], None]:
    """Lines written to a stream, and out of it."""

    def write(text: str) -> None:
        stream.write(text)
        stream.flush()

    return write


# -- ids -----------------------------------------------------------------------------------------------


def identities() -> Iterator[str]:
    """A UUID for each request: random for the process, then counted (version 8, RFC 9562 section 5.8).

    They are unique and not unguessable, and cost a tenth of random ones.
    """
    random = secrets.token_hex(9)
    process = f"{random[:8]}-{random[8:12]}-8{random[12:15]}-{secrets.choice('89ab')}{random[15:]}-"
    for thousands in count(secrets.randbits(32)):
        begun = f"{process}{thousands & _NINE_DIGITS:09x}"
        for counted in _THREE_DIGITS:
            yield begun + counted


_NINE_DIGITS = (1 << 36) - 1
_THREE_DIGITS = [f"{number:03x}" for number in range(1 << 12)]


def given_identity(value: bytes) -> str | None:
    """The UUID that a client sent, as UUIDs are written; None where it is none."""
    if len(value) != 36:
        return None
    try:
        return str(UUID(value.decode("ascii")))
    except ValueError:
        return None
