"""What data answers have in common: JSON with exact decimals, an ETag, a lifetime, 304 where nothing changed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar, cast

import msgspec
from litestar import Request, Response
from litestar.openapi.datastructures import ResponseSpec

JSON, CSV = "application/json", "text/csv"
encode = msgspec.json.Encoder(decimal_format="number").encode
"""To JSON, with decimals as numbers that keep their two decimals."""

NOT_MODIFIED = {304: ResponseSpec(None, description="Not modified since the ETag of If-None-Match was given")}

Body = TypeVar("Body")


def represent(
    request: Request[Any, Any, Any], body: Body, *, tag: str, lifetime: timedelta, vary: str | None = None
) -> Response[Body]:
    """The body as JSON, or 304 when the client has this version of it already.

    `tag` names the version of the data; it is a weak validator, since parts that say when we looked may differ.
    """
    return cast("Response[Body]", _answer(request, JSON, lambda: encode(body), tag, lifetime, vary))


def unkept(body: Body) -> Response[Body]:
    """The body as JSON, for an answer to a POST: nobody keeps it."""
    return cast("Response[Body]", Response(encode(body), media_type=JSON, headers={"Cache-Control": "no-store"}))


def represent_csv(request: Request[Any, Any, Any], lines: str, *, tag: str, lifetime: timedelta) -> Response[Any]:
    """Lines of CSV, in the same way, where the client chose between CSV and JSON."""
    return _answer(request, f"{CSV}; charset=utf-8; header=present", lines.encode, tag, lifetime, "Accept")


def _answer(
    request: Request[Any, Any, Any],
    media_type: str,
    render: Callable[[], bytes],
    tag: str,
    lifetime: timedelta,
    vary: str | None,
) -> Response[bytes]:
    etag = f'W/"{tag}"'
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={int(lifetime.total_seconds())}"}
    if vary is not None:
        headers["Vary"] = vary
    if _matches(request.headers.get("if-none-match"), etag):
        return Response(b"", status_code=304, headers=headers)
    return Response(render(), media_type=media_type, headers=headers)


def _matches(header: str | None, etag: str) -> bool:
    """Weak comparison, as RFC 9110 section 13.1.2 asks for."""
    if header is None:
        return False
    opaque = etag.removeprefix("W/")
    return any(given.strip().removeprefix("W/") in {opaque, "*"} for given in header.split(","))
