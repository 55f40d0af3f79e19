"""An answer as it is kept: what was said once, and the forms in which it is sent again."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import NamedTuple

from entrypoints.http.edge.compression import CODINGS, SMALLEST, Compressed
from entrypoints.http.negotiation import matches, preferred_coding
from entrypoints.metrics import Series

Headers = Iterable[tuple[bytes, bytes]]
SeriesOf = Callable[[str, str, int], Series]
"""Where the requests of a method, route and status are counted."""

_OWN_PROBLEM = b'{"type":"urn:problem-type:belref:'
_OF_THE_BODY = frozenset({b"content-type", b"content-length", b"content-encoding", b"repr-digest"})
_VARIED = frozenset({b"Accept-Encoding", b"Origin"})
_MAX_AGE = re.compile(rb"max-age=([0-9]+)")
_OVERHEAD = 1024  # bytes of an answer beside its bodies, as measured
_A_FORM = 300  # bytes of each further form of it


class Reply(NamedTuple):
    """A form of an answer, ready to send: the id of the request is all that it lacks."""

    series: Series
    status: int
    headers: Headers
    body: bytes
    rest: bytes | None = None
    """What follows the id of the request in a body that holds it."""


class Answer:
    """What the application answers to GET, and every form that follows from it: HEAD, 304, compressed."""

    __slots__ = ("_compressed", "_forms", "_series", "etag", "max_age", "plain", "route")

    def __init__(
        self, status: int, headers: Headers, body: bytes, *, identity: str, route: str, series: SeriesOf
    ) -> None:
        """`headers` are those of the answer to the request `identity`. Its id is left out of them, and of the body.

        :raises ValueError: for the body of a problem that does not hold the id exactly once
        """
        self.route, self._series = route, series
        kept = [_shared(each) for each in headers if each[0] != b"x-request-id"]
        by_name = dict(kept)
        rest = None
        if status != 200:
            body, rest = body.split(identity.encode())
        self._compressed = Compressed(body) if rest is None and len(body) >= SMALLEST else None
        tag, lifetime = by_name.get(b"etag"), _MAX_AGE.search(by_name.get(b"cache-control", b""))
        self.etag = tag
        self.max_age = None if lifetime is None else int(lifetime[1])
        self.plain = Reply(series("GET", route, status), status, tuple(kept), body, rest)
        self._forms: dict[tuple[str, str], Reply] | None = None

    def size(self) -> int:
        """Bytes that it takes, as an estimate."""
        forms = 0 if self._forms is None else _A_FORM * len(self._forms)
        coded = 0 if self._compressed is None else self._compressed.size()
        return _OVERHEAD + len(self.plain.body) + coded + forms

    def form(self, method: str, asked: Mapping[bytes, bytes]) -> Reply | tuple[str, str]:
        """The form for a request with these headers, or its name where it was not sent before."""
        tag = asked.get(b"if-none-match")
        if tag is not None and self.etag is not None and (tag == self.etag or matches(_text(tag), _text(self.etag))):
            name = (method, "unchanged")
        else:
            coding = None
            if self._compressed is not None:
                accepted = asked.get(b"accept-encoding")
                coding = None if accepted is None else preferred_coding(accepted, CODINGS)
            if coding is None and method == "GET":
                return self.plain
            name = (method, coding or "")
        return name if self._forms is None else self._forms.get(name, name)

    async def make(self, name: tuple[str, str], *, compress: bool) -> Reply:
        """A form that was not sent before. Without `compress` it is not compressed, whatever its name says."""
        method, kind = name
        series, status, headers, body, rest = self.plain
        if kind == "unchanged":
            headers = tuple(each for each in headers if each[0] not in _OF_THE_BODY)
            made = Reply(self._series(method, self.route, 304), 304, headers, b"")
        else:
            if kind and compress and self._compressed is not None:
                body = await self._compressed.coded(kind)
                headers = _coded(headers, kind, body)
            if method == "HEAD":
                series, body, rest = self._series(method, self.route, status), b"", None
            made = Reply(series, status, headers, body, rest)
        if compress:
            if self._forms is None:
                self._forms = {}
            self._forms[name] = made
        return made


def can_be_kept(status: int, headers: Headers, body: bytes, *, varies: bool) -> bool:
    """Whether it is an answer, and not a refusal of what was asked: data, or a problem that names what is missing.

    `varies` says that it may vary by `Accept`. By the coding it may always, and by the origin, since requests with
    another one are not answered from what is kept; by anything else it must not.
    """
    by = _VARIED | {b"Accept"} if varies else _VARIED
    for name, value in headers:
        if name == b"set-cookie" or (name == b"vary" and not by.issuperset(value.split(b", "))):
            return False
    return status == 200 or (status == 404 and body.startswith(_OWN_PROBLEM))


_SHARED: dict[tuple[bytes, bytes], tuple[bytes, bytes]] = {}
_MOST_SHARED = 4096


def _shared(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """The same object for the same header. Most answers differ in one or two, and what is not read needs no memory.

    A link is of its own for nearly each.
    """
    if header[0] == b"link":
        return header
    if len(_SHARED) >= _MOST_SHARED:
        _SHARED.clear()
    return _SHARED.setdefault(header, header)


def _coded(headers: Headers, coding: str, body: bytes) -> Headers:
    """The digest of a representation is that of its coded bytes (RFC 9530 section 3.1)."""
    digest = b"sha-256=:%b:" % b64encode(sha256(body).digest())
    new = {b"content-length": b"%d" % len(body), b"repr-digest": digest}
    return (*((name, new.get(name, value)) for name, value in headers), (b"content-encoding", coding.encode()))


def _text(header: bytes) -> str:
    return header.decode("latin-1")
