"""A real browser before a real server, on the bundled data."""

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from tests.worlds import make_app

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
"""Debian's own: the driver's browsers come from a host of their own."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Server:
    """The application behind uvicorn, on a free port, in a thread of its own."""

    def __init__(self) -> None:
        self._server = uvicorn.Server(
            uvicorn.Config(make_app(), port=0, log_config=None, lifespan="off", access_log=False)
        )
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        config = self._server.config
        config.load()
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup()
        self._started.set()
        await self._server.main_loop()
        await self._server.shutdown()

    def __enter__(self) -> str:
        self._thread.start()
        assert self._started.wait(30)
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(30)


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    with Server() as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


Open = Callable[..., Page]
"""Opens a page of the service; what else it takes is for the browser's context."""


@pytest.fixture
def visit(chromium: Browser, site: str) -> Iterator[Open]:
    """Every page opened by it must be without errors, load nothing from elsewhere, and leave no cookie behind."""
    complaints: list[str] = []

    def heard(message: Any) -> None:
        if message.type in {"error", "warning"} and "status of 400" not in message.text:
            complaints.append(message.text)

    def asked(request: Any) -> None:
        if not request.url.startswith(f"{site}/"):
            complaints.append(f"asked for {request.url}")

    with ExitStack() as opened:

        def open_page(target: str, **options: Any) -> Page:
            context = chromium.new_context(base_url=site, **options)
            opened.callback(context.close)
            opened.callback(lambda: complaints.extend(str(cookie) for cookie in context.cookies()))
            context.on("request", asked)
            page = context.new_page()
            page.on("console", heard)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(target)
            return page

        yield open_page
    assert complaints == []
