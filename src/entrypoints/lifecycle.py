"""Opening what the service needs, in order, and closing it in reverse."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog

from domain.errors import NoActiveRelease, StorageNotReady, StorageUnavailable, TechnicalError
from domain.risk.releases import Draft
from domain.risk.tables import InvalidRiskTable
from entrypoints.container import SAMPLE_LABEL, Container
from entrypoints.settings import Store

log = structlog.get_logger(__name__)

SEEDER = "belref serve"
"""Who loaded a table that nobody loaded by hand."""

_FAULTS_LOGGED = 100
_PAUSE = 1.0  # seconds between two attempts at something that the service can start without


class NotStartedError(Exception):
    """Why the service cannot start, in one line."""


@contextlib.asynccontextmanager
async def running(container: Container) -> AsyncIterator[None]:
    """Open everything behind the HTTP application, and keep it up to date, within the block.

    :raises NotStartedError: when there would be nothing to answer with
    """
    settings = container.settings()
    async with opened_storage(container), contextlib.AsyncExitStack() as stack:
        await _warn_of_sample(container)
        if settings.redis_url is not None:
            stack.push_async_callback(container.redis().aclose)
        await _load_history(container)
        if settings.store is Store.POSTGRES:
            await stack.enter_async_context(_in_background(container.follower()))
            stack.push_async_callback(container.postgres_turn().aclose)
        if settings.health_index_source == "statbel":
            stack.push_async_callback(container.statbel().aclose)
            stack.push_async_callback(container.cached_statbel().aclose)
            await stack.enter_async_context(_in_background(container.refresher().run))
        yield


@contextlib.asynccontextmanager
async def opened_storage(container: Container, *, seed: bool = True) -> AsyncIterator[None]:
    """Open the store of risk tables within the block, and see to it that it has a table where that is possible.

    Without `seed`, nothing is put into a store that lasts: a question must not change anything.

    :raises NotStartedError: when there would be nothing to answer with
    """
    settings = container.settings()
    async with _opened_pool(container), contextlib.AsyncExitStack() as stack:
        match settings.store:
            case Store.POSTGRES:
                await _open_postgres(container, stack, seed=seed)
            case Store.FOLDER:
                await _open_folder(container, seed=seed)
            case Store.MEMORY:
                await container.seeding().seed(_draft(container), SEEDER)
        if settings.holds_table:
            stack.push_async_callback(container.held().aclose)
            await stack.enter_async_context(_in_background(container.held().run))
        yield


@contextlib.asynccontextmanager
async def opened_store(container: Container) -> AsyncIterator[None]:
    """Open the store of `container.releases()` within the block; for one command of an operator.

    :raises StorageUnavailable: when Postgres does not answer
    """
    if container.settings().store is Store.POSTGRES:
        await container.probe()  # it says at once, and better than a pool, what is wrong with an address
    async with _opened_pool(container):
        yield


@contextlib.asynccontextmanager
async def opened_history(container: Container) -> AsyncIterator[None]:
    """Know every figure that was ever seen within the block; for one question on the command line.

    They are those of `uncached_index`: such a question needs no cache, and builds none.

    :raises StorageUnavailable: when the store does not answer
    """
    async with _opened_pool(container):
        await container.uncached_index().load()
        yield


@contextlib.asynccontextmanager
async def _opened_pool(container: Container) -> AsyncIterator[None]:
    """Open the pool within the block where Postgres is the store, without waiting for a connection."""
    async with contextlib.AsyncExitStack() as stack:
        if container.settings().store is Store.POSTGRES:
            pool = container.pool()
            stack.push_async_callback(pool.close)
            await pool.open(wait=False)
        yield


async def _warn_of_sample(container: Container) -> None:
    with contextlib.suppress(TechnicalError):
        if (await container.risks().active()).label == SAMPLE_LABEL:
            log.warning("the risk table is the sample: its factors are invented", setting="RISK_TABLE_FILE")


async def _load_history(container: Container) -> None:
    try:
        await container.index().load()
    except StorageUnavailable as error:
        log.warning("figures not read from the store", reason=error.reason)


async def _open_folder(container: Container, *, seed: bool) -> None:
    """Do not wait for a folder: what is wrong with it stays wrong."""
    try:
        if container.settings().run_seeder and seed:
            with contextlib.suppress(InvalidRiskTable):  # then nothing is seeded either
                container.folder().refuse_to_begin_anew(container.draft_to_seed())
            await _seed(container)
        in_service = await container.repository().current()
    except NoActiveRelease as error:
        if seed:
            way_out = "none could be put there"
            if not container.settings().run_seeder:
                way_out = (
                    "RUN_SEEDER=false puts none there: run `belref risk load FILE --activate`, or set RUN_SEEDER=true"
                )
            raise NotStartedError(f"DATA_DIR: no risk table is in service there, and {way_out}") from error
    except StorageUnavailable as error:
        raise NotStartedError(f"DATA_DIR: {error.reason}") from error
    else:
        torn = container.folder().torn()
        if torn:
            log.warning(
                "the last line of log.jsonl is not whole, and does not count",
                bytes=torn,
                release=in_service.release.id,
                advice="if it was whole once, put log.jsonl back from a copy",
            )


async def _open_postgres(container: Container, stack: contextlib.AsyncExitStack, *, seed: bool) -> None:
    settings = container.settings()
    failure = await _wait_for_postgres(container)
    if failure is None:
        if settings.run_seeder and seed:
            try:
                await _seed(container)
            except StorageUnavailable as error:  # a store that can be read and not written, as during a failover
                log.warning("risk table not seeded", reason=error.reason)
                await stack.enter_async_context(_in_background(lambda: _seed_later(container)))
    elif settings.storage_fallback and settings.holds_table:
        stand_in = container.held().stand_in(_draft(container), container.clock()())
        log.warning("answering without postgres", release=stand_in.id, label=stand_in.label)
        if settings.run_seeder and seed:
            await stack.enter_async_context(_in_background(lambda: _seed_later(container)))
    else:
        problem = "cannot be used" if isinstance(failure, StorageNotReady) else "did not answer"
        raise NotStartedError(f"Postgres {problem} within {settings.db_wait_seconds:g} s: {failure.reason}")


async def _wait_for_postgres(container: Container) -> StorageUnavailable | None:
    """Wait until Postgres answers, even without a table. Returns why it did not."""
    end = time.monotonic() + container.settings().db_wait_seconds
    while True:
        try:
            await container.probe()
            await container.repository().current()
        except NoActiveRelease:
            return None
        except StorageUnavailable as error:
            left = end - time.monotonic()
            log.warning("waiting for postgres", reason=error.reason, seconds_left=max(round(left), 0))
            if left <= 0:
                return error
            await asyncio.sleep(min(_PAUSE, left))
        else:
            return None


def _draft(container: Container) -> Draft:
    """The table to load; logs its faults line by line.

    :raises NotStartedError: for a table with faults
    """
    try:
        return container.draft_to_seed()
    except InvalidRiskTable as error:
        _log_faults(error)
        raise NotStartedError(f"RISK_TABLE_FILE: {error}") from error


async def _seed(container: Container) -> None:
    """Put a table into service where none is. A bad file changes nothing, and does not prevent the start.

    :raises StorageUnavailable: when the store does not take it
    """
    try:
        draft = container.draft_to_seed()
    except InvalidRiskTable as error:
        _log_faults(error)
        return
    if await container.seeding().seed(draft, SEEDER):
        log.info("risk table loaded", label=draft.label)
        return
    active = (await container.seeding().history()).active
    log.info("risk table is there already", release=active.id, label=active.label)
    if active.table_sha256 != draft.table.digest and container.settings().risk_table_file is not None:
        log.warning("RISK_TABLE_FILE is not what is in service", file=draft.label, active=active.id)


async def _seed_later(container: Container) -> None:
    while True:
        try:
            await _seed(container)
        except StorageUnavailable:
            await asyncio.sleep(_PAUSE)
        else:
            return


def _log_faults(error: InvalidRiskTable) -> None:
    for fault in error.faults[:_FAULTS_LOGGED]:
        log.error("fault in the risk table", line=fault.line or None, reason=fault.reason)
    log.error("risk table not loaded", faults=error.total)


@contextlib.asynccontextmanager
async def _in_background(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Do something beside the block, and end it with the block. Logs a defect in it, and begins it again."""

    async def supervised() -> None:
        while True:
            try:
                return await work()
            except Exception:
                log.exception("background task failed")
                await asyncio.sleep(_PAUSE)

    task = asyncio.create_task(supervised())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
