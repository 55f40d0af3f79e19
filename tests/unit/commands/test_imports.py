"""What a command loads: what it does not need would make everybody wait who asks one question."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_WEB = {"litestar", "uvicorn"}
_MCP = {"mcp", "mcp_types"}
_DRIVERS = {"psycopg", "psycopg_pool", "redis", "httpx2", "stamina", "yoyo", "prometheus_client"}

# The last line of what this prints is what is loaded, whatever the command says before.
_RUN = """
import sys
from entrypoints.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as stopped:
    assert not stopped.code, stopped.code
print(*sorted({name.split(".")[0] for name in sys.modules} | {"entrypoints.container"} & set(sys.modules)))
"""


def _loaded(folder: Path, program: str, *arguments: str) -> set[str]:
    """What is loaded at the end of a program that runs in an empty folder, with no settings but one."""
    environment = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "COVERAGE"))}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={**environment, "HEALTH_INDEX_SOURCE": "snapshot"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "module", ["entrypoints.cli.main", "entrypoints.cli.mcp", "entrypoints.container", "entrypoints.refresher"]
)
def test_the_command_line_the_container_and_the_refresher_load_no_web_framework(tmp_path: Path, module: str) -> None:
    loaded = _loaded(tmp_path, f"import sys, {module}\nprint(*sys.modules)")
    assert module in loaded
    assert not loaded & (_WEB | _MCP)


def test_checking_a_file_loads_neither_a_driver_nor_the_container(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("1000 - 1310,C\n")
    loaded = _loaded(tmp_path, _RUN, "risk", "check", "table.csv")
    assert not loaded & (_WEB | _DRIVERS | {"holidays", "structlog", "dependency_injector", "entrypoints.container"})


def test_a_question_about_a_zipcode_loads_no_driver_and_no_calendar(tmp_path: Path) -> None:
    loaded = _loaded(tmp_path, _RUN, "zipcode", "9000")
    assert "entrypoints.container" in loaded
    assert not loaded & (_WEB | _DRIVERS | {"holidays"})


@pytest.mark.parametrize(
    "arguments", [("index", "latest"), ("indexation", "500", "--from", "2010-06", "--to", "2019-08")]
)
def test_a_question_about_figures_loads_no_driver(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    loaded = _loaded(tmp_path, _RUN, *arguments)
    assert "holidays" in loaded
    assert not loaded & (_WEB | _DRIVERS)
