"""Fail for functions, methods, classes and modules of the service that nothing in it uses.

A tuning function was once written, described in the documentation and never called.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import grimp
import vulture  # type: ignore[import-untyped]  # it ships no types

PACKAGES = ("domain", "adapters", "entrypoints")

CALLED_BY_LIBRARIES = [
    "aclose",
    "capture_signals",  # uvicorn
    "collect",  # prometheus_client
    "data_received",  # the event loop
    "eof_received",  # the event loop
    "field_title_should_be_set",  # pydantic
    "from_factors",  # the inverse of `RiskTable.factors`, with which all tests of tables begin
    "get_command",  # click
    "get_log_data",  # yoyo
    "is_plugin_supported_type",  # litestar
    "list_commands",  # click
    "nullable_schema",  # pydantic
    "on_url",  # httptools
    "shutdown",  # uvicorn
    "to_asgi_response",  # litestar
    "to_openapi_schema",  # litestar
    "app",  # servers that import it
]
DECORATORS = ["@*.command", "@click.command", "@click.group", "@get", "@post"]
"""Whoever decorates so registers the function."""

LOADED_BY_NAME = "entrypoints.cli."  # the command line imports a command when it is given

_CODE, _NAME = re.compile(r"{[{%].*?[%}]}", re.DOTALL), re.compile(r"[a-z_][a-z_0-9]+")
_KINDS = {"class", "function", "import", "method", "property", "unreachable_code"}


def unused_code(folders: Sequence[Path]) -> list[str]:
    """What is defined in these folders and used in none of them, each with its place."""
    names = [*CALLED_BY_LIBRARIES, *(name for folder in folders for name in _read_by_templates(folder))]
    search = vulture.Vulture(ignore_names=names, ignore_decorators=DECORATORS)
    search.scavenge([str(folder) for folder in folders])
    return [item.get_report() for item in search.get_unused_code(min_confidence=60) if item.typ in _KINDS]


def _read_by_templates(folder: Path) -> set[str]:
    """The names in the expressions and statements of templates: they read what they show."""
    texts = (file.read_text("utf-8") for file in folder.rglob("templates/*.html"))
    return {name for text in texts for part in _CODE.findall(text) for name in _NAME.findall(part)}


def unused_modules() -> list[str]:
    """Modules with something in them that no other module imports."""
    graph = grimp.build_graph(*PACKAGES)
    return [
        f"{module}: nothing imports this module"
        for module in sorted(graph.modules)
        if not module.startswith(LOADED_BY_NAME)
        and not graph.find_children(module)
        and not graph.find_modules_that_directly_import(module)
    ]


def main() -> int:
    """Print what nobody uses; 1 when there is anything."""
    found = [*unused_code([Path("src") / package for package in PACKAGES]), *unused_modules()]
    print("\n".join(found) or "nothing is unused")  # noqa: T201
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
