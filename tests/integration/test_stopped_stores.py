"""Postgres and Redis that are stopped and not dead: their kernel acknowledges what is sent, and nothing is answered."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx2
import psycopg
import pytest
from tests.contracts.zipcode_repository import AUTUMN, SPRING, serve
from tests.integration.service import Service, running_service
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer

from adapters.postgres.connections import make_listener, make_pool, probe
from adapters.postgres.figures import PostgresTurn
from adapters.postgres.migrate import migrate
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from domain.errors import StorageUnavailable
from domain.risk.tables import Zipcode

STOPPED = 20.0  # seconds; what waits without a time-out of its own is still waiting then
CALLERS = 8
BROKEN = 30.0  # seconds; reached only when something waits for the server to wake


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    """A server of its own, which is awake again at the end, so that it can be ended."""
    with PostgresServer() as server:
        migrate(server.dsn)
        try:
            yield server
        finally:
            server.thaw()


class TestUses:
    """Every use of a connection ends by a time-out that does not live in the server."""

    @pytest.fixture
    async def repository(self, postgres: PostgresServer) -> AsyncIterator[PsycopgZipcodeRepository]:
        async with make_pool(postgres.dsn, max_size=2, timeout=0.5, statement_timeout=0.5) as pool:
            repository = PsycopgZipcodeRepository(pool)
            await serve(repository, AUTUMN)
            yield repository

    async def test_a_connection_that_is_not_answered_on_is_hung_up_and_thrown_away(
        self, postgres: PostgresServer, repository: PsycopgZipcodeRepository
    ) -> None:
        postgres.freeze()
        async with asyncio.timeout(BROKEN):
            with pytest.raises(StorageUnavailable, match=r"no answer within 1\.5 s"):
                await repository.find(Zipcode(9000))
            for call in (repository.current, repository.history):
                with pytest.raises(StorageUnavailable):
                    await call()
            with pytest.raises(StorageUnavailable):
                await repository.add(SPRING, "tester")
        postgres.thaw()
        async with asyncio.timeout(BROKEN):
            await until(lambda: answers(repository))

    async def test_a_caller_that_gives_up_does_not_keep_its_connection_from_the_next_one(
        self, postgres: PostgresServer, repository: PsycopgZipcodeRepository
    ) -> None:
        postgres.freeze()
        waiting = asyncio.create_task(repository.current())
        await asyncio.sleep(0.1)
        waiting.cancel()
        postgres.thaw()
        with suppress(asyncio.CancelledError, StorageUnavailable):
            await waiting
        async with asyncio.timeout(BROKEN):
            await until(lambda: answers(repository))

    async def test_a_listener_notices_although_nothing_is_announced(self, postgres: PostgresServer) -> None:
        async with asyncio.timeout(BROKEN):
            listening = make_listener(postgres.dsn, timeout=0.5)()
            assert await anext(listening) is True
            assert await anext(listening) is False  # it asked, and the server was there
            postgres.freeze()
            with pytest.raises(StorageUnavailable, match=r"no answer within 0\.5 s"):
                await anext(listening)

    async def test_what_is_announced_while_the_listener_asks_is_heard(self, postgres: PostgresServer) -> None:
        listening = make_listener(postgres.dsn, timeout=5)()
        async with asyncio.timeout(BROKEN):
            assert await anext(listening) is True
            assert await anext(listening) is False
            with psycopg.connect(postgres.dsn, autocommit=True) as other:
                other.execute("NOTIFY belref_release")
            assert await anext(listening) is True
            await listening.aclose()

    async def test_a_turn_is_lost_and_can_be_taken_again(self, postgres: PostgresServer) -> None:
        turn = PostgresTurn(postgres.dsn, 0.5)
        async with asyncio.timeout(BROKEN):
            assert await turn.take()
            postgres.freeze()
            with pytest.raises(StorageUnavailable, match=r"no answer within 0\.5 s"):
                await turn.take()
            postgres.thaw()
            await until(turn.take)  # once the server has noticed that the other session is gone
            await turn.aclose()

    async def test_a_migration_ends(self, postgres: PostgresServer) -> None:
        with psycopg.connect(postgres.dsn) as other:
            other.execute("SELECT pg_advisory_lock(%s)", [int.from_bytes(b"belref", "big")])
            with pytest.raises(StorageUnavailable, match="not migrated"):
                await asyncio.to_thread(migrate, postgres.dsn, lock_timeout=timedelta(0), within=timedelta(seconds=0.5))

    async def test_connecting_ends(self, postgres: PostgresServer) -> None:
        postgres.freeze()
        async with asyncio.timeout(BROKEN):
            with pytest.raises(StorageUnavailable, match=r"no connection within 0\.5 s"):
                await probe(postgres.dsn, within=0.5)


async def test_the_service_answers_under_load_while_both_are_stopped(postgres: PostgresServer, tmp_path: Path) -> None:
    """Look-ups of the held table are answered throughout; what needs the store is refused, and `/health` says why."""
    with (
        RedisServer() as redis,
        running_service(
            tmp_path, DB_DSN=postgres.dsn, REDIS_URL=redis.url, HEALTH_INDEX_SOURCE="snapshot", DB_TIMEOUT_SECONDS="2"
        ) as service,
    ):
        held = service.client.get("/v1/zipcodes/9000").headers["x-release"]
        async with make_pool(postgres.dsn, max_size=1, timeout=5, statement_timeout=5) as pool:
            await serve(PsycopgZipcodeRepository(pool), SPRING)
            await until(lambda: serves_another(service, held))
        postgres.freeze()
        redis.freeze()
        try:
            counts, conditions = await load(service, f"/v1/zipcodes/9000?release={held}")
        finally:
            redis.thaw()
            postgres.thaw()
        assert set(counts["/v1/zipcodes/1315"]) == {200}
        assert set(counts[f"/v1/zipcodes/9000?release={held}"]) == {503}
        assert set(counts["/health"]) == {200}
        for part in ("postgres", "figures", "redis"):
            assert conditions[part][-1] == "DEGRADED", part
            assert conditions[part] == sorted(conditions[part], key=["UP", "DEGRADED"].index), part
        await until(lambda: is_whole(service))
        assert service.client.get(f"/v1/zipcodes/9000?release={held}").status_code == 200


async def load(service: Service, of_the_store: str) -> tuple[dict[str, Counter[int]], dict[str, list[str]]]:
    """The answers by path and status, and what `/health` said of each part, for as long as the stores are stopped."""
    paths = ("/v1/zipcodes/1315", of_the_store, "/health")
    counts: dict[str, Counter[int]] = {path: Counter() for path in paths}
    conditions: dict[str, list[str]] = {}
    end = asyncio.get_running_loop().time() + STOPPED
    async with httpx2.AsyncClient(base_url=str(service.client.base_url), timeout=BROKEN) as client:

        async def ask(path: str) -> None:
            while asyncio.get_running_loop().time() < end:
                answer = await client.get(path)
                counts[path][answer.status_code] += 1
                if path == "/health":
                    for part, check in answer.json()["checks"].items():
                        conditions.setdefault(part, []).append(check["status"])
                await asyncio.sleep(0.05)

        await asyncio.gather(*(ask(path) for path in paths for _ in range(1 if path == "/health" else CALLERS)))
    return counts, conditions


async def answers(repository: PsycopgZipcodeRepository) -> bool:
    with suppress(StorageUnavailable):
        return (await repository.current()).table == AUTUMN.table
    return False


async def serves_another(service: Service, release: str) -> bool:
    return service.client.get("/v1/zipcodes/1315").headers["x-release"] != release


async def is_whole(service: Service) -> bool:
    checks = service.client.get("/health").json()["checks"]
    return all(checks[part]["status"] == "UP" for part in ("postgres", "figures", "redis"))


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that comes; not for how long it takes."""
    async with asyncio.timeout(BROKEN):
        while True:
            with suppress(StorageUnavailable):
                if await holds():
                    return
            await asyncio.sleep(0.1)
