"""The port of risk tables on a folder of files, for a service without Postgres."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from adapters.folder.store import Log, ReleaseFolder, TakenError
from domain.clock import Clock
from domain.errors import StorageUnavailable
from domain.ports import ZipcodeRepository
from domain.risk.releases import Activation, Draft, Event, InService, Release, ReleaseHistory
from domain.risk.tables import RiskTable

Written = TypeVar("Written")

PATIENCE = 10.0
"""For how many seconds a writer waits for another."""

_PAUSE = 0.05  # seconds between two attempts


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class FileZipcodeRepository(ZipcodeRepository):
    """Keeps the history and the table in service for as long as the log looks the same; other tables are read anew.

    Any number of processes may read and write the same folder.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock = utc_now,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """The folder is made by whoever writes first. `sleep` and `monotonic` are in seconds."""
        self._folder = ReleaseFolder(folder, clock)
        self._sleep, self._monotonic = sleep, monotonic
        self._log: Log | None = None
        self._in_service: InService | None = None
        self._turn = asyncio.Lock()

    async def current(self) -> InService:
        history, kept = await self.history(), self._in_service
        if kept is None or kept.history is not history:
            release = history.active
            same = kept is not None and kept.release == release
            table = kept.table if kept is not None and same else await asyncio.to_thread(self._folder.table, release)
            kept = self._in_service = InService(history, table)
        return kept

    async def history(self) -> ReleaseHistory:
        log = self._log
        # Size and time of a torn log may be those of the line that comes in its place.
        if log is None or log.torn or log.stamp != self._folder.stamp():
            log = self._log = await asyncio.to_thread(self._folder.log)
        return log.history

    def refuse_to_begin_anew(self, draft: Draft) -> None:
        """Whether a first release may be made of a draft that nobody asked for.

        :raises StorageUnavailable: when the log has no line, and there are tables: it was emptied, or it is gone
        """
        self._folder.refuse_to_begin_anew(draft)

    def torn(self) -> int:
        """How many bytes at the end of the log, as it was read last, are half a line, and no event."""
        return 0 if self._log is None else self._log.torn

    async def table(self, release: str) -> RiskTable:
        known = (await self.history()).release(release)
        return await asyncio.to_thread(self._folder.table, known)

    async def add(self, draft: Draft, by: str) -> Release:
        return await self._alone(lambda: self._folder.add(draft, by))

    async def activate(self, activation: Activation, *, expected: str | None) -> Event:
        return await self._alone(lambda: self._folder.activate(activation, expected))

    def version(self) -> None:
        """Not known: another process may have changed it."""

    async def _alone(self, work: Callable[[], Written]) -> Written:
        """Do this while nobody else writes, here or in another process."""
        end = self._monotonic() + PATIENCE
        async with self._turn:
            while True:
                with suppress(TakenError):
                    # A caller that gives up leaves this to its end: taking the lock, working and giving it back are
                    # one piece of work for a thread.
                    return await asyncio.to_thread(work)
                if self._monotonic() >= end:
                    raise StorageUnavailable("somebody else is changing the releases")
                await self._sleep(_PAUSE)


def make_watcher(
    folder: Path, every: float, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> Callable[[], AsyncGenerator[bool]]:
    """Something to call for a stream of the changes in a folder of releases, whoever makes them.

    The stream gives True at once, and every `every` seconds whether the log looks different than before. It has no end
    but `StorageUnavailable`.
    """
    releases = ReleaseFolder(folder, utc_now)

    async def watch() -> AsyncGenerator[bool]:
        seen = releases.stamp()
        yield True
        while True:
            await sleep(every)
            before, seen = seen, releases.stamp()
            yield seen != before

    return watch
