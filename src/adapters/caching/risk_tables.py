"""Holds the table in service in the process, as a decorator on the port: a look-up does not ask the store."""

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta

from domain.errors import NoActiveRelease, StorageUnavailable, TechnicalError
from domain.ports import ZipcodeRepository
from domain.risk.releases import Activation, Draft, Event, EventKind, InService, Release, ReleaseHistory
from domain.risk.tables import RiskTable

Listen = Callable[[], AsyncGenerator[object]]
"""Starts a stream that gives one item as soon as it listens and one at every activation, whoever activates; False
says only that it still listens, and comes every few seconds. It raises `StorageUnavailable` when it can no longer hear
any."""

SILENCE = timedelta(seconds=15)
"""For how long a store may say nothing before what is held counts as perhaps out of date, whatever a task waits for."""

TABLES_KEPT, RANGES_KEPT = 32, 50_000
"""How many tables of other releases it keeps for questions about the past, and how many ranges they have together (the
latest is kept in any case). A table takes 10 kB, and 100 bytes for each range."""

_OLDER = (
    "its history ({} events) lacks some of the {} that are known here, as that of an older backup, or of a standby "
    "that lags behind: it is not taken over; to do so, restart, or set ACCEPT_OLDER_HISTORY=true"
)

_PAUSES = (0.1, 0.2, 0.4, 0.8)  # seconds; the last one repeats, so that no replica stays behind for longer


