import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool
from tests.contracts.zipcode_repository import ALL, ALL_A, ALL_B, AUTUMN, SPRING, ZipcodeRepositoryContract
from tests.integration.postgres_databases import Database
from tests.integration.postgres_replicas import replica

from adapters.postgres import PsycopgZipcodeRepository, make_pool
from domain.errors import NoActiveRelease, StorageUnavailable
from domain.ports import Lookup, ZipcodeRepository
from domain.zipcodes import Release, RiskFactor, RiskRange, RiskTable, Zipcode

INJECTION = "x'); DROP TABLE risk_ranges; --"


def by_hand(database: Database, *statements: str) -> None:
    with psycopg.connect(database.owner) as connection:
        for statement in statements:
            connection.execute(statement.encode())


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
    async def test_a_release_is_stored_once_however_often_it_is_activated(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        for release in (AUTUMN, SPRING, AUTUMN, AUTUMN):
            await postgres.activate(release)
        assert count(database, "releases") == 2
        assert count(database, "risk_ranges") == len(AUTUMN.table.ranges) + len(SPRING.table.ranges)

    async def test_a_release_that_comes_back_keeps_the_label_it_had_first(
        self, postgres: PsycopgZipcodeRepository
    ) -> None:
        await postgres.activate(AUTUMN)
        await postgres.activate(Release.of(AUTUMN.table, "another name"))
        assert (await postgres.active()).label == AUTUMN.label

    async def test_ranges_that_say_the_same_are_the_same_release(self, postgres: PsycopgZipcodeRepository) -> None:
        halves = RiskTable([RiskRange(1000, 5000, RiskFactor.A), RiskRange(5001, 9999, RiskFactor.A)])
        await postgres.activate(ALL_A)
        await postgres.activate(Release.of(halves, "in two halves"))
        assert await postgres.active() == ALL_A

    async def test_another_table_under_a_known_id_is_refused_and_changes_nothing(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        await postgres.activate(SPRING)
        with pytest.raises(StorageUnavailable, match="another table"):
            await postgres.activate(Release(SPRING.id, "forged", AUTUMN.table))
        assert await postgres.active() == SPRING
        assert count(database, "risk_ranges") == len(SPRING.table.ranges)

    async def test_an_activation_that_fails_at_its_end_leaves_nothing_behind(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        await postgres.activate(SPRING)
        by_hand(
            database,
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$",
            "CREATE TRIGGER refuse BEFORE UPDATE ON active_release FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        with pytest.raises(StorageUnavailable, match=r"RaiseException \(P0001\)"):
            await postgres.activate(AUTUMN)
        assert await postgres.active() == SPRING
        assert count(database, "releases") == 1
        assert count(database, "risk_ranges") == len(SPRING.table.ranges)

    async def test_two_replicas_that_start_together_load_once(self, database: Database) -> None:
        async with replica(database) as one, replica(database) as other:
            seeded = await asyncio.gather(one.seed(AUTUMN), other.seed(AUTUMN), one.seed(AUTUMN), other.seed(AUTUMN))
            assert sorted(seeded) == [False, False, False, True]
            assert await one.active() == await other.active() == AUTUMN
        assert count(database, "releases") == 1

    async def test_activations_of_many_replicas_never_mix(self, database: Database) -> None:
        async with (
            make_pool(database.service, timeout=5, statement_timeout=5) as one,
            make_pool(database.service, timeout=5, statement_timeout=5) as other,
        ):
            writers = [PsycopgZipcodeRepository(pool) for pool in (one, other)]
            await writers[0].activate(ALL_A)
            done = asyncio.Event()
            expected = {release.id: release for release in (ALL_A, ALL_B, AUTUMN, SPRING)}
            answers = 0

            async def write(writer: PsycopgZipcodeRepository) -> None:
                for turn in range(12):
                    await writer.activate((ALL_B, AUTUMN, ALL_A, SPRING)[turn % 4])

            async def read(reader: PsycopgZipcodeRepository) -> None:
                nonlocal answers
                while not done.is_set():
                    listing = await reader.select(ALL)
                    assert listing.items == tuple(expected[listing.release].table.factors())
                    active = await reader.active()
                    assert active == expected[active.id]
                    answers += 1

            reading = [asyncio.create_task(read(reader)) for reader in writers * 2]
            await asyncio.gather(*(write(writer) for writer in writers))
            done.set()
            await asyncio.gather(*reading)
            assert answers >= 8


class TestParameters:
    @pytest.mark.parametrize(
        "text", [INJECTION, "%s %(id)s %%", '"; SELECT 1', "\\'; --", "label\twith\nlines \U0001f600"]
    )
    async def test_what_looks_like_sql_is_text(
        self, postgres: PsycopgZipcodeRepository, database: Database, text: str
    ) -> None:
        release = Release(text, text, AUTUMN.table)
        await postgres.activate(release)
        assert await postgres.active() == release
        assert await postgres.find(Zipcode(9000)) == Lookup(Zipcode(9000), RiskFactor.B, text)
        assert count(database, "risk_ranges") == len(AUTUMN.table.ranges)

    @pytest.mark.parametrize("text", ["nul \0 inside", "half a character \ud83d"])
    async def test_text_that_postgres_cannot_hold_is_refused_whole(
        self, postgres: PsycopgZipcodeRepository, text: str
    ) -> None:
        with pytest.raises(StorageUnavailable):
            await postgres.activate(Release("id", text, AUTUMN.table))
        with pytest.raises(NoActiveRelease):
            await postgres.active()


class TestHandMadeChanges:
    """Somebody took the constraints away and changed the rows: what is left is not believed."""

    async def test_a_change_to_another_valid_table_is_noticed(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        await postgres.activate(AUTUMN)
        by_hand(database, "UPDATE risk_ranges SET factor = 'A' WHERE first = 1000")
        with pytest.raises(StorageUnavailable, match="invalid"):
            await postgres.active()

    async def test_an_overlap_is_noticed(self, postgres: PsycopgZipcodeRepository, database: Database) -> None:
        await postgres.activate(AUTUMN)
        by_hand(
            database,
            "ALTER TABLE risk_ranges DROP CONSTRAINT risk_ranges_do_not_overlap",
            "UPDATE risk_ranges SET last = 9500 WHERE first = 1320",
        )
        with pytest.raises(StorageUnavailable, match="invalid"):
            await postgres.active()
        with pytest.raises(StorageUnavailable, match="invalid"):
            await postgres.select(ALL)

    async def test_an_unknown_factor_is_noticed(self, postgres: PsycopgZipcodeRepository, database: Database) -> None:
        await postgres.activate(AUTUMN)
        by_hand(
            database,
            "ALTER TABLE risk_ranges DROP CONSTRAINT risk_ranges_factor_check",
            "UPDATE risk_ranges SET factor = 'Z' WHERE first = 9000",
        )
        with pytest.raises(StorageUnavailable, match="invalid"):
            await postgres.active()
        with pytest.raises(StorageUnavailable, match="invalid"):
            await postgres.find(Zipcode(9000))

    async def test_a_pointer_that_is_gone_is_no_empty_store_to_fill(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        by_hand(database, "DELETE FROM active_release")
        with pytest.raises(StorageUnavailable, match="invalid"):
            await postgres.seed(AUTUMN)
        assert count(database, "releases") == 0
