"""The risk table in Postgres, for any number of replicas; the tables are made by `adapters.migrate`."""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import UndefinedTable
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool

from domain.errors import InvalidRiskTable, NoActiveRelease, StorageUnavailable
from domain.ports import Listing, Lookup, ZipcodeRepository
from domain.zipcodes import Release, RiskFactor, RiskRange, RiskTable, Zipcode

CHANNEL = "belref_release"
"""Where an activation announces itself, with the id of the release."""

# Every reading is one statement, so that its answer comes from one release. docs/explain.md has the plans.
_FIND = """
    SELECT releases.id, covering.factor
    FROM active_release
    JOIN releases ON releases.number = active_release.release
    LEFT JOIN LATERAL (
        SELECT last, factor FROM risk_ranges
        WHERE risk_ranges.release = active_release.release AND first <= %(zipcode)s
        ORDER BY first DESC
        LIMIT 1
    ) AS covering ON covering.last >= %(zipcode)s
"""
_SELECT = """
    SELECT releases.id, first, last, factor
    FROM active_release
    JOIN releases ON releases.number = active_release.release
    LEFT JOIN risk_ranges ON risk_ranges.release = active_release.release AND factor = ANY(%(factors)s)
"""
_ACTIVE = """
    SELECT releases.id, label, digest, first, last, factor
    FROM active_release
    JOIN releases ON releases.number = active_release.release
    LEFT JOIN risk_ranges ON risk_ranges.release = active_release.release
"""

_LOCK = "SELECT release FROM active_release FOR UPDATE"
_INSERT_RELEASE = """
    INSERT INTO releases (id, label, digest) VALUES (%(id)s, %(label)s, %(digest)s)
    ON CONFLICT (id) DO NOTHING
    RETURNING number
"""
_INSERT_RANGES = """
    INSERT INTO risk_ranges (release, first, last, factor)
    SELECT %(release)s, * FROM unnest(%(first)s::smallint[], %(last)s::smallint[], %(factor)s::text[])
"""
_POINT = """
    UPDATE active_release SET release = releases.number, since = now()
    FROM releases WHERE releases.id = %(id)s AND releases.digest = %(digest)s
"""
_ANNOUNCE = "SELECT pg_notify(%(channel)s, %(id)s)"

# A server that vanished without a word is noticed after about ten seconds, not after the hours of TCP's own limits.
_NETWORK = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}


class PsycopgZipcodeRepository(ZipcodeRepository):
    """Keeps every release that was ever put into service; a row of `active_release` points at the one that is.

    A release that is put into service again keeps the label it had the first time.
    """

    def __init__(self, pool: AsyncConnectionPool) -> None:
        """`pool` as `make_pool` makes it; whoever made it opens and closes it."""
        self._pool = pool

    async def find(self, zipcode: Zipcode) -> Lookup:
        async with connection_of(self._pool) as connection:
            cursor = await connection.execute(_FIND, {"zipcode": zipcode}, prepare=True)
            row = await cursor.fetchone()
        if row is None:
            raise NoActiveRelease
        release, factor = row
        return Lookup(zipcode, None if factor is None else _factor(factor, release), release)

    async def select(self, factors: Collection[RiskFactor]) -> Listing:
        wanted = {"factors": [factor.value for factor in factors]}
        async with connection_of(self._pool) as connection:
            cursor = await connection.execute(_SELECT, wanted, prepare=True)
            rows = await cursor.fetchall()
        if not rows:
            raise NoActiveRelease
        release = rows[0][0]
        table = _table((row[1:] for row in rows), release)
        return Listing(tuple(table.factors()), release)

    async def active(self) -> Release:
        async with connection_of(self._pool) as connection:
            cursor = await connection.execute(_ACTIVE, prepare=True)
            rows = await cursor.fetchall()
        if not rows:
            raise NoActiveRelease
        release, label, digest = rows[0][:3]
        table = _table((row[3:] for row in rows), release)
        if table.digest != digest:
            raise StorageUnavailable(f"release {release} is invalid: it was changed after it was put into service")
        return Release(release, label, table)

    async def activate(self, release: Release) -> None:
        async with connection_of(self._pool) as connection, connection.transaction():
            await _lock(connection)
            await _put_into_service(connection, release)

    async def seed(self, release: Release) -> bool:
        async with connection_of(self._pool) as connection, connection.transaction():
            if await _lock(connection) is not None:
                return False
            await _put_into_service(connection, release)
        return True


def make_pool(
    dsn: str, *, min_size: int = 1, max_size: int = 4, timeout: float, statement_timeout: float
) -> AsyncConnectionPool:
    """Build a pool and open nothing.

    `timeout` is how long a caller waits for a connection, and `statement_timeout` for a statement, both in seconds.

    :raises StorageUnavailable: for a DSN that cannot be read
    """

    async def configure(connection: AsyncConnection) -> None:
        milliseconds = str(math.ceil(statement_timeout * 1000))
        await connection.execute(
            "SELECT set_config(name, %s, false) FROM unnest(%s::text[]) AS name",
            [milliseconds, ["statement_timeout", "idle_in_transaction_session_timeout"]],
        )

    return AsyncConnectionPool(
        dsn,
        kwargs=connection_arguments(dsn, timeout),
        min_size=min_size,
        max_size=max_size,
        timeout=timeout,
        # Connections are tried anew when somebody asks. The pool's own pauses grow to minutes while the server is down.
        reconnect_timeout=timeout,
        configure=configure,
        open=False,
        name="belref",
    )


