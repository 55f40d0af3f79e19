from datetime import UTC, datetime, timedelta

import pytest
from tests.contracts.zipcode_repository import AUTUMN, SPRING, ZipcodeRepositoryContract, serve

from adapters.memory import InMemoryZipcodeRepository
from domain.ports import ZipcodeRepository

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
