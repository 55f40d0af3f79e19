import asyncio
import shutil
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool
from tests.contracts.figure_history import ALL, APRIL, JANUARY, NOON, NOVEMBER, FigureHistoryContract, smoothed, valued
from tests.contracts.zipcode_repository import AUTUMN, serve
from tests.integration.postgres_databases import Database
from tests.integration.postgres_replicas import until

from adapters.postgres.connections import make_listener, make_pool
from adapters.postgres.figures import FIGURES_CHANNEL, PsycopgFigureHistory
from adapters.postgres.migrate import MIGRATIONS, migrate
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from domain.errors import StorageUnavailable
from domain.health_index.figures import FIRST_MONTH, Figure
from domain.ports import FigureHistory, Sighting

INJECTION = "x'); DROP TABLE figures; --"
TOO_PRECISE = valued(JANUARY, "109.725")


@pytest.fixture
def postgres(pool: AsyncConnectionPool) -> PsycopgFigureHistory:
    return PsycopgFigureHistory(pool)


async def every_failure(history: PsycopgFigureHistory) -> set[str]:
    """What each method says of a store that cannot be used."""
    said = set()
    for call in (history.sightings(), history.record([APRIL]), history.record([])):
        with pytest.raises(StorageUnavailable) as raised:
            await call
        said.add(raised.value.reason)
    return said


class TestPsycopgFigureHistory(FigureHistoryContract):
    @pytest.fixture
    def history(self, postgres: PsycopgFigureHistory) -> FigureHistory:
        return postgres


class TestKeeping:
    async def test_a_restart_loses_nothing_and_makes_nothing_new(self, database: Database) -> None:
        corrected = smoothed(valued(APRIL, "119.60"), None)
        async with make_pool(database.service, max_size=4, timeout=5, statement_timeout=5) as pool:
            await PsycopgFigureHistory(pool).record([*ALL, corrected])
        async with make_pool(database.service, max_size=4, timeout=5, statement_timeout=5) as pool:
            history = PsycopgFigureHistory(pool)
            assert list(await history.sightings()) == [*ALL, corrected]
            assert list(await history.record([corrected, replace(corrected, figure=APRIL.figure), *ALL])) == [APRIL]

    async def test_what_is_stored_is_the_number_that_was_given(
        self, postgres: PsycopgFigureHistory, database: Database
    ) -> None:
        every = [valued(APRIL, text) for text in ("0.01", "128.55", "128.50", "128.5", "100", "999999.99")]
        await postgres.record(every)
        with psycopg.connect(database.owner) as connection:
            stored = connection.execute("SELECT value::text, smoothed::text FROM figures ORDER BY number").fetchall()
        assert stored == [(text, "116.52") for text in ("0.01", "128.55", "128.50", "100", "999999.99")]

    async def test_instants_come_back_in_utc_whatever_the_time_zone_of_the_server(self, database: Database) -> None:
        with psycopg.connect(database.superuser) as connection:
            setting = SQL("ALTER DATABASE {} SET timezone TO 'Asia/Kolkata'")
            connection.execute(setting.format(Identifier(database.name)))
        async with make_pool(database.service, max_size=4, timeout=5, statement_timeout=5) as pool:
            await PsycopgFigureHistory(pool).record([APRIL])
            (seen,) = await PsycopgFigureHistory(pool).sightings()
        assert seen == APRIL
        assert seen.seen_at.tzinfo is UTC

    async def test_a_whole_history_is_recorded_and_recognised_without_a_statement_for_each_figure(
        self, postgres: PsycopgFigureHistory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        statements = 0
        execute = psycopg.AsyncConnection.execute

        async def counted(connection: Any, *arguments: Any, **options: Any) -> Any:
            nonlocal statements
            statements += "figures" in str(arguments[0])  # the pool sets up a connection now and then
            return await execute(connection, *arguments, **options)

        monkeypatch.setattr(psycopg.AsyncConnection, "execute", counted)
        months = [(FIRST_MONTH.plus(number), base) for number in range(300) for base in (1988, 1996, 2004, 2013, 2025)]
        whole = [Sighting(Figure(month, base, APRIL.figure.value), NOON, "statbel") for month, base in months]
        needed = []
        for reading, news in ((whole[:1], whole[:1]), (whole, whole[1:]), (whole[:1], []), (whole, [])):
            statements = 0
            assert list(await postgres.record(reading)) == news
            needed.append(statements)
        assert needed[1] == needed[0] > 0
        assert needed[3] == needed[2] > 0
        assert len(await postgres.sightings()) == 1500


class TestReplicas:
    async def test_what_two_replicas_see_at_the_same_time_is_recorded_once_and_in_one_order(
        self, database: Database
    ) -> None:
        async with (
            make_pool(database.service, max_size=4, timeout=5, statement_timeout=5) as one,
            make_pool(database.service, max_size=4, timeout=5, statement_timeout=5) as other,
        ):
            histories = [PsycopgFigureHistory(pool) for pool in (one, other)]
            waves = [[valued(seen, f"{100 + turn}.00") for seen in ALL] for turn in range(8)]
            for wave in waves:
                recorded = await asyncio.gather(
                    *(history.record(part) for history in histories * 2 for part in (wave, wave[3:], wave[:1]))
                )
                together = [seen for part in recorded for seen in part]
                assert sorted(map(repr, together)) == sorted(map(repr, wave))
            first, second = [list(await history.sightings()) for history in histories]
        assert first == second
        assert len(first) == len(ALL) * len(waves)

    async def test_whoever_waits_too_long_for_another_gives_up_and_may_try_again(self, database: Database) -> None:
        async with make_pool(database.service, max_size=4, timeout=5, statement_timeout=0.2) as pool:
            history = PsycopgFigureHistory(pool)
            with psycopg.connect(database.service) as other:
                other.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(b"figures", "big")])
                with pytest.raises(StorageUnavailable, match=r"QueryCanceled \(57014\)"):
                    await history.record(ALL)
                assert list(await history.sightings()) == []  # readers do not wait
            assert list(await history.record(ALL)) == ALL


