"""`belref index refresh` without a network: one line, at once, and the rest for whoever wants it."""

import socket
from pathlib import Path

import pytest
from tests.worlds.command_line import CommandLine

FIRST = "statbel open data does not answer: its name cannot be resolved: is there a network?"


@pytest.fixture
def belref(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    return CommandLine(capsys, monkeypatch, tmp_path)


@pytest.fixture
def resolved(belref: CommandLine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were looked up; none has an address."""
    names: list[str] = []

    def unresolved(host: object, *_: object, **__: object) -> None:
        names.append(host.decode() if isinstance(host, bytes) else str(host))
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    monkeypatch.setenv("HEALTH_INDEX_SOURCE", "statbel")
    monkeypatch.setenv("STATBEL_OPEN_DATA_URL", "https://data.example/x.zip")
    monkeypatch.setenv("STATBEL_VIEW_URLS", "https://one.example/x,https://two.example/x")
    return names


def test_the_first_failure_is_one_line_and_every_name_is_looked_up_once(
    belref: CommandLine, resolved: list[str]
) -> None:
    answer = belref("index", "refresh")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err == f"{FIRST} (and 2 other sources failed; --verbose says why)\n"
    assert resolved == ["data.example", "one.example", "two.example"]


def test_all_failures_are_told_to_whoever_asks_and_to_programs(belref: CommandLine, resolved: list[str]) -> None:
    verbose = belref("index", "refresh", "--verbose")
    assert (verbose.code, len(verbose.err.splitlines())) == (3, 3)
    assert verbose.err.splitlines()[0] == FIRST
    body = belref("index", "refresh", "--json").json
    assert (body["error"], len(body["refused"])) == ("source_unavailable", 3)


def test_one_source_alone_has_no_others(
    belref: CommandLine, resolved: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATBEL_VIEW_URLS", "")
    assert belref("index", "refresh").err == f"{FIRST}\n"
    assert resolved == ["data.example"]
