"""Processes that serve a benchmark, each on a free port of 127.0.0.1, and what they use.

A process of ours is told what to serve by its standard input, says its port, and stops when that input ends: so it ends
with the process that started it, however that ends.
"""

import asyncio
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import uvicorn

ROOT = Path(__file__).parents[1]
_PATIENCE = 15.0  # seconds; reached only when something is broken


class ServerProcess:
    """Runs a module that calls `serve` while its context is open."""

    def __init__(self, module: str, order: Mapping[str, object], name: str) -> None:
        """`order` is given to the module as a line of JSON: unlike arguments and environment, it may hold secrets."""
        self._module, self._order, self._name = module, order, name
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def begin(self) -> None:
        """Start it and do not wait for it; entering the context does, so that several may start at the same time."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._module],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def begin_to_end(self) -> None:
        """Tell it to stop and do not wait for it; leaving the context does."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.stdin = None

    def __enter__(self) -> Self:
        if self._process is None:
            self.begin()
        try:
            self.port = int(self._exchange(json.dumps(self._order)))
        except RuntimeError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self.begin_to_end()
        try:
            self._process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def tell(self, word: str) -> None:
        """Give a word to what listens in that process, and wait until it was heard.

        :raises RuntimeError: when it stopped, or did not know the word
        """
        self._exchange(json.dumps(word))

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _exchange(self, line: str) -> str:
        assert self._process is not None
        to, back = self._process.stdin, self._process.stdout
        assert to is not None
        assert back is not None
        try:
            print(line, file=to, flush=True)
        except BrokenPipeError:
            answer = ""
        else:
            answer = back.readline()
        if not answer:
            raise RuntimeError(f"{self._name} did not start, or stopped")
        return answer


def read_order() -> dict[str, Any]:
    """What this process is to serve."""
    order: dict[str, Any] = json.loads(sys.stdin.readline())
    return order


def serve(application: Any, *, lifespan: bool = True, hear: Callable[[str], None] | None = None) -> None:
    """Serve as the service itself is served, on one worker, until the standard input ends; `hear` is told its words."""
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        lifespan="on" if lifespan else "off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    with (
        socket.create_server(("127.0.0.1", 0), backlog=config.backlog) as listener,
        asyncio.Runner(loop_factory=config.get_loop_factory()) as runner,
    ):
        runner.run(_Server(config, listener, hear).serve([listener]))


class _Server(uvicorn.Server):
    """Says its port once it listens, and stops when the standard input ends."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket, hear: Callable[[str], None] | None) -> None:
        super().__init__(config)
        self._listener, self._hear = listener, hear

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self._listener.getsockname()[1], flush=True)
            threading.Thread(target=self._listen_until_the_end, daemon=True).start()

    def _listen_until_the_end(self) -> None:
        try:
            for line in sys.stdin:
                if self._hear is not None:
                    self._hear(json.loads(line))
                print("heard", flush=True)
        finally:
            self.should_exit = True


def resident(pid: int) -> int:
    """Bytes of a process that are in memory; Linux only."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))
