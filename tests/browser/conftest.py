"""A real browser before a real server, on the bundled data."""

import asyncio
import shutil
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from tests.worlds import make_app

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


class Served:
    """The application behind uvicorn, on a free port, in a thread of its own."""

    def __init__(self) -> None:
        self._server = uvicorn.Server(uvicorn.Config(make_app(), port=0, log_config=None, lifespan="off"))
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()), daemon=True)
        self._started = threading.Event()
        startup = self._server.startup

        async def started(sockets: None = None) -> None:
            await startup(sockets)
            self._started.set()

        self._server.startup = started  # type: ignore[method-assign, assignment]

    def __enter__(self) -> str:
        self._thread.start()
        assert self._started.wait(30)
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(30)


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    with Served() as address:
        yield address
