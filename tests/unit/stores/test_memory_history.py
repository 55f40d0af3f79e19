import pytest
from tests.contracts.figure_history import FigureHistoryContract
from tests.contracts.turn import TurnContract

from adapters.memory import AlwaysMyTurn, InMemoryFigureHistory
from domain.ports import FigureHistory, Turn


class TestInMemoryFigureHistory(FigureHistoryContract):
    @pytest.fixture
    def history(self) -> FigureHistory:
        return InMemoryFigureHistory()


class TestAlwaysMyTurn(TurnContract):
    @pytest.fixture
    def turn(self) -> Turn:
        return AlwaysMyTurn()
