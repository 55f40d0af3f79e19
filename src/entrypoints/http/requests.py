"""Requests as handlers see them: the framework's, but for what happens when a client goes away."""

from collections.abc import AsyncGenerator
from typing import Any

from litestar import Request
from litestar.exceptions import InternalServerException


class ClientGoneError(Exception):
    """The client broke off while it sent the body."""


class BreakableRequest(Request[Any, Any, Any]):
    """The framework takes a client that breaks off for an error of the server, with a trace for each."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        try:
            async for part in super().stream():
                yield part
        except InternalServerException as error:  # raised for nothing else while a body is read
            raise ClientGoneError from error
