"""One form in a uvicorn process of its own, with one worker, on a free port of 127.0.0.1."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import uvicorn
from benchmarks.forms.applications import FORMS
from litestar.concurrency import set_asyncio_executor

from entrypoints.logs import configure_logs

POOL_SIZE = 4
"""As many connections as the service itself has by default."""

_ROOT = Path(__file__).parents[2]
_PATIENCE = 15.0  # seconds; reached only when something is broken


class FormServer:
    """Serves a form while its context is open; it stops with the process that started it, however that ends."""

    def __init__(self, form: str, dsn: str, *, pool_size: int = POOL_SIZE, threads: int | None = None) -> None:
        """`threads` is the size of the framework's thread pool, None for what it takes by itself."""
        self._order = {"form": form, "dsn": dsn, "pool_size": pool_size, "threads": threads}
        self.port = 0

    def __enter__(self) -> Self:
        # What to serve comes by the standard input: neither arguments nor environment are secret, and the DSN is.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.forms.server"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        to, back = self._process.stdin, self._process.stdout
        assert to is not None
        assert back is not None
        print(json.dumps(self._order), file=to, flush=True)
        port = back.readline()
        if not port:
            self.__exit__()
            raise RuntimeError(f"the form {self._order['form']} did not start")
        self.port = int(port)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    @property
    def pid(self) -> int:
        return self._process.pid


def default_threads() -> int:
    """How many threads the framework takes by itself: those of the event loop's default executor."""
    return min(32, (os.cpu_count() or 1) + 4)


class _Server(uvicorn.Server):
    """Says its port once it listens, and stops when the standard input ends."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket) -> None:
        super().__init__(config)
        self._listener = listener

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self._listener.getsockname()[1], flush=True)
            threading.Thread(target=self._wait_for_the_end, daemon=True).start()

    def _wait_for_the_end(self) -> None:
        sys.stdin.read()
        self.should_exit = True


def _serve(form: str, dsn: str, pool_size: int, threads: int | None) -> None:
    configure_logs("critical")
    if threads is not None:
        set_asyncio_executor(ThreadPoolExecutor(threads))
    config = uvicorn.Config(
        FORMS[form].build(dsn, pool_size),
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    with (
        socket.create_server(("127.0.0.1", 0), backlog=config.backlog) as listener,
        asyncio.Runner(loop_factory=config.get_loop_factory()) as runner,
    ):
        runner.run(_Server(config, listener).serve([listener]))


if __name__ == "__main__":
    _serve(**json.loads(sys.stdin.readline()))
