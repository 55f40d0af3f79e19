import asyncio

import pytest
from tests.contracts.zipcode_repository import ALL_A, AUTUMN, SPRING, ZipcodeRepositoryContract
from tests.followed_store import CHECK, DOWN, END, LOST, World, settle

from domain.errors import NoActiveRelease, StorageUnavailable
from domain.ports import ZipcodeRepository
from domain.zipcodes import RiskFactor, Zipcode


class TestCachedZipcodeRepository(ZipcodeRepositoryContract):
    @pytest.fixture
    def repository(self) -> ZipcodeRepository:
        return World().repository


class TestReading:
    async def test_the_first_reading_loads_and_the_next_ask_nothing(self) -> None:
        world = World(AUTUMN)
        for _ in range(3):
            assert await world.repository.active() is AUTUMN
            assert (await world.repository.find(Zipcode(1315))).factor is RiskFactor.B
            assert (await world.repository.select([RiskFactor.B])).release == AUTUMN.id
        assert world.store.readings == 1

    async def test_many_first_readings_at_once_load_once(self) -> None:
        world = World(AUTUMN)
        found = await asyncio.gather(*(world.repository.find(Zipcode(9000)) for _ in range(20)))
        assert {lookup.release for lookup in found} == {AUTUMN.id}
        assert world.store.readings == 1

    async def test_a_first_reading_that_fails_is_tried_again_by_the_next_caller(self) -> None:
        world = World(AUTUMN)
        world.store.down = True
        failed = await asyncio.gather(*(world.repository.active() for _ in range(5)), return_exceptions=True)
        assert failed == [DOWN] * 5
        assert world.store.readings == 1
        assert world.repository.degraded == str(DOWN)
        world.store.down = False
        assert await world.repository.active() is AUTUMN
        assert world.repository.degraded is None

    async def test_a_caller_who_gives_up_does_not_take_the_reading_from_the_others(self) -> None:
        world = World(AUTUMN)
        answer = world.store.hold()
        impatient, patient = (asyncio.create_task(world.repository.active()) for _ in range(2))
        await settle()
        impatient.cancel()
        await settle()
        answer.set()
        assert await patient is AUTUMN
        assert impatient.cancelled()
        assert world.store.readings == 1

    async def test_closing_gives_up_a_reading_that_is_under_way(self) -> None:
        world = World(AUTUMN)
        world.store.hold()
        caller = asyncio.create_task(world.repository.active())
        await settle()
        await world.repository.aclose()
        with pytest.raises(asyncio.CancelledError):
            await caller


class TestStandingIn:
    async def test_a_stand_in_answers_until_the_store_can_be_read(self) -> None:
        world = World(AUTUMN)
        world.store.down = True
        world.repository.stand_in(SPRING)
        async with world.running() as repository:
            assert await repository.active() is SPRING
            assert repository.degraded == str(DOWN)
            world.store.down = False
            await world.wake(CHECK)
            assert await repository.active() is AUTUMN

    async def test_nothing_stands_in_for_what_the_store_said(self) -> None:
        world = World(AUTUMN)
        await world.repository.active()
        world.repository.stand_in(SPRING)
        assert await world.repository.active() is AUTUMN


class TestActivating:
    async def test_who_activates_reads_the_new_release_at_once(self) -> None:
        world = World(AUTUMN)
        assert await world.repository.active() is AUTUMN
        await world.repository.activate(SPRING)
        assert await world.repository.active() is SPRING

    async def test_a_store_that_fails_right_after_the_activation_leaves_the_new_release_in_service(self) -> None:
        world = World(AUTUMN)
        assert await world.repository.active() is AUTUMN
        world.store.down = True
        await world.repository.activate(SPRING)
        assert await world.repository.active() is SPRING
        assert world.repository.degraded == str(DOWN)

    async def test_a_reading_that_began_before_an_activation_does_not_undo_it(self) -> None:
        world = World(AUTUMN)
        answer = world.store.hold()
        slow = asyncio.create_task(world.repository.active())
        await settle()
        activation = asyncio.create_task(world.repository.activate(SPRING))
        await settle()
        answer.set()
        assert await slow is AUTUMN
        await activation
        assert await world.repository.active() is SPRING

    async def test_a_seeder_that_came_late_reads_what_the_first_one_seeded(self) -> None:
        world = World(AUTUMN)
        assert await world.repository.seed(SPRING) is False
        assert await world.repository.active() is AUTUMN


