import asyncio
from contextlib import aclosing, suppress
from functools import partial

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool
from tests.contracts.zipcode_repository import ALL_A, AUTUMN, SPRING, serve
from tests.integration.postgres_databases import Database
from tests.integration.postgres_replicas import replica, until

from adapters.postgres.connections import make_listener
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from domain.errors import NoActiveRelease
from domain.risk.releases import Activation, ActiveReleaseChanged, Release


@pytest.fixture
def postgres(pool: AsyncConnectionPool) -> PsycopgZipcodeRepository:
    return PsycopgZipcodeRepository(pool)


class TestAnnouncements:
    async def test_another_replica_hears_of_a_new_release(self, database: Database) -> None:
        async with replica(database) as one, replica(database) as other:
            autumn = await serve(one, AUTUMN)

            async def has(release: Release) -> bool:
                with suppress(NoActiveRelease):
                    return (await other.current()).release == release
                return False

            await until(lambda: has(autumn))  # it may have to start listening first
            for wanted in (SPRING, ALL_A, AUTUMN):
                await until(partial(has, await serve(one, wanted)))

    async def test_what_is_loaded_is_known_to_another_replica_before_it_is_put_into_service(
        self, database: Database
    ) -> None:
        async with replica(database) as one, replica(database) as other:
            autumn = await serve(one, AUTUMN)
            assert (await other.current()).release == autumn
            spring = await one.add(SPRING, "tester")

            async def knows_it() -> bool:
                return spring in (await other.history()).releases

            await until(knows_it)
            assert (await other.current()).release == autumn

    async def test_what_fails_or_changes_nothing_announces_nothing(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        spring, autumn = await serve(postgres, SPRING), await postgres.add(AUTUMN, "tester")
        async with aclosing(make_listener(database.service, timeout=5)()) as announcements:
            await anext(announcements)
            with pytest.raises(ActiveReleaseChanged):
                await postgres.activate(Activation(autumn.id, "tester"), expected=autumn.id)
            await postgres.add(SPRING, "tester")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await anext(announcements)
            assert (await postgres.current()).release == spring

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
        await postgres.add(AUTUMN, "tester")
        async with asyncio.timeout(2):
            await anext(listening)
            await listening.aclose()

    async def test_a_cut_connection_is_replaced_and_what_was_missed_is_read(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        autumn = await serve(postgres, AUTUMN)
        async with replica(database) as other:
            assert (await other.current()).release == autumn
            with psycopg.connect(database.superuser, autocommit=True) as connection:
                cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %%'"

                async def was_cut() -> bool:
                    return connection.execute(cut + " AND datname = %s", [database.name]).fetchone() is not None

                await until(was_cut)
            spring = await serve(postgres, SPRING)

            async def has_it() -> bool:
                return (await other.current()).release == spring

            await until(has_it)
