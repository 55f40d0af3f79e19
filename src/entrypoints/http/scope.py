"""What a request carries through the house: its id, and the keys by which handlers tell the edge something.

They stand beside ASGI's own keys in the scope of the request.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from ipaddress import IPv6Address
from itertools import count
from typing import Any
from uuid import UUID, uuid4

REQUEST_ID = "belref.request_id"
"""Where the edge leaves the id of the request."""

KEEP = "belref.keep"
"""Where the server leaves what takes a finished answer that others may be given too; absent where nobody keeps any."""

OFFERED = "belref.offered"
"""Where a handler leaves the media types that it let the client choose from."""

UNSETTLED = "belref.unsettled"
"""Set where the same answer will be said to last longer before long: nobody should keep it beyond that."""


def request_id(scope: Mapping[str, Any]) -> str:
    """The id of the request, a UUID."""
    return str(scope.get(REQUEST_ID) or uuid4())


def identities() -> Iterator[str]:
    """A UUID for each request: random for the process, then counted (version 8, RFC 9562 section 5.8).

    They are unique and not unguessable, and cost a tenth of random ones.
    """
    random = secrets.token_hex(9)
    process = f"{random[:8]}-{random[8:12]}-8{random[12:15]}-{secrets.choice('89ab')}{random[15:]}-"
    for thousands in count(secrets.randbits(32)):
        begun = f"{process}{thousands & _NINE_DIGITS:09x}"
        for counted in _THREE_DIGITS:
            yield begun + counted


_NINE_DIGITS = (1 << 36) - 1
_THREE_DIGITS = [f"{number:03x}" for number in range(1 << 12)]


def given_identity(value: bytes) -> str | None:
    """The UUID that a client sent, as UUIDs are written; None where it is none."""
    if len(value) != 36:
        return None
    try:
        return str(UUID(value.decode("ascii")))
    except ValueError:
        return None


_HOST = re.compile(rb"(?:[0-9A-Za-z._-]*|\[(?P<six>[0-9A-Fa-f:.]+)\])(?::(?P<port>[0-9]{0,5}))?")


def is_host(value: bytes) -> bool:
    """Whether a header `Host` is a name or an address, and where there is a port, one up to 65535."""
    found = _HOST.fullmatch(value)
    if found is None or int(found["port"] or 0) > 65535:
        return False
    try:
        return found["six"] is None or bool(IPv6Address(found["six"].decode()).packed)
    except ValueError:
        return False
