"""An answer as it leaves the service: whole, compressed, or as the 304 that says that it has not changed."""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

Headers = Iterable[tuple[bytes, bytes]]

_OWN_PROBLEM = b'{"type":"urn:problem-type:belref:'
_OF_THE_BODY = frozenset({b"content-type", b"content-length", b"content-encoding", b"repr-digest"})
_VARIED = frozenset({b"accept-encoding", b"origin"})
_MAX_AGE = re.compile(rb"max-age=([0-9]+)")


class Answer(NamedTuple):
    """An answer without the id of the request, which alone differs from one request to the next."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    rest: bytes | None = None
    """What follows the id in the body of a problem, which holds it once."""

    @property
    def etag(self) -> bytes | None:
        return self._header(b"etag")

    @property
    def max_age(self) -> int | None:
        """Its lifetime, in seconds."""
        found = _MAX_AGE.search(self._header(b"cache-control") or b"")
        return None if found is None else int(found[1])

    def _header(self, name: bytes) -> bytes | None:
        return next((value for each, value in self.headers if each == name), None)

    def without_identity(self, identity: str) -> "Answer | None":
        """The same for any other request; None for a problem that does not hold the id exactly once."""
        if self.status == 200:
            return self
        parts = self.body.split(identity.encode())
        return self._replace(body=parts[0], rest=parts[1]) if len(parts) == 2 else None

    def unchanged(self) -> "Answer":
        """The 304 in its place."""
        return Answer(304, tuple(each for each in self.headers if each[0] not in _OF_THE_BODY), b"")

    def coded(self, coding: str, body: bytes) -> "Answer":
        """The same with its body coded. Its digest is that of the coded bytes, as RFC 9530 section 3.1 has it."""
        digest = b"sha-256=:%b:" % b64encode(sha256(body).digest())
        new = {b"content-length": b"%d" % len(body), b"repr-digest": digest}
        headers = ((name, new.get(name, value)) for name, value in self.headers)
        return self._replace(headers=(*headers, (b"content-encoding", coding.encode())), body=body)

    def can_be_kept(self, offered: Sequence[str]) -> bool:
        """Whether others may be given it: data, or a problem that names what is missing; no refusal of what was asked.

        It may vary by the coding, by the origin, as no request with another one is answered from what is kept, and by
        `Accept`, where media types were offered. Nor is anything kept that the server would have to frame itself.
        """
        names = {name for name, _ in self.headers}
        if b"content-length" not in names or not names.isdisjoint((b"set-cookie", b"transfer-encoding")):
            return False
        by = _VARIED | {b"accept"} if offered else _VARIED
        for name, value in self.headers:
            if b"\n" in value or b"\r" in value:
                return False
            if name == b"vary" and not by.issuperset(each.strip().lower() for each in value.split(b",")):
                return False
        return self.status == 200 or (self.status == 404 and self.body.startswith(_OWN_PROBLEM))
