"""Serves one application as the service itself is served: uvicorn, one worker, on a free port of 127.0.0.1.

The first line of the standard input says which application, and is answered with the port once that is up. Later lines
are words that the application hears, and at the end of the input the server stops.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import uvicorn


def serve(application: Any, hear: Callable[[str], None] | None) -> None:
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
    server = uvicorn.Server(config)

    def listen_until_the_end(port: int) -> None:
        while not server.started:
            time.sleep(0.005)
        print(port, flush=True)
        try:
            for line in sys.stdin:
                if hear is not None:
                    hear(json.loads(line))
                print("heard", flush=True)
        finally:
            server.should_exit = True

    with socket.create_server(("127.0.0.1", 0), backlog=config.backlog) as listener:
        port = listener.getsockname()[1]
        threading.Thread(target=listen_until_the_end, args=(port,), daemon=True).start()
        server.run(sockets=[listener])


def _main() -> None:
    order = json.loads(sys.stdin.readline())
    module, _, name = order["make"].partition(":")
    # Only what is served is imported, as what is imported is part of its memory and of its start.
    application = getattr(import_module(module), name)(**order["options"])
    serve(application, getattr(application, "play", None))


if __name__ == "__main__":
    _main()
