"""A pair of releases is compared once, in bounded memory."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest
from tests.worlds.risk_tables import draft

from adapters.memory import InMemoryZipcodeRepository
from domain.risk.comparison import Comparison
from domain.risk.releases import Release
from domain.risk.tables import RiskFactor, RiskRange, RiskTable
from domain.use_cases import zipcodes
from domain.use_cases.zipcodes import RiskService


class CountingRepository(InMemoryZipcodeRepository):
    """Counts how often the table of each release is read, and lets others on before it is."""

    def __init__(self) -> None:
        super().__init__()
        self.read = Counter[str]()

    async def table(self, release: str) -> RiskTable:
        self.read[release] += 1
        await asyncio.sleep(0)
        return await super().table(release)


class World:
    """A service, and a store with releases whose tables differ in ten zipcodes."""

    def __init__(self) -> None:
        self.repository = CountingRepository()
        self.risks = RiskService(self.repository, lambda: datetime(2026, 11, 27, tzinfo=UTC))

    async def releases(self, number: int) -> list[Release]:
        tables = [
            RiskTable(
                [RiskRange(1000 + 10 * each, 1009 + 10 * each, RiskFactor.A), RiskRange(9000, 9000, RiskFactor.B)]
            )
            for each in range(number)
        ]
        return [await self.repository.add(draft(table), "ann") for table in tables]


@pytest.fixture
def world() -> World:
    return World()


async def test_the_tables_of_a_pair_are_read_once(world: World) -> None:
    first, second = await world.releases(2)
    found = [await world.risks.compare(first, second) for _ in range(3)]
    assert [(each.added, each.removed) for each in found] == [(10, 10)] * 3
    assert world.repository.read == {first.id: 1, second.id: 1}


async def test_the_other_direction_is_another_pair(world: World) -> None:
    first, second = await world.releases(2)
    there, back = await world.risks.compare(first, second), await world.risks.compare(second, first)
    assert [each.before for each in there.changes] == [each.after for each in back.changes]


async def test_what_is_kept_is_bounded_in_pairs_and_in_changes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pair that was not asked for the longest goes first."""
    monkeypatch.setattr(zipcodes, "PAIRS_KEPT", 2)
    first, *others = await world.releases(4)
    for other in (others[0], others[1], others[0], others[2]):
        await world.risks.compare(first, other)
    before = world.repository.read.total()
    await world.risks.compare(first, others[0])
    assert world.repository.read.total() == before
    await world.risks.compare(first, others[1])
    assert world.repository.read.total() == before + 2
    monkeypatch.setattr(zipcodes, "CHANGES_KEPT", 1)  # a pair here has two
    await world.risks.compare(others[1], others[2])
    await world.risks.compare(others[1], others[2])
    assert world.repository.read.total() == before + 6


async def test_many_who_ask_at_once_get_one_answer_and_count_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = await world.releases(3)
    monkeypatch.setattr(zipcodes, "CHANGES_KEPT", 4)  # those of two pairs
    found = await asyncio.gather(*(world.risks.compare(first, second) for _ in range(5)))
    assert {each.changes for each in found} == {found[0].changes}
    await world.risks.compare(first, third)
    before = world.repository.read.total()
    for other in (second, third):
        assert isinstance(await world.risks.compare(first, other), Comparison)
    assert world.repository.read.total() == before