class TestFollowing:
    async def test_it_loads_before_anybody_asks(self) -> None:
        world = World(AUTUMN)
        async with world.running() as repository:
            assert world.store.readings == 1
            assert await repository.active() is AUTUMN
            assert world.store.readings == 1

    async def test_an_announcement_brings_the_new_release(self) -> None:
        world = World(AUTUMN)
        async with world.running() as repository:
            await world.store.activate(SPRING)
            assert await repository.active() is AUTUMN
            await world.announce()
            assert await repository.active() is SPRING
            assert repository.degraded is None

    async def test_a_lost_announcement_is_made_up_for_by_the_periodic_check(self) -> None:
        world = World(AUTUMN)
        async with world.running() as repository:
            await world.store.activate(SPRING)
            await world.wake(CHECK)
            assert await repository.active() is SPRING
            assert world.pausing == [CHECK]

    async def test_a_store_without_a_release_is_followed_until_there_is_one(self) -> None:
        world = World()
        async with world.running() as repository:
            assert repository.degraded == str(NoActiveRelease())
            assert world.pausing == [CHECK]
            with pytest.raises(NoActiveRelease):
                await repository.active()
            await world.store.activate(AUTUMN)
            await world.announce()
            assert await repository.active() is AUTUMN
            assert repository.degraded is None

    async def test_while_the_store_is_down_it_answers_from_what_it_has_and_says_so(self) -> None:
        world = World(AUTUMN)
        async with world.running() as repository:
            world.store.down = True
            await world.wake(CHECK)
            assert await repository.active() is AUTUMN
            assert repository.degraded == str(DOWN)
            world.store.down = False
            await world.wake(CHECK)
            assert repository.degraded is None

    @pytest.mark.parametrize(
        ("end", "reason"), [(LOST, "connection lost"), (END, "no longer announces")], ids=["it fails", "it ends"]
    )
    async def test_after_the_stream_was_lost_it_listens_anew_and_reads_what_it_missed(
        self, end: StorageUnavailable, reason: str
    ) -> None:
        world = World(AUTUMN)
        async with world.running() as repository:
            await world.announce(end)
            assert reason in str(repository.degraded)
            await world.store.activate(SPRING)
            assert await repository.active() is AUTUMN
            await world.wake(0.1)
            assert await repository.active() is SPRING
            assert repository.degraded is None
            assert len(world.streams) == 2

    async def test_it_tries_to_listen_in_pauses_that_grow_and_stay_under_a_second(self) -> None:
        world = World(AUTUMN)
        world.refuse = DOWN
        async with world.running() as repository:
            for pause in (0.1, 0.2, 0.4, 0.8, 0.8, 0.8):
                assert world.pausing == [pause, CHECK]
                assert repository.degraded == str(DOWN)
                await world.wake(pause)
            world.refuse = None
            await world.wake(0.8)
            assert repository.degraded is None
            await world.announce(LOST)
            assert world.pausing == [0.1, CHECK]

    async def test_a_reading_that_fails_after_an_announcement_is_made_again_within_a_second(self) -> None:
        world = World(AUTUMN)
        async with world.running() as repository:
            await world.store.activate(SPRING)
            world.store.down = True
            await world.announce()
            assert await repository.active() is AUTUMN
            world.store.down = False
            await world.wake(0.1)
            assert await repository.active() is SPRING

    async def test_being_cancelled_ends_its_tasks_and_closes_its_stream(self) -> None:
        world = World(AUTUMN)
        before = asyncio.all_tasks()
        async with world.running():
            assert len(asyncio.all_tasks() - before) == 3
            assert world.closed == 0
        assert asyncio.all_tasks() - before == set()
        assert world.closed == 1

    async def test_it_rests_when_nothing_happens(self) -> None:
        world = World(ALL_A)
        async with world.running():
            await settle()
            assert world.store.readings == 1
            assert world.pausing == [CHECK]
