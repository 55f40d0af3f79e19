"""The service as it is shipped, in a process of its own: `belref serve`, its access log on, which goes to a file."""

import http.client
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from benchmarks.load import Request
from benchmarks.recording import ask_one
from tests.integration.service import BELREF, environment

_PATIENCE = 40.0  # seconds; reached only when something is broken
_PAUSE = 0.005
_LOG_KEPT = 64 * 1024**2
_END_WITH_ME = 'read _; kill "$1" 2>/dev/null'  # the shell's standard input ends with this process, however that ends


class ServiceProcess:
    """Runs in a folder of its own while its context is open.

    Entering begins the start and `wait` ends it, so that several may start at the same time.
    """

    def __init__(self, **settings: str) -> None:
        """With these settings and no others; it reads no figures from outside, unless told so."""
        self._settings = {"HEALTH_INDEX_SOURCE": "snapshot", "SHUTDOWN_SECONDS": "2", **settings}
        self.port = 0

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="belref-bench-")
        folder = Path(self._folder.name)
        self._log = folder / "log"
        self.port = _free_port()
        # A tree other than the installed one can be measured by naming its `src` here.
        elsewhere = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
        self._begun = time.perf_counter()
        with self._log.open("ab") as log:  # to append, so that it may be cut off meanwhile
            self._process = subprocess.Popen(
                [BELREF, "serve"],
                cwd=folder,
                env=environment(PORT=str(self.port), **elsewhere, **self._settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._reaper = subprocess.Popen(
            ["/bin/sh", "-c", _END_WITH_ME, "sh", str(self.pid)], stdin=subprocess.PIPE, start_new_session=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._reaper.kill()  # before the other: its number may be another process's afterwards
        self._reaper.communicate()
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE / 2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def begin_to_end(self) -> None:
        """Tell it to stop and do not wait for it; leaving the context does."""
        self._process.terminate()

    def wait(self, first: Request) -> Self:
        """Until it has answered this request well.

        :raises RuntimeError: with the end of its log when it does not start
        """
        while not self._answers(first):
            if self._process.poll() is not None or time.perf_counter() - self._begun > _PATIENCE:
                raise RuntimeError(f"belref did not start:\n{self._log.read_text('utf-8', 'replace')[-2000:]}")
            time.sleep(_PAUSE)
        return self

    def trim_log(self) -> None:
        """Its log may grow by gigabytes in a run, and nobody reads it."""
        if self._log.stat().st_size > _LOG_KEPT:
            os.truncate(self._log, 0)

    @property
    def pid(self) -> int:
        return self._process.pid

    def _answers(self, first: Request) -> bool:
        try:
            return ask_one(self.port, first).status == first.status
        except (OSError, http.client.HTTPException):
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
