"""Postgres refuses, hangs, dies and comes back: callers are told in the domain's words, and never a secret."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import timedelta

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool
from tests.contracts.zipcode_repository import ALL, AUTUMN, SPRING, serve
from tests.integration.postgres_databases import Database, password_of
from tests.integration.postgres_replicas import until
from tests.servers.postgres import PostgresServer

from adapters.caching.risk_tables import CachedZipcodeRepository
from adapters.postgres.connections import make_listener, make_pool, probe
from adapters.postgres.migrate import migrate
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from domain.errors import StorageUnavailable
from domain.risk.releases import Activation
from domain.risk.tables import Zipcode


async def every_failure(repository: PsycopgZipcodeRepository) -> list[str]:
    """What each method says of a store that cannot be used."""
    said = []
    for call in (
        repository.find(Zipcode(9000)),
        repository.select(ALL),
        repository.current(),
        repository.history(),
        repository.table("0001-beef"),
        repository.add(AUTUMN, "tester"),
        repository.activate(Activation("0001-beef", "tester"), expected=None),
    ):
        with pytest.raises(StorageUnavailable) as raised:
            await call
        said.append(str(raised.value))
    return said


class TestWrongAddress:
    @pytest.mark.parametrize(
        "wrong", [{"port": "1"}, {"dbname": "absent"}, {"user": "absent"}, {"password": "n0t-the-secret"}]
    )
    async def test_every_call_says_that_the_store_does_not_answer_and_shows_no_secret(
        self, database: Database, wrong: dict[str, str]
    ) -> None:
        dsn = make_conninfo(database.service, **wrong)
        async with make_pool(dsn, max_size=4, timeout=0.1, statement_timeout=5) as pool:
            for said in await every_failure(PsycopgZipcodeRepository(pool)):
                assert said == "The store does not answer: PoolTimeout"
        with pytest.raises(StorageUnavailable) as raised:
            await anext(make_listener(dsn, timeout=2)())
        assert str(raised.value) == "The store does not answer: OperationalError"
        causes = f"{raised.value.__cause__!r}"
        assert "n0t-the-secret" not in causes
        assert password_of(database.service) not in causes

    @pytest.mark.parametrize("dsn", ["s3cret", "postgresql://user:s3cret@[::1/x", "host=x password='s3cret"])
    async def test_a_dsn_that_cannot_be_read_is_not_quoted(self, dsn: str) -> None:
        for attempt in (
            lambda: make_pool(dsn, max_size=4, timeout=1, statement_timeout=1),
            lambda: make_listener(dsn, timeout=1),
        ):
            with pytest.raises(StorageUnavailable, match="DSN cannot be read") as raised:
                attempt()
            assert raised.value.__cause__ is None
            assert "s3cret" not in str(raised.value)

    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            ({"port": "1"}, "Connection refused"),
            ({"dbname": "absent"}, 'database "absent" does not exist'),
            ({"password": "n0t-the-secret"}, "password authentication failed"),
        ],
    )
    async def test_who_starts_the_service_is_told_why_in_the_words_of_the_server(
        self, database: Database, wrong: dict[str, str], reason: str
    ) -> None:
        with pytest.raises(StorageUnavailable, match=reason) as raised:
            await probe(make_conninfo(database.service, **wrong), within=5)
        assert "n0t-the-secret" not in str(raised.value)
        assert password_of(database.service) not in str(raised.value)

    async def test_a_server_that_says_nothing_is_given_up_in_time(self, database: Database) -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute:
            dsn = make_conninfo(database.service, host="127.0.0.1", port=mute.getsockname()[1])
            with pytest.raises(StorageUnavailable, match=r"no connection within 0\.2 s"):
                await probe(dsn, within=0.2)

    async def test_an_address_that_is_right_passes(self, database: Database) -> None:
        async with asyncio.timeout(5):
            await probe(database.service, within=5)

    async def test_a_pool_that_was_not_opened_is_a_store_that_does_not_answer(self, database: Database) -> None:
        pool = make_pool(database.service, max_size=4, timeout=1, statement_timeout=1)
        assert set(await every_failure(PsycopgZipcodeRepository(pool))) == {"The store does not answer: PoolClosed"}


class TestNotReady:
    async def test_a_database_without_tables_is_not_migrated(self, empty_database: Database) -> None:
        async with make_pool(empty_database.service, max_size=4, timeout=5, statement_timeout=5) as pool:
            said = await every_failure(PsycopgZipcodeRepository(pool))
        assert set(said) == {"The store cannot be used: it is not migrated: set MIGRATION_DSN and run `belref migrate`"}

    async def test_a_role_without_the_grants_is_named_by_its_sqlstate(self, database: Database) -> None:
        with psycopg.connect(database.owner) as connection:
            connection.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM belref_service")
        async with make_pool(database.service, max_size=4, timeout=5, statement_timeout=5) as pool:
            said = await every_failure(PsycopgZipcodeRepository(pool))
        assert set(said) == {"The store does not answer: InsufficientPrivilege (42501)"}


class TestTimeouts:
    async def test_a_statement_that_waits_too_long_is_given_up(self, database: Database) -> None:
        async with make_pool(database.service, max_size=4, timeout=5, statement_timeout=0.2) as pool:
            repository = PsycopgZipcodeRepository(pool)
            with psycopg.connect(database.owner) as other:
                other.execute("SELECT * FROM active_release FOR UPDATE")
                with pytest.raises(StorageUnavailable, match="somebody else is changing the releases"):
                    await repository.add(AUTUMN, "tester")
            await serve(repository, AUTUMN)
            assert (await repository.current()).table == AUTUMN.table

    async def test_readers_do_not_wait_for_who_activates(self, database: Database, pool: AsyncConnectionPool) -> None:
        repository = PsycopgZipcodeRepository(pool)
        await serve(repository, AUTUMN)
        with psycopg.connect(database.owner) as other:
            other.execute("UPDATE active_release SET since = now()")
            # Who waited would be given up by the server after five seconds.
            assert (await repository.current()).table == AUTUMN.table

    async def test_a_caller_that_gets_no_connection_in_time_is_told_so(self, database: Database) -> None:
        async with (
            make_pool(database.service, max_size=1, timeout=0.2, statement_timeout=5) as pool,
            pool.connection(),
        ):
            with pytest.raises(StorageUnavailable, match="PoolTimeout"):
                await PsycopgZipcodeRepository(pool).current()


@pytest.fixture(scope="module")
def mortal() -> Iterator[PostgresServer]:
    """A server of its own, so that nobody else is disturbed."""
    with PostgresServer() as server:
        migrate(server.dsn)
        yield server


class TestDeathAndReturn:
    @pytest.fixture
    async def repository(self, mortal: PostgresServer) -> AsyncIterator[PsycopgZipcodeRepository]:
        async with make_pool(mortal.dsn, min_size=3, max_size=4, timeout=1, statement_timeout=5) as pool:
            await pool.wait()
            yield PsycopgZipcodeRepository(pool)

    async def test_the_pool_recovers_when_postgres_comes_back(
        self, mortal: PostgresServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Whoever asks has it tried anew; the pool's own pauses begin with a second and grow to minutes."""
        async with make_pool(mortal.dsn, min_size=3, max_size=4, timeout=0.2, statement_timeout=5) as pool:
            await pool.wait()
            repository = PsycopgZipcodeRepository(pool)
            await serve(repository, AUTUMN)
            mortal.crash()
            for _ in range(3):  # each finds a connection dead
                with pytest.raises(StorageUnavailable):
                    await repository.current()
            for _ in range(4):
                caplog.clear()
                for _ in range(2):
                    with pytest.raises(StorageUnavailable, match="PoolTimeout"):
                        await repository.current()
                assert "error connecting in 'belref'" in caplog.text
            mortal.start()

            async def answers() -> bool:
                with suppress(StorageUnavailable):
                    return (await repository.current()).table == AUTUMN.table
                return False

            await until(answers)

    async def test_the_cache_answers_while_postgres_is_down_and_catches_up_afterwards(
        self, mortal: PostgresServer, repository: PsycopgZipcodeRepository
    ) -> None:
        release = await serve(repository, AUTUMN)
        cached = CachedZipcodeRepository(
            repository, listen=make_listener(mortal.dsn, timeout=1), check_every=timedelta(seconds=0.05)
        )

        async def degraded() -> bool:
            return cached.degraded is not None

        async def whole() -> bool:
            return cached.degraded is None

        async def caught_up() -> bool:
            return (await cached.current()).table == SPRING.table

        running = asyncio.create_task(cached.run())
        try:
            assert (await cached.current()).release == release
            mortal.crash()
            await until(degraded)
            assert (await cached.find(Zipcode(1315))).release == release.id
            mortal.start()
            await until(whole)
            await serve(repository, SPRING)
            await until(caught_up)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
