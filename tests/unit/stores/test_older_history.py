"""A store whose history lacks what is known here does not take it away: a backup was restored, or a standby lags."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.contracts.zipcode_repository import ALL_A, AUTUMN, SPRING
from tests.worlds import LOADED, NOW
from tests.worlds.followed_store import CHECK, World

from adapters.bundled import load_snapshot
from adapters.caching.risk_tables import CachedZipcodeRepository
from adapters.memory import InMemoryFigureHistory, InMemoryHealthIndexProvider, InMemoryZipcodeRepository
from domain.health_index.calendar import PublicationCalendar
from domain.health_index.figures import Figure
from domain.ports import Sighting
from domain.risk.releases import InService, ReleaseHistory
from domain.use_cases.health_index import HealthIndexService
from entrypoints.container import Container
from entrypoints.settings import Settings


async def states() -> list[InService]:
    """What a store says after each of three tables was put into service."""
    world, found = World(), []
    for each in (AUTUMN, SPRING, ALL_A):
        await world.store.serve(each)
        found.append(await InMemoryZipcodeRepository.current(world.store))
    return found


class Restorable(World):
    """A store that says what the test puts there."""

    def __init__(self, *, accept_older: bool = False) -> None:
        super().__init__()
        self.says: InService | None = None
        self.repository = CachedZipcodeRepository(
            self.store,
            listen=self.listen,
            check_every=timedelta(seconds=CHECK),
            accept_older=accept_older,
            sleep=self.sleep,
        )
        self.store.current = self.current  # type: ignore[method-assign]  # what this is for

    async def current(self) -> InService:
        assert self.says is not None
        return self.says


OLDER = (
    r"its history \(\d events\) lacks some of the 6 that are known here, as that of an older backup, or of a standby "
    r"that lags behind: it is not taken over; .* ACCEPT_OLDER_HISTORY=true"
)


class TestReleases:
    @pytest.mark.parametrize("older", [0, 1])
    async def test_a_shorter_history_does_not_replace_the_one_that_is_held(self, older: int) -> None:
        world, said = Restorable(), await states()
        world.says = said[2]
        async with world.running() as repository:
            held = await repository.current()
            world.says = said[older]
            await world.announce()
            assert await repository.current() is held
            assert (await repository.history()) is held.history
            assert repository.degraded is not None
            assert repository.refuses_history
            with pytest.raises(AssertionError, match=OLDER):
                raise AssertionError(repository.degraded)

    async def test_a_history_that_went_another_way_does_not_replace_it_however_long_it_is(self) -> None:
        world, said = Restorable(), await states()
        world.says = said[1]
        async with world.running() as repository:
            held = await repository.current()
            events = said[2].history.events
            other = ReleaseHistory(said[2].history.releases, [*events[:3], *events[4:], *events[4:]])
            world.says = InService(other, said[2].table)
            await world.announce()
            assert await repository.current() is held

    async def test_a_standby_that_has_caught_up_is_followed_again(self) -> None:
        world, said = Restorable(), await states()
        world.says = said[1]
        async with world.running() as repository:
            world.says = said[0]
            await world.announce()
            assert "it is not taken over" in str(repository.degraded)
            world.says = said[2]
            await world.announce()
            assert (await repository.current()).release == said[2].release
            assert repository.degraded is None

    async def test_it_replaces_it_where_an_operator_says_so(self) -> None:
        world, said = Restorable(accept_older=True), await states()
        world.says = said[2]
        async with world.running() as repository:
            world.says = said[0]
            await world.announce()
            assert (await repository.current()).release == said[0].release
            assert repository.degraded is None

    async def test_a_stand_in_is_replaced_by_whatever_the_store_says(self) -> None:
        world, said = Restorable(), await states()
        world.repository.stand_in(SPRING, LOADED)
        world.says = said[0]
        async with world.running() as repository:
            assert (await repository.current()).release == said[0].release


class Restored(InMemoryFigureHistory):
    """Gives no more than the first `left` sightings."""

    left: int | None = None

    async def sightings(self) -> Sequence[Sighting]:
        return (await super().sightings())[: self.left]


class TestFigures:
    async def service(self, history: Restored, *, accept_older: bool = False) -> HealthIndexService:
        bundled = load_snapshot()
        index = HealthIndexService(
            InMemoryHealthIndexProvider(bundled),
            bundled,
            history,
            clock,
            PublicationCalendar(),
            accept_older=accept_older,
        )
        await index.load()
        latest = max(bundled.figures, key=lambda figure: (figure.month, figure.base_year))
        await history.record([Sighting(Figure(latest.month.plus(1), latest.base_year, latest.value), NOW, "statbel")])
        await index.follow()
        return index

    async def test_a_shorter_history_takes_no_figure_away(self) -> None:
        history = Restored()
        index = await self.service(history)
        known = index.now().table.latest_month
        history.left = -1
        await index.follow()
        assert index.now().table.latest_month == known
        assert "ACCEPT_OLDER_HISTORY" in str(index.history_failure)
        history.left = None
        await index.follow()
        assert index.history_failure is None

    async def test_it_does_where_an_operator_says_so(self) -> None:
        history = Restored()
        index = await self.service(history, accept_older=True)
        known = index.now().table.latest_month
        history.left = -1
        await index.follow()
        assert index.now().table.latest_month < known


def clock() -> datetime:
    return NOW


def test_the_setting_reaches_both() -> None:
    for accepts in (True, False):
        container = Container(settings=Settings(accept_older_history=accepts, data_dir=Path("data")))
        assert container.held()._accept_older is accepts
        assert container.index()._accept_older is accepts
