"""Compressing an answer: once for everybody who asks for it."""

import asyncio
import gzip
from collections.abc import Callable, Mapping

import brotli  # type: ignore[import-untyped]  # it carries no types

CODINGS = ("br", "gzip")
"""Best first."""

SMALLEST = 1024
"""Bytes from which on a body is worth compressing: below, it fits into a packet as it is."""

_AT_ONCE = 64 * 1024  # bytes that are compressed within 2 ms; more than that would keep the event loop waiting
_COMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=5),
    "gzip": lambda body: gzip.compress(body, compresslevel=6, mtime=0),
}


class Compressed:
    """A body in each coding that was asked for, made when it is asked for the first time."""

    __slots__ = ("_bodies", "_body", "_under_way")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._bodies: dict[str, bytes] = {}
        self._under_way: dict[str, asyncio.Future[bytes]] = {}

    def size(self) -> int:
        """Bytes of what was made so far."""
        return sum(len(body) for body in self._bodies.values())

    async def coded(self, coding: str) -> bytes:
        """The body in one of `CODINGS`. What is large is left to a thread, once however many ask."""
        found = self._bodies.get(coding)
        if found is None:
            compress = _COMPRESS[coding]
            if len(self._body) <= _AT_ONCE:
                found = compress(self._body)
            else:
                task = self._under_way.get(coding)
                if task is None:
                    task = asyncio.get_running_loop().run_in_executor(None, compress, self._body)
                    self._under_way[coding] = task
                found = await asyncio.shield(task)
                self._under_way.pop(coding, None)
            self._bodies[coding] = found
        return found
