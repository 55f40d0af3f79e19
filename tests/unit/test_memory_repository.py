import pytest
from tests.contracts.zipcode_repository import AUTUMN, ZipcodeRepositoryContract

from adapters.memory import InMemoryZipcodeRepository
from domain.ports import ZipcodeRepository


class TestInMemoryZipcodeRepository(ZipcodeRepositoryContract):
    @pytest.fixture
    def repository(self) -> ZipcodeRepository:
        return InMemoryZipcodeRepository()

    async def test_it_may_start_with_a_release(self) -> None:
        repository = InMemoryZipcodeRepository(AUTUMN)
        assert await repository.active() is AUTUMN
