"""Figures kept for good in Postgres, and the turn of one replica to ask for new ones."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date
from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.connections import answering, connection_arguments, connection_of, translated
from domain.errors import StorageUnavailable
from domain.health_index.figures import Figure, Month
from domain.ports import FigureHistory, Sighting, Turn, news

FIGURES_CHANNEL = "belref_figures"
"""Where new figures announce themselves; what was recorded is to be read."""

_ALL = "SELECT month, base_year, value, smoothed, seen_at, source FROM figures ORDER BY number"

# A statement of its own before the next: what that one sees begins when whoever had the lock is done.
_LOCK = "SELECT pg_advisory_xact_lock(%(lock)s)"
_KNOWN = """
    SELECT month, base_year, value, smoothed, seen_at, source
    FROM figures
    WHERE (base_year, month) IN (SELECT * FROM unnest(%(base_year)s::smallint[], %(month)s::date[]))
    ORDER BY number
"""
_INSERT = """
    INSERT INTO figures (month, base_year, value, smoothed, seen_at, source)
    SELECT month, base_year, value, smoothed, seen_at, source
    FROM unnest(
        %(month)s::date[], %(base_year)s::smallint[], %(value)s::numeric[], %(smoothed)s::numeric[],
        %(seen_at)s::timestamptz[], %(source)s::text[]
    ) WITH ORDINALITY AS given (month, base_year, value, smoothed, seen_at, source, position)
    ORDER BY position
"""
_ANNOUNCE = "SELECT pg_notify(%(channel)s, '')"

# So that the server, too, notices after about ten seconds that a replica vanished without a word, and frees its turn.
_KEEPALIVES = """
    SELECT set_config(name, value, false)
    FROM (VALUES ('tcp_keepalives_idle', '5'), ('tcp_keepalives_interval', '2'), ('tcp_keepalives_count', '3'))
        AS settings (name, value)
"""
# A standby gives advisory locks of its own, and could record nothing.
_TRY_LOCK = "SELECT CASE WHEN pg_is_in_recovery() THEN false ELSE pg_try_advisory_lock(%s) END"

_RECORDING = int.from_bytes(b"figures", "big")
_TURN = int.from_bytes(b"refresh", "big")
"""Advisory locks are numbers that belong to a database; `adapters.postgres.migrate` has one too."""


class PsycopgFigureHistory(FigureHistory):
    """A row for every sighting. The role of the service may add rows and read them, and nothing else."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        """`pool` as `adapters.postgres.connections.make_pool` makes it; whoever made it opens and closes it."""
        self._pool = pool

    async def sightings(self) -> Sequence[Sighting]:
        async with connection_of(self._pool) as connection:
            cursor = await connection.execute(_ALL, prepare=True)
            rows = await cursor.fetchall()
        return list(map(_sighting, rows))

    async def record(self, sightings: Sequence[Sighting]) -> Sequence[Sighting]:
        async with connection_of(self._pool) as connection, connection.transaction():
            await connection.execute(_LOCK, {"lock": _RECORDING}, prepare=True)
            known = await (await connection.execute(_KNOWN, _columns(sightings), prepare=True)).fetchall()
            new = news(map(_sighting, known), sightings)
            if new:
                await connection.execute(_INSERT, _columns(new), prepare=True)
                await connection.execute(_ANNOUNCE, {"channel": FIGURES_CHANNEL}, prepare=True)
        return new


class PostgresTurn(Turn):
    """A lock that belongs to a session: Postgres lets go of it when the session ends, however that happens.

    While another replica has the turn, no connection is kept.
    """

    def __init__(self, dsn: str, timeout: float) -> None:
        """`timeout` is how long connecting may take, and how long the answer afterwards, in seconds.

        :raises StorageUnavailable: for a DSN that cannot be read
        """
        self._dsn, self._timeout = dsn, timeout
        self._arguments = connection_arguments(dsn, timeout)
        self._session: AsyncConnection | None = None
        self._asking = asyncio.Lock()

    async def take(self) -> bool:
        async with self._asking:
            mine = False
            try:
                with translated():
                    mine = await self._try()
            finally:
                if not mine:
                    await self._end()
            return mine

    async def aclose(self) -> None:
        """Let another replica have the turn; asking again afterwards starts anew."""
        async with self._asking:
            await self._end()

    async def _try(self) -> bool:
        """A session that has the lock is given it again, so that asking is also how it shows that it lives."""
        new = self._session is None
        session = self._session = self._session or await self._connect()
        async with answering(session, self._timeout):
            if new:
                await session.execute(_KEEPALIVES)
            row = await (await session.execute(_TRY_LOCK, [_TURN])).fetchone()
        return row == (True,)

    async def _connect(self) -> AsyncConnection:
        try:
            async with asyncio.timeout(self._timeout):  # the driver counts in whole seconds
                return await AsyncConnection.connect(self._dsn, **self._arguments)
        except TimeoutError as error:
            raise StorageUnavailable(f"no answer within {self._timeout:g} s") from error

    async def _end(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def _columns(sightings: Sequence[Sighting]) -> dict[str, list[Any]]:
    figures = [sighting.figure for sighting in sightings]
    return {
        "month": [date(figure.month.year, figure.month.number, 1) for figure in figures],
        "base_year": [figure.base_year for figure in figures],
        "value": [figure.value for figure in figures],
        "smoothed": [figure.smoothed for figure in figures],
        "seen_at": [sighting.seen_at for sighting in sightings],
        "source": [sighting.source for sighting in sightings],
    }


def _sighting(row: tuple[Any, ...]) -> Sighting:
    month, base_year, value, smoothed, seen_at, source = row
    figure = Figure(Month(month.year, month.month), base_year, value, smoothed)
    return Sighting(figure, seen_at.astimezone(UTC), source)
