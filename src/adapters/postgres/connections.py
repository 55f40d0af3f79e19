"""Connections to Postgres: a pool, a listener, and what the driver raises in the words of the domain.

The time-outs of a statement live in the server. One that is stopped without being dead keeps none of them, while its
kernel goes on acknowledging: so each use of a connection has a limit of our own here, after which it is hung up.
"""

import asyncio
import math
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import UndefinedColumn, UndefinedTable
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool

from domain.errors import StorageNotReady, StorageUnavailable

CHANNEL = "belref_release"
"""Where it announces itself that a release was loaded or put into service, with its id."""

# A server that vanished without a word is noticed after about ten seconds, not after the hours of TCP's own limits.
_NETWORK = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}

_NO_CONNECTION = "it has no connection left"
_IN_WORDS = {"53100": "its disk is full", "53300": _NO_CONNECTION}
_CROWDED = ("too many clients", "too many connections", "remaining connection slots")
_GRACE = 1.0  # seconds that a server has to say itself that a statement took too long
_HEARTBEAT = 5.0  # seconds of silence after which a listener asks whether the server is still there


class BoundedPool(AsyncConnectionPool):
    """A pool of which no connection is used for longer than `within` seconds; what is late is thrown away."""

    def __init__(self, dsn: str, *, within: float, **arguments: Any) -> None:
        super().__init__(dsn, **arguments)
        self._within = within

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[AsyncConnection]:  # noqa: ASYNC109 - its
        async with super().connection(timeout) as connection, answering(connection, self._within):
            yield connection


def make_pool(
    dsn: str,
    *,
    min_size: int = 1,
    max_size: int,
    timeout: float,
    statement_timeout: float,
    cursor_factory: type[AsyncCursor[Any]] | None = None,
) -> AsyncConnectionPool:
    """Build a pool and open nothing.

    `timeout` is how long a caller waits for a connection, and `statement_timeout` for a statement, both in seconds.
    Whatever the server does, a connection that a caller has is hung up one second after the latter. `cursor_factory`
    makes the cursors of all connections, where those are not to be the driver's own.

    :raises StorageUnavailable: for a DSN that cannot be read
    """

    async def configure(connection: AsyncConnection) -> None:
        milliseconds = str(math.ceil(statement_timeout * 1000))
        async with answering(connection, timeout):
            await connection.execute(
                "SELECT set_config(name, %s, false) FROM unnest(%s::text[]) AS name",
                [milliseconds, ["statement_timeout", "idle_in_transaction_session_timeout"]],
            )

    return BoundedPool(
        dsn,
        within=statement_timeout + _GRACE,
        kwargs={**connection_arguments(dsn, timeout), "cursor_factory": cursor_factory},
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


def make_listener(dsn: str, *, timeout: float, channel: str = CHANNEL) -> Callable[[], AsyncGenerator[bool]]:
    """Something to call for a stream of the announcements on a channel, on a connection of its own.

    The stream gives True as soon as it listens and for every announcement that is committed from then on, and False for
    every few seconds in which there was none and the server said that it is there. It has no end but
    `StorageUnavailable`. `timeout` is how long connecting, or another answer, may take, in seconds.

    :raises StorageUnavailable: for a DSN that cannot be read
    """
    arguments = connection_arguments(dsn, timeout)

    async def listen() -> AsyncGenerator[bool]:
        with translated():
            async with await AsyncConnection.connect(dsn, **arguments) as connection:
                async with answering(connection, timeout):
                    await connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
                yield True
                while True:
                    # Closed here and not whenever it is collected: until then it holds the connection's lock.
                    async with aclosing(connection.notifies(timeout=_HEARTBEAT)) as announcements:
                        async for _ in announcements:
                            yield True
                    async with answering(connection, timeout):
                        await connection.execute("SELECT")  # what is announced meanwhile comes with the next ones
                    yield False

    return listen


@asynccontextmanager
async def answering(connection: AsyncConnection, within: float) -> AsyncIterator[None]:
    """Hang up when the block takes longer than `within` seconds; the connection is of no use afterwards.

    Not by cancelling: the driver would first ask the server to cancel, and wait ten seconds more for a silent one.

    :raises StorageUnavailable: when it was hung up
    """
    late = False

    def give_up() -> None:
        nonlocal late
        late = True
        hang_up(connection)

    timer = asyncio.get_running_loop().call_later(within, give_up)
    try:
        yield
    except psycopg.Error as error:
        if late:
            raise StorageUnavailable(f"no answer within {within:g} s") from error
        raise
    finally:
        timer.cancel()


def hang_up(connection: psycopg.Connection | AsyncConnection) -> None:
    """Let whoever waits for an answer on this connection find that it has ended."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


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
    except (UndefinedTable, UndefinedColumn) as error:
        raise StorageNotReady("it is not migrated: set MIGRATION_DSN and run `belref migrate`") from error
    except psycopg.Error as error:
        raise StorageUnavailable(_reason(error)) from error
    except UnicodeError as error:
        raise StorageUnavailable("it was given text that is not Unicode") from error


def _reason(error: psycopg.Error) -> str:
    if error.sqlstate in _IN_WORDS:
        return f"{_IN_WORDS[error.sqlstate]} ({error.sqlstate})"
    if error.sqlstate:
        return f"{type(error).__name__} ({error.sqlstate})"
    crowded = any(words in str(error) for words in _CROWDED)  # a connection is refused without a SQLSTATE
    return f"{_NO_CONNECTION} (too many clients)" if crowded else type(error).__name__
