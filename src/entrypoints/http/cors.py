"""Which pages of other origins may read the answers: CORS, as the Fetch standard has it.

The framework's own says so only to requests with an `Origin`. A shared cache that kept an answer to any other request
would then give browsers one that they refuse. So every answer says it here, or that it depends on the origin.
"""

from collections.abc import Sequence

from litestar.config.cors import CORSConfig

METHODS = ("GET", "POST")
_EXPOSED = b"Deprecation, ETag, Link, Repr-Digest, Retry-After, X-Release, X-Request-ID"
_SECONDS_REMEMBERED = b"600"  # of a permission, by the browser

Headers = list[tuple[bytes, bytes]]


class Cors:
    """The origins that may read the answers: all of them for `*`, none for an empty list."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = CORSConfig(allow_origins=list(origins))
        self.varies = bool(origins) and not self._origins.is_allow_all_origins
        """Whether answers depend on the origin of a request."""

    def headers(self, origin: bytes | None, method: str) -> Headers:
        """What an answer to a request of this origin carries."""
        allowed = self._allowed(origin)
        if allowed is None:
            return []
        every = [
            (b"access-control-allow-origin", allowed),
            (b"access-control-expose-headers", _EXPOSED),
        ]
        if method == "OPTIONS":
            every += [
                (b"access-control-allow-methods", ", ".join(METHODS).encode()),
                (b"access-control-allow-headers", b"*"),
                (b"access-control-max-age", _SECONDS_REMEMBERED),
            ]
        return every

    def refusal(self, origin: str, method: str) -> str | None:
        """Why a page of this origin may not send such a request; None where it may."""
        if self._allowed(origin.encode("latin-1", "replace")) is None:
            return f"CORS: pages of {origin} may not read these answers; the setting CORS_ORIGINS names those that may"
        if method not in {*METHODS, "HEAD"}:
            return f"CORS: pages may ask with GET, HEAD or POST, but not with {method}"
        return None

    def _allowed(self, origin: bytes | None) -> bytes | None:
        if self._origins.is_allow_all_origins:
            return b"*"
        return origin if origin and self._origins.is_origin_allowed(origin.decode("latin-1")) else None