class TestAllOrNothing:
    @pytest.mark.parametrize(
        ("bad", "reason"),
        [
            (TOO_PRECISE, "CheckViolation"),  # refused, where rounding would make it another figure
            (smoothed(APRIL, "116.525"), "CheckViolation"),
            (valued(APRIL, "NaN"), "CheckViolation"),
            (valued(APRIL, "Infinity"), "CheckViolation"),
            (valued(APRIL, "-119.59"), "CheckViolation"),
            (valued(APRIL, "0"), "CheckViolation"),
            (valued(APRIL, "1000000"), "CheckViolation"),
            (replace(APRIL, figure=replace(APRIL.figure, month=FIRST_MONTH.plus(-1))), "CheckViolation"),
            (replace(APRIL, figure=replace(APRIL.figure, base_year=0)), "CheckViolation"),
            (replace(APRIL, figure=replace(APRIL.figure, base_year=10**9)), "NumericValueOutOfRange"),
            (replace(APRIL, source="nul \0 inside"), "DataError"),
            (replace(APRIL, source="half a character \ud83d"), "not Unicode"),
        ],
    )
    async def test_one_figure_that_cannot_be_kept_keeps_the_others_out_and_is_not_announced(
        self, postgres: PsycopgFigureHistory, database: Database, bad: Sighting, reason: str
    ) -> None:
        async with aclosing(make_listener(database.service, timeout=5, channel=FIGURES_CHANNEL)()) as announcements:
            await anext(announcements)
            with pytest.raises(StorageUnavailable, match=reason):
                await postgres.record([NOVEMBER, bad])
            assert list(await postgres.sightings()) == []
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await anext(announcements)

    @pytest.mark.parametrize("text", [INJECTION, "%s %(source)s %%", '{"a",b}', "\\'; --", "tab\tnew\nline 🧇", ""])
    async def test_what_looks_like_sql_is_text(self, postgres: PsycopgFigureHistory, text: str) -> None:
        every = [replace(APRIL, source=text), replace(NOVEMBER, source=text)]
        await postgres.record(every)
        assert list(await postgres.sightings()) == every


class TestAnnouncements:
    async def test_new_figures_are_announced_on_their_own_channel_and_known_ones_are_not(
        self, postgres: PsycopgFigureHistory, pool: AsyncConnectionPool, database: Database
    ) -> None:
        async with (
            aclosing(make_listener(database.service, timeout=5, channel=FIGURES_CHANNEL)()) as figures,
            aclosing(make_listener(database.service, timeout=5)()) as releases,
        ):
            await anext(figures)
            await anext(releases)
            await postgres.record(ALL)
            await postgres.record(ALL)
            await postgres.record([valued(APRIL, "119.60"), *ALL[2:]])
            await serve(PsycopgZipcodeRepository(pool), AUTUMN)
            for announcements, expected in ((figures, 2), (releases, 2)):
                async with asyncio.timeout(5):
                    for _ in range(expected):
                        await anext(announcements)
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await anext(announcements)


