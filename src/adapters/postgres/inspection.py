"""What a Postgres server says of itself and of the role that asks: for an operator, and without changing anything."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from psycopg import AsyncConnection

from adapters.postgres.connections import answering, connection_arguments, translated
from adapters.postgres.migrate import MIGRATIONS

_CREATES = re.compile(r"^CREATE (?:TABLE|SEQUENCE|VIEW) (\w+)", re.MULTILINE)

_NEEDED = (
    *((table, right) for table in ("releases", "risk_ranges", "release_events") for right in ("SELECT", "INSERT")),
    *(("active_release", "SELECT"), ("active_release", "UPDATE")),
    *(("figures", "SELECT"), ("figures", "INSERT")),
)
"""What the service does with each table. Some rights are those of columns alone."""

_SERVER = """
SELECT
    split_part(current_setting('server_version'), ' ', 1),
    clock_timestamp(),
    current_user::text,
    rolsuper,
    pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean,
    least(
        current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
            - coalesce(current_setting('reserved_connections', true)::integer, 0),
        CASE WHEN rolconnlimit < 0 THEN NULL ELSE rolconnlimit END,
        CASE WHEN datconnlimit < 0 THEN NULL ELSE datconnlimit END
    ),
    (SELECT sum(numbackends)::integer FROM pg_stat_database)
FROM pg_roles, pg_database
WHERE rolname = current_user AND datname = current_database()
"""

_THERE = "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NOT NULL"

_LACKING = """
SELECT wanted || ' on ' || name
FROM unnest(%s::text[], %s::text[]) AS needed (name, wanted)
WHERE to_regclass(name) IS NOT NULL AND NOT has_any_column_privilege(to_regclass(name), wanted)
"""

_OWNS = """
SELECT EXISTS (
    SELECT FROM pg_class WHERE oid = ANY (%s::text[]::regclass[]) AND pg_has_role(relowner, 'USAGE')
)
"""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """A server, its database and the role, at one moment."""

    version: str
    time: datetime
    role: str
    superuser: bool
    owner: bool
    """Whether the role owns tables, and so may change and remove them."""
    read_only: bool
    connections: int
    """How many there may be of this role, without those that are kept for administrators."""
    in_use: int
    """How many there are now, of everybody."""
    applied: tuple[str, ...]
    """The migrations whose tables are there. The service's role may not read the record of migrations."""
    missing: tuple[str, ...]
    lacking: tuple[str, ...]
    """The rights that the role needs and does not have, such as `INSERT on figures`."""


def tables_of_migrations(folder: Path = MIGRATIONS) -> dict[str, list[str]]:
    """The tables that each migration makes, by its id, in order."""
    return {file.stem: _CREATES.findall(file.read_text("utf-8")) for file in sorted(folder.glob("*.sql"))}


async def inspect(dsn: str, *, within: float) -> ServerFacts:
    """Ask on a connection of its own; all of it may take `within` seconds, and connecting as many again.

    :raises StorageUnavailable: when it does not answer
    """
    made = tables_of_migrations()
    with translated():
        async with (
            await AsyncConnection.connect(dsn, **connection_arguments(dsn, within)) as connection,
            answering(connection, within),
        ):
            [server] = await (await connection.execute(_SERVER)).fetchall()
            names = [name for tables in made.values() for name in tables]
            there = {name for (name,) in await (await connection.execute(_THERE, [names])).fetchall()}
            needed = [list(column) for column in zip(*_NEEDED, strict=True)]
            lacking = [text for (text,) in await (await connection.execute(_LACKING, needed)).fetchall()]
            [(owns,)] = await (await connection.execute(_OWNS, [sorted(there)])).fetchall()
    version, time, role, superuser, read_only, connections, in_use = server
    missing = tuple(migration for migration, tables in made.items() if not there.issuperset(tables))
    return ServerFacts(
        version=version,
        time=time,
        role=role,
        superuser=superuser,
        owner=owns,
        read_only=read_only,
        connections=connections,
        in_use=in_use,
        applied=tuple(migration for migration in made if migration not in missing),
        missing=missing,
        lacking=tuple(lacking),
    )
