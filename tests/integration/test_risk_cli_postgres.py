"""`belref risk` on a real Postgres."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from tests.integration.postgres_databases import Database
from tests.worlds.command_line import AUTUMN, SPRING, WILD, CommandLine


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def belref(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database: Database
) -> CommandLine:
    belref = CommandLine(capsys, monkeypatch, tmp_path)
    monkeypatch.setenv("DB_DSN", database.service)
    return belref


def test_the_life_of_a_table_is_the_same_as_in_a_folder(belref: CommandLine) -> None:
    assert belref.done("risk", "releases") == "There is no release yet.\n"
    first = belref.load("autumn.csv", AUTUMN, "--activate")
    second = belref.load("spring.csv", SPRING, "--activate", "--by", "bob")
    refused = belref("risk", "load", belref.file("wild.csv", WILD), "--activate")
    assert (refused.code, belref.in_service()) == (1, second)
    assert refused.err.splitlines()[-1].endswith(" --force")
    assert "No zipcode changes." in belref.done("risk", "diff", "spring.csv")
    assert belref.risk("rollback")["release"]["id"] == first
    assert belref("risk", "rollback").err == "No release was in service before the active one\n"
    assert [(event["kind"], event["by"]) for event in belref.risk("log")["items"]] == [
        ("loaded", "anna"),
        ("activated", "anna"),
        ("loaded", "bob"),
        ("activated", "bob"),
        ("loaded", "anna"),
        ("rolled_back", "anna"),
    ]
    belref.file("again.csv", belref.done("risk", "export", "2"))
    assert belref.risk("load", "again.csv", "--dry-run")["release"]["id"] == second
    assert not belref.data.exists()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("nobody listens", "Connection refused"), ("not migrated", "it is not migrated")],
)
def test_a_store_that_does_not_answer_is_named_with_its_reason_at_once(
    belref: CommandLine, monkeypatch: pytest.MonkeyPatch, empty_database: Database, fault: str, reason: str
) -> None:
    dsn = {"nobody listens": "postgresql://belref:hunter2@127.0.0.1:1/belref", "not migrated": empty_database.service}
    monkeypatch.setenv("DB_DSN", dsn[fault])
    monkeypatch.setenv("DB_TIMEOUT_SECONDS", "60")
    for arguments in (["releases"], ["load", belref.file("autumn.csv", AUTUMN)], ["rollback"]):
        answer = belref("risk", *arguments)
        assert (answer.code, answer.out) == (3, "")
        assert reason in answer.err
        assert "hunter2" not in answer.err
        kind = "storage_not_ready" if fault == "not migrated" else "storage_unavailable"
        assert belref("risk", *arguments, "--json").json["error"] == kind
