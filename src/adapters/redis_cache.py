"""A cache that replicas share, in Redis. Whatever goes wrong there is a miss, and soon costs nothing."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, TypeVar

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import DataError, RedisError, ResponseError

from domain.ports import Cache

Answer = TypeVar("Answer")

PREFIX = "belref:v1:"
"""Before every key, so that a Redis may be shared; raise the version when keys change their meaning."""

_MILLISECOND = timedelta(milliseconds=1)


def _nothing_around(_: str) -> AbstractContextManager[None]:
    return contextlib.nullcontext()


class RedisCache(Cache):
    """Misses while Redis is out of reach; nothing of the driver's leaves it.

    A Redis that does not answer is left alone for a while, so that requests do not wait for it one after the other;
    then one call tries again, and the others go on missing until it has succeeded. An answer that is an error, such as
    a key of another type or a full memory, spoils that one call alone. What could not be deleted meanwhile is still
    there afterwards, until its time is over.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = PREFIX,
        timeout: timedelta = timedelta(milliseconds=250),
        rest: timedelta = timedelta(seconds=5),
        max_value_bytes: int = 2**20,
        max_connections: int = 8,
        monotonic: Callable[[], float] = time.monotonic,
        around: Callable[[str], AbstractContextManager[object]] = _nothing_around,
    ) -> None:
        """Opens nothing. `timeout` is for a whole call, from connecting to the last byte of the answer; `rest` is how
        long Redis is left alone after a failure. A larger value is not kept. `monotonic` gives seconds.
        `around` surrounds each call that is made, and is told its kind; what goes wrong passes through it.

        :raises ValueError: for an address that cannot be used, without showing it, and for an empty prefix
        """
        if not prefix:
            raise ValueError("without a prefix, keys of other applications would be overwritten")
        self._prefix = prefix
        self._timeout, self._rest = timeout.total_seconds(), rest.total_seconds()
        self._max_value_bytes = max_value_bytes
        self._monotonic, self._around = monotonic, around
        self._client = Redis.from_pool(_pool(url, self._timeout, max_connections))
        self._max_calls = max_connections
        self._calls = asyncio.Semaphore(max_connections)  # the driver fails, and does not wait, beyond its limit
        self._left_alone_until: float | None = None
        self._probing = False
        self._closed = False
        self._unreachable: str | None = None
        self._refused: dict[str, str] = {}  # by command: a Redis that is full is read as before

    @property
    def last_failure(self) -> str | None:
        """The class of what went wrong, its name alone: while Redis is out of reach, and after a kind of call, such as
        writing, was refused, until one of that kind succeeds. None when all is well.
        """
        return self._unreachable or next(iter(self._refused.values()), None)

    async def get(self, key: str) -> bytes | None:
        name = self._name(key)
        value = await self._call("get", lambda: self._client.get(name))
        return value if isinstance(value, bytes) else None

    async def set(self, key: str, value: bytes, ttl: timedelta) -> None:
        if ttl <= timedelta() or len(value) > self._max_value_bytes:
            await self.delete(key)
            return
        name, milliseconds = self._name(key), max(ttl // _MILLISECOND, 1)
        await self._call("set", lambda: self._client.set(name, value, px=milliseconds))

    async def delete(self, key: str) -> None:
        name = self._name(key)
        await self._call("delete", lambda: self._client.delete(name))

    async def aclose(self) -> None:
        """Close the connections once the calls under way have ended; they take one time-out at most.

        Later calls miss.
        """
        if self._closed:
            return
        self._closed = True
        try:
            for _ in range(self._max_calls):
                await self._calls.acquire()
        finally:
            with contextlib.suppress(RedisError, OSError, RuntimeError):
                await self._client.aclose()

    def _name(self, key: str) -> bytes:
        return f"{self._prefix}{key}".encode("utf-8", "surrogatepass")  # any text is a key, even half a character

    async def _call(self, kind: str, command: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """The answer of Redis; None when the call fails or is not made."""
        if self._is_left_alone():
            return None
        async with self._calls:
            if self._is_left_alone():  # another call may have failed while this one waited for its turn
                return None
            probe = self._left_alone_until is not None
            self._probing = self._probing or probe
            try:
                # The driver's own time-outs are for one step each, and connecting takes several.
                with self._around(kind):
                    async with asyncio.timeout(self._timeout):
                        answer = await command()
            except (ResponseError, DataError) as error:
                self._refused[kind] = type(error).__name__
                answer = None
            except Exception as error:  # noqa: BLE001 - drivers fail in many ways, the event loop's included
                self._left_alone_until = self._monotonic() + self._rest
                self._unreachable = type(error).__name__
                return None
            else:
                self._refused.pop(kind, None)
            finally:
                if probe:
                    self._probing = False
            self._left_alone_until = self._unreachable = None
            return answer

    def _is_left_alone(self) -> bool:
        until = self._left_alone_until
        return self._closed or (until is not None and (self._probing or self._monotonic() < until))


def _pool(url: str, timeout: float, max_connections: int) -> ConnectionPool:
    """:raises ValueError: for an address that cannot be used; it may hold a password, so it is not in the message"""
    settings: dict[str, Any] = {
        "max_connections": max_connections,
        "decode_responses": False,
        "protocol": 2,  # needs no handshake of its own, and every server speaks it
        "driver_info": None,  # nor to introduce itself, which is two more answers to wait for
        "retry": Retry(NoBackoff(), 0),  # the client's default is ten more attempts
        "retry_on_timeout": False,
        "retry_on_error": [],
        "health_check_interval": 0,
        "socket_timeout": None,  # the whole call has one
        "socket_connect_timeout": timeout,
    }
    try:
        pool = ConnectionPool(**{**parse_url(url), **settings})
        pool.connection_class(**pool.connection_kwargs)  # opens nothing, and says what it does not understand
    except (ValueError, TypeError, RedisError):
        raise ValueError(
            "the address of Redis cannot be used; it is written redis://[user:password@]host[:port][/database], "
            "rediss:// for TLS or unix:// for a socket"
        ) from None
    return pool