class TestLeastPrivilege:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE figures SET value = 1",
            "UPDATE figures SET seen_at = now()",
            "DELETE FROM figures",
            "TRUNCATE figures",
            "DROP TABLE figures",
            "DROP INDEX figures_versions",
            "ALTER TABLE figures ADD COLUMN mine integer",
            "ALTER DOMAIN index_points DROP CONSTRAINT index_points_check",
            "SELECT setval('figures_number_seq', 1)",
            "INSERT INTO figures (number) OVERRIDING SYSTEM VALUE VALUES (0)",
            "INSERT INTO figures (value) VALUES (1) ON CONFLICT (number) DO UPDATE SET value = 1",
        ],
    )
    async def test_the_service_may_neither_change_nor_remove_what_was_recorded(
        self, postgres: PsycopgFigureHistory, database: Database, statement: str
    ) -> None:
        await postgres.record([APRIL])
        with psycopg.connect(database.service) as connection, pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement.encode())
        assert list(await postgres.sightings()) == [APRIL]

    @pytest.mark.parametrize(
        "values",
        [
            "'2022-04-02', 2013, 119.59, 116.52, now(), 'not the first of a month'",
            "'infinity', 2013, 119.59, 116.52, now(), 'in no month'",
            "'2022-04-01', 2013, 119.59, 116.52, '-infinity', 'always known'",
        ],
    )
    def test_what_could_not_be_read_again_is_refused_from_the_owner_too(self, database: Database, values: str) -> None:
        insert = "INSERT INTO figures (month, base_year, value, smoothed, seen_at, source) VALUES "
        with psycopg.connect(database.owner) as connection, pytest.raises(errors.CheckViolation):
            connection.execute((insert + f"({values})").encode())


class TestOutages:
    async def test_a_database_of_the_version_before_is_not_migrated(
        self, empty_database: Database, tmp_path: Path
    ) -> None:
        shutil.copy(MIGRATIONS / "0001.releases.sql", tmp_path)
        migrate(empty_database.owner, folder=tmp_path)
        async with make_pool(empty_database.service, max_size=4, timeout=5, statement_timeout=5) as pool:
            history = PsycopgFigureHistory(pool)
            assert await every_failure(history) == {"it is not migrated: set MIGRATION_DSN and run `belref migrate`"}
            assert migrate(empty_database.owner) == ["0002.figures", "0003.release_log"]
            assert list(await history.record(ALL)) == ALL

    async def test_a_role_without_the_grants_is_named_by_its_sqlstate(self, database: Database) -> None:
        with psycopg.connect(database.owner) as connection:
            connection.execute("REVOKE ALL ON figures FROM belref_service")
        async with make_pool(database.service, max_size=4, timeout=5, statement_timeout=5) as pool:
            assert await every_failure(PsycopgFigureHistory(pool)) == {"InsufficientPrivilege (42501)"}

    async def test_a_server_that_cannot_be_reached_does_not_answer(self, database: Database) -> None:
        wrong = make_conninfo(database.service, port="1")
        async with make_pool(wrong, max_size=4, timeout=0.1, statement_timeout=5) as pool:
            assert await every_failure(PsycopgFigureHistory(pool)) == {"PoolTimeout"}
        assert await every_failure(PsycopgFigureHistory(pool)) == {"PoolClosed"}

    async def test_a_recording_that_is_cut_off_leaves_nothing_and_may_be_done_again(
        self, postgres: PsycopgFigureHistory, database: Database
    ) -> None:
        with psycopg.connect(database.owner) as owner:
            owner.execute("LOCK TABLE figures IN EXCLUSIVE MODE")  # readers pass, writers wait
            recording = asyncio.ensure_future(postgres.record(ALL))
            with psycopg.connect(database.superuser, autocommit=True) as connection:
                cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"

                async def was_cut() -> bool:
                    return connection.execute(cut + " AND datname = %s", [database.name]).fetchone() is not None

                await until(was_cut)
            with pytest.raises(StorageUnavailable, match="AdminShutdown"):
                await recording
        assert list(await postgres.record(ALL)) == ALL
        assert list(await postgres.sightings()) == ALL
