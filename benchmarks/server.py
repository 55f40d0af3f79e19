"""Serves one application as the service itself is served: uvicorn, one worker, on a free port of 127.0.0.1.

The first line of the standard input says which application, later ones are words that it hears, and at the end of the
input the server stops.
"""

import asyncio
import json
import socket
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

import uvicorn

Hear = Callable[[str], None]


def serve(application: Any, hear: Hear | None) -> None:
    """Until the standard input ends; an application that hears words is bare ASGI, which has no lifespan."""
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        lifespan="on" if hear is None else "off",
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

    def __init__(self, config: uvicorn.Config, listener: socket.socket, hear: Hear | None) -> None:
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


def _main() -> None:
    order = json.loads(sys.stdin.readline())
    module, _, name = order["make"].partition(":")
    # Only what is served is imported, as what is imported is part of its memory and of its start.
    application = getattr(import_module(module), name)(**order["options"])
    serve(application, getattr(application, "play", None))


if __name__ == "__main__":
    _main()
