"""Tries the recipe of the image as far as that goes without an engine: builds it in a folder, then runs it from there.

Every step and value comes from the Dockerfile. The exceptions: where to listen, and no question to Statbel.
"""

import http.client
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

from scripts.rehearsal import RecipeError, Rehearsal

_CONTEXT = Path(__file__).parents[1]
_MEMORY = "/dev/shm"  # noqa: S108 - used through tempfile; thousands of small files take half the time there
_MEMORY_NEEDED = 2 * 1024**3
_START_SECONDS = 20
_STOP_SECONDS = 10
_NO_FILES = ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh"]
"""Runs a command that cannot put a byte into any file, wherever the file is; pipes and sockets are no files."""

_ROUTES = {
    "/health/live": "application/json",
    "/v1/health-index/latest": "application/json",
    "/v1/zipcodes/9000": "application/json",
    "/schema": "text/html",
}
_INSTALLED = "import importlib.metadata as m; print(*sorted({d.metadata['Name'] for d in m.distributions()}))"
_WITHOUT_BYTECODE = """
import os, sys, hiredis, httptools, psycopg, uvloop
import entrypoints.cli.questions, entrypoints.cli.risk, entrypoints.cli.service
compiled = {name: getattr(module, "__cached__", None) for name, module in sys.modules.items()}
print(*[name for name, file in compiled.items() if file and not os.path.exists(file)])
"""


class _RunAs(TypedDict, total=False):
    """Arguments of `subprocess` that change the user."""

    user: int
    group: int
    extra_groups: list[int]


