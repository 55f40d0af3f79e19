"""`belref mcp` where its extra is missing, and everybody else who does not need it."""

import sys

import pytest
from tests.worlds.command_line import CommandLine

from entrypoints.cli.main import main


def _hide(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Make a package missing, as if it had never been imported."""
    for module in [name for name in sys.modules if name.startswith((f"{package}.", "entrypoints.mcp."))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)


@pytest.mark.parametrize("package", ["mcp", "pydantic"])
def test_the_extra_that_is_missing_is_named(belref: CommandLine, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    _hide(monkeypatch, package)
    answer = belref("mcp")
    assert (answer.code, answer.out) == (1, "")
    assert "needs the extra 'mcp'" in answer.err
    assert "pip install 'belref[mcp]'" in answer.err


def test_another_missing_package_is_not_taken_for_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    _hide(monkeypatch, "uvicorn")
    with pytest.raises(ModuleNotFoundError, match="uvicorn"):
        main(["mcp"])


@pytest.mark.parametrize("command", [("mcp", "--url"), ("verify",)])
@pytest.mark.parametrize("url", ["ftp://belref", "http://", "http://[belref", "http://belref:99999", "http://bel ref"])
def test_what_is_no_address_is_not_understood(belref: CommandLine, command: tuple[str, ...], url: str) -> None:
    answer = belref(*command, url)
    assert (answer.code, f"'{url}' is no address of http or https" in answer.err) == (2, True)
