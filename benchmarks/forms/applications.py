"""The same two routes of the brief as small applications, one for each way to the same Postgres.

They read and write HTTP with the parts of the service itself, so that their answers are equal to its own, byte by byte.
All ask Postgres exactly what `PsycopgZipcodeRepository` asks, and check its rows as it does: between two forms only the
way to Postgres differs.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, cast

import psycopg
from benchmarks.processes import ServerProcess
from litestar import Litestar, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from psycopg import AsyncConnection, Connection
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from adapters.caching.risk_tables import CachedZipcodeRepository
from adapters.postgres.connections import make_listener, make_pool
from adapters.postgres.risk_tables import _FIND, _SELECT, PsycopgZipcodeRepository
from domain.errors import NoActiveRelease, StorageUnavailable
from domain.ports import Listing, Lookup, ZipcodeRepository
from domain.risk.tables import RiskFactor, RiskRange, RiskTable, Zipcode, parse_zipcode
from entrypoints.http import parameters as p
from entrypoints.http import reading as r
from entrypoints.http.exceptions import EXCEPTION_HANDLERS
from entrypoints.http.legacy import ZipcodeFactor
from entrypoints.http.representation import represent
from entrypoints.http.risk.zipcodes import IN_SERVICE
from entrypoints.logs import configure_logs

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]
Factors = dict[RiskFactor, list[int]]
AnyRequest = Request[Any, Any, Any]

POOL_SIZE = 4
"""As many connections as the service itself has by default."""
_PATIENCE = 30.0  # seconds that a request may wait for a connection: a queue is to be seen as a wait, not as errors


@dataclass(frozen=True)
class Form:
    """One way to answer; `build` makes the application for a DSN and a size of the pool, where there is one."""

    title: str
    build: Callable[[str, int], Litestar]


class BlockingZipcodes:
    """Both questions, with a driver that makes its thread wait.

    They raise what the repository raises: `NoActiveRelease` and `StorageUnavailable`.
    """

    def __init__(self, connection: Callable[[], AbstractContextManager[Connection]], *, prepare: bool) -> None:
        self._connection, self._prepare = connection, prepare

    def find(self, zipcode: Zipcode) -> Lookup:
        ((release, factor),) = self._rows(_FIND, {"zipcode": zipcode})
        return Lookup(zipcode, None if factor is None else RiskFactor(factor), release)

    def select(self, factors: Collection[RiskFactor]) -> Listing:
        rows = self._rows(_SELECT, {"factors": [factor.value for factor in factors]})
        table = RiskTable(RiskRange(first, last, RiskFactor(factor)) for _, first, last, factor in rows if factor)
        return Listing(tuple(table.factors()), rows[0][0])

    def _rows(self, statement: str, values: dict[str, object]) -> list[tuple[Any, ...]]:
        try:
            with self._connection() as connection:
                rows = connection.execute(statement.encode(), values, prepare=self._prepare).fetchall()
        except psycopg.Error as error:
            raise StorageUnavailable(type(error).__name__) from error
        if not rows:
            raise NoActiveRelease
        return rows


def connecting(dsn: str) -> BlockingZipcodes:
    """A connection for each question, as in the example of the brief; a statement used once is not prepared."""
    return BlockingZipcodes(lambda: psycopg.connect(dsn, autocommit=True), prepare=False)


class _NoPool:
    """Looks like a pool to the repository, and keeps nothing."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        async with await AsyncConnection.connect(self._dsn, autocommit=True) as connection:
            yield connection


def connecting_async(dsn: str) -> PsycopgZipcodeRepository:
    """The repository without a pool: asynchronous, and a connection for each question all the same."""
    return PsycopgZipcodeRepository(cast("AsyncConnectionPool", _NoPool(dsn)))


def _one(request: AnyRequest, lookup: Lookup) -> Response[ZipcodeFactor]:
    body = ZipcodeFactor(lookup.zipcode, lookup.factor, exists=lookup.factor is not None)
    return represent(request, body, tag=lookup.release, validity=IN_SERVICE)


def _all(request: AnyRequest, factor: RiskFactor, listing: Listing) -> Response[Factors]:
    body: Factors = {factor: [zipcode for zipcode, _ in listing.items]}
    return represent(request, body, tag=listing.release, validity=IN_SERVICE)


class _InTheLoop:
    """The mistake of the brief's example: `async def`, and a call inside that makes the event loop wait."""

    def __init__(self, zipcodes: BlockingZipcodes) -> None:
        self._zipcodes = zipcodes

    async def find(self, zipcode: Zipcode) -> Lookup:
        return self._zipcodes.find(zipcode)

    async def select(self, factors: Collection[RiskFactor]) -> Listing:
        return self._zipcodes.select(factors)


def _in_the_loop(zipcodes: BlockingZipcodes) -> list[HTTPRouteHandler]:
    return _async(cast("ZipcodeRepository", _InTheLoop(zipcodes)))


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
    """With the blocking counterpart of the pool of the service."""
    as_ours = {"autocommit": True}
    pool = ConnectionPool(dsn, kwargs=as_ours, min_size=pool_size, max_size=pool_size, timeout=_PATIENCE, open=False)

    @contextlib.asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        pool.open(wait=True)
        yield
        pool.close()

    return _application(handlers(BlockingZipcodes(pool.connection, prepare=True)), lifespan)


def _async_pool(dsn: str, pool_size: int, *, table: bool = False) -> Litestar:
    """With the pool of the service; with `table`, in front of it the table in process of the service."""
    pool = make_pool(dsn, min_size=pool_size, max_size=pool_size, timeout=_PATIENCE, statement_timeout=_PATIENCE)
    asked = PsycopgZipcodeRepository(pool)
    listen = make_listener(dsn, timeout=_PATIENCE)
    held = CachedZipcodeRepository(asked, listen=listen, check_every=timedelta(minutes=1))

    @contextlib.asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with pool:
            await pool.wait()
            if not table:
                yield
                return
            following = asyncio.create_task(held.run())
            await held.current()
            yield
            following.cancel()
            await asyncio.wait([following])
            await held.aclose()

    return _application(_async(held if table else asked), lifespan)


FORMS = {
    # The brief's example, its SQL made safe.
    "connect-in-loop": Form(
        "1 connection each, in the loop", lambda dsn, _: _application(_in_the_loop(connecting(dsn)))
    ),
    "connect-in-threads": Form(
        "1b connection each, in threads", lambda dsn, _: _application(_in_threads(connecting(dsn)))
    ),
    "connect-async": Form("1c connection each, async", lambda dsn, _: _application(_async(connecting_async(dsn)))),
    "pool-in-threads": Form("2 pool, in threads", partial(_blocking_pool, _in_threads)),
    # The mistake that a pool does not cure.
    "pool-in-loop": Form("2b pool, in the loop", partial(_blocking_pool, _in_the_loop)),
    "pool-async": Form("3 pool, async", _async_pool),
    "table": Form("4 table in process", partial(_async_pool, table=True)),
}


class FormServer(ServerProcess):
    """Serves a form while its context is open."""

    def __init__(self, form: str, dsn: str, *, pool_size: int = POOL_SIZE) -> None:
        super().__init__("benchmarks.forms.applications:make", form=form, dsn=dsn, pool_size=pool_size)


def default_threads() -> int:
    """How many threads the framework takes by itself: those of the event loop's default executor."""
    return min(32, (os.cpu_count() or 1) + 4)


def make(form: str, dsn: str, pool_size: int) -> Litestar:
    configure_logs("critical")
    return FORMS[form].build(dsn, pool_size)
