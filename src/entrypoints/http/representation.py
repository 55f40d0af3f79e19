"""What data answers have in common: JSON with exact decimals, an ETag, a lifetime, 304 where nothing changed."""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar, cast

import msgspec
from litestar import Request, Response
from litestar.openapi.datastructures import ResponseSpec

from entrypoints.http.edge import VARY

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
    return _answer(request, f"{CSV}; header=present", lines.encode, tag, lifetime, "Accept")


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
        request.scope[VARY] = vary  # type: ignore[literal-required]  # a key of our own, beside those of ASGI
    if _matches(",".join(request.headers.getall("if-none-match", [])), etag):
        return Response(b"", status_code=304, headers=headers)
    return Response(render(), media_type=media_type, headers=headers)


def preferred(request: Request[Any, Any, Any], offered: Sequence[str]) -> str | None:
    """The media type that the client wants most, the first offered one where it does not care; None for none of them.

    Our own, as the framework's ignores `q=0` and fails on a q that is no number.
    """
    ranges = [_media_range(part) for header in request.headers.getall("accept", []) for part in header.split(",")]
    if not any(name for name, _ in ranges):
        return offered[0]
    best = max(offered, key=lambda media_type: _quality(media_type, ranges))
    return best if _quality(best, ranges) > 0 else None


_QUALITY = re.compile(r"(0(\.[0-9]{0,3})?|1(\.0{0,3})?)", re.ASCII)


def _media_range(part: str) -> tuple[str, int]:
    """Its name and its quality in thousandths; one that is malformed is not wanted."""
    name, *parameters = (each.strip().lower() for each in part.split(";"))
    quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    return name, int(Decimal(quality) * 1000) if _QUALITY.fullmatch(quality) else 0


def _quality(media_type: str, ranges: Sequence[tuple[str, int]]) -> int:
    """The most specific range decides, as RFC 9110 section 12.5.1 says."""
    for name in (media_type, media_type.split("/", maxsplit=1)[0] + "/*", "*/*"):
        found = [quality for each, quality in ranges if each == name]
        if found:
            return max(found)
    return 0


def _matches(header: str, etag: str) -> bool:
    """Weak comparison, as RFC 9110 section 13.1.2 asks for."""
    if header.strip() == "*":
        return True
    opaque = etag.removeprefix("W/")
    return any(given.strip().removeprefix("W/") == opaque for given in header.split(","))
