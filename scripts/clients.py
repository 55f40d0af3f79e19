"""Generate clients with two foreign generators, check their types, and run them against the service.

The first is openapi-python-client. The second is openapi-generator where there is a Java, otherwise openapi-typescript
where there is a Node. What lacks its tool is skipped, with a word; nothing that is generated is kept.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from tests.integration.service import running_service

_PROGRAMS = Path(__file__).with_name("client_programs")
_PACKAGE = "belref_client"
_NODE_PACKAGES = ("openapi-typescript@7", "openapi-fetch@0", "typescript@5", "@types/node@20")
_QUIET = ["--no-audit", "--no-fund", "--loglevel=error"]


class Tools:
    """The programs of the environment that has the generators (`make clients` makes it)."""

    def __init__(self, environment: Path) -> None:
        self._programs = environment.resolve() / "bin"

    def run(self, folder: Path, program: str, *arguments: str) -> None:
        """Run one of them in a folder; what it prints is shown where it fails."""
        path = f"{self._programs}{os.pathsep}{os.environ['PATH']}"  # they call one another by name
        _run(folder, [str(self._programs / program), *arguments], {**os.environ, "PATH": path})


def main(environment: Path) -> None:
    """Try both generators."""
    tools = Tools(environment)
    with TemporaryDirectory(prefix="belref-clients-") as name:
        folder = Path(name)
        with running_service(folder, HEALTH_INDEX_SOURCE="snapshot") as service:
            address = f"http://127.0.0.1:{service.port}"
            document = folder / "openapi.json"
            document.write_bytes(httpx2.get(f"{address}/schema/openapi.json").raise_for_status().content)
            _try_python_client(tools, folder / "first", document, address)
            if shutil.which("java"):
                _try_generator(tools, folder / "second", document, address)
            elif shutil.which("npm"):
                _try_typescript(folder / "second", document, address)
            else:
                _say("openapi-generator, openapi-typescript", "skipped: there is neither a java nor an npm")


def _try_python_client(tools: Tools, folder: Path, document: Path, address: str) -> None:
    folder.mkdir()
    output = ["--meta", "none", "--output-path", _PACKAGE, "--fail-on-warning"]
    tools.run(folder, "openapi-python-client", "generate", "--path", str(document), *output)
    _check_and_run(tools, folder, "of_openapi_python_client.py", address)
    _say("openapi-python-client", "generated, checked by mypy, and answered")


def _try_generator(tools: Tools, folder: Path, document: Path, address: str) -> None:
    folder.mkdir()
    options = ["-g", "python", "-o", "generated", "--additional-properties", f"packageName={_PACKAGE}"]
    tools.run(folder, "openapi-generator-cli", "generate", "-i", str(document), *options)
    (folder / "generated" / _PACKAGE).rename(folder / _PACKAGE)
    _check_and_run(tools, folder, "of_openapi_generator.py", address)
    _say("openapi-generator", "generated, checked by mypy, and answered")


def _check_and_run(tools: Tools, folder: Path, program: str, address: str) -> None:
    """The program, and with it all that it uses of what was generated; the rest is the generators' own."""
    shutil.copy(_PROGRAMS / program, folder / "program.py")
    parts = [f"{_PACKAGE}/{each}" for each in ("api", "models")]
    tools.run(folder, "mypy", "--follow-imports", "silent", "program.py", *parts)
    tools.run(folder, "python", "program.py", address)


def _try_typescript(folder: Path, document: Path, address: str) -> None:
    folder.mkdir()
    (folder / "package.json").write_text('{"type": "module"}')
    shutil.copy(_PROGRAMS / "of_openapi_typescript.ts", folder / "program.ts")
    try:
        _run(folder, ["npm", "install", *_QUIET, *_NODE_PACKAGES])
    except SystemExit:
        _say("openapi-typescript", "skipped: npm cannot install it")
        return
    _run(folder, ["npx", "openapi-typescript", str(document), "-o", "schema.d.ts", "--default-non-nullable=false"])
    options = ["--strict", "--module", "nodenext", "--target", "es2022", "--skipLibCheck"]
    _run(folder, ["npx", "tsc", *options, "program.ts"])
    _run(folder, ["node", "program.js", address])
    _say("openapi-typescript", "generated, checked by tsc, and answered")


def _run(folder: Path, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}\nended with {done.returncode}")


def _say(generator: str, what: str) -> None:
    sys.stdout.write(f"{generator}: {what}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
