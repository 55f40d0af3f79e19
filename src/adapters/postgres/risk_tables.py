"""Releases of the risk table in Postgres, for any number of replicas; `adapters.postgres.migrate` makes the tables."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

from msgspec import MsgspecError
from msgspec.json import Decoder
from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.connections import CHANNEL, connection_of
from domain.errors import NoActiveRelease, StorageUnavailable
from domain.ports import Listing, Lookup, ZipcodeRepository
from domain.risk.releases import (
    MOST_AHEAD,
    Activation,
    ActiveReleaseChanged,
    Draft,
    Event,
    EventKind,
    InService,
    Release,
    ReleaseHistory,
    UnknownRelease,
)
from domain.risk.tables import InvalidRiskTable, RiskFactor, RiskRange, RiskTable, Zipcode

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
_TABLE = """
    SELECT digest, first, last, factor
    FROM releases
    LEFT JOIN risk_ranges ON risk_ranges.release = releases.number
    WHERE releases.id = %(id)s
"""
_RELEASE = "id, number, label, source_sha256, digest, counts::text, ranges, created_at, created_by"
# Each release has one event of kind `loaded`: where the events are, all releases are, in order.
_HISTORY = f"""
    SELECT
        events.number, at, kind, releases.id, actor, forced, withdrawn::text,
        events.release IS NOT DISTINCT FROM active_release.release,
        at > clock_timestamp() + make_interval(secs => {MOST_AHEAD.total_seconds()}),
        loaded.*
    FROM release_events AS events
    JOIN releases ON releases.number = events.release
    LEFT JOIN (SELECT {_RELEASE} FROM releases) AS loaded ON loaded.number = events.release AND kind = 'loaded'
    LEFT JOIN active_release ON true
    ORDER BY events.number
"""  # noqa: S608 - of constants

_PATIENCE = """
    SELECT set_config(
        'lock_timeout', (extract(epoch FROM current_setting('statement_timeout')::interval) * 800)::integer::text, true
    )
"""
"""Waiting for a lock is given up at four fifths of the time that a statement has, to be told from other slowness."""

# A statement of its own before the next: what that one sees begins when whoever had the lock is done.
_LOCK = "SELECT release FROM active_release FOR UPDATE"
_KNOWN = f"SELECT {_RELEASE} FROM releases WHERE digest = %(digest)s"  # noqa: S608 - of constants
_STANDING = """
    SELECT
        (SELECT id FROM releases JOIN active_release ON active_release.release = releases.number),
        (SELECT number FROM releases WHERE id = %(id)s)
"""
_NEXT = """
    SELECT
        (SELECT coalesce(max(number), 0) + 1 FROM releases),
        (SELECT coalesce(max(number), 0) + 1 FROM release_events),
        (SELECT greatest(clock_timestamp(), max(at) + interval '1 microsecond') FROM release_events)
"""
_INSERT_RELEASE = """
    INSERT INTO releases (id, number, label, source_sha256, digest, counts, ranges, created_at, created_by)
    VALUES (
        %(id)s, %(number)s, %(label)s, %(source_sha256)s, %(digest)s, %(counts)s, %(ranges)s, %(created_at)s,
        %(created_by)s
    )
"""
_INSERT_RANGES = """
    INSERT INTO risk_ranges (release, first, last, factor)
    SELECT %(release)s, * FROM unnest(%(first)s::smallint[], %(last)s::smallint[], %(factor)s::text[])
"""
_INSERT_EVENT = """
    INSERT INTO release_events (number, at, kind, release, actor, forced, withdrawn)
    VALUES (%(number)s, %(at)s, %(kind)s, %(release)s, %(actor)s, %(forced)s, %(withdrawn)s)
