"""Compressing an answer: once for everybody who asks for it."""

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256

import brotli  # type: ignore[import-untyped]  # it carries no types

CODINGS = ("br", "gzip")
"""Best first."""

SMALLEST = 1024
"""Bytes from which on a body is worth compressing: below, it fits into a packet as it is."""

_AT_ONCE = 64 * 1024  # bytes that are compressed within 2 ms; more than that would keep the event loop waiting
_REMEMBERED = 2 * 1024 * 1024  # bytes of compressed bodies
_COMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=5),
    "gzip": lambda body: gzip.compress(body, compresslevel=6, mtime=0),
}


class Compressor:
    """Remembers what it has compressed, so that a body costs this once, in however many ways it is asked for."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[str, bytes], bytes] = OrderedDict()
        self._size = 0
        self._under_way: dict[tuple[str, bytes], asyncio.Future[bytes]] = {}

    async def coded(self, coding: str, body: bytes) -> bytes:
        """The body in one of `CODINGS`. What is large is left to a thread, once however many ask meanwhile."""
        key = coding, sha256(body).digest()
        found = self._made.get(key)
        if found is not None:
            self._made.move_to_end(key)
            return found
        if len(body) <= _AT_ONCE:
            return self._remembered(key, _COMPRESS[coding](body))
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.get_running_loop().run_in_executor(None, _COMPRESS[coding], body)
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return self._remembered(key, await asyncio.shield(task))

    def _remembered(self, key: tuple[str, bytes], coded: bytes) -> bytes:
        if key not in self._made:
            self._made[key] = coded
            self._size += len(coded)
            while self._size > _REMEMBERED:
                self._size -= len(self._made.popitem(last=False)[1])
        return coded
