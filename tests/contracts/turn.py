"""What holds for every way to take turns, whatever stands behind it."""

import asyncio
from contextlib import suppress

import pytest

from domain.ports import Turn


class TurnContract:
    """Inherit this in the test class of an adapter and override the fixture `turn`: one that no other replica wants."""

    @pytest.fixture
    def turn(self) -> Turn:
        raise NotImplementedError

    async def test_it_is_the_turn_of_whoever_asks_alone(self, turn: Turn) -> None:
        assert await turn.take() is True

    async def test_whoever_has_the_turn_keeps_it_however_often_it_asks(self, turn: Turn) -> None:
        assert [await turn.take() for _ in range(5)] == [True] * 5

    async def test_tasks_of_one_replica_do_not_compete(self, turn: Turn) -> None:
        assert await asyncio.gather(*(turn.take() for _ in range(5))) == [True] * 5

    async def test_a_task_that_gives_up_does_not_leave_the_turn_with_nobody(self, turn: Turn) -> None:
        for steps in (0, 1, 3, 10):
            task = asyncio.ensure_future(turn.take())
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        async with asyncio.timeout(5):
            while not await turn.take():  # noqa: ASYNC110 - whether it is free is known by asking alone
                await asyncio.sleep(0)
