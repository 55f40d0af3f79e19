import asyncio
from contextlib import aclosing, suppress
from functools import partial

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool
from tests.contracts.zipcode_repository import ALL_A, AUTUMN, SPRING
from tests.integration.postgres_databases import Database
from tests.integration.postgres_replicas import replica, until

from adapters.postgres import PsycopgZipcodeRepository, make_listener
from domain.errors import NoActiveRelease, StorageUnavailable
from domain.zipcodes import Release


@pytest.fixture
def postgres(pool: AsyncConnectionPool) -> PsycopgZipcodeRepository:
    return PsycopgZipcodeRepository(pool)


class TestAnnouncements:
    async def test_another_replica_has_a_new_release_within_a_second(self, database: Database) -> None:
        async with replica(database) as one, replica(database) as other:
            await one.activate(AUTUMN)

            async def has(release: Release) -> bool:
                with suppress(NoActiveRelease):
                    return await other.active() == release
                return False

            await until(lambda: has(AUTUMN), within=5)  # it may have to start listening first
            for release in (SPRING, ALL_A):
                await one.activate(release)
                await until(partial(has, release), within=1)

    async def test_an_activation_that_fails_announces_nothing(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        await postgres.activate(SPRING)
        async with aclosing(make_listener(database.service, timeout=5)()) as announcements:
            await anext(announcements)
            with pytest.raises(StorageUnavailable):
                await postgres.activate(Release(SPRING.id, "forged", AUTUMN.table))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await anext(announcements)

    async def test_a_stream_may_be_closed_while_it_waits_for_news(self, database: Database) -> None:
        listening = make_listener(database.service, timeout=5)()
        await anext(listening)
        waiting = asyncio.ensure_future(anext(listening))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with asyncio.timeout(2):
            await listening.aclose()

    async def test_a_stream_may_be_closed_right_after_news(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        listening = make_listener(database.service, timeout=5)()
        await anext(listening)
        await postgres.activate(AUTUMN)
        async with asyncio.timeout(2):
            await anext(listening)
            await listening.aclose()

    async def test_a_cut_connection_is_replaced_and_what_was_missed_is_read(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        await postgres.activate(AUTUMN)
        async with replica(database) as other:
            assert await other.active() == AUTUMN
            with psycopg.connect(database.superuser, autocommit=True) as connection:
                cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %%'"

                async def was_cut() -> bool:
                    return connection.execute(cut + " AND datname = %s", [database.name]).fetchone() is not None

                await until(was_cut, within=5)
            await postgres.activate(SPRING)

            async def has_it() -> bool:
                return await other.active() == SPRING

            await until(has_it, within=2)
