"""The same two routes of the brief as small applications, one for each way to the same Postgres.

They read and write HTTP with the parts of the service itself, so that their answers are equal to its own, byte by byte.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from benchmarks.forms.blocking import BlockingZipcodes, blocking_pool, connecting, connecting_async, pooled
from litestar import Litestar, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from psycopg_pool import AsyncConnectionPool

from adapters.caching.risk_tables import CachedZipcodeRepository
from adapters.postgres.connections import make_listener, make_pool
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from domain.ports import Listing, Lookup, ZipcodeRepository
from domain.risk.tables import RiskFactor, parse_zipcode
from entrypoints.http import parameters as p
from entrypoints.http import reading as r
from entrypoints.http.exceptions import EXCEPTION_HANDLERS
from entrypoints.http.legacy import ZipcodeFactor
from entrypoints.http.representation import represent
from entrypoints.http.risk.zipcodes import LIFETIME

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]
Factors = dict[RiskFactor, list[int]]
AnyRequest = Request[Any, Any, Any]

_PATIENCE = 30.0  # seconds that a request may wait for a connection: a queue is to be seen as a wait, not as errors


@dataclass(frozen=True)
class Form:
    """One way to answer; `build` makes the application for a DSN and a size of the pool, where there is one."""

    title: str
    how: str
    build: Callable[[str, int], Litestar]


def _one(request: AnyRequest, lookup: Lookup) -> Response[ZipcodeFactor]:
    body = ZipcodeFactor(lookup.zipcode, lookup.factor, exists=lookup.factor is not None)
    return represent(request, body, tag=lookup.release, lifetime=LIFETIME)


def _all(request: AnyRequest, factor: RiskFactor, listing: Listing) -> Response[Factors]:
    body: Factors = {factor: [zipcode for zipcode, _ in listing.items]}
    return represent(request, body, tag=listing.release, lifetime=LIFETIME)


def _in_the_loop(zipcodes: BlockingZipcodes) -> list[HTTPRouteHandler]:
    """The mistake of the brief's example: `async def`, and a call inside that makes the event loop wait."""

    @get("/zipcodes/{zipcode:str}")
    async def of_zipcode(request: AnyRequest, zipcode: p.ZipcodePath) -> Response[ZipcodeFactor]:
        return _one(request, zipcodes.find(r.read(parse_zipcode, "zipcode", zipcode, "path")))

    @get("/databases/zipcodes")
    async def of_factor(request: AnyRequest, risk_factor: p.RiskFactorQuery) -> Response[Factors]:
        factor = r.read(r.one_of(RiskFactor), "risk_factor", risk_factor)
        return _all(request, factor, zipcodes.select({factor}))

    return [of_zipcode, of_factor]


def _in_threads(zipcodes: BlockingZipcodes) -> list[HTTPRouteHandler]:
    """`def`, which the framework calls in its thread pool."""

    @get("/zipcodes/{zipcode:str}", sync_to_thread=True)
    def of_zipcode(request: AnyRequest, zipcode: p.ZipcodePath) -> Response[ZipcodeFactor]:
        return _one(request, zipcodes.find(r.read(parse_zipcode, "zipcode", zipcode, "path")))

    @get("/databases/zipcodes", sync_to_thread=True)
    def of_factor(request: AnyRequest, risk_factor: p.RiskFactorQuery) -> Response[Factors]:
        factor = r.read(r.one_of(RiskFactor), "risk_factor", risk_factor)
        return _all(request, factor, zipcodes.select({factor}))

    return [of_zipcode, of_factor]


def _async(zipcodes: ZipcodeRepository) -> list[HTTPRouteHandler]:
    @get("/zipcodes/{zipcode:str}")
    async def of_zipcode(request: AnyRequest, zipcode: p.ZipcodePath) -> Response[ZipcodeFactor]:
        return _one(request, await zipcodes.find(r.read(parse_zipcode, "zipcode", zipcode, "path")))

    @get("/databases/zipcodes")
    async def of_factor(request: AnyRequest, risk_factor: p.RiskFactorQuery) -> Response[Factors]:
        factor = r.read(r.one_of(RiskFactor), "risk_factor", risk_factor)
        return _all(request, factor, await zipcodes.select({factor}))

    return [of_zipcode, of_factor]


def _application(handlers: Sequence[HTTPRouteHandler], lifespan: Lifespan | None = None) -> Litestar:
    return Litestar(
        handlers,
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=[] if lifespan is None else [lifespan],
        openapi_config=None,
        logging_config=None,
    )


def _blocking_pool(
    handlers: Callable[[BlockingZipcodes], list[HTTPRouteHandler]], dsn: str, pool_size: int
) -> Litestar:
    pool = blocking_pool(dsn, pool_size)

    @contextlib.asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        pool.open(wait=True)
        yield
        pool.close()

    return _application(handlers(pooled(pool)), lifespan)


def _async_pool(dsn: str, pool_size: int) -> AsyncConnectionPool:
    return make_pool(dsn, min_size=pool_size, max_size=pool_size, timeout=_PATIENCE, statement_timeout=_PATIENCE)


def _pool_async(dsn: str, pool_size: int) -> Litestar:
    pool = _async_pool(dsn, pool_size)

    @contextlib.asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with pool:
            await pool.wait()
            yield

    return _application(_async(PsycopgZipcodeRepository(pool)), lifespan)


def _table(dsn: str, pool_size: int) -> Litestar:
    pool = _async_pool(dsn, pool_size)
    repository = CachedZipcodeRepository(
        PsycopgZipcodeRepository(pool),
        listen=make_listener(dsn, timeout=_PATIENCE),
        check_every=timedelta(minutes=1),
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with pool:
            following = asyncio.create_task(repository.run())
            await repository.current()
            yield
            following.cancel()
            await asyncio.wait([following])
            await repository.aclose()

    return _application(_async(repository), lifespan)


FORMS = {
    "connect-in-loop": Form(
        "1 connection each, in the loop",
        "`async def`, a blocking connection for each request: the brief's example, its SQL made safe",
        lambda dsn, _: _application(_in_the_loop(connecting(dsn))),
    ),
    "connect-in-threads": Form(
        "1b connection each, in threads",
        "`def`, which the framework calls in its thread pool; a connection for each request",
        lambda dsn, _: _application(_in_threads(connecting(dsn))),
    ),
    "connect-async": Form(
        "1c connection each, async",
        "`async def`, an asynchronous connection for each request",
        lambda dsn, _: _application(_async(connecting_async(dsn))),
    ),
    "pool-in-threads": Form(
        "2 pool, in threads",
        "`def` in the framework's thread pool, a connection of a blocking pool",
        lambda dsn, pool_size: _blocking_pool(_in_threads, dsn, pool_size),
    ),
    "pool-in-loop": Form(
        "2b pool, in the loop",
        "`async def`, a connection of a blocking pool: the mistake that a pool does not cure",
        lambda dsn, pool_size: _blocking_pool(_in_the_loop, dsn, pool_size),
    ),
    "pool-async": Form("3 pool, async", "`async def`, a connection of an asynchronous pool", _pool_async),
    "table": Form("4 table in process", "`async def`, the table held in process; Postgres announces changes", _table),
}
