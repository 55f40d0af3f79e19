import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.contracts.turn import TurnContract
from tests.integration.postgres_databases import Database, password_of
from tests.integration.postgres_replicas import until

from adapters.postgres.figures import PostgresTurn
from domain.errors import StorageUnavailable
from domain.ports import Turn

_END_HOLDERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = %s)
"""


def terminate_holders(database: Database) -> int:
    """End every session that holds a turn; how many there were."""
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        return len(connection.execute(_END_HOLDERS, [database.name]).fetchall())


def sessions(database: Database) -> int:
    """How many sessions of the service there are."""
    with psycopg.connect(database.superuser) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name = 'belref'", [database.name]
        ).fetchone()
    assert found is not None
    return int(found[0])


@pytest.fixture
async def one(database: Database) -> AsyncIterator[PostgresTurn]:
    async with aclosing(PostgresTurn(database.service, 5)) as turn:
        yield turn


@pytest.fixture
async def other(database: Database) -> AsyncIterator[PostgresTurn]:
    async with aclosing(PostgresTurn(database.service, 5)) as turn:
        yield turn


class TestPostgresTurn(TurnContract):
    @pytest.fixture
    def turn(self, one: PostgresTurn) -> Turn:
        return one


class TestTwoReplicas:
    async def test_one_has_the_turn_and_keeps_it(self, one: PostgresTurn, other: PostgresTurn) -> None:
        for _ in range(3):
            assert await one.take() is True
            assert await other.take() is False

    async def test_of_many_that_ask_together_one_gets_it(self, database: Database) -> None:
        turns = [PostgresTurn(database.service, 5) for _ in range(8)]
        taken = await asyncio.gather(*(turn.take() for turn in turns))
        assert sorted(taken) == [False] * 7 + [True]
        for turn in turns:
            await turn.aclose()

    async def test_the_turns_of_two_databases_are_not_the_same(
        self, one: PostgresTurn, empty_database: Database
    ) -> None:
        assert await one.take() is True
        async with aclosing(PostgresTurn(empty_database.service, 5)) as elsewhere:
            assert await elsewhere.take() is True

    async def test_only_who_has_the_turn_keeps_a_session(
        self, one: PostgresTurn, other: PostgresTurn, database: Database
    ) -> None:
        assert (await one.take(), await other.take(), await other.take()) == (True, False, False)

        async def one_session() -> bool:
            return sessions(database) == 1

        await until(one_session)
        assert await one.take() is True

    async def test_closing_lets_another_have_it(self, one: PostgresTurn, other: PostgresTurn) -> None:
        assert (await one.take(), await other.take()) == (True, False)
        await one.aclose()
        await until(other.take)
        assert await one.take() is False

    async def test_closing_is_harmless_before_asking_and_twice_and_may_be_followed_by_asking(
        self, one: PostgresTurn
    ) -> None:
        await one.aclose()
        assert await one.take() is True
        await one.aclose()
        await one.aclose()
        await until(one.take)


class TestLosing:
    async def test_a_session_that_is_ended_lets_another_have_the_turn(
        self, one: PostgresTurn, other: PostgresTurn, database: Database
    ) -> None:
        assert (await one.take(), await other.take()) == (True, False)
        assert terminate_holders(database) == 1
        assert await other.take() is True
        with pytest.raises(StorageUnavailable, match=r"AdminShutdown \(57P01\)"):
            await one.take()
        assert await one.take() is False
        assert await other.take() is True

    async def test_a_turn_that_was_lost_is_asked_for_anew(self, one: PostgresTurn, database: Database) -> None:
        assert await one.take() is True
        assert terminate_holders(database) == 1
        with pytest.raises(StorageUnavailable):
            await one.take()
        assert await one.take() is True

    async def test_the_server_asks_within_seconds_whether_whoever_has_the_turn_is_still_there(
        self, one: PostgresTurn
    ) -> None:
        assert await one.take() is True
        assert one._session is not None  # nobody else can see the settings of a session
        row = await (await one._session.execute("SHOW tcp_keepalives_idle")).fetchone()
        assert row == ("5",)

    async def test_a_turn_whose_session_ended_may_be_closed(self, one: PostgresTurn, database: Database) -> None:
        assert await one.take() is True
        assert terminate_holders(database) == 1
        await one.aclose()
        assert await one.take() is True


class TestOutages:
    @pytest.mark.parametrize(
        "wrong", [{"port": "1"}, {"dbname": "absent"}, {"user": "absent"}, {"password": "n0t-the-secret"}]
    )
    async def test_a_store_that_cannot_be_reached_shows_no_secret(
        self, database: Database, wrong: dict[str, str]
    ) -> None:
        turn = PostgresTurn(make_conninfo(database.service, **wrong), 5)
        for _ in range(2):
            with pytest.raises(StorageUnavailable) as raised:
                await turn.take()
            assert raised.value.reason == "OperationalError"
            assert "n0t-the-secret" not in f"{raised.value.__cause__!r}"
            assert password_of(database.service) not in f"{raised.value.__cause__!r}"

    def test_an_address_that_cannot_be_read_is_not_quoted(self) -> None:
        with pytest.raises(StorageUnavailable, match="DSN cannot be read") as raised:
            PostgresTurn("host=x password='s3cret", 1)
        assert raised.value.__cause__ is None
        assert "s3cret" not in str(raised.value)

    async def test_a_server_that_says_nothing_is_given_up_in_time(self, database: Database) -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute:
            dsn = make_conninfo(database.service, host="127.0.0.1", port=mute.getsockname()[1])
            with pytest.raises(StorageUnavailable, match=r"no answer within 0\.2 s"):
                await PostgresTurn(dsn, 0.2).take()
