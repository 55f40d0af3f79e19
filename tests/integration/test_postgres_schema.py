"""What the schema refuses, whoever asks."""

import psycopg
import pytest
from psycopg import errors
from psycopg.sql import SQL, Identifier, Placeholder
from tests.integration.postgres_databases import Database


def insert(connection: psycopg.Connection, table: str, values: dict[str, object]) -> None:
    """A row by hand."""
    columns = SQL(", ").join(map(Identifier, values))
    places = SQL(", ").join(map(Placeholder, values))
    connection.execute(SQL("INSERT INTO {} ({}) VALUES ({})").format(Identifier(table), columns, places), values)


def make_release(connection: psycopg.Connection, number: int, /, **others: object) -> int:
    values = {"id": f"{number:04}-00000000", "number": number, "label": "by hand", "digest": f"{number:064x}"}
    values |= {"source_sha256": "", "counts": "{}", "ranges": 0, "created_at": "now", "created_by": "tester"}
    insert(connection, "releases", {**values, **others})
    return number


def make_range(connection: psycopg.Connection, release: int, first: int, last: int, factor: str | None) -> None:
    insert(connection, "risk_ranges", {"release": release, "first": first, "last": last, "factor": factor})


def make_event(connection: psycopg.Connection, **values: object) -> None:
    insert(connection, "release_events", {"release": 1, "actor": "x", "forced": False, "withdrawn": "[]", **values})


class TestLeastPrivilege:
    """What the role of the service may do beyond reading, loading and activating: nothing."""

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TABLE mine (id integer)",
            "CREATE SCHEMA mine",
            "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            "CREATE ROLE mine",
            "CREATE EXTENSION btree_gist",
            "ALTER TABLE releases ADD COLUMN mine integer",
            "ALTER TABLE risk_ranges DROP CONSTRAINT risk_ranges_not_reversed",
            "ALTER TABLE risk_ranges DISABLE TRIGGER checked_as_a_whole",
            "ALTER TABLE release_events DISABLE TRIGGER ALL",
            "DROP TRIGGER added_to_alone ON release_events",
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "SET session_replication_role = replica",
            "ALTER TABLE active_release OWNER TO belref_service",
            "DROP TABLE risk_ranges",
            "DROP TABLE active_release",
            "DROP INDEX releases_number_key",
            "TRUNCATE risk_ranges",
            "TRUNCATE active_release",
            "TRUNCATE release_events",
            "UPDATE releases SET label = ''",
            "DELETE FROM releases",
            "UPDATE risk_ranges SET factor = 'A'",
            "DELETE FROM risk_ranges",
            "UPDATE release_events SET actor = 'somebody else'",
            "DELETE FROM release_events",
            "INSERT INTO active_release DEFAULT VALUES",
            "DELETE FROM active_release",
            "SELECT * FROM _yoyo_migration",
        ],
    )
    def test_it_may_change_neither_the_schema_nor_what_is_kept(self, database: Database, statement: str) -> None:
        with psycopg.connect(database.service) as connection, pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement)

    def test_the_owner_may_do_what_the_service_may_not(self, database: Database) -> None:
        with psycopg.connect(database.owner) as connection:
            connection.execute("CREATE TABLE mine (id integer)")
            connection.execute("DROP TABLE active_release")


