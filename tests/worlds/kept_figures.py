"""The health index over a source and a history that tests set, and a clock that they move."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from adapters.memory import InMemoryFigureHistory
from domain.errors import StorageUnavailable
from domain.health_index.calendar import PublicationCalendar
from domain.health_index.figures import Figure, Month, Publication
from domain.health_index.table import IndexTable
from domain.ports import FigureHistory, HealthIndexProvider, Sighting
from domain.use_cases.health_index import HealthIndexService

START = datetime(2024, 9, 10, 12, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
JUNE, JULY, AUGUST = (Month(2024, number) for number in (6, 7, 8))
# As Statbel published them, in base 2013.
KNOWN = tuple(Figure(m, 2013, Decimal(v)) for m, v in ((JUNE, "132.70"), (JULY, "133.56"), (AUGUST, "133.22")))
SEPTEMBER = Figure(Month(2024, 9), 2013, Decimal("132.95"))
CORRECTED = replace(KNOWN[1], value=Decimal("133.57"))


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Source(HealthIndexProvider):
    """Publishes the figures that it was told last, as read just now, or fails."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.figures = KNOWN
        self.failure: Exception | None = None
        self.age = timedelta()

    async def publication(self, known: IndexTable) -> Publication:
        if self.failure is not None:
            raise self.failure
        return Publication(self.figures, self.clock() - self.age, "statbel")


class Store(InMemoryFigureHistory):
    """A history that can be out of reach, for reading and writing or for writing alone."""

    def __init__(self) -> None:
        super().__init__()
        self.down = self.read_only = False

    async def sightings(self) -> Sequence[Sighting]:
        if self.down:
            raise StorageUnavailable("down")
        return await super().sightings()

    async def record(self, sightings: Sequence[Sighting]) -> Sequence[Sighting]:
        if self.down or self.read_only:
            raise StorageUnavailable("down")
        return await super().record(sightings)


def make(
    source: Source, history: FigureHistory, clock: Clock, bundled: tuple[Figure, ...] = KNOWN
) -> HealthIndexService:
    return HealthIndexService(
        source, Publication(bundled, clock() - DAY, "snapshot"), history, clock, PublicationCalendar()
    )


def values(index: HealthIndexService) -> dict[str, str]:
    return {str(f.month): str(f.value) for f in index.now().table.figures()}


def figure_then(index: HealthIndexService, instant: datetime, month: Month = JULY) -> str:
    return str(index.at(instant).figure(month, 2013).value)


class WithHistory:
    """The fixtures of tests of kept figures; a test class inherits them."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def source(self, clock: Clock) -> Source:
        return Source(clock)

    @pytest.fixture
    def store(self) -> Store:
        return Store()

    @pytest.fixture
    async def index(self, source: Source, store: Store, clock: Clock) -> HealthIndexService:
        index = make(source, store, clock)
        await index.load()
        return index
