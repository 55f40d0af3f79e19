"""The background refresh of several replicas: one reads the source, the others take over what it has kept."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from adapters.memory import InMemoryFigureHistory
from domain.errors import SourceUnavailable, StorageUnavailable
from domain.health_index.calendar import PublicationCalendar
from domain.health_index.figures import Figure, Month, Publication
from domain.health_index.table import IndexTable
from domain.ports import FigureHistory, HealthIndexProvider, Sighting, Turn
from domain.use_cases.health_index import HealthIndexService
from entrypoints.metrics import Metrics
from entrypoints.refresher import Refresher, follow

NOW = datetime(2024, 9, 10, 12, tzinfo=UTC)
JULY, AUGUST = (Figure(Month(2024, number), 2013, Decimal(value)) for number, value in ((7, "133.56"), (8, "133.22")))
DOWN = StorageUnavailable("down")


class Source(HealthIndexProvider):
    def __init__(self) -> None:
        self.figures = (JULY, AUGUST)
        self.asked = 0

    async def publication(self, known: IndexTable) -> Publication:
        self.asked += 1
        return Publication(self.figures, NOW, "statbel")


class Told(Turn):
    """Says what it is told."""

    def __init__(self, answer: bool | Exception) -> None:  # noqa: FBT001 - the one thing that it is about
        self.answer = answer

    async def take(self) -> bool:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Store(InMemoryFigureHistory):
    down = False

    async def sightings(self) -> Sequence[Sighting]:
        if self.down:
            raise DOWN
        return await super().sightings()

    async def record(self, sightings: Sequence[Sighting]) -> Sequence[Sighting]:
        if self.down:
            raise DOWN
        return await super().record(sightings)


def service(source: Source, store: FigureHistory) -> HealthIndexService:
    bundled = Publication((JULY,), NOW - timedelta(days=30), "snapshot")
    return HealthIndexService(source, bundled, store, lambda: NOW, PublicationCalendar())


def refresher(index: HealthIndexService, turn: Turn, failure: Callable[[], Exception | None]) -> Refresher:
    return Refresher(index, turn, Metrics(), hidden_failure=failure, jitter=min)


def no_failure() -> None:
    return None


def latest(index: HealthIndexService) -> str:
    return str(index.now().table.latest_month)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def store() -> Store:
    return Store()


class TestTurn:
    async def test_whoever_has_it_reads_the_source_and_the_others_follow(self, source: Source, store: Store) -> None:
        one, other = service(source, store), service(source, store)
        for index in (one, other):
            await index.load()
        await refresher(one, Told(answer=True), no_failure).refresh()
        assert (latest(one), latest(other), source.asked) == ("2024-08", "2024-07", 1)
        await refresher(other, Told(answer=False), no_failure).refresh()
        assert (latest(other), source.asked) == ("2024-08", 1)

    async def test_it_passes_to_another_replica(self, source: Source, store: Store) -> None:
        turn = Told(answer=False)
        index = service(source, store)
        await index.load()
        one = refresher(index, turn, no_failure)
        await one.refresh()
        assert source.asked == 0
        turn.answer = True
        await one.refresh()
        assert (source.asked, latest(index)) == (1, "2024-08")

    async def test_while_nobody_can_agree_each_reads_for_itself(self, source: Source, store: Store) -> None:
        store.down = True
        index = service(source, store)
        with capture_logs() as logs:
            await refresher(index, Told(DOWN), no_failure).refresh()
        assert (source.asked, latest(index)) == (1, "2024-08")
        assert [line["event"] for line in logs] == ["figures not stored", "health index refreshed"]

    async def test_a_follower_that_cannot_read_the_history_says_so_once_and_waits_longer(
        self, source: Source, store: Store
    ) -> None:
        store.down = True
        index = service(source, store)
        one = refresher(index, Told(answer=False), no_failure)
        waits = []
        with capture_logs() as logs:
            for _ in range(3):
                await one.refresh()
                waits.append(one.delay().total_seconds())
        assert [(line["event"], line["reason"]) for line in logs] == [("health index not refreshed", str(DOWN))]
        assert waits == [40, 80, 160]
        assert latest(index) == "2024-07"

    async def test_a_correction_is_counted_by_the_replica_that_read_it(self, source: Source, store: Store) -> None:
        source.figures = (replace(JULY, value=Decimal("133.57")), AUGUST)
        counts = []
        indexes = [service(source, store) for _ in range(2)]
        for index in indexes:
            await index.load()
        for index, mine in zip(indexes, (True, False), strict=True):
            metrics = Metrics()
            await Refresher(index, Told(answer=mine), metrics).refresh()
            counts.append(metrics.registry.get_sample_value("belref_health_index_figures_changed_total"))
        assert counts == [1, 0]
        assert [str(index.now().figure(Month(2024, 7), 2013).value) for index in indexes] == ["133.57"] * 2


class TestHiddenFailure:
    """A cached source gives an older answer when the source itself fails, and says why."""

    async def test_it_is_a_failure_where_the_older_answer_brings_nothing(self, source: Source, store: Store) -> None:
        index = service(source, store)
        failure: list[Exception | None] = [None]
        one = refresher(index, Told(answer=True), lambda: failure[0])
        with capture_logs() as logs:
            await one.refresh()
            failure[0] = SourceUnavailable("statbel", "refused")
            for _ in range(3):
                await one.refresh()
            waited = one.delay()
            failure[0] = None
            await one.refresh()
        assert [line.get("reason", "fine") for line in logs] == [
            "fine",
            "statbel does not answer: refused",
            "fine",
        ]
        assert waited == timedelta(seconds=160)
        assert one.delay() == timedelta(hours=6)

    async def test_news_are_news_though_they_come_from_the_cache(self, source: Source, store: Store) -> None:
        index = service(source, store)
        with capture_logs() as logs:
            await refresher(index, Told(answer=True), lambda: SourceUnavailable("statbel", "refused")).refresh()
        assert [(line["event"], line.get("added")) for line in logs] == [("health index refreshed", 1)]


class _Announcements:
    """Connections on which announcements come; each is a list of what comes before it ends or is lost."""

    def __init__(self, *connections: list[Exception | None]) -> None:
        self.connections = list(connections)
        self.closed = 0
        self.emptied = asyncio.Event()

    async def listen(self) -> AsyncGenerator[object]:
        try:
            for announcement in self.connections.pop(0):
                if announcement is not None:
                    raise announcement
                yield None
            if not self.connections:
                self.emptied.set()
                await asyncio.Event().wait()
        finally:
            self.closed += 1


class TestFollow:
    @staticmethod
    async def _until_emptied(index: HealthIndexService, announcements: _Announcements) -> list[float]:
        """The seconds that it would have slept."""
        pauses: list[float] = []

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)
            await asyncio.sleep(0)

        task = asyncio.create_task(follow(index, announcements.listen, sleep=sleep))
        await announcements.emptied.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        return pauses

    async def test_the_first_announcement_of_a_connection_loads_the_history_and_the_next_ones_follow_it(
        self, source: Source, store: Store
    ) -> None:
        index = service(source, store)
        await store.record([Sighting(AUGUST, NOW, "statbel")])
        announcements = _Announcements([None, None])
        assert await self._until_emptied(index, announcements) == []
        assert latest(index) == "2024-08"
        assert {s.figure for s in await store.sightings()} == {JULY, AUGUST}
        assert announcements.closed == 1

    async def test_a_connection_that_is_lost_is_made_again_after_a_while_that_grows(
        self, source: Source, store: Store
    ) -> None:
        index = service(source, store)
        await store.record([Sighting(AUGUST, NOW, "statbel")])
        lost: list[Exception | None] = [DOWN]
        announcements = _Announcements(*[lost] * 7, [None], lost, [None])
        with capture_logs() as logs:
            pauses = await self._until_emptied(index, announcements)
        assert pauses == [1, 2, 4, 8, 16, 30, 30, 1, 2]
        assert (latest(index), announcements.closed) == ("2024-08", 10)
        assert [line["reason"] for line in logs] == [str(DOWN)]

    async def test_a_history_that_does_not_answer_is_asked_again(self, source: Source, store: Store) -> None:
        store.down = True
        index = service(source, store)
        announcements = _Announcements([None], [])
        with capture_logs() as logs:
            assert await self._until_emptied(index, announcements) == [1]
        assert [line["log_level"] for line in logs] == ["warning"]
        assert latest(index) == "2024-07"
