"""A store that says nothing is told from one that says that nothing is new."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import timedelta

import pytest
from tests.contracts.zipcode_repository import AUTUMN, SPRING
from tests.worlds.followed_store import DOWN, Store, settle

from adapters.caching.risk_tables import SILENCE, CachedZipcodeRepository

LIMIT = SILENCE.total_seconds()


class Following:
    """A repository that follows a store whose stream the test feeds, by a clock of the test's."""

    def __init__(self) -> None:
        self.now = 0.0
        self.store = Store(AUTUMN)
        self.items: asyncio.Queue[bool | Exception] = asyncio.Queue()
        self.repository = CachedZipcodeRepository(
            self.store,
            listen=self.listen,
            check_every=timedelta(hours=1),
            sleep=lambda _seconds: asyncio.Event().wait(),
            monotonic=lambda: self.now,
        )
        self._task: asyncio.Task[None] | None = None

    async def listen(self) -> AsyncGenerator[bool]:
        while True:
            item = await self.items.get()
            if isinstance(item, Exception):
                raise item
            yield item

    async def gives(self, item: bool | Exception) -> None:  # noqa: FBT001 - an item of the stream
        self.items.put_nowait(item)
        await settle()

    def said(self) -> str | None:
        return self.repository.degraded

    async def starts(self) -> None:
        self._task = asyncio.create_task(self.repository.run())
        await self.gives(True)

    async def ends(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task


@pytest.fixture
async def following() -> AsyncGenerator[Following]:
    world = Following()
    yield world
    await world.ends()


async def test_an_item_that_is_no_news_reads_nothing(following: Following) -> None:
    await following.starts()
    assert following.store.readings == 1
    await following.gives(False)
    assert following.store.readings == 1
    await following.store.serve(SPRING)
    await following.gives(True)
    assert (await following.repository.current()).table is SPRING.table


async def test_a_store_that_says_that_nothing_is_new_is_there(following: Following) -> None:
    await following.starts()
    for _ in range(10):
        following.now += LIMIT * 0.9
        await following.gives(False)
    assert following.said() is None


async def test_a_store_that_says_nothing_is_reported_whatever_a_task_waits_for(following: Following) -> None:
    await following.starts()
    following.now += LIMIT
    assert following.said() is None
    following.now += 27
    assert following.said() == "nothing was heard of it; its last answer came 42 s ago"
    await following.gives(False)
    assert following.said() is None


async def test_a_failure_is_told_with_how_long_ago_the_last_answer_came(following: Following) -> None:
    await following.starts()
    await following.gives(DOWN)
    assert following.said() == str(DOWN)
    following.now += 60
    assert following.said() == f"{DOWN}; its last answer came 60 s ago"


async def test_what_follows_no_store_is_not_told_to_be_silent(following: Following) -> None:
    following.now += 1000
    assert following.said() is None


async def test_its_silence_is_counted_in_seconds_from_what_it_said_last(following: Following) -> None:
    following.now = 100.0
    assert following.repository.unheard_for == 0  # nobody follows it yet
    await following.starts()
    following.now += 7
    assert following.repository.unheard_for == 7
    await following.gives(False)
    assert following.repository.unheard_for == 0
    await following.gives(DOWN)
    following.now += 300
    assert following.repository.unheard_for == 300
    await following.ends()
    assert following.repository.unheard_for == 0