class TestAddedToAlone:
    """What was loaded and what was done stays as it is, also by the hand of the owner or of a superuser."""

    @pytest.mark.parametrize("role", ["owner", "superuser"])
    @pytest.mark.parametrize(
        ("table", "statement"),
        [
            ("releases", "UPDATE releases SET label = ''"),
            ("releases", "DELETE FROM releases"),
            ("releases", "TRUNCATE releases, risk_ranges, release_events, active_release"),
            ("risk_ranges", "UPDATE risk_ranges SET factor = 'B'"),
            ("risk_ranges", "DELETE FROM risk_ranges WHERE first = 2000"),
            ("risk_ranges", "TRUNCATE risk_ranges"),
            ("release_events", "UPDATE release_events SET at = now()"),
            ("release_events", "DELETE FROM release_events WHERE number = 4711"),
            ("release_events", "TRUNCATE release_events"),
            (
                "releases",
                "INSERT INTO releases SELECT * FROM releases ON CONFLICT (id) DO UPDATE SET label = 'another'",
            ),
        ],
    )
    def test_rows_are_neither_changed_nor_removed(
        self, database: Database, role: str, table: str, statement: str
    ) -> None:
        with psycopg.connect(database.owner) as connection:
            make_range(connection, make_release(connection, 1), 2000, 3000, "A")
        with psycopg.connect(getattr(database, role)) as connection:
            refusal = f"rows of {table} are added, and never changed nor removed"
            with pytest.raises(errors.RestrictViolation, match=refusal):
                connection.execute(statement.encode())

    @pytest.mark.parametrize("role", ["service", "owner", "superuser"])
    def test_a_release_that_is_in_the_log_gets_no_more_ranges(self, database: Database, role: str) -> None:
        with psycopg.connect(database.owner) as connection:
            release = make_release(connection, 1)
            make_range(connection, release, 2000, 3000, "A")
            connection.execute(
                "INSERT INTO release_events VALUES (1, now(), 'loaded', %s, 'x', false, '[]')", [release]
            )
        with (
            psycopg.connect(getattr(database, role)) as connection,
            pytest.raises(errors.RestrictViolation, match="gets no more ranges"),
        ):
            make_range(connection, release, 4000, 4000, "A")


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
            release = make_release(connection, 1)
            make_range(connection, release, 2000, 3000, "A")
            with pytest.raises(refusal):
                make_range(connection, release, first, last, factor)

    def test_neighbours_and_other_releases_are_no_overlap(self, database: Database) -> None:
        with psycopg.connect(database.owner) as connection:
            one, other = make_release(connection, 1), make_release(connection, 2)
            for release in (one, other):
                for first, last in ((1000, 1999), (2000, 3000), (3001, 9999)):
                    make_range(connection, release, first, last, "A")
            count = connection.execute("SELECT count(*) FROM risk_ranges").fetchone()
        assert count == (6,)

    @pytest.mark.parametrize(
        ("statement", "refusal"),
        [
            ("INSERT INTO active_release (singleton) VALUES (true)", errors.UniqueViolation),
            ("INSERT INTO active_release (singleton) VALUES (false)", errors.CheckViolation),
            ("UPDATE active_release SET release = 4711", errors.ForeignKeyViolation),
            ("INSERT INTO risk_ranges VALUES (4711, 1000, 1000, 'A')", errors.ForeignKeyViolation),
        ],
    )
    def test_there_is_one_pointer_and_it_points_at_a_release(
        self, database: Database, statement: str, refusal: type[psycopg.Error]
    ) -> None:
        with psycopg.connect(database.owner) as connection, pytest.raises(refusal):
            connection.execute(statement)

    @pytest.mark.parametrize(
        ("column", "value", "refusal"),
        [
            ("id", "", errors.CheckViolation),
            ("id", "0001-00000000", errors.UniqueViolation),
            ("number", 0, errors.CheckViolation),
            ("number", 1, errors.UniqueViolation),
            ("number", None, errors.NotNullViolation),
            ("digest", "none", errors.CheckViolation),
            ("digest", f"{1:064x}", errors.UniqueViolation),
            ("source_sha256", "none", errors.CheckViolation),
            ("source_sha256", "A" * 64, errors.CheckViolation),
            ("counts", "[]", errors.CheckViolation),
            ("ranges", -1, errors.CheckViolation),
            ("created_by", None, errors.NotNullViolation),
        ],
    )
    def test_a_release_that_is_wrong_is_refused(
        self, database: Database, column: str, value: object, refusal: type[psycopg.Error]
    ) -> None:
        with psycopg.connect(database.owner) as connection:
            make_release(connection, 1)
            with pytest.raises(refusal):
                make_release(connection, 2, **{column: value})

    @pytest.mark.parametrize(
        ("column", "value", "refusal"),
        [
            ("number", 0, errors.CheckViolation),
            ("number", 1, errors.UniqueViolation),
            ("at", "2026-11-22 12:00+00", errors.UniqueViolation),
            ("at", "infinity", errors.CheckViolation),
            ("kind", "removed", errors.CheckViolation),
            ("kind", "loaded", errors.UniqueViolation),
            ("release", 4711, errors.ForeignKeyViolation),
            ("actor", None, errors.NotNullViolation),
            ("withdrawn", "{}", errors.CheckViolation),
        ],
    )
    def test_an_event_that_is_wrong_is_refused(
        self, database: Database, column: str, value: object, refusal: type[psycopg.Error]
    ) -> None:
        with psycopg.connect(database.owner) as connection:
            make_release(connection, 1)
            make_event(connection, number=1, at="2026-11-22 12:00+00", kind="loaded")
            make_event(connection, number=2, at="2026-11-22 13:00+00", kind="activated")
            with pytest.raises(refusal):
                make_event(connection, **{"number": 3, "at": "2026-11-22 14:00+00", "kind": "activated", column: value})
