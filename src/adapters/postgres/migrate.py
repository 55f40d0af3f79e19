"""Brings a database up to the schema of this version: the files of `migrations`, in order, each once.

yoyo reads them and keeps the record. Three of its habits are changed here, because replicas may start together and may
be killed at any moment: its lock is a row that outlives whoever made it, a migration and the note that it was applied
are two transactions, and the note asks the machine for names that a container need not have.
"""

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Timer

import psycopg
import yoyo  # type: ignore[import-untyped]  # it ships no types
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend  # type: ignore[import-untyped]  # no types
from yoyo.connections import DatabaseURI  # type: ignore[import-untyped]  # no types
from yoyo.migrations import Migration, default_migration_table  # type: ignore[import-untyped]  # no types

from adapters.postgres.connections import hang_up
from domain.errors import StorageUnavailable

MIGRATIONS = Path(__file__).parent / "migrations"

_LOCK = int.from_bytes(b"belref", "big")
"""An advisory lock: Postgres itself lets go of it when the connection that holds it ends."""


class _Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # the base class has no types
    """All on one connection, so that everything belongs to one transaction."""

    @contextmanager
    def copy(self) -> Iterator["_Backend"]:
        yield self

    @contextmanager
    def lock(self, timeout: float = 0) -> Iterator[None]:  # noqa: ARG002 - the time-out of the connection counts
        self.execute(f"SELECT pg_advisory_lock({_LOCK})")
        try:
            yield
        finally:
            if not self.connection.closed:
                self.execute(f"SELECT pg_advisory_unlock({_LOCK})")

    def get_log_data(self, migration: Migration = None, operation: str = "apply") -> dict[str, object]:
        return {
            "id": str(uuid.uuid4()),
            "migration_id": migration.id if migration else None,
            "migration_hash": migration.hash if migration else None,
            "username": self.connection.info.user,
            "hostname": "",
            "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
            "operation": operation,
        }


def migrate(
    dsn: str,
    *,
    lock_timeout: timedelta = timedelta(minutes=1),
    within: timedelta = timedelta(minutes=10),
    folder: Path = MIGRATIONS,
) -> list[str]:
    """Apply what is missing, all of it or nothing, and say what that was, in order.

    The role of the DSN will own the tables. It must be allowed to make tables, and to make the role `belref_service`
    where there is none yet; the login of the service is made a member of that role by whoever operates the database.
    Another process that does the same is waited for, up to `lock_timeout`, as is every other lock; all of it is given
    up after `within`, as when the server is stopped meanwhile.

    :raises StorageUnavailable: when the database does not answer or does not allow it
    """
    try:
        # The scheme is yoyo's name for psycopg 3, and None stands for what the DSN says itself.
        uri = DatabaseURI("postgresql+psycopg", None, None, None, None, None, {"conninfo": dsn, "connect_timeout": 10})
        backend = _Backend(uri, default_migration_table)
        with closing(backend.connection) as connection, _hung_up_after(within, connection):
            connection.execute(f"SET lock_timeout = {lock_timeout // timedelta(milliseconds=1)}")
            with backend.lock():
                missing = backend.to_apply(yoyo.read_migrations(str(folder)))
                with backend.transaction():
                    backend.apply_migrations(missing)
            return [migration.id for migration in missing]
    except psycopg.Error as error:
        if error.sqlstate is None and isinstance(error, psycopg.ProgrammingError):
            # Without `from`: the driver quotes what it could not read, and a password may be in it.
            raise StorageUnavailable("its DSN cannot be read") from None
        raise StorageUnavailable(f"not migrated: {error.diag.message_primary or type(error).__name__}") from error


@contextmanager
def _hung_up_after(span: timedelta, connection: psycopg.Connection) -> Iterator[None]:
    timer = Timer(span.total_seconds(), hang_up, [connection])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
