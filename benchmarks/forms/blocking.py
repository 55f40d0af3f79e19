"""How the blocking forms reach the risk table, and how any form opens a connection for each request.

All ask Postgres exactly what `PsycopgZipcodeRepository` asks, and check its rows as it does: between two forms only the
way to Postgres differs.
"""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any, cast

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from adapters.postgres_releases import _FIND, _SELECT, PsycopgZipcodeRepository
from domain.errors import NoActiveRelease, StorageUnavailable
from domain.ports import Listing, Lookup
from domain.zipcodes import RiskFactor, RiskRange, RiskTable, Zipcode


class BlockingZipcodes:
    """Both questions, with a driver that makes its thread wait.

    They raise what the repository raises: `NoActiveRelease` and `StorageUnavailable`.
    """

    def __init__(self, connection: Callable[[], AbstractContextManager[Connection]], *, prepare: bool) -> None:
        self._connection, self._prepare = connection, prepare

    def find(self, zipcode: Zipcode) -> Lookup:
        ((release, factor),) = self._rows(_FIND, {"zipcode": zipcode})
        return Lookup(zipcode, None if factor is None else RiskFactor(factor), release)

    def select(self, factors: Collection[RiskFactor]) -> Listing:
        rows = self._rows(_SELECT, {"factors": [factor.value for factor in factors]})
        table = RiskTable(RiskRange(first, last, RiskFactor(factor)) for _, first, last, factor in rows if factor)
        return Listing(tuple(table.factors()), rows[0][0])

    def _rows(self, statement: str, values: dict[str, object]) -> list[tuple[Any, ...]]:
        try:
            with self._connection() as connection:
                rows = connection.execute(statement.encode(), values, prepare=self._prepare).fetchall()
        except psycopg.Error as error:
            raise StorageUnavailable(type(error).__name__) from error
        if not rows:
            raise NoActiveRelease
        return rows


def connecting(dsn: str) -> BlockingZipcodes:
    """A connection for each question, as in the example of the brief; a statement used once is not prepared."""
    return BlockingZipcodes(lambda: psycopg.connect(dsn, autocommit=True), prepare=False)


def blocking_pool(dsn: str, size: int) -> ConnectionPool:
    """The blocking counterpart of `adapters.postgres.make_pool`; whoever made it opens and closes it."""
    return ConnectionPool(dsn, kwargs={"autocommit": True}, min_size=size, max_size=size, timeout=30, open=False)


class _NoPool:
    """Looks like a pool to the repository, and keeps nothing."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        async with await AsyncConnection.connect(self._dsn, autocommit=True) as connection:
            yield connection


def connecting_async(dsn: str) -> PsycopgZipcodeRepository:
    """The repository without a pool: asynchronous, and a connection for each question all the same."""
    return PsycopgZipcodeRepository(cast("AsyncConnectionPool", _NoPool(dsn)))
