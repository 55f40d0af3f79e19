import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool
from tests.contracts.zipcode_repository import (
    ALL,
    ALL_A,
    ALL_B,
    AUTUMN,
    SPRING,
    ZipcodeRepositoryContract,
    serve,
)
from tests.integration.postgres_databases import Database
from tests.integration.postgres_replicas import replica, until

from adapters.postgres.connections import make_pool
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from domain.errors import NoActiveRelease, StorageUnavailable
from domain.ports import ZipcodeRepository
from domain.risk.releases import Activation, ActiveReleaseChanged, EventKind, UnknownRelease
from domain.risk.tables import Zipcode
from domain.use_cases.releases import ReleaseService

INJECTION = "x'); DROP TABLE risk_ranges; --"


def count(database: Database, table: str) -> int:
    with psycopg.connect(database.owner) as connection:
        row = connection.execute(SQL("SELECT count(*) FROM {}").format(Identifier(table))).fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture
def postgres(pool: AsyncConnectionPool) -> PsycopgZipcodeRepository:
    return PsycopgZipcodeRepository(pool)


class TestPsycopgZipcodeRepository(ZipcodeRepositoryContract):
    @pytest.fixture
    def repository(self, postgres: PsycopgZipcodeRepository) -> ZipcodeRepository:
        return postgres


class TestCachedPsycopgZipcodeRepository(ZipcodeRepositoryContract):
    @pytest.fixture
    async def repository(self, database: Database) -> AsyncIterator[ZipcodeRepository]:
        async with replica(database) as repository:
            yield repository


