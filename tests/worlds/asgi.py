"""Asking an ASGI application directly, so that its answer is seen as the web server gets it."""

import gzip
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

import brotli  # type: ignore[import-untyped]  # it carries no types
from litestar.types import ASGIApp, Message


class Sent(NamedTuple):
    """What the application sent."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The one header of this name."""
        found = [value for each, value in self.headers if each == name]
        assert len(found) < 2, found
        return found[0] if found else None

    def decoded(self) -> bytes:
        """The body without its content coding."""
        coding = self.header("content-encoding")
        if coding is None or not self.body:
            return self.body
        return cast("bytes", {"gzip": gzip.decompress, "br": brotli.decompress}[coding](self.body))


async def ask(
    app: ASGIApp,
    target: str,
    *,
    method: str = "GET",
    headers: Iterable[tuple[str, str]] = (),
    scheme: str = "http",
    host: str | None = "belref.test",
    http_version: str = "1.1",
    body: bytes = b"",
) -> Sent:
    """One request; `target` is a path with its query, as they are written in a request.

    `host` is said unless `headers` say another one; None for none.
    """
    messages: list[Any] = []
    path, _, query = target.partition("?")
    written = [(name.lower(), value) for name, value in headers]
    if host is not None and "host" not in dict(written):
        written.append(("host", host))
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": http_version,
        "method": method,
        "scheme": scheme,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in written],
        "server": ("belref.test", 80),
        "client": ("127.0.0.1", 1),
        "state": {},
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, send)
    start, *bodies = messages
    assert start["type"] == "http.response.start"
    assert [each["type"] for each in bodies] == ["http.response.body"] * len(bodies)
    assert [each.get("more_body", False) for each in bodies] == [True] * (len(bodies) - 1) + [False]
    got = [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]]
    return Sent(start["status"], got, b"".join(each.get("body", b"") for each in bodies))