async def probe(dsn: str, *, within: float) -> None:
    """Connect once, outside of any pool, to learn why that does not work.

    The server's own words are in the reason, with host and role but without the password: it is for whoever starts the
    service, and not for its clients.

    :raises StorageUnavailable: when connecting fails or takes longer than `within`, in seconds
    """
    try:
        async with asyncio.timeout(within):
            connection = await AsyncConnection.connect(dsn, **connection_arguments(dsn, within))
            await connection.close()
    except TimeoutError as error:
        raise StorageUnavailable(f"no connection within {within:g} s") from error
    except psycopg.OperationalError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise StorageUnavailable(lines[0] if lines else type(error).__name__) from error


def make_listener(dsn: str, *, timeout: float, channel: str = CHANNEL) -> Callable[[], AsyncGenerator[None]]:
    """Something to call for a stream of the announcements on a channel, on a connection of its own.

    The stream gives one item as soon as it listens, and one for every announcement that is committed from then on. It
    has no end but `StorageUnavailable`. `timeout` is how long connecting may take, in seconds.

    :raises StorageUnavailable: for a DSN that cannot be read
    """
    arguments = connection_arguments(dsn, timeout)

    async def listen() -> AsyncGenerator[None]:
        with translated():
            async with await AsyncConnection.connect(dsn, **arguments) as connection:
                await connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
                yield
                # Closed here and not whenever it is collected: until then it holds the connection's lock.
                async with aclosing(connection.notifies()) as announcements:
                    async for _ in announcements:
                        yield

    return listen


@asynccontextmanager
async def connection_of(pool: AsyncConnectionPool) -> AsyncIterator[AsyncConnection]:
    """A connection of a pool, for as long as the context; whatever goes wrong with it is `StorageUnavailable`."""
    with translated():
        async with pool.connection() as connection:
            yield connection


def connection_arguments(dsn: str, timeout: float) -> dict[str, Any]:
    """What every connection is made with, be it of a pool or not; connecting may take `timeout` seconds.

    :raises StorageUnavailable: for a DSN that cannot be read
    """
    try:
        conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        # Without `from`: the driver quotes what it could not read, and a password may be in it.
        raise StorageUnavailable("its DSN cannot be read") from None
    return {
        "autocommit": True,
        "connect_timeout": math.ceil(timeout),
        "fallback_application_name": "belref",
        **_NETWORK,
    }


@contextmanager
def translated() -> Iterator[None]:
    """Whatever the driver raises is `StorageUnavailable`.

    The class and the SQLSTATE of an error may be shown to anyone, the driver's messages may not.
    """
    try:
        yield
    except UndefinedTable as error:
        raise StorageUnavailable("it is not migrated") from error
    except psycopg.Error as error:
        code = f" ({error.sqlstate})" if error.sqlstate else ""
        raise StorageUnavailable(f"{type(error).__name__}{code}") from error
    except UnicodeError as error:
        raise StorageUnavailable("it was given text that is not Unicode") from error


async def _lock(connection: AsyncConnection) -> int | None:
    """Wait until nobody else activates; the number of the active release, or None."""
    row = await (await connection.execute(_LOCK, prepare=True)).fetchone()
    if row is None:
        raise StorageUnavailable("it is invalid: active_release has no row")
    active: int | None = row[0]
    return active


async def _put_into_service(connection: AsyncConnection, release: Release) -> None:
    values = {"id": release.id, "label": release.label, "digest": release.table.digest}
    inserted = await (await connection.execute(_INSERT_RELEASE, values, prepare=True)).fetchone()
    if inserted is not None:
        ranges = release.table.ranges
        columns = {
            "release": inserted[0],
            "first": [item.first for item in ranges],
            "last": [item.last for item in ranges],
            "factor": [item.factor.value for item in ranges],
        }
        await connection.execute(_INSERT_RANGES, columns, prepare=True)
    pointed = await connection.execute(_POINT, values, prepare=True)
    if pointed.rowcount != 1:
        raise StorageUnavailable(f"release {release.id} is there already, with another table")
    await connection.execute(_ANNOUNCE, {"channel": CHANNEL, "id": release.id}, prepare=True)


def _factor(value: str, release: str) -> RiskFactor:
    try:
        return RiskFactor(value)
    except ValueError as error:
        raise StorageUnavailable(f"release {release} is invalid: it has a factor {value[:8]!r}") from error


def _table(rows: Iterable[Sequence[Any]], release: str) -> RiskTable:
    """The table of rows of first, last and factor, in any order; one of None stands for a release without a range."""
    try:
        return RiskTable(RiskRange(first, last, _factor(factor, release)) for first, last, factor in rows if factor)
    except InvalidRiskTable as error:
        raise StorageUnavailable(f"release {release} is invalid: {error}") from error
