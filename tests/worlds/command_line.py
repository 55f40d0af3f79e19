"""`belref` in process, for tests."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from entrypoints.cli.main import main

AUTUMN = "1000 - 1310,C\n1315,B\n1320,A\n9000 - 9032,B\n9170 - 9240,A\n"
"""417 zipcodes: A 72, B 34, C 311."""

SPRING = "1000 - 1310,C\n1315,B\n1320,A\n9000 - 9032,B\n9170 - 9240,B\n"
"""Gives 71 of them B instead of A."""

WILD = "1000 - 1310,C\n"
"""Drops A and B."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one line of JSON on standard output."""
        assert self.err == ""
        assert self.out.count("\n") == 1
        return json.loads(self.out, parse_float=Decimal)


class CommandLine:
    """Runs commands in an empty folder, with `data` for releases; none of their output is a trace or a colour."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._capsys, self.folder, self.data = capsys, folder, folder / "data"
        monkeypatch.chdir(folder)
        for name in ("DB_DSN", "RISK_TABLE_FILE", "RISK_MAX_CHANGE_PERCENT", "FORCE_COLOR", "TTY_COMPATIBLE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HEALTH_INDEX_SOURCE", "snapshot")
        monkeypatch.setenv("DATA_DIR", str(self.data))
        monkeypatch.setenv("BELREF_OPERATOR", "anna")
        monkeypatch.setenv("COLUMNS", "60")

    def __call__(self, *arguments: str) -> Answer:
        """Run a command."""
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        shown = self._capsys.readouterr()
        for text in (shown.out, shown.err):
            assert "Traceback" not in text
            assert "\x1b" not in text
        return Answer(int(stopped.value.code or 0), shown.out, shown.err)

    def done(self, *arguments: str) -> str:
        """What a command says that succeeds."""
        answer = self(*arguments)
        assert (answer.code, answer.err) == (0, "")
        return answer.out

    def risk(self, *arguments: str) -> Any:
        """The JSON of `belref risk`, for a command that succeeds."""
        answer = self("risk", *arguments, "--json")
        assert answer.code == 0
        return answer.json

    def file(self, name: str, text: str) -> str:
        """Write a file in the folder; its name."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def load(self, name: str, text: str, *options: str) -> str:
        """Write and load a file; the id of its release."""
        identity = self.risk("load", self.file(name, text), *options)["release"]["id"]
        assert isinstance(identity, str)
        return identity

    def in_service(self) -> str | None:
        """The id of the release in service."""
        active = self.risk("releases")["active"]
        assert active is None or isinstance(active, str)
        return active


def cells(text: str) -> list[list[str]]:
    """The rows of the tables in a text."""
    return [[each.strip() for each in line.strip("│").split("│")] for line in text.splitlines() if line[:1] == "│"]


def stacked(text: str) -> list[list[list[str]]]:
    """The rows of a table with lines between them: each cell as its lines, without the empty ones."""
    rows = [cells(row) for row in re.split(r"^[├└].*$", text, flags=re.MULTILINE)]
    return [[[line for line in cell if line] for cell in zip(*row, strict=True)] for row in rows if row]
