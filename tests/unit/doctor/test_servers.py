"""What the doctor says of Postgres, the risk table, Redis and Statbel: the right line for each situation."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.contracts.zipcode_repository import AUTUMN, serve
from tests.worlds import NOW

from adapters.memory import InMemoryZipcodeRepository
from adapters.postgres.inspection import ServerFacts, tables_of_migrations
from domain.errors import Rejection, SourceRejected, SourceUnavailable, TechnicalError
from domain.health_index.figures import Month
from domain.risk.releases import ReleaseHistory
from entrypoints.checks import Check, Condition
from entrypoints.container import SAMPLE_LABEL
from entrypoints.doctor.findings import Finding, Outcome
from entrypoints.doctor.servers import (
    postgres_away,
    postgres_findings,
    redis_finding,
    risk_table_finding,
    statbel_away,
    statbel_finding,
    unkept_table_finding,
    unread_table_finding,
)
from entrypoints.settings import Settings, Store

MIGRATIONS = tuple(tables_of_migrations())
HEALTHY = ServerFacts(
    version="18.6",
    time=NOW,
    role="belref_api",
    superuser=False,
    owner=False,
    read_only=False,
    connections=97,
    in_use=10,
    applied=MIGRATIONS,
    missing=(),
    lacking=(),
)


def postgres(**changes: Any) -> dict[str, Finding]:
    """What is found of a server that is healthy but for these changes."""
    facts = replace(HEALTHY, **changes)
    return {each.name: each for each in postgres_findings(facts, Settings(db_dsn="postgresql://db/belref"))}


class TestPostgres:
    def test_a_healthy_one_is_four_lines_that_are_well(self) -> None:
        found = postgres()
        assert {each.outcome for each in found.values()} == {Outcome.OK}
        assert found["postgres"].line == "postgres: Postgres 18.6, as belref_api"
        assert found["schema"].line == f"schema: {MIGRATIONS[-1]} is applied, the last of this version"
        assert "7 of 97, room for 13; 10 in use now" in found["connections"].line

    def test_one_without_tables_is_to_be_migrated_and_its_rights_are_left_out(self) -> None:
        found = postgres(applied=(), missing=MIGRATIONS)
        assert found["schema"].outcome is Outcome.FAILED
        assert "no table of belref is there" in found["schema"].line
        assert "belref migrate" in found["schema"].advice
        assert found["rights"].outcome is Outcome.SKIPPED

    def test_one_of_an_older_version_names_what_is_missing(self) -> None:
        found = postgres(applied=MIGRATIONS[:1], missing=MIGRATIONS[1:])["schema"]
        assert found.outcome is Outcome.FAILED
        assert f"it is at {MIGRATIONS[0]}, and {', '.join(MIGRATIONS[1:])} is missing" in found.line

    def test_a_right_that_is_lacking_is_named_with_the_statement_that_gives_it(self) -> None:
        found = postgres(lacking=("INSERT on figures",))["rights"]
        assert found.outcome is Outcome.FAILED
        assert "belref_api may not INSERT on figures" in found.line
        assert 'GRANT belref_service TO "belref_api"' in found.line

    @pytest.mark.parametrize(
        ("fact", "words"), [("superuser", "belref_api is a superuser"), ("owner", "belref_api owns the tables")]
    )
    def test_a_role_with_more_rights_than_it_needs_is_a_warning(self, fact: str, words: str) -> None:
        found = postgres(**{fact: True})["rights"]
        assert (found.outcome, words in found.line) == (Outcome.WARNING, True)

    def test_a_standby_is_a_warning(self) -> None:
        found = postgres(read_only=True)["postgres"]
        assert (found.outcome, "is read-only" in found.line) == (Outcome.WARNING, True)

    @pytest.mark.parametrize(
        ("connections", "in_use", "outcome"), [(6, 0, Outcome.FAILED), (20, 14, Outcome.WARNING), (20, 13, Outcome.OK)]
    )
    def test_too_few_connections_for_the_pool_are_named(self, connections: int, in_use: int, outcome: Outcome) -> None:
        assert postgres(connections=connections, in_use=in_use)["connections"].outcome is outcome

    @pytest.mark.parametrize(
        ("reason", "advice"),
        [
            ('connection failed: FATAL:  password authentication failed for user "x"', "correct the user"),
            ("connection failed: Connection refused", "start Postgres"),
            ('connection failed: FATAL:  database "y" does not exist', "make the database"),
            ('connection failed: FATAL:  role "z" does not exist', "make the role"),
            ("failed to resolve host 'db'", "correct the host"),
            ("no connection within 3 s", "see whether it runs"),
            ("its DSN cannot be read", "write DB_DSN=postgresql://"),
        ],
    )
    def test_one_that_cannot_be_asked_fails_with_what_to_do(self, reason: str, advice: str) -> None:
        found = postgres_away(reason)
        assert (found.outcome, found.detail) == (Outcome.FAILED, reason)
        assert found.advice.startswith(advice)


def test_each_migration_makes_something_by_which_it_is_recognised() -> None:
    # The service's role may not read the record of migrations, so that the tables tell which were applied.
    made = tables_of_migrations()
    assert len(made) >= 3
    assert [migration for migration, tables in made.items() if not tables] == []


class TestRiskTable:
    async def history(self, label: str = "autumn") -> ReleaseHistory:
        repository = InMemoryZipcodeRepository(clock=lambda: NOW)
        await serve(repository, replace(AUTUMN, label=label))
        return await repository.history()

    async def test_the_release_in_service_has_its_age(self) -> None:
        found = risk_table_finding(await self.history(), Settings(), NOW + timedelta(days=40, hours=1))
        assert found.outcome is Outcome.OK
        assert f"(autumn), in service since {NOW:%Y-%m-%d} (40 days ago)" in found.line

    async def test_the_sample_is_a_warning(self) -> None:
        history = await self.history(SAMPLE_LABEL)
        for found in (risk_table_finding(history, Settings(), NOW), unkept_table_finding(SAMPLE_LABEL, 8554)):
            assert found.outcome is Outcome.WARNING
            assert "whose factors are invented" in found.line
            assert "belref risk load FILE --activate" in found.advice

    def test_a_store_without_a_release_says_what_the_service_begins_with(self) -> None:
        found = risk_table_finding(ReleaseHistory(), Settings(), NOW)
        assert (found.outcome, "begins with the sample" in found.line) == (Outcome.WARNING, True)

    def test_a_store_without_a_release_fails_where_nothing_puts_one_there(self) -> None:
        found = risk_table_finding(ReleaseHistory(), Settings(run_seeder=False), NOW)
        assert (found.outcome, "RUN_SEEDER=false" in found.line) == (Outcome.FAILED, True)

    def test_a_damaged_folder_fails_and_a_silent_postgres_has_failed_already(self) -> None:
        assert unread_table_finding("log.jsonl has lost lines", Store.FOLDER).outcome is Outcome.FAILED
        assert unread_table_finding("it does not answer", Store.POSTGRES).outcome is Outcome.SKIPPED


class TestRedis:
    def test_one_that_answers_is_well(self) -> None:
        assert redis_finding(Check(Condition.UP, "reachable")).outcome is Outcome.OK

    @pytest.mark.parametrize(
        ("reason", "advice"), [("ConnectionError", "start Redis"), ("AuthenticationError", "correct the user")]
    )
    def test_one_that_does_not_fails_with_what_to_do(self, reason: str, advice: str) -> None:
        found = redis_finding(Check(Condition.DEGRADED, reason))
        assert (found.outcome, found.advice.startswith(advice)) == (Outcome.FAILED, True)


class TestStatbel:
    def test_an_answer_says_how_far_it_goes(self) -> None:
        found = statbel_finding("statbel open data", Month(2026, 10), Month(2026, 8), [])
        assert (found.outcome, "up to 2026-10, and those known here go up to 2026-08" in found.line) == (
            Outcome.OK,
            True,
        )

    def test_an_answer_of_a_source_that_is_not_the_first_is_a_warning(self) -> None:
        before = [SourceUnavailable("statbel open data", "status 404")]
        found = statbel_finding("be.STAT view 1", Month(2026, 10), Month(2026, 8), before)
        assert (found.outcome, "statbel open data does not answer: status 404" in found.line) == (Outcome.WARNING, True)

    @pytest.mark.parametrize(
        ("reasons", "words"),
        [
            (["no network", "no network"], "none of 2 sources answers: no network"),
            (["no network", "status 503"], "statbel does not answer: both"),
            (["no network"], "statbel does not answer: both"),
        ],
    )
    def test_no_answer_is_a_warning_that_says_it_once(self, reasons: Sequence[str], words: str) -> None:
        sources: list[TechnicalError] = [SourceUnavailable(f"source {n}", reason) for n, reason in enumerate(reasons)]
        found = statbel_away(SourceUnavailable("statbel", "both"), sources)
        assert (found.outcome, found.detail) == (Outcome.WARNING, words)
        assert "HEALTH_INDEX_SOURCE=snapshot" in found.advice

    def test_a_revision_is_a_warning_with_the_command_that_accepts_it(self) -> None:
        rejected = SourceRejected("statbel", Rejection.REVISED, "many months differ")
        found = statbel_away(rejected, [rejected])
        assert found.outcome is Outcome.WARNING
        assert "belref index refresh --accept-revision" in found.advice