class CachedZipcodeRepository(ZipcodeRepository):
    """Answers from the table and the history that it holds, whether or not the store answers.

    The first question loads them. From then on `run` keeps them current: it reads again at every announcement, whenever
    it listens anew, and every `check_every` in case an announcement got lost. It reads tables of other releases at the
    first question about them, and keeps a few.
    """

    def __init__(
        self,
        inner: ZipcodeRepository,
        *,
        listen: Listen,
        check_every: timedelta,
        accept_older: bool = False,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """With `accept_older`, a history that lacks what is known here takes its place, as after a backup was restored.

        `sleep` takes seconds, `monotonic` gives them.
        """
        self._inner, self._listen = inner, listen
        self._check_every, self._sleep, self._monotonic = check_every, sleep, monotonic
        self._following = False
        self._answered = monotonic()  # when the store said something last
        self._accept_older = accept_older
        self._older: str | None = None
        self._held: InService | None = None
        self._standing_in = False
        self._tables: OrderedDict[str, RiskTable] = OrderedDict()
        self._turn = asyncio.Lock()
        self._loading: asyncio.Task[InService] | None = None
        self._unread: TechnicalError | None = None
        self._unheard: TechnicalError | None = None

    @property
    def degraded(self) -> str | None:
        """Why its answers may be out of date, and for how long; None when they are not."""
        failure: TechnicalError | None = self._unheard or self._unread  # a listener's reason is that of Postgres itself
        silence = self.unheard_for
        if silence > SILENCE.total_seconds():
            reason = "nothing was heard of it" if failure is None else str(failure)
            return f"{reason}; its last answer came {silence:.0f} s ago"
        return self._older if failure is None else str(failure)

    @property
    def unheard_for(self) -> float:
        """Seconds since the store said something last; 0 while nobody follows it. One that is well speaks up every few
        seconds.
        """
        return self._monotonic() - self._answered if self._following else 0.0

    @property
    def refuses_history(self) -> bool:
        """Whether the store's history lacks events that are known here, so that it is not taken over."""
        return self._older is not None

    async def current(self) -> InService:
        if self._held is not None:
            return self._held
        # Shared, so that many callers at the start ask once; shielded, so that a caller who gives up does not end it.
        return await asyncio.shield(self._load())

    async def history(self) -> ReleaseHistory:
        if self._held is None or self._standing_in:  # a stand-in has no history: the store alone knows it
            return await self._inner.history()
        return self._held.history

    async def table(self, release: str) -> RiskTable:
        if self._held is not None and self._held.release.id == release:
            return self._held.table
        found = self._tables.get(release)
        if found is None:
            found = self._tables[release] = await self._inner.table(release)
            self._make_room()
        if release in self._tables:  # other questions may have pushed it out during the reading
            self._tables.move_to_end(release)
        return found

    def _make_room(self) -> None:
        ranges = sum(len(table.ranges) for table in self._tables.values())
        while len(self._tables) > TABLES_KEPT or (ranges > RANGES_KEPT and len(self._tables) > 1):
            ranges -= len(self._tables.popitem(last=False)[1].ranges)

    async def add(self, draft: Draft, by: str) -> Release:
        release = await self._inner.add(draft, by)
        await self._catch_up()
        return release

    async def activate(self, activation: Activation, *, expected: str | None) -> Event:
        event = await self._inner.activate(activation, expected=expected)
        await self._catch_up()
        return event

    def version(self) -> object | None:
        return None if self._standing_in else self._held  # while standing in, the history is the store's own

    def stand_in(self, draft: Draft, at: datetime) -> Release:
        """Answer from this table until the store can be read, unless a table is held already.

        Its number is 0, which no release of a store has; it counts as in service since `at`.
        """
        release = Release.of(draft, 0, at, "stand-in")
        if self._held is None:
            event = Event(1, at, EventKind.ACTIVATED, release.id, release.created_by)
            self._held, self._standing_in = InService(ReleaseHistory([release], [event]), draft.table), True
        return release

    async def run(self) -> None:
        """Follow the store until cancelled."""
        self._following, self._answered = True, self._monotonic()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow())
                tasks.create_task(self._check())
        finally:
            self._following = False

    async def aclose(self) -> None:
        """Give up a first reading under way."""
        if self._loading is not None:
            self._loading.cancel()
            with contextlib.suppress(asyncio.CancelledError, TechnicalError):
                await self._loading

    async def _follow(self) -> None:
        failures = 0
        while True:
            try:
                async with contextlib.aclosing(self._listen()) as announcements:
                    async for item in announcements:
                        self._unheard, self._answered = None, self._monotonic()
                        if item is not False:
                            with contextlib.suppress(NoActiveRelease):
                                await self._read()
                        failures = 0
                self._unheard = StorageUnavailable("it no longer announces releases")
            except TechnicalError as error:  # of listening or of reading: either way, the next listening reads
                self._unheard = error
            await self._sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
            failures += 1

    async def _check(self) -> None:
        while True:
            await self._sleep(self._check_every.total_seconds())
            with contextlib.suppress(TechnicalError):
                await self._read()

    async def _read(self) -> InService:
        # One after the other, so that an earlier reading never replaces a later one.
        async with self._turn:
            try:
                read = await self._inner.current()
            except TechnicalError as error:
                self._unread = error
                raise
            self._unread, self._answered = None, self._monotonic()
            held, standing_in = self._held, self._standing_in
            self._older = None
            if held is None or standing_in or self._accept_older or read.history.continues(held.history):
                if held is None or held.history != read.history:  # the same history is the same version
                    self._held, self._standing_in = read, False
                return self._held or read
            # A backup was restored, or a standby lags behind. What is true now cannot be told from here.
            self._older = _OLDER.format(len(read.history.events), len(held.history.events))
            return held

    async def _catch_up(self) -> None:
        with contextlib.suppress(TechnicalError):  # the announcement comes all the same
            await self._read()

    def _load(self) -> asyncio.Task[InService]:
        if self._loading is None:
            self._loading = asyncio.create_task(self._read())
            self._loading.add_done_callback(self._loaded)
        return self._loading

    def _loaded(self, task: asyncio.Task[InService]) -> None:
        self._loading = None
        if not task.cancelled():
            task.exception()  # read, so that asyncio does not complain when nobody waits any more
