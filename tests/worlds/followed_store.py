"""A store of risk tables in memory, and everything else around a cached repository: a test controls all of it.

Announcements come from queues, and pauses end when the test says so.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from adapters.caching.risk_tables import CachedZipcodeRepository
from adapters.memory import InMemoryZipcodeRepository
from domain.errors import StorageUnavailable
from domain.ports import Listing, Lookup
from domain.risk.releases import Activation, Draft, InService, Release, ReleaseHistory
from domain.risk.tables import RiskFactor, RiskTable, Zipcode

DOWN = StorageUnavailable("down")
LOST = StorageUnavailable("connection lost")
END = StorageUnavailable("the stream ends without an error")
CHECK = 30.0


class Store(InMemoryZipcodeRepository):
    """Counts its readings and fails while it is down; `hold` makes the next reading wait once it has read."""

    def __init__(self, draft: Draft | None = None) -> None:
        super().__init__(draft)
        self.readings = 0
        self.tables_read: list[str] = []
        self.down = False
        self._held_back: list[asyncio.Event] = []

    def hold(self) -> asyncio.Event:
        self._held_back.append(asyncio.Event())
        return self._held_back[-1]

    async def serve(self, draft: Draft) -> Release:
        """Put a table into service behind the back of whoever caches this store."""
        release = self._history.of_table(draft.table) or self._add(draft, "another replica")
        self._activate(Activation(release.id, "another replica"))
        return release

    async def current(self) -> InService:
        self.readings += 1
        if self.down:
            raise DOWN
        current = await super().current()
        if self._held_back:
            await self._held_back.pop(0).wait()
        return current

    async def history(self) -> ReleaseHistory:
        if self.down:
            raise DOWN
        return await super().history()

    async def table(self, release: str) -> RiskTable:
        if self.down:
            raise DOWN
        self.tables_read.append(release)
        return await super().table(release)

    async def find(self, zipcode: Zipcode) -> Lookup:
        raise AssertionError(f"the store was asked for {zipcode}")

    async def select(self, factors: Collection[RiskFactor]) -> Listing:
        raise AssertionError(f"the store was asked for {factors}")


class World:
    """Everything around a cached repository that a test controls."""

    def __init__(self, draft: Draft | None = None) -> None:
        self.store = Store(draft)
        self.streams: list[asyncio.Queue[StorageUnavailable | None]] = []
        self.refuse: StorageUnavailable | None = None
        self.closed = 0
        self.pauses: list[tuple[float, asyncio.Future[None]]] = []
        self.repository = CachedZipcodeRepository(
            self.store, listen=self.listen, check_every=timedelta(seconds=CHECK), sleep=self.sleep
        )

    async def listen(self) -> AsyncGenerator[None]:
        if self.refuse is not None:
            raise self.refuse
        announced: asyncio.Queue[StorageUnavailable | None] = asyncio.Queue()
        self.streams.append(announced)
        try:
            yield
            while (error := await announced.get()) is None:
                yield
            if error is not END:
                raise error
        finally:
            self.closed += 1

    async def sleep(self, seconds: float) -> None:
        pause = asyncio.get_running_loop().create_future()
        self.pauses.append((seconds, pause))
        await pause

    async def announce(self, what: StorageUnavailable | None = None) -> None:
        self.streams[-1].put_nowait(what)
        await settle()

    async def wake(self, seconds: float) -> None:
        """Let the pause of this length end."""
        index = next(i for i, (length, _) in enumerate(self.pauses) if length == seconds)
        self.pauses.pop(index)[1].set_result(None)
        await settle()

    @property
    def pausing(self) -> list[float]:
        return sorted(seconds for seconds, _ in self.pauses)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[CachedZipcodeRepository]:
        task = asyncio.create_task(self.repository.run())
        await settle()
        try:
            yield self.repository
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def settle() -> None:
    """Let every task go on until it waits for something that this test holds."""
    for _ in range(50):
        await asyncio.sleep(0)
