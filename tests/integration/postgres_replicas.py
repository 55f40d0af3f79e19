"""Several replicas of the service in one process, each with connections of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from tests.integration.postgres_databases import Database

from adapters.caching.risk_tables import CachedZipcodeRepository
from adapters.postgres.connections import make_listener, make_pool
from adapters.postgres.risk_tables import PsycopgZipcodeRepository


@asynccontextmanager
async def replica(database: Database) -> AsyncIterator[CachedZipcodeRepository]:
    """A cached repository that follows the database; it does not check it, so that announcements alone count."""
    async with make_pool(database.service, max_size=4, timeout=5, statement_timeout=5) as pool:
        repository = CachedZipcodeRepository(
            PsycopgZipcodeRepository(pool),
            listen=make_listener(database.service, timeout=5),
            check_every=timedelta(hours=1),
        )
        running = asyncio.create_task(repository.run())
        try:
            yield repository
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


_PATIENCE = 20  # seconds; reached only when something is broken


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what another process brings about.

    :raises TimeoutError: when that does not happen
    """
    async with asyncio.timeout(_PATIENCE):
        while not await condition():  # noqa: ASYNC110 - no event to wait for: it happens in another process
            await asyncio.sleep(0.005)
