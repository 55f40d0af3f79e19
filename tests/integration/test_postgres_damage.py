import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool
from tests.contracts.zipcode_repository import ALL, AUTUMN, SPRING, serve
from tests.integration.postgres_databases import Database

from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from domain.errors import StorageUnavailable
from domain.risk.releases import Release
from domain.risk.tables import Zipcode


def by_hand(database: Database, *statements: str) -> None:
    """Statements of the owner, who takes away what stops the owner as well."""
    with psycopg.connect(database.owner) as connection:
        for table in ("releases", "risk_ranges", "release_events"):
            connection.execute(SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(Identifier(table)))
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def postgres(pool: AsyncConnectionPool) -> PsycopgZipcodeRepository:
    return PsycopgZipcodeRepository(pool)


class TestHandMadeChanges:
    """Somebody took away what prevents it and changed rows: what is left is not believed."""

    async def test_a_change_to_another_valid_table_is_noticed(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        release = await serve(postgres, AUTUMN)
        by_hand(database, "UPDATE risk_ranges SET factor = 'A' WHERE first = 1000")
        await self._noticed(postgres, release)

    async def test_a_range_more_or_less_is_noticed(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        release = await serve(postgres, AUTUMN)
        by_hand(database, "INSERT INTO risk_ranges VALUES (1, 5000, 5000, 'A')")
        await self._noticed(postgres, release)
        by_hand(database, "DELETE FROM risk_ranges WHERE first IN (1315, 5000)")
        await self._noticed(postgres, release)

    async def test_an_overlap_is_noticed(self, postgres: PsycopgZipcodeRepository, database: Database) -> None:
        release = await serve(postgres, AUTUMN)
        by_hand(database, "UPDATE risk_ranges SET last = 9500 WHERE first = 1320")
        await self._noticed(postgres, release)
        with pytest.raises(StorageUnavailable, match="invalid"):
            await postgres.select(ALL)

    async def test_an_unknown_factor_is_noticed(self, postgres: PsycopgZipcodeRepository, database: Database) -> None:
        release = await serve(postgres, AUTUMN)
        by_hand(
            database,
            "ALTER TABLE risk_ranges DROP CONSTRAINT risk_ranges_factor_check",
            "UPDATE risk_ranges SET factor = 'Z' WHERE first = 9000",
        )
        await self._noticed(postgres, release)
        with pytest.raises(StorageUnavailable, match="invalid"):
            await postgres.find(Zipcode(9000))

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE release_events SET withdrawn = '[1]' WHERE number = 2",
            """UPDATE release_events SET withdrawn = '[[1000, 1000, "Z"]]' WHERE number = 2""",
            """UPDATE release_events SET withdrawn = '[["1000", 1000, "A"]]' WHERE number = 2""",
            """UPDATE releases SET counts = '{"A": "many"}'""",
        ],
    )
    async def test_what_no_line_of_the_log_can_say_is_noticed(
        self, postgres: PsycopgZipcodeRepository, database: Database, statement: str
    ) -> None:
        await serve(postgres, AUTUMN)
        by_hand(database, statement)
        for call in (postgres.history(), postgres.current()):
            with pytest.raises(StorageUnavailable, match="its log is invalid"):
                await call

    async def test_a_pointer_that_contradicts_the_log_is_noticed(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        await serve(postgres, AUTUMN)
        await serve(postgres, SPRING)
        by_hand(database, "UPDATE active_release SET release = 1")
        for call in (postgres.history(), postgres.current()):
            with pytest.raises(StorageUnavailable, match="invalid"):
                await call

    async def test_a_pointer_that_is_gone_is_no_empty_store_to_fill(
        self, postgres: PsycopgZipcodeRepository, database: Database
    ) -> None:
        by_hand(database, "DELETE FROM active_release")
        with pytest.raises(StorageUnavailable, match="invalid"):
            await postgres.add(AUTUMN, "tester")
        assert (await postgres.history()).releases == ()

    async def _noticed(self, postgres: PsycopgZipcodeRepository, release: Release) -> None:
        for call in (postgres.current(), postgres.table(release.id)):
            with pytest.raises(StorageUnavailable, match="invalid"):
                await call
