"""The stores in memory, by the contracts of what they stand in for."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.contracts.figure_history import FigureHistoryContract
from tests.contracts.turn import TurnContract
from tests.contracts.zipcode_repository import AUTUMN, SPRING, ZipcodeRepositoryContract, serve

from adapters.memory import AlwaysMyTurn, InMemoryFigureHistory, InMemoryZipcodeRepository
from domain.ports import FigureHistory, Turn, ZipcodeRepository

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class TestInMemoryZipcodeRepository(ZipcodeRepositoryContract):
    @pytest.fixture
    def repository(self) -> ZipcodeRepository:
        return InMemoryZipcodeRepository()

    async def test_it_may_start_with_a_table(self) -> None:
        repository = InMemoryZipcodeRepository(AUTUMN)
        current = await repository.current()
        assert current.table is AUTUMN.table
        assert current.release.label == AUTUMN.label

    async def test_a_clock_that_goes_back_does_not_take_the_log_along(self) -> None:
        hours = iter([2, 1, 3, 0])
        repository = InMemoryZipcodeRepository(clock=lambda: NOON + timedelta(hours=next(hours)))
        await serve(repository, AUTUMN)
        await serve(repository, SPRING)
        at = [event.at - NOON for event in (await repository.history()).events]
        moment = timedelta(microseconds=1)
        two, three = timedelta(hours=2), timedelta(hours=3)
        assert at == [two, two + moment, three, three + moment]


class TestInMemoryFigureHistory(FigureHistoryContract):
    @pytest.fixture
    def history(self) -> FigureHistory:
        return InMemoryFigureHistory()


class TestAlwaysMyTurn(TurnContract):
    @pytest.fixture
    def turn(self) -> Turn:
        return AlwaysMyTurn()