class TestReleases:
    async def test_a_table_is_stored_once_however_often_it_is_put_into_service(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        for wanted in (AUTUMN, SPRING, AUTUMN, AUTUMN):
            await serve(postgres, wanted)
        assert count(database, "releases") == 2
        assert count(database, "risk_ranges") == len(AUTUMN.table.ranges) + len(SPRING.table.ranges)

    @pytest.mark.parametrize("table", ["release_events", "active_release"])
    async def test_an_activation_that_fails_leaves_nothing_behind(
        self, postgres: PsycopgZipcodeRepository, database: Database, table: str
    ) -> None:
        spring = await serve(postgres, SPRING)
        autumn = await postgres.add(AUTUMN, "tester")
        before = await postgres.history()
        self._refuse(database, table)
        with pytest.raises(StorageUnavailable, match=r"RaiseException \(P0001\)"):
            await postgres.activate(Activation(autumn.id, "tester"), expected=spring.id)
        assert await postgres.history() == before
        assert (await postgres.current()).release == spring == before.active
        assert (await postgres.find(Zipcode(1315))).release == spring.id

    @pytest.mark.parametrize("table", ["release_events", "risk_ranges", "releases"])
    async def test_loading_that_fails_leaves_nothing_behind(
        self, postgres: PsycopgZipcodeRepository, database: Database, table: str
    ) -> None:
        await serve(postgres, SPRING)
        before = await postgres.history()
        self._refuse(database, table)
        with pytest.raises(StorageUnavailable, match=r"RaiseException \(P0001\)"):
            await postgres.add(AUTUMN, "tester")
        assert await postgres.history() == before
        assert (count(database, "releases"), count(database, "risk_ranges")) == (1, len(SPRING.table.ranges))

    async def test_numbers_have_no_gap_where_loading_failed(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        await serve(postgres, SPRING)
        with pytest.raises(StorageUnavailable):
            await postgres.add(replace(AUTUMN, label="nul \0"), "tester")
        assert (await postgres.add(AUTUMN, "tester")).number == 2

    async def test_of_replicas_that_start_together_one_puts_its_table_into_service(self, database: Database) -> None:
        async with replica(database) as one, replica(database) as other:
            services = [ReleaseService(repository) for repository in (one, other, one, other)]
            seeded = await asyncio.gather(*(service.seed(AUTUMN, "seed") for service in services))
            assert sorted(seeded) == [False, False, False, True]
            kinds = [event.kind for event in (await other.history()).events]
        assert kinds == [EventKind.LOADED, EventKind.ACTIVATED]
        assert count(database, "releases") == 1

    async def test_changes_of_many_replicas_never_mix(self, database: Database) -> None:
        async with (
            make_pool(database.service, max_size=4, timeout=5, statement_timeout=5) as one,
            make_pool(database.service, max_size=4, timeout=5, statement_timeout=5) as other,
        ):
            writers = [PsycopgZipcodeRepository(pool) for pool in (one, other)]
            tables = {each.table.digest: each.table for each in (ALL_A, ALL_B, AUTUMN, SPRING)}
            await serve(writers[0], ALL_A)
            done = asyncio.Event()
            lost = answers = 0

            async def write(writer: PsycopgZipcodeRepository) -> None:
                nonlocal lost
                for turn in range(6):
                    try:
                        await serve(writer, (ALL_B, AUTUMN, ALL_A, SPRING)[turn % 4])
                    except ActiveReleaseChanged:
                        lost += 1

            async def read(reader: PsycopgZipcodeRepository) -> None:
                nonlocal answers
                while not done.is_set():
                    listing, current = await reader.select(ALL), await reader.current()
                    digest = current.history.release(listing.release).table_sha256
                    assert listing.items == tuple(tables[digest].factors())
                    assert current.table == tables[current.release.table_sha256]
                    answers += 1

            reading = [asyncio.create_task(read(reader)) for reader in writers * 2]
            await asyncio.gather(*(write(writer) for writer in writers))
            done.set()
            await asyncio.gather(*reading)
            assert answers >= 8
            history = await writers[0].history()
            assert len(history.releases) == 4
            assert len(history.activations) <= 1 + 12 - lost

    def _refuse(self, database: Database, table: str) -> None:
        with psycopg.connect(database.owner) as connection:
            connection.execute(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$"
            )
            connection.execute(
                SQL("CREATE TRIGGER z BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION refuse()").format(
                    Identifier(table)
                )
            )


class TestOneAfterTheOther:
    async def test_who_has_to_wait_too_long_is_told_that_somebody_else_is_at_it(self, database: Database) -> None:
        async with make_pool(database.service, max_size=4, timeout=5, statement_timeout=0.25) as pool:
            postgres = PsycopgZipcodeRepository(pool)
            autumn = await postgres.add(AUTUMN, "tester")
            with psycopg.connect(database.service) as other:
                other.execute("SELECT FROM active_release FOR UPDATE")
                for call in (
                    postgres.add(SPRING, "tester"),
                    postgres.activate(Activation(autumn.id, "tester"), expected=None),
                ):
                    with pytest.raises(StorageUnavailable, match="somebody else is changing the releases"):
                        await call
            await postgres.activate(Activation(autumn.id, "tester"), expected=None)
            assert (await postgres.current()).release == autumn

    async def test_who_had_to_wait_sees_what_was_done_meanwhile(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        autumn, spring = await postgres.add(AUTUMN, "tester"), await postgres.add(SPRING, "tester")
        with psycopg.connect(database.service) as other:
            other.execute("SELECT FROM active_release FOR UPDATE")
            loading = asyncio.create_task(postgres.add(ALL_A, "tester"))
            activating = asyncio.create_task(postgres.activate(Activation(autumn.id, "tester"), expected=None))
            await until(lambda: self._both_wait(database))
            other.execute("UPDATE active_release SET release = 2")
            other.execute("INSERT INTO release_events VALUES (3, now() + '1 hour', 'activated', 2, 'x', false, '[]')")
        with pytest.raises(ActiveReleaseChanged) as raised:
            await activating
        assert raised.value.found == spring.id
        release = await loading
        ahead, loaded = (await postgres.history()).events[-2:]
        assert (loaded.number, loaded.release, loaded.at) == (4, release.id, release.created_at)
        assert loaded.at > ahead.at  # though clocks say that it was before

    async def _both_wait(self, database: Database) -> bool:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
        with psycopg.connect(database.superuser) as connection:
            return connection.execute(waiting, [database.name]).fetchone() == (2,)


class TestParameters:
    @pytest.mark.parametrize(
        "text", [INJECTION, "%s %(id)s %%", '"; SELECT 1', "\\'; --", "label\twith\nlines \U0001f600"]
    )
    async def test_what_looks_like_sql_is_text(
        self, postgres: PsycopgZipcodeRepository, database: Database, text: str
    ) -> None:
        release = await postgres.add(replace(AUTUMN, label=text), text)
        event = await postgres.activate(Activation(release.id, text), expected=None)
        assert (release.label, release.created_by, event.by) == (text, text, text)
        history = await postgres.history()
        assert (history.releases, history.activations) == ((release,), (event,))
        with pytest.raises(UnknownRelease):
            await postgres.table(text)
        assert count(database, "risk_ranges") == len(AUTUMN.table.ranges)

    @pytest.mark.parametrize("text", ["nul \0 inside", "half a character \ud83d"])
    async def test_text_that_postgres_cannot_hold_is_refused_whole(
        self, postgres: PsycopgZipcodeRepository, text: str
    ) -> None:
        with pytest.raises(StorageUnavailable):
            await postgres.add(replace(AUTUMN, label=text), "tester")
        with pytest.raises(StorageUnavailable):
            await postgres.add(AUTUMN, text)
        assert (await postgres.history()).releases == ()
        with pytest.raises(NoActiveRelease):
            await postgres.current()
