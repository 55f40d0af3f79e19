from pathlib import Path

import pytest
from tests.worlds.command_line import CommandLine


@pytest.fixture
def belref(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    return CommandLine(capsys, monkeypatch, tmp_path)
