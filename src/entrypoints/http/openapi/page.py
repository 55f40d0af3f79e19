"""What the page that documents the service may do in a browser: nothing but what it is for."""

import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

from litestar import Response, Router

_INLINE = re.compile(rb"<(script|style)(?:\s[^>]*)?>(.*?)</\1>", re.DOTALL)
_POLICY = (
    "default-src 'none'; script-src 'self' {script}; style-src 'self' {style}; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def documentation_router(path: str) -> Router:
    """Where the framework puts the document and its page; each answer says what a browser may do with it."""
    return Router(path, route_handlers=[], include_in_schema=False, after_request=_restrict)


async def _restrict(response: Response[Any]) -> Response[Any]:
    """Scripts and styles run that lie here or stand in the page as we sent it; nobody may frame it."""
    page = response.content if isinstance(response.content, bytes) else b""
    digests: dict[str, list[str]] = {"script": [], "style": []}
    for kind, text in _INLINE.findall(page):
        if text:
            digests[kind.decode()].append(f"'sha256-{b64encode(sha256(text).digest()).decode()}'")
    response.headers["Content-Security-Policy"] = _POLICY.format(
        **{kind: " ".join(each) for kind, each in digests.items()}
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
