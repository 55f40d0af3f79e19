import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo
from tests.contracts.zipcode_repository import ALL_A, AUTUMN, SPRING, serve
from tests.integration.postgres_databases import Database, password_of

from adapters.postgres.connections import make_pool
from adapters.postgres.migrate import MIGRATIONS, migrate
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from domain.errors import StorageUnavailable
from domain.risk.releases import Activation, Event, EventKind, ReleaseHistory
from domain.risk.tables import RiskTable, Zipcode

ALL = [path.stem for path in sorted(MIGRATIONS.glob("*.sql"))]
RISK_TABLES = {"releases", "risk_ranges", "active_release", "release_events"}
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def tables(dsn: str) -> set[str]:
    with psycopg.connect(dsn) as connection:
        found = connection.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        return {row[0] for row in found}


class TestMigrating:
    def test_an_owner_who_is_no_superuser_may_migrate(self, empty_database: Database) -> None:
        assert migrate(empty_database.owner) == ALL
        assert tables(empty_database.superuser) >= RISK_TABLES

    def test_migrating_again_changes_nothing(self, empty_database: Database) -> None:
        migrate(empty_database.owner)
        before = tables(empty_database.superuser)
        assert migrate(empty_database.owner) == []
        assert tables(empty_database.superuser) == before

    def test_of_replicas_that_start_together_one_migrates_and_the_others_wait(self, empty_database: Database) -> None:
        with ThreadPoolExecutor(6) as replicas:
            applied = list(replicas.map(migrate, [empty_database.owner] * 6))
        assert sorted(applied) == [[]] * 5 + [ALL]

    def test_a_migration_that_fails_leaves_nothing_behind(self, empty_database: Database, tmp_path: Path) -> None:
        (tmp_path / "0001.good.sql").write_text("CREATE TABLE good (id integer)")
        (tmp_path / "0002.bad.sql").write_text("CREATE TABLE half (id integer); SELECT 1 / 0")
        with pytest.raises(StorageUnavailable, match="division by zero"):
            migrate(empty_database.owner, folder=tmp_path)
        assert tables(empty_database.superuser) & {"good", "half"} == set()
        (tmp_path / "0002.bad.sql").write_text("CREATE TABLE whole (id integer)")
        assert migrate(empty_database.owner, folder=tmp_path) == ["0001.good", "0002.bad"]

    def test_a_replica_that_was_killed_while_it_migrated_blocks_nobody(self, empty_database: Database) -> None:
        migrate(empty_database.owner)
        with psycopg.connect(empty_database.owner, autocommit=True) as killed:
            killed.execute("SELECT pg_advisory_lock(%s)", [int.from_bytes(b"belref", "big")])
            with pytest.raises(StorageUnavailable, match="lock timeout"):
                migrate(empty_database.owner, lock_timeout=timedelta(milliseconds=50))
        assert migrate(empty_database.owner, lock_timeout=timedelta(seconds=5)) == []

    def test_the_service_may_not_migrate(self, empty_database: Database) -> None:
        with pytest.raises(StorageUnavailable, match="permission denied"):
            migrate(empty_database.service)
        assert tables(empty_database.superuser) == set()

    @pytest.mark.parametrize("wrong", [{"password": "n0t-the-secret"}, {"port": "1"}, {"dbname": "absent"}])
    def test_a_wrong_address_is_reported_without_its_password(
        self, empty_database: Database, wrong: dict[str, str]
    ) -> None:
        with pytest.raises(StorageUnavailable) as raised:
            migrate(make_conninfo(empty_database.owner, **wrong))
        assert "n0t-the-secret" not in str(raised.value)
        assert password_of(empty_database.owner) not in str(raised.value)

    def test_an_address_that_cannot_be_read_is_not_quoted(self) -> None:
        with pytest.raises(StorageUnavailable, match="DSN cannot be read") as raised:
            migrate("s3cret")
        assert raised.value.__cause__ is None
        assert "s3cret" not in str(raised.value)


