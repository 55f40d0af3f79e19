"""What data answers have in common: JSON with exact decimals, an ETag, a lifetime."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar, cast

import msgspec
from litestar import Litestar, Request, Response
from litestar.response.base import ASGIResponse
from litestar.types import HTTPResponseBodyEvent, HTTPResponseStartEvent, Receive, Scope, Send

from entrypoints.http.edge.compression import SMALLEST
from entrypoints.http.negotiation import preferred_type
from entrypoints.http.scope import OFFERED, UNSETTLED

JSON, CSV, CALENDAR, HTML = "application/json", "text/csv", "text/calendar", "text/html"
RELEASE, DIGEST = "X-Release", "Repr-Digest"
encode = msgspec.json.Encoder(decimal_format="number").encode
"""To JSON, with decimals as numbers that keep their two decimals."""

WHILE_STALE = "stale-while-revalidate=60, stale-if-error=86400"
"""What a cache may do with an answer that is no longer fresh: give it once more while it asks for a newer one, within a
minute; and for a day when the service does not answer, as the data change once a month at most."""


class Validity(NamedTuple):
    """How long an answer may be kept.

    It is not `settled` where the same answer will soon be said to last longer: a client may keep it for its lifetime,
    the service does not. It is `immutable` where it is the same forever.
    """

    lifetime: timedelta
    settled: bool = True
    immutable: bool = False


OF_THE_PAST = Validity(timedelta(days=1))
"""Of an answer about an instant that is over for good."""

FOREVER = Validity(timedelta(days=1), immutable=True)
"""Of an answer about something that never changes, such as a release."""

Body = TypeVar("Body")


def represent(
    request: Request[Any, Any, Any],
    body: Body,
    *,
    tag: str,
    validity: Validity,
    vary: str | None = None,
    release: str | None = None,
    digest: bool = False,
) -> Response[Body]:
    """The body as JSON. Where the client has this version of it already, the edge answers 304 in its place.

    `tag` names the version of the data; it is a weak validator, since parts that say when we looked may differ.
    `release` is that of the risk table which answers; `digest` asks for `Repr-Digest`.
    """
    facts = _facts(request, validity, release)
    return cast("Response[Body]", _answer(request, JSON, encode(body), tag, facts, vary, digest=digest))


def without_caching(body: Body, release: str | None = None) -> Response[Body]:
    """The body as JSON, for an answer to a POST: nobody keeps it."""
    return cast("Response[Body]", bytes_without_caching(encode(body), release))


def bytes_without_caching(content: bytes, release: str | None = None) -> Response[bytes]:
    """The same of a body that is JSON already."""
    headers = {"Cache-Control": "no-store"} | ({} if release is None else {RELEASE: release})
    return Response(content, media_type=JSON, headers=headers)


def represent_csv(
    request: Request[Any, Any, Any],
    lines: str,
    *,
    tag: str,
    validity: Validity,
    release: str | None = None,
    digest: bool = False,
) -> Response[Any]:
    """Lines of CSV, in the same way, where the client chose between CSV and JSON."""
    facts = _facts(request, validity, release)
    return _answer(request, f"{CSV}; header=present", lines.encode(), tag, facts, "Accept", digest=digest)


def represent_calendar(request: Request[Any, Any, Any], feed: bytes, *, tag: str, validity: Validity) -> Response[Any]:
    """An iCalendar feed, in the same way."""
    facts = _facts(request, validity, None)
    return _answer(request, CALENDAR, feed, tag, facts, "Accept", digest=False)


def represent_html(
    request: Request[Any, Any, Any],
    page: str,
    *,
    tag: str,
    validity: Validity,
    vary: str | None,
    headers: Mapping[str, str],
) -> Response[Any]:
    """A page for people, in the same way, with headers of its own."""
    facts = {**_facts(request, validity, None), **headers}
    return _answer(request, HTML, page.encode(), tag, facts, vary, digest=False)


def _facts(request: Request[Any, Any, Any], validity: Validity, release: str | None) -> dict[str, str]:
    if not validity.settled:
        _leave(request, UNSETTLED, True)
    forever = ", immutable" if validity.immutable else ""
    facts = {"Cache-Control": f"public, max-age={int(validity.lifetime.total_seconds())}{forever}, {WHILE_STALE}"}
    return facts if release is None else {**facts, RELEASE: release}


def _answer(
    request: Request[Any, Any, Any],
    media_type: str,
    content: bytes,
    tag: str,
    facts: Mapping[str, str],
    vary: str | None,
    *,
    digest: bool,
) -> Response[bytes]:
    etag = f'W/"{tag}"'
    headers = {"ETag": etag, **facts}
    # What may be compressed says so always, in a 304 as well: caches keep one answer for clients of every kind.
    varies = [] if vary is None else [vary]
    if len(content) >= SMALLEST and _may_be_kept(request):
        varies.append("Accept-Encoding")
    if varies:
        headers["Vary"] = ", ".join(varies)
    if digest:
        headers[DIGEST] = f"sha-256=:{b64encode(sha256(content).digest()).decode()}:"
    charset = "; charset=utf-8" if media_type.startswith("text/") else ""
    headers |= {"Content-Type": media_type + charset, "Content-Length": str(len(content))}
    return Finished(content, headers)


class Finished(Response[bytes]):
    """An answer with all its headers. The framework's own way of adding some takes as long as everything of ours."""

    def __init__(self, content: bytes, headers: Mapping[str, str]) -> None:
        # Without the framework's own `__init__`: all that it prepares is for a `to_asgi_response` of its own.
        self._finished = _FinishedMessages(content, headers)

    def to_asgi_response(
        self,
        app: Litestar | None,  # noqa: ARG002 - as the framework calls it
        request: Request[Any, Any, Any],  # noqa: ARG002
        **_: Any,
    ) -> ASGIResponse:
        return self._finished


class _FinishedMessages(ASGIResponse):
    """The same as ASGI sends it."""

    def __init__(self, content: bytes, headers: Mapping[str, str]) -> None:
        self._start: HTTPResponseStartEvent = {
            "type": "http.response.start",
            "status": 200,
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
        self._body: HTTPResponseBodyEvent = {"type": "http.response.body", "body": content, "more_body": False}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send(self._start)
        await send(self._body)


def preferred(request: Request[Any, Any, Any], offered: Sequence[str]) -> str | None:
    """The media type that the client wants most, the first offered one where it does not care; None for none."""
    choice = tuple(offered)
    _leave(request, OFFERED, choice)
    return preferred_type(", ".join(request.headers.getall("accept", [])), choice)


def _leave(request: Request[Any, Any, Any], key: str, value: object) -> None:
    """For the edge, in a key of our own beside those of ASGI."""
    request.scope[key] = value  # type: ignore[literal-required]


def _may_be_kept(request: Request[Any, Any, Any]) -> bool:
    """Whether the edge keeps answers of this route, and compresses them."""
    return "cache" in request.scope["route_handler"].opt
