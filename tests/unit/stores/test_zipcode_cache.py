import asyncio
from datetime import UTC, datetime

import pytest
from tests.contracts.zipcode_repository import ALL_A, AUTUMN, SPRING, ZipcodeRepositoryContract, serve
from tests.worlds.followed_store import CHECK, DOWN, END, LOST, World, settle
from tests.worlds.risk_tables import draft

from adapters.caching.risk_tables import RANGES_KEPT, TABLES_KEPT
from domain.errors import NoActiveRelease, StorageUnavailable
from domain.ports import ZipcodeRepository
from domain.risk.releases import Activation, UnknownRelease
from domain.risk.tables import RiskFactor, RiskRange, RiskTable, Zipcode
from domain.use_cases.releases import ReleaseService

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class TestCachedZipcodeRepository(ZipcodeRepositoryContract):
    @pytest.fixture
    def repository(self) -> ZipcodeRepository:
        return World().repository


class TestReading:
    async def test_the_first_reading_loads_and_the_next_ask_nothing(self) -> None:
        world = World(AUTUMN)
        for _ in range(3):
            assert (await world.repository.current()).table is AUTUMN.table
            assert (await world.repository.find(Zipcode(1315))).factor is RiskFactor.B
            assert (await world.repository.select([RiskFactor.B])).items[0] == (1315, RiskFactor.B)
        assert world.store.readings == 1

    async def test_many_first_readings_at_once_load_once(self) -> None:
        world = World(AUTUMN)
        found = await asyncio.gather(*(world.repository.find(Zipcode(9000)) for _ in range(20)))
        assert {lookup.factor for lookup in found} == {RiskFactor.B}
        assert world.store.readings == 1

    async def test_a_first_reading_that_fails_is_tried_again_by_the_next_caller(self) -> None:
        world = World(AUTUMN)
        world.store.down = True
        failed = await asyncio.gather(*(world.repository.current() for _ in range(5)), return_exceptions=True)
        assert failed == [DOWN] * 5
        assert world.store.readings == 1
        assert world.repository.degraded == str(DOWN)
        world.store.down = False
        assert (await world.repository.current()).table is AUTUMN.table
        assert world.repository.degraded is None

    async def test_a_caller_who_gives_up_does_not_take_the_reading_from_the_others(self) -> None:
        world = World(AUTUMN)
        answer = world.store.hold()
        impatient, patient = (asyncio.create_task(world.repository.current()) for _ in range(2))
        await settle()
        impatient.cancel()
        await settle()
        answer.set()
        assert (await patient).table is AUTUMN.table
        assert impatient.cancelled()
        assert world.store.readings == 1

    async def test_closing_gives_up_a_reading_that_is_under_way(self) -> None:
        world = World(AUTUMN)
        world.store.hold()
        caller = asyncio.create_task(world.repository.current())
        await settle()
        await world.repository.aclose()
        with pytest.raises(asyncio.CancelledError):
            await caller


class TestStandingIn:
    async def test_a_stand_in_answers_until_the_store_can_be_read(self) -> None:
        world = World(AUTUMN)
        world.store.down = True
        world.repository.stand_in(SPRING, NOON)
        async with world.running() as repository:
            assert (await repository.current()).table is SPRING.table
            assert repository.degraded == str(DOWN)
            world.store.down = False
            await world.wake(CHECK)
            assert (await repository.current()).table is AUTUMN.table

    async def test_nothing_stands_in_for_what_the_store_said(self) -> None:
        world = World(AUTUMN)
        await world.repository.current()
        world.repository.stand_in(SPRING, NOON)
        assert (await world.repository.current()).table is AUTUMN.table

    async def test_what_stands_in_has_a_number_that_no_release_has_and_knows_no_history(self) -> None:
        world = World(AUTUMN)
        world.store.down = True
        release = world.repository.stand_in(SPRING, NOON)
        assert (release.number, release.id[:5]) == (0, "0000-")
        assert (await world.repository.find(Zipcode(1315))).release == release.id
        with pytest.raises(StorageUnavailable):
            await world.repository.history()
        assert world.repository.version() is None  # what the store says of its history may change unheard
        world.store.down = False
        assert [each.number for each in (await world.repository.history()).releases] == [1]


class TestActivating:
    async def test_who_activates_reads_the_new_release_at_once(self) -> None:
        world = World(AUTUMN)
        assert (await world.repository.current()).table is AUTUMN.table
        await serve(world.repository, SPRING)
        assert (await world.repository.current()).table is SPRING.table

    async def test_who_loads_knows_of_it_at_once(self) -> None:
        world = World(AUTUMN)
        await world.repository.current()
        release = await world.repository.add(SPRING, "tester")
        assert (await world.repository.history()).releases[-1] == release

    async def test_a_store_that_fails_right_after_an_activation_leaves_what_was_held(self) -> None:
        world = World(AUTUMN)
        first = (await world.repository.current()).release
        spring = await world.repository.add(SPRING, "tester")
        world.store.down = True
        await world.repository.activate(Activation(spring.id, "tester"), expected=first.id)
        assert (await world.repository.current()).table is AUTUMN.table
        assert world.repository.degraded == str(DOWN)

    async def test_a_reading_that_began_before_an_activation_does_not_undo_it(self) -> None:
        world = World(AUTUMN)
        spring = await world.store.add(SPRING, "tester")
        first = (await world.store.current()).release
        answer = world.store.hold()
        slow = asyncio.create_task(world.repository.current())
        await settle()
        activation = asyncio.create_task(world.repository.activate(Activation(spring.id, "tester"), expected=first.id))
        await settle()
        answer.set()
        assert (await slow).table is AUTUMN.table
        await activation
        assert (await world.repository.current()).table is SPRING.table

    async def test_a_seeder_that_came_late_reads_what_the_first_one_seeded(self) -> None:
        world = World(AUTUMN)
        assert await ReleaseService(world.repository).seed(SPRING, "late") is False
        assert (await world.repository.current()).table is AUTUMN.table


