import gc
import os
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest
from psycopg_pool import AsyncConnectionPool
from redis.asyncio import Redis
from tests.integration.postgres_databases import Database, Databases, postgres_superuser
from tests.servers.redis import RedisServer
from tests.worlds import Application, make_app, make_client
from tests.worlds.examples import register_profiles

from adapters.postgres.connections import make_pool

register_profiles()


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays for the session anyway: modules, and thousands of tests."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say last what was left out, and why."""
    skipped = terminalreporter.getreports("skipped")
    reasons = Counter(str(report.longrepr[2]) for report in skipped if isinstance(report.longrepr, tuple))
    lines = [f"{number} left out: {reason.removeprefix('Skipped: ')}" for reason, number in reasons.items()]
    terminalreporter.section("left out", sep="-")
    terminalreporter.write_line("\n".join(lines) or "nothing")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


# -- the application in memory --------------------------------------------------------------------


@pytest.fixture(scope="session")
def app() -> Application:
    return make_app()


@pytest.fixture
async def client(app: Application) -> AsyncIterator[httpx2.AsyncClient]:
    async with make_client(app) as client:
        yield client


# -- Postgres ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    with postgres_superuser() as superuser, Databases(superuser) as databases:
        yield databases


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    database = databases.migrated()
    yield database
    databases.drop(database)


@pytest.fixture
def empty_database(databases: Databases) -> Iterator[Database]:
    database = databases.empty()
    yield database
    databases.drop(database)


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[AsyncConnectionPool]:
    """Connections of the service's role."""
    async with make_pool(database.service, max_size=4, timeout=5, statement_timeout=5) as pool:
        yield pool


# -- Redis ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis that may hold other data: the one that TEST_REDIS_URL names, or one for the session."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield given
        return
    with RedisServer() as server:
        yield server.url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """The driver, to look behind the cache."""
    async with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def redis_prefix(redis: Redis) -> AsyncIterator[str]:
    """A namespace of the test's own; only what lies in it is removed afterwards."""
    prefix = f"belref-test-{secrets.token_hex(8)}:"
    yield prefix
    async for key in redis.scan_iter(match=f"{prefix}*"):
        await redis.delete(key)


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A server of the test's own, which it may stop, fill and freeze."""
    try:
        server = RedisServer()
    except FileNotFoundError as error:
        if "TEST_REDIS_URL" in os.environ:
            pytest.skip(f"the Redis that was given must not be stopped, and {error}")
        raise
    with server:
        yield server
