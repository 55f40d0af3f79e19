"""The active release held in process, as a decorator on the port: a look-up asks the store nothing."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from datetime import timedelta

from domain.errors import NoActiveRelease, StorageUnavailable, TechnicalError
from domain.ports import Listing, Lookup, ZipcodeRepository
from domain.zipcodes import Release, RiskFactor, Zipcode

Listen = Callable[[], AsyncGenerator[object]]
"""Starts a stream that gives one item as soon as it listens and one at every activation, by whoever; it raises
`StorageUnavailable` when it can no longer hear any."""

_PAUSES = (0.1, 0.2, 0.4, 0.8)  # seconds; the last one again and again, so that nobody stays behind for longer


class CachedZipcodeRepository(ZipcodeRepository):
    """Answers from the release that it holds, whether or not the store can be reached.

    The first reading loads it. From then on `run` keeps it current: it reads again at every announcement, whenever it
    has started to listen anew, and every `check_every` in case an announcement got lost.
    """

    def __init__(
        self,
        inner: ZipcodeRepository,
        *,
        listen: Listen,
        check_every: timedelta,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`sleep` takes seconds."""
        self._inner, self._listen = inner, listen
        self._check_every, self._sleep = check_every, sleep
        self._held: Release | None = None
        self._turn = asyncio.Lock()
        self._loading: asyncio.Task[Release] | None = None
        self._unread: TechnicalError | None = None
        self._unheard: TechnicalError | None = None

    @property
    def degraded(self) -> str | None:
        """Why its answers may be out of date; None when they are not."""
        failure = self._unread or self._unheard
        return None if failure is None else str(failure)

    async def find(self, zipcode: Zipcode) -> Lookup:
        release = await self.active()
        return Lookup(zipcode, release.table.factor(zipcode), release.id)

    async def select(self, factors: Collection[RiskFactor]) -> Listing:
        release = await self.active()
        return Listing(release.table.select(factors), release.id)

    async def active(self) -> Release:
        if self._held is not None:
            return self._held
        # Shared, so that many callers at the start ask once; shielded, so that one who gives up takes it from nobody.
        return await asyncio.shield(self._load())

    async def activate(self, release: Release) -> None:
        await self._inner.activate(release)
        await self._adopt(release)

    async def seed(self, release: Release) -> bool:
        seeded = await self._inner.seed(release)
        if seeded:
            await self._adopt(release)
        return seeded

    def stand_in(self, release: Release) -> None:
        """Answer from this release until the store can be read; nothing happens when one is held already."""
        if self._held is None:
            self._held = release

    async def run(self) -> None:
        """Follow the store until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._check())

    async def aclose(self) -> None:
        """Give up a first reading that is under way."""
        if self._loading is not None:
            self._loading.cancel()
            with contextlib.suppress(asyncio.CancelledError, TechnicalError):
                await self._loading

    async def _follow(self) -> None:
        failures = 0
        while True:
            try:
                async with contextlib.aclosing(self._listen()) as announcements:
                    async for _ in announcements:
                        self._unheard = None
                        with contextlib.suppress(NoActiveRelease):
                            await self._read()
                        failures = 0
                self._unheard = StorageUnavailable("it no longer announces releases")
            except TechnicalError as error:  # of listening or of reading: either way it reads once it listens again
                self._unheard = error
            await self._sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
            failures += 1

    async def _check(self) -> None:
        while True:
            await self._sleep(self._check_every.total_seconds())
            with contextlib.suppress(TechnicalError):
                await self._read()

    async def _read(self) -> Release:
        # One after the other: what was read first never replaces what was read later.
        async with self._turn:
            try:
                self._held = await self._inner.active()
            except TechnicalError as error:
                self._unread = error
                raise
            self._unread = None
            return self._held

    async def _adopt(self, release: Release) -> None:
        """Hold what the store says now, or else what it was just given."""
        try:
            await self._read()
        except TechnicalError:
            self._held = release

    def _load(self) -> asyncio.Task[Release]:
        if self._loading is None:
            self._loading = asyncio.create_task(self._read())
            self._loading.add_done_callback(self._loaded)
        return self._loading

    def _loaded(self, task: asyncio.Task[Release]) -> None:
        self._loading = None
        if not task.cancelled():
            task.exception()  # asked for, so that asyncio does not complain when nobody waits any more
