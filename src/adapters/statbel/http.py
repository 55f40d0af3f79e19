"""One request to Statbel: asked conditionally, read with a limit, and whatever goes wrong made an error of the port."""

import asyncio
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx2

from domain.errors import Rejection, SourceRejected, SourceUnavailable
from domain.health_index.figures import Figure

LARGEST_BODY = 2 * 2**20
"""The most that is read of an answer, in bytes, before and after its content encoding; the archive has about 0.1 MB."""

MOST_REDIRECTS = 5

_TRANSIENT = frozenset({429, 502, 503, 504})
_VALIDATORS = (("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since"))
_SENDABLE = re.compile(r"[\x20-\x7e]{1,256}", re.ASCII)


class Transient(Exception):
    """Another attempt may help."""


@dataclass(frozen=True, slots=True)
class Source:
    """One address, what it is called in errors, and how its answer is read."""

    name: str
    url: httpx2.URL
    auth: httpx2.Auth | None
    accept: str
    parse: Callable[[bytes, str], list[Figure]]

    @classmethod
    def at(cls, address: str, name: str, accept: str, parse: Callable[[bytes, str], list[Figure]]) -> "Source":
        """Credentials are taken out of the address, since the driver writes addresses to its log.

        :raises ValueError: for an address that is not one of http or https
        """
        try:
            url = httpx2.URL(address)
        except httpx2.InvalidURL as error:
            raise ValueError(f"the address of {name} cannot be read") from error
        if url.scheme not in {"http", "https"} or not url.host:
            raise ValueError(f"the address of {name} is not one of http or https")
        auth = httpx2.BasicAuth(url.username, url.password) if url.userinfo else None
        return cls(name, url.copy_with(userinfo=b""), auth, accept, parse)


@dataclass(frozen=True, slots=True)
class Answer:
    """A body, and the headers that make the next request for it conditional.

    `sent_at` is the time that the server told with it, in whole seconds; None where it told none that can be read.
    """

    content: bytes
    conditions: Mapping[str, str]
    sent_at: datetime | None = None


async def ask(
    client: httpx2.AsyncClient, source: Source, conditions: Mapping[str, str], seconds: float
) -> Answer | None:
    """Make one request. None says that nothing changed since the answer that gave these conditions.

    `seconds` counts from connecting to the last byte: a server that trickles does not hold it any longer.

    :raises Transient: for a failure of the transport and for 429, 502, 503 and 504
    :raises SourceUnavailable: for a name without an address, for any other status that is not 200, and for redirects
        that are not followed
    :raises SourceRejected: for too large an answer, and for a 304 that no condition asked for
    """
    try:
        async with asyncio.timeout(seconds):
            return await _follow(client, source, conditions)
    except (Transient, SourceUnavailable, SourceRejected):
        raise
    except TimeoutError as error:
        raise Transient(f"no complete answer within {seconds:g} s") from error
    except httpx2.DecodingError as error:
        raise SourceRejected(source.name, Rejection.NOT_DATA, "its content encoding is damaged") from error
    except httpx2.TransportError as error:
        if _unresolved(error):
            raise SourceUnavailable(source.name, "its name cannot be resolved: is there a network?") from error
        raise Transient(_reason(error)) from error
    except Exception as error:
        # A redirect to a port of 99999 or to a name of 70 letters makes the socket layer raise errors of many kinds.
        raise SourceUnavailable(source.name, _reason(error)) from error


async def _follow(client: httpx2.AsyncClient, source: Source, conditions: Mapping[str, str]) -> Answer | None:
    """Follow redirects within the host of the source, without reading their bodies, which the driver would do without a
    limit.

    Elsewhere they could lead to what this machine alone reaches, and an answer from there would be taken for Statbel's.
    """
    request = client.build_request("GET", source.url, headers={"Accept": source.accept, **conditions})
    auth = source.auth
    for _ in range(MOST_REDIRECTS + 1):
        response = await client.send(request, auth=auth, stream=True, follow_redirects=False)
        async with aclosing(response):
            if response.next_request is None:
                return await _read(response, source, conditions)
        secure = request.url.scheme == "https"
        request, auth = response.next_request, None
        if request.url.scheme not in ({"https"} if secure else {"http", "https"}):
            raise SourceUnavailable(source.name, f"it redirects to {request.url.scheme[:16]}")
        if _place(request.url) not in {_place(source.url), _place(source.url.copy_with(scheme="https"))}:
            host = request.url.netloc.decode("ascii", "replace")[:80]
            raise SourceUnavailable(
                source.name, f"it redirects to another host, {host}; if that is right, set its address to one there"
            )
    raise SourceUnavailable(source.name, f"it redirects more than {MOST_REDIRECTS} times")


def _place(url: httpx2.URL) -> tuple[bytes, int | None]:
    return url.raw_host.lower(), url.port or {"http": 80, "https": 443}.get(url.scheme)


async def _read(response: httpx2.Response, source: Source, conditions: Mapping[str, str]) -> Answer | None:
    status = response.status_code
    if status in _TRANSIENT:
        raise Transient(f"status {status}")
    if status == httpx2.codes.NOT_MODIFIED:
        if not conditions:
            raise SourceRejected(source.name, Rejection.NOT_DATA, "status 304 without having been asked for it")
        return None
    if status != httpx2.codes.OK:
        raise SourceUnavailable(source.name, f"status {status}")
    content = bytearray()
    async with aclosing(response.aiter_bytes()) as chunks:
        async for chunk in chunks:
            content += chunk
            if max(len(content), response.num_bytes_downloaded) > LARGEST_BODY:
                raise SourceRejected(source.name, Rejection.TOO_LARGE, f"the answer has more than {LARGEST_BODY} bytes")
    values = ((asked, response.headers.get(given, "")) for given, asked in _VALIDATORS)
    conditions = {asked: value for asked, value in values if _SENDABLE.fullmatch(value)}
    return Answer(bytes(content), conditions, _sent_at(response.headers))


def _sent_at(headers: Mapping[str, str]) -> datetime | None:
    """The time of the server: that of `Date`, and the seconds for which a cache on the way kept the answer (`Age`)."""
    try:
        sent = parsedate_to_datetime(headers.get("Date", ""))
        return (sent if sent.tzinfo else sent.replace(tzinfo=UTC)) + timedelta(seconds=int(headers.get("Age", "0")))
    except (ValueError, OverflowError):
        return None


def _unresolved(error: BaseException | None) -> bool:
    """Whether no address was found for the name: a second attempt within seconds finds none either."""
    while error is not None and not isinstance(error, socket.gaierror):
        error = error.__cause__ or error.__context__
    return error is not None


def _reason(error: Exception) -> str:
    """What the driver says, short and on one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:120] if text else type(error).__name__
