"""A line in the log when the process has no file descriptor left: no connection is accepted then, and nothing fails.

uvloop closes what it cannot accept without a word, and asyncio would log a trace for each attempt. So one descriptor is
asked for now and then, and the loop's own complaints are counted in.
"""

import asyncio
import contextlib
import errno
import os
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog

log = structlog.get_logger(__name__)

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_LOOK_EVERY = 5.0  # seconds
_LOG_EVERY = 60.0


def _open_one() -> None:
    os.close(os.open(os.devnull, os.O_RDONLY))


class DescriptorWatch:
    """Tells the log that there is none left, once a minute while that lasts."""

    def __init__(
        self, open_one: Callable[[], None] = _open_one, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._open_one, self._monotonic = open_one, monotonic
        self._told = -_LOG_EVERY

    def look(self) -> None:
        """Ask for a descriptor."""
        try:
            self._open_one()
        except OSError as error:
            self.tell(error)

    def tell(self, error: BaseException | None) -> bool:
        """Log an error of this kind, unless one was logged within the last minute; whether it is of this kind."""
        if not isinstance(error, OSError) or error.errno not in _EXHAUSTED:
            return False
        now = self._monotonic()
        if now - self._told >= _LOG_EVERY:
            self._told = now
            log.error(
                "out of file descriptors: new connections are refused; raise the limit (ulimit -n)",
                error=error.strerror,
            )
        return True

    def hear(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What the loop complains of; the rest is handled as it always was."""
        if not self.tell(context.get("exception")):
            loop.default_exception_handler(context)


@contextlib.asynccontextmanager
async def descriptors_watched() -> AsyncIterator[None]:
    """Watch for as long as the service runs."""
    watch, loop = DescriptorWatch(), asyncio.get_running_loop()
    loop.set_exception_handler(watch.hear)

    async def look() -> None:
        while True:
            watch.look()
            await asyncio.sleep(_LOOK_EVERY)

    task = asyncio.create_task(look())
    try:
        yield
    finally:
        task.cancel()
        loop.set_exception_handler(None)