class Proof:
    """A container in all but the engine, from a tree that nobody can write to."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.rehearsal = rehearsal
        self.image = rehearsal.dockerfile.image
        self.port = _free_port()
        self.environment = rehearsal.container_environment() | {
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "HEALTH_INDEX_SOURCE": "snapshot",
        }
        uid, gid = self.image.user()
        # An unprivileged user cannot become another one, and is as good.
        self.run_as: _RunAs = {} if os.geteuid() else {"user": uid, "group": gid, "extra_groups": []}
        self.uid = os.geteuid() or uid

    def run(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command as a container would, to its end."""
        return subprocess.run(
            self._words(words),
            cwd=self._workdir(),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **self.run_as,
        )

    @contextmanager
    def serving(self) -> Iterator[subprocess.Popen[str]]:
        """The CMD of the image, from the moment it answers.

        :raises RecipeError: when it does not come up
        """
        process = subprocess.Popen(
            self._words(self.image.last("CMD").arguments()),
            cwd=self._workdir(),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **self.run_as,
        )
        try:
            self._wait_until_it_answers(process)
            yield process
        finally:
            process.kill()
            process.wait()

    def get(self, path: str) -> tuple[int, str, bytes]:
        """Status, media type and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path, headers={"Accept": "text/html, application/json"})
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type", "").partition(";")[0], answer.read()
        finally:
            connection.close()

    def _wait_until_it_answers(self, process: subprocess.Popen[str]) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if process.poll() is not None:
                raise RecipeError(f"CMD ended with {process.returncode}:\n{process.communicate()[0][-3000:]}")
            try:
                self.get("/health/live")
            except OSError:
                time.sleep(0.05)
            else:
                return
        process.kill()
        raise RecipeError(f"no answer after {_START_SECONDS} s:\n{process.communicate()[0][-3000:]}")

    def _words(self, words: list[str]) -> list[str]:
        moved = [self.rehearsal.moved(word) if word.startswith("/") else word for word in words]
        return [*_NO_FILES, *moved]

    def _workdir(self) -> Path:
        return self.rehearsal.root / self.image.last("WORKDIR").value.lstrip("/")


def prove(rehearsal: Rehearsal) -> Iterator[str]:
    """Build, run, look and stop; what was found to be true, one sentence at a time.

    :raises RecipeError: with the first thing that is not
    """
    rehearsal.build()
    yield f"it is built on CPython {rehearsal.interpreter.version}"
    _make_read_only(rehearsal.root)
    tree = _contents(rehearsal.root)
    proof = Proof(rehearsal)
    yield _only_what_is_needed(proof)
    without = proof.run(["python", "-c", _WITHOUT_BYTECODE])
    _expect(without.returncode == 0, f"it does not load:\n{without.stderr}")
    _expect(not without.stdout.strip(), f"would be compiled at every start: {without.stdout}")
    yield "everything it loads was compiled when it was built"
    with proof.serving() as process:
        for route, media_type in _ROUTES.items():
            status, given, body = proof.get(route)
            _expect((status, given) == (200, media_type), f"{route}: {status} {given} {body[:500]!r}")
        yield f"CMD answers {', '.join(_ROUTES)}"
        verified = proof.run(["belref", "verify", f"http://127.0.0.1:{proof.port}"])
        _expect(verified.returncode == 0, f"it breaks a promise:\n{verified.stdout}{verified.stderr}")
        yield f"belref verify: {verified.stdout.strip().splitlines()[-1]}"
        yield _one_process_without_rights(proof, process.pid)
        checked = proof.run(proof.image.healthcheck())
        _expect(checked.returncode == 0, f"HEALTHCHECK finds a living service dead:\n{checked.stderr}")
        process.send_signal(signal.Signals[proof.image.last("STOPSIGNAL").value])
        started = time.monotonic()
        log = process.communicate(timeout=_STOP_SECONDS)[0]
        _expect(process.returncode in {0, -signal.SIGTERM}, f"it ended with {process.returncode}:\n{log}")
        _expect("Traceback" not in log, f"it did not end in peace:\n{log}")
        yield f"STOPSIGNAL ends it in {time.monotonic() - started:.1f} s"
    checked = proof.run(proof.image.healthcheck())
    _expect(checked.returncode != 0, "HEALTHCHECK finds a dead service alive")
    yield "HEALTHCHECK tells a living service from a dead one"
    changed = {path for path, _ in tree ^ _contents(rehearsal.root)}
    _expect(not changed, f"written to: {sorted(changed)[:10]}")
    yield "nothing was written to its tree"


def _only_what_is_needed(proof: Proof) -> str:
    done = proof.run(["python", "-c", _INSTALLED])
    _expect(done.returncode == 0, done.stderr)
    installed = {_normal(name) for name in done.stdout.split()}
    pinned = {_normal(line) for line in (_CONTEXT / "requirements" / "run.txt").read_text("utf-8").splitlines()}
    _expect(installed <= pinned | {"belref"}, f"not in requirements/run.txt: {sorted(installed - pinned)}")
    _expect({"belref", "litestar", "uvicorn"} <= installed, f"missing; there are {sorted(installed)}")
    names = {path.name for path in proof.rehearsal.root.rglob("*")}
    left = names & {"pip", "ensurepip", "hatchling", "cc", "gcc", "make"}
    _expect(not left, f"left from the build: {left}")
    return f"{len(installed)} packages are in it, and no tool to install more"


def _one_process_without_rights(proof: Proof, pid: int) -> str:
    children = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    _expect(not "".join(children), f"it has children: {children}")
    owner = Path(f"/proc/{pid}").stat().st_uid
    _expect(owner == proof.uid, f"it runs as {owner}")
    return f"it is one process, of the user {owner}"


def _normal(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[=\s]", requirement, maxsplit=1)[0]).lower()


def _contents(root: Path) -> set[tuple[str, tuple[int, ...]]]:
    """Every path with what would show that it was touched."""
    found: set[tuple[str, tuple[int, ...]]] = set()
    for path in (root, *root.rglob("*")):
        about = path.lstat()
        found.add((str(path), (about.st_mode, about.st_size, about.st_mtime_ns, about.st_ino)))
    return found


def _make_read_only(root: Path) -> None:
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)


def _make_removable(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(path.stat().st_mode | stat.S_IRWXU)


def _memory_to_spare() -> bool:
    return (
        os.access(_MEMORY, os.W_OK)
        and shutil.disk_usage(_MEMORY).free > _MEMORY_NEEDED
        and not os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _expect(true: bool, otherwise: str) -> None:  # noqa: FBT001 - an assertion that -O does not remove
    if not true:
        raise RecipeError(otherwise)


def main(version: str = "") -> int:
    """Say what was proven, line by line; 1 when something was not. `version` is that of Python, as 3.12."""
    where = _MEMORY if _memory_to_spare() else None
    with tempfile.TemporaryDirectory(prefix="belref-image-", dir=where) as name:
        folder = Path(name)
        # So that the unprivileged user reaches what is in it.
        folder.chmod(0o755)
        try:
            for sentence in prove(Rehearsal(_CONTEXT, folder, version)):
                sys.stdout.write(f"ok: {sentence}\n")
                sys.stdout.flush()
        except (RecipeError, ValueError) as error:
            sys.stderr.write(f"not proven: {error}\n")
            return 1
        finally:
            _make_removable(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
