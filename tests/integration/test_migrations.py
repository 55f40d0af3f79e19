from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo
from tests.integration.postgres_databases import Database, password_of

from adapters.migrate import MIGRATIONS, migrate
from domain.errors import StorageUnavailable

ALL = [path.stem for path in sorted(MIGRATIONS.glob("*.sql"))]
RISK_TABLES = {"releases", "risk_ranges", "active_release"}

DIGEST = "0" * 64


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


class TestLeastPrivilege:
    """What the role of the service may do beyond reading and activating: nothing."""

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TABLE mine (id integer)",
            "CREATE SCHEMA mine",
            "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            "CREATE ROLE mine",
            "CREATE EXTENSION btree_gist",
            "ALTER TABLE releases ADD COLUMN mine integer",
            "ALTER TABLE risk_ranges DROP CONSTRAINT risk_ranges_do_not_overlap",
            "ALTER TABLE active_release OWNER TO belref_service",
            "DROP TABLE risk_ranges",
            "DROP TABLE active_release",
            "DROP INDEX releases_number_key",
            "TRUNCATE risk_ranges",
            "TRUNCATE active_release",
        ],
    )
    def test_it_may_not_change_the_schema(self, database: Database, statement: str) -> None:
        with psycopg.connect(database.service) as connection, pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement)

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE releases SET label = ''",
            "DELETE FROM releases",
            "UPDATE risk_ranges SET factor = 'A'",
            "DELETE FROM risk_ranges",
            "INSERT INTO active_release DEFAULT VALUES",
            "DELETE FROM active_release",
            "SELECT * FROM _yoyo_migration",
        ],
    )
    def test_it_may_not_change_what_was_put_into_service(self, database: Database, statement: str) -> None:
        with psycopg.connect(database.service) as connection, pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement)

    def test_the_owner_may_do_what_the_service_may_not(self, database: Database) -> None:
        with psycopg.connect(database.owner) as connection:
            connection.execute("CREATE TABLE mine (id integer)")
            connection.execute("DELETE FROM risk_ranges")
            connection.execute("DROP TABLE active_release")


class TestConstraints:
    """No table that is wrong gets into the database, not even by the owner's hand."""

    @pytest.mark.parametrize(
        ("first", "last", "factor", "refusal"),
        [
            (1000, 2000, "A", errors.ExclusionViolation),
            (2500, 2500, "A", errors.ExclusionViolation),
            (3000, 3500, "B", errors.ExclusionViolation),
            (1000, 9999, "B", errors.ExclusionViolation),
            (2000, 2001, "B", errors.UniqueViolation),
            (999, 1000, "A", errors.CheckViolation),
            (9999, 10000, "A", errors.CheckViolation),
            (5000, 4999, "A", errors.CheckViolation),
            (5000, 5000, "D", errors.CheckViolation),
            (5000, 5000, "a", errors.CheckViolation),
            (5000, 5000, "", errors.CheckViolation),
            (5000, 5000, None, errors.NotNullViolation),
        ],
    )
    def test_a_range_that_is_wrong_is_refused(
        self, database: Database, first: int, last: int, factor: str | None, refusal: type[psycopg.Error]
    ) -> None:
        with psycopg.connect(database.owner) as connection:
            release = self._release(connection, "one")
            self._range(connection, release, 2000, 3000, "A")
            with pytest.raises(refusal):
                self._range(connection, release, first, last, factor)

    def test_neighbours_and_other_releases_are_no_overlap(self, database: Database) -> None:
        with psycopg.connect(database.owner) as connection:
            one, other = self._release(connection, "one"), self._release(connection, "other")
            for release in (one, other):
                for first, last in ((1000, 1999), (2000, 3000), (3001, 9999)):
                    self._range(connection, release, first, last, "A")
            count = connection.execute("SELECT count(*) FROM risk_ranges").fetchone()
        assert count == (6,)

    @pytest.mark.parametrize(
        ("statement", "refusal"),
        [
            ("INSERT INTO active_release (singleton) VALUES (true)", errors.UniqueViolation),
            ("INSERT INTO active_release (singleton) VALUES (false)", errors.CheckViolation),
            ("UPDATE active_release SET release = 4711", errors.ForeignKeyViolation),
            ("INSERT INTO risk_ranges VALUES (4711, 1000, 1000, 'A')", errors.ForeignKeyViolation),
            ("INSERT INTO releases (id, label, digest) VALUES ('', '', repeat('0', 64))", errors.CheckViolation),
            ("INSERT INTO releases (id, label, digest) VALUES ('x', '', 'none')", errors.CheckViolation),
        ],
    )
    def test_there_is_one_pointer_and_it_points_at_a_release(
        self, database: Database, statement: str, refusal: type[psycopg.Error]
    ) -> None:
        with psycopg.connect(database.owner) as connection, pytest.raises(refusal):
            connection.execute(statement)

    def _release(self, connection: psycopg.Connection, name: str) -> int:
        row = connection.execute(
            "INSERT INTO releases (id, label, digest) VALUES (%s, 'by hand', %s) RETURNING number", [name, DIGEST]
        ).fetchone()
        assert row is not None
        return int(row[0])

    def _range(self, connection: psycopg.Connection, release: int, first: int, last: int, factor: str | None) -> None:
        connection.execute("INSERT INTO risk_ranges VALUES (%s, %s, %s, %s)", [release, first, last, factor])
