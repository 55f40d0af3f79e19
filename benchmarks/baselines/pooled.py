"""Bare ASGI in front of Postgres: the service's own pool and its own query, and nothing else.

Each request borrows a connection of `make_pool`, asks what `PsycopgZipcodeRepository.find` asks, and sends the answer
with the headers that the service sends. It leaves out routing, the check of the path, errors, ids, logs and metrics.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from adapters.postgres.connections import make_pool
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from domain.risk.tables import Zipcode
from entrypoints.settings import Settings

_encode = msgspec.json.Encoder().encode


class Pooled:
    """`headers` are those of a recorded answer; the pool is as the container makes it, with the default settings."""

    def __init__(self, dsn: str, headers: Sequence[tuple[str, str]]) -> None:
        defaults = Settings()
        limit = defaults.db_timeout_seconds
        self._pool = make_pool(dsn, max_size=defaults.db_pool_size, timeout=limit, statement_timeout=limit)
        self._repository = PsycopgZipcodeRepository(self._pool)
        self._headers = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers if name != "content-length"
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return await self._live(receive, send)
        zipcode = int(scope["path"].rpartition("/")[2])
        lookup = await self._repository.find(Zipcode(zipcode))
        body = _encode({"zipcode": zipcode, "risk_factor": lookup.factor, "exists": lookup.factor is not None})
        headers = [*self._headers, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})
        return None

    async def _live(self, receive: Receive, send: Any) -> None:
        await receive()
        await self._pool.open(wait=True)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})
