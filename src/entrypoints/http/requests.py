"""Requests where the framework does not do what it should: a host that is none, a client that goes away."""

from collections.abc import AsyncGenerator
from typing import Any

from litestar import Request
from litestar.exceptions import InternalServerException

from entrypoints.http.scope import is_host


def host_refusal(request: Request[Any, Any, Any]) -> str | None:
    """What is wrong with the header `Host`, of which RFC 9112 section 3.2 asks for one; None where nothing is.

    The framework reads it where it builds a URL, and fails on a port that is none.
    """
    hosts = [value for name, value in request.scope["headers"] if name == b"host"]  # without a mapping of them all
    if not hosts:
        missing = request.scope["http_version"] != "1.0"
        return "The header Host is missing; HTTP/1.1 asks for exactly one" if missing else None
    if len(hosts) > 1:
        return "The header Host is given more than once; HTTP/1.1 asks for exactly one"
    if not is_host(hosts[0]):
        return "The header Host is not a name or an address, with a port up to 65535 where there is one"
    return None


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
