"""What `belref serve` shows while it starts: text and an address to somebody in a terminal, JSON to programs."""

import json
import os
import pty
import re
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.service import BELREF, environment, running_service, wait_until

_START = re.compile(r"belref [0-9.]+: http://127\.0\.0\.1:[1-9][0-9]*, API at /schema\r?\n")


@contextmanager
def _terminal(folder: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`belref serve` in a terminal of its own, and where that is read."""
    ours, theirs = pty.openpty()
    settings = {"PORT": "0", "HEALTH_INDEX_SOURCE": "snapshot", **settings}
    process = subprocess.Popen(
        [BELREF, "serve"], cwd=folder, env=environment(**settings), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.terminate()
        process.wait(20)
        os.close(ours)


def test_in_a_terminal_it_logs_for_people_and_says_where_to_look(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROT=5001\n")
    shown = ""
    with _terminal(tmp_path) as (_, terminal):

        def start() -> str | None:
            nonlocal shown
            while select.select([terminal], [], [], 0)[0]:
                shown += os.read(terminal, 4096).decode()
            found = _START.search(shown)
            return found and found[0]

        wait_until(start, "the line that says where to look")
    assert "the risk table is the sample" in shown
    assert "PROT" in shown
    assert not re.search(r"^\{", shown, re.MULTILINE)


def test_elsewhere_every_line_is_json(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROT=5001\n")
    with running_service(tmp_path, HEALTH_INDEX_SOURCE="snapshot") as service:
        slip = service.wait_for_line("a name in .env is no setting")
        assert (slip["name"], slip["probably_meant"], slip["level"]) == ("PROT", "PORT", "warning")
        assert all(json.loads(line) for line in service.text().splitlines())
