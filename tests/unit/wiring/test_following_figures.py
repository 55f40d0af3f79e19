"""Following what other replicas record: hearing nothing new is not hearing nothing."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

from tests.worlds import NOW

from adapters.bundled import load_snapshot
from adapters.memory import InMemoryFigureHistory, InMemoryHealthIndexProvider
from domain.errors import StorageUnavailable
from domain.health_index.calendar import PublicationCalendar
from domain.ports import Sighting
from domain.use_cases.health_index import HealthIndexService
from entrypoints.refresher import follow


class Store(InMemoryFigureHistory):
    readings = 0

    async def sightings(self) -> Sequence[Sighting]:
        self.readings += 1
        return await super().sightings()


async def after(store: Store, *items: bool | Exception) -> HealthIndexService:
    """The service once it has followed a stream of these items."""
    bundled = load_snapshot()
    index = HealthIndexService(InMemoryHealthIndexProvider(bundled), bundled, store, lambda: NOW, PublicationCalendar())
    heard = asyncio.Event()

    async def listen() -> AsyncGenerator[bool]:
        for item in items:
            if isinstance(item, Exception):
                heard.set()
                raise item
            yield item
        heard.set()
        await asyncio.Event().wait()

    following = asyncio.create_task(follow(index, listen, sleep=lambda _seconds: asyncio.Event().wait()))
    await heard.wait()
    await asyncio.sleep(0)
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
    return index


async def test_an_item_that_announces_nothing_reads_nothing() -> None:
    store, quiet = Store(), Store()
    await after(store, True)
    await after(quiet, True, False, False)
    assert quiet.readings == store.readings


async def test_a_stream_that_ends_is_a_failure_of_the_history() -> None:
    index = await after(Store(), True, False, StorageUnavailable("no answer within 3 s"))
    assert index.history_failure == "The store does not answer: no answer within 3 s"


async def test_while_the_stream_is_heard_there_is_none() -> None:
    assert (await after(Store(), True, False)).history_failure is None