class TestVersion:
    async def test_there_is_none_before_something_is_held(self) -> None:
        assert World(AUTUMN).repository.version() is None

    async def test_it_changes_when_another_table_is_held_and_not_when_the_same_is_read_again(self) -> None:
        world = World(AUTUMN)
        async with world.running() as repository:
            before = repository.version()
            await world.wake(CHECK)
            assert world.store.readings == 2
            assert repository.version() is before
            await world.store.serve(SPRING)
            assert repository.version() is before
            await world.announce()
            assert repository.version() is not before

    async def test_it_changes_when_a_release_is_staged_since_lists_of_releases_do(self) -> None:
        world = World(AUTUMN)
        async with world.running() as repository:
            before = repository.version()
            await world.store.add(SPRING, "another replica")
            await world.announce()
            assert repository.version() is not before


class TestThePast:
    async def test_the_table_in_service_is_not_read_again(self) -> None:
        world = World(AUTUMN)
        current = await world.repository.current()
        assert await world.repository.table(current.release.id) is AUTUMN.table
        assert world.store.tables_read == []

    async def test_an_old_table_is_read_once(self) -> None:
        world = World(AUTUMN)
        async with world.running() as repository:
            old = (await repository.current()).release.id
            await world.store.serve(SPRING)
            await world.announce()
            for _ in range(3):
                assert (await repository.table(old)) is AUTUMN.table
        assert world.store.tables_read == [old]

    async def test_a_few_tables_are_kept_and_those_asked_for_last(self) -> None:
        world = World(AUTUMN)
        drafts = [draft(RiskTable([RiskRange(z, z, RiskFactor.A)])) for z in range(1000, 1000 + TABLES_KEPT + 1)]
        ids = [(await world.store.serve(each)).id for each in drafts]
        await world.store.serve(SPRING)
        for identity in [*ids, ids[-1], ids[1], ids[0]]:
            await world.repository.table(identity)
        assert world.store.tables_read == [*ids, ids[0]]
        assert len(world.repository._tables) == TABLES_KEPT

    async def test_large_tables_are_kept_as_long_as_their_ranges_are_not_too_many_together(self) -> None:
        world = World(AUTUMN)
        zipcodes = range(1000, 1000 + RANGES_KEPT // 10)
        tables = [
            [RiskRange(z, z, RiskFactor.B if z == 1000 + each else RiskFactor.A) for z in zipcodes]
            for each in range(12)
        ]
        drafts = [draft(RiskTable(ranges)) for ranges in tables]
        ids = [(await world.store.serve(each)).id for each in drafts]
        await world.store.serve(SPRING)
        for identity in ids:
            await world.repository.table(identity)
        assert list(world.repository._tables) == ids[-10:]

    async def test_a_release_that_there_is_not_is_not_kept(self) -> None:
        world = World(AUTUMN)
        with pytest.raises(UnknownRelease):
            await world.repository.table("0009-beef")
        assert not world.repository._tables

    async def test_a_store_that_is_down_cannot_be_asked_about_an_old_table(self) -> None:
        world = World(AUTUMN)
        old = (await world.store.current()).release.id
        await world.store.serve(SPRING)
        await world.repository.current()
        world.store.down = True
        with pytest.raises(StorageUnavailable):
            await world.repository.table(old)


class TestFollowing:
    async def test_it_loads_before_anybody_asks(self) -> None:
        world = World(AUTUMN)
        async with world.running() as repository:
            assert world.store.readings == 1
            assert (await repository.current()).table is AUTUMN.table
            assert world.store.readings == 1

    async def test_an_announcement_brings_the_new_release(self) -> None:
        world = World(AUTUMN)
        async with world.running() as repository:
            await world.store.serve(SPRING)
            assert (await repository.current()).table is AUTUMN.table
            await world.announce()
            assert (await repository.current()).table is SPRING.table
            assert repository.degraded is None

    async def test_a_lost_announcement_is_made_up_for_by_the_periodic_check(self) -> None:
        world = World(AUTUMN)
        async with world.running() as repository:
            await world.store.serve(SPRING)
            await world.wake(CHECK)
            assert (await repository.current()).table is SPRING.table
            assert world.pausing == [CHECK]

    async def test_a_store_without_a_release_is_followed_until_there_is_one(self) -> None:
        world = World()
        async with world.running() as repository:
            assert repository.degraded == str(NoActiveRelease())
            assert world.pausing == [CHECK]
            with pytest.raises(NoActiveRelease):
                await repository.current()
            await world.store.serve(AUTUMN)
            await world.announce()
            assert (await repository.current()).table is AUTUMN.table
            assert repository.degraded is None

    async def test_while_the_store_is_down_it_answers_from_what_it_has_and_says_so(self) -> None:
        world = World(AUTUMN)
        async with world.running() as repository:
            world.store.down = True
            await world.wake(CHECK)
            assert (await repository.current()).table is AUTUMN.table
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
            await world.store.serve(SPRING)
            assert (await repository.current()).table is AUTUMN.table
            await world.wake(0.1)
            assert (await repository.current()).table is SPRING.table
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
            await world.store.serve(SPRING)
            world.store.down = True
            await world.announce()
            assert (await repository.current()).table is AUTUMN.table
            world.store.down = False
            await world.wake(0.1)
            assert (await repository.current()).table is SPRING.table

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