class TestUpgrading:
    """A database that was in use before there was a log."""

    @pytest.fixture
    def old(self, empty_database: Database, tmp_path: Path) -> Database:
        """With the schema of the version before, and the role of the service at work in it."""
        for name in ALL[:2]:
            shutil.copy(MIGRATIONS / f"{name}.sql", tmp_path)
        migrate(empty_database.owner, folder=tmp_path)
        return empty_database

    @pytest.fixture
    def in_use(self, old: Database) -> Database:
        """Three tables were put into service, the first one again; the second has no range. One number was skipped."""
        add = "INSERT INTO releases (id, label, digest, created_at) VALUES (%s, %s, %s, %s)"
        with psycopg.connect(old.service) as connection:
            for table, label, hour in ((AUTUMN.table, "autumn.csv", 9), (RiskTable(), "empty", 11)):
                connection.execute(add, [table.digest[:12], label, table.digest, NOON.replace(hour=hour)])
            with suppress(errors.UniqueViolation), connection.transaction():
                connection.execute(add, [AUTUMN.table.digest[:12], "", AUTUMN.table.digest, NOON])
            # Dated at the start of a transaction, and therefore before the one that it waited for.
            spring = SPRING.table.digest
            connection.execute(add, [spring[:12], SPRING.label, spring, NOON.replace(hour=10)])
            for number, table in ((1, AUTUMN.table), (4, SPRING.table)):
                for item in table.ranges:
                    values = [number, item.first, item.last, item.factor.value]
                    connection.execute("INSERT INTO risk_ranges VALUES (%s, %s, %s, %s)", values)
            connection.execute("UPDATE active_release SET release = 1, since = %s", [NOON])
        return old

    async def test_releases_keep_their_ids_and_become_lines_of_the_log(self, in_use: Database) -> None:
        assert migrate(in_use.owner) == ALL[2:]
        async with make_pool(in_use.service, max_size=4, timeout=5, statement_timeout=5) as pool:
            repository = PsycopgZipcodeRepository(pool)
            current = await repository.current()
            assert current.table.ranges == AUTUMN.table.ranges
            tables = {table.digest[:12]: table for table in (AUTUMN.table, RiskTable(), SPRING.table)}
            for identity, table in tables.items():
                assert (await repository.table(identity)).ranges == table.ranges
        releases, events = current.history.releases, current.history.events
        assert [(release.id, release.number) for release in releases] == list(zip(tables, (1, 2, 4), strict=True))
        for release in releases:
            table = tables[release.id]
            assert (release.table_sha256, release.counts) == (table.digest, table.counts())
            assert (release.ranges, release.created_by) == (len(table.ranges), "migration")
            assert not release.source_sha256
        assert [release.label for release in releases] == ["autumn.csv", "empty", SPRING.label]
        nine, ten, eleven = (NOON.replace(hour=hour) for hour in (9, 10, 11))
        assert [release.created_at for release in releases] == [nine, eleven, ten]
        loaded = EventKind.LOADED
        autumn, empty, spring = tables
        assert events == (
            Event(1, nine, loaded, autumn, "migration"),
            Event(2, eleven, loaded, empty, "migration"),
            Event(3, eleven + timedelta(microseconds=1), loaded, spring, "migration"),
            Event(4, NOON, EventKind.ACTIVATED, autumn, "migration"),
        )

    async def test_what_comes_next_goes_on_from_there(self, in_use: Database) -> None:
        migrate(in_use.owner)
        async with make_pool(in_use.service, max_size=4, timeout=5, statement_timeout=5) as pool:
            repository = PsycopgZipcodeRepository(pool)
            assert (await repository.add(SPRING, "tester")).number == 4
            release = await serve(repository, ALL_A)
            history = await repository.history()
        assert (release.id, release.number) == (f"0005-{ALL_A.table.digest[:8]}", 5)
        assert [event.number for event in history.events] == [1, 2, 3, 4, 5, 6]
        assert history.predecessor().table_sha256 == AUTUMN.table.digest

    async def test_a_database_without_releases_has_an_empty_log(self, old: Database) -> None:
        migrate(old.owner)
        async with make_pool(old.service, max_size=4, timeout=5, statement_timeout=5) as pool:
            assert await PsycopgZipcodeRepository(pool).history() == ReleaseHistory()

    async def test_until_then_a_look_up_is_answered_and_everything_else_is_not_migrated(self, in_use: Database) -> None:
        async with make_pool(in_use.service, max_size=4, timeout=5, statement_timeout=5) as pool:
            repository = PsycopgZipcodeRepository(pool)
            assert (await repository.find(Zipcode(1315))).release == AUTUMN.table.digest[:12]
            order = Activation(SPRING.table.digest[:12], "tester")
            for call in (
                repository.history,
                repository.current,
                partial(repository.add, ALL_A, "tester"),
                partial(repository.activate, order, expected=AUTUMN.table.digest[:12]),
            ):
                with pytest.raises(StorageUnavailable, match="it is not migrated"):
                    await call()

    async def test_a_replica_of_the_version_before_goes_on_reading(self, in_use: Database) -> None:
        migrate(in_use.owner)
        with psycopg.connect(in_use.service) as connection:
            row = connection.execute(
                "SELECT id, label, digest, since FROM active_release JOIN releases ON number = release"
            ).fetchone()
        assert row is not None
        assert row[:3] == (AUTUMN.table.digest[:12], "autumn.csv", AUTUMN.table.digest)
        assert row[3] == NOON