"""
_POINT = "UPDATE active_release SET release = %(release)s, since = %(since)s"
_ANNOUNCE = "SELECT pg_notify(%(channel)s, %(id)s)"

# The driver's own decoding takes most of the time of reading a history.
_COUNTS = Decoder(dict[RiskFactor, int])
_WITHDRAWN = Decoder(list[tuple[int, int, RiskFactor]])


class PsycopgZipcodeRepository(ZipcodeRepository):
    """Releases and events are rows that are only ever added; a row of `active_release` points at what is in service.

    Whoever adds one locks that row first. Numbers and instants are given out under the lock, so that their order is the
    order in which others see them.
    """

    def __init__(self, pool: AsyncConnectionPool) -> None:
        """`pool` as `adapters.postgres.connections.make_pool` makes it; whoever made it opens and closes it."""
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

    async def current(self) -> InService:
        async with connection_of(self._pool) as connection:
            history = await _history(connection)
            # Whatever happens meanwhile: the table of a release never changes.
            return InService(history, await _read_table(connection, history.active.id))

    async def history(self) -> ReleaseHistory:
        async with connection_of(self._pool) as connection:
            return await _history(connection)

    async def table(self, release: str) -> RiskTable:
        async with connection_of(self._pool) as connection:
            return await _read_table(connection, release)

    async def add(self, draft: Draft, by: str) -> Release:
        async with connection_of(self._pool) as connection, connection.transaction():
            await _lock(connection)
            known = await (await connection.execute(_KNOWN, {"digest": draft.table.digest}, prepare=True)).fetchone()
            if known is not None:
                return _release(known)
            number, event, at = await _next(connection)
            release = Release.of(draft, number, at, by)
            await _insert_release(connection, release, draft.table.ranges)
            await _log(connection, Event(event, at, EventKind.LOADED, release.id, by), number)
        return release

    async def activate(self, activation: Activation, *, expected: str | None) -> Event:
        async with connection_of(self._pool) as connection, connection.transaction():
            await _lock(connection)
            found, number = await _standing(connection, activation.release)
            if number is None:
                raise UnknownRelease(activation.release[:64])
            if found != expected:
                raise ActiveReleaseChanged(expected, found)
            _, position, at = await _next(connection)
            event = Event.of(activation, position, at)
            await connection.execute(_POINT, {"release": number, "since": at}, prepare=True)
            await _log(connection, event, number)
        return event

    def version(self) -> None:
        return None


async def _history(connection: AsyncConnection) -> ReleaseHistory:
    rows = await (await connection.execute(_HISTORY, prepare=True)).fetchall()
    try:
        events = [_event(row[:7]) for row in rows]
        loaded = (row[9:] for event, row in zip(events, rows, strict=True) if event.kind is EventKind.LOADED)
        releases = [_release(row) for row in loaded]
    except MsgspecError as error:
        raise StorageUnavailable(f"its log is invalid: {error}") from error
    ahead = [event for event, row in zip(events, rows, strict=True) if row[8]]
    if ahead:
        dated = f"event {ahead[0].number} is dated {ahead[0].at:%Y-%m-%d}"
        raise StorageUnavailable(f"its log is invalid: {dated}, more than a day ahead of its clock")
    pointed = [row[7] for event, row in zip(events, rows, strict=True) if event.kind is not EventKind.LOADED]
    if not all(pointed[-1:]):
        raise StorageUnavailable("it is invalid: another release is in service than the log says")
    return ReleaseHistory(releases, events)


async def _read_table(connection: AsyncConnection, release: str) -> RiskTable:
    rows = await (await connection.execute(_TABLE, {"id": release}, prepare=True)).fetchall()
    if not rows:
        raise UnknownRelease(release[:64])
    table = _table((row[1:] for row in rows), release)
    if table.digest != rows[0][0]:
        raise StorageUnavailable(f"release {release} is invalid: it was changed after it was loaded")
    return table


async def _lock(connection: AsyncConnection) -> None:
    """Wait until nobody else changes anything, and keep others waiting until the end of the transaction."""
    await connection.execute(_PATIENCE, prepare=True)
    try:
        row = await (await connection.execute(_LOCK, prepare=True)).fetchone()
    except LockNotAvailable as error:
        raise StorageUnavailable("somebody else is changing the releases") from error
    if row is None:
        raise StorageUnavailable("it is invalid: active_release has no row")


async def _standing(connection: AsyncConnection, release: str) -> tuple[str | None, int | None]:
    """The id of the active release, and the number of the one with this id."""
    row = await (await connection.execute(_STANDING, {"id": release}, prepare=True)).fetchone()
    return row or (None, None)


async def _next(connection: AsyncConnection) -> tuple[int, int, datetime]:
    """The number of the next release, and number and instant of the next event."""
    row = await (await connection.execute(_NEXT, prepare=True)).fetchone()
    release, event, at = row or ()
    return release, event, at.astimezone(UTC)


async def _insert_release(connection: AsyncConnection, release: Release, ranges: Sequence[RiskRange]) -> None:
    values = {
        "id": release.id,
        "number": release.number,
        "label": release.label,
        "source_sha256": release.source_sha256,
        "digest": release.table_sha256,
        "counts": Jsonb(release.counts),
        "ranges": release.ranges,
        "created_at": release.created_at,
        "created_by": release.created_by,
    }
    columns = {
        "release": release.number,
        "first": [item.first for item in ranges],
        "last": [item.last for item in ranges],
        "factor": [item.factor.value for item in ranges],
    }
    await connection.execute(_INSERT_RELEASE, values, prepare=True)
    await connection.execute(_INSERT_RANGES, columns, prepare=True)


async def _log(connection: AsyncConnection, event: Event, release: int) -> None:
    """Add the event, which is of the release with this number, and announce it."""
    values = {
        "number": event.number,
        "at": event.at,
        "kind": event.kind.value,
        "release": release,
        "actor": event.by,
        "forced": event.forced,
        "withdrawn": Jsonb([astuple(item) for item in event.withdrawn]),
    }
    await connection.execute(_INSERT_EVENT, values, prepare=True)
    await connection.execute(_ANNOUNCE, {"channel": CHANNEL, "id": event.release}, prepare=True)


def _event(row: Sequence[Any]) -> Event:
    number, at, kind, release, actor, forced, withdrawn = row
    gone = tuple(RiskRange(*item) for item in _WITHDRAWN.decode(withdrawn))
    return Event(number, at.astimezone(UTC), EventKind(kind), release, actor, forced=forced, withdrawn=gone)


def _release(row: Sequence[Any]) -> Release:
    identity, number, label, source, digest, counts, ranges, created_at, created_by = row
    counted = dict.fromkeys(RiskFactor, 0) | _COUNTS.decode(counts)
    return Release(identity, number, label, source, digest, counted, ranges, created_at.astimezone(UTC), created_by)


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
