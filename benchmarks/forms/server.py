"""One form in a uvicorn process of its own, with one worker, on a free port of 127.0.0.1."""

import os
from concurrent.futures import ThreadPoolExecutor

from benchmarks.forms.applications import FORMS
from benchmarks.processes import ServerProcess
from litestar import Litestar
from litestar.concurrency import set_asyncio_executor

from entrypoints.logs import configure_logs

POOL_SIZE = 4
"""As many connections as the service itself has by default."""


class FormServer(ServerProcess):
    """Serves a form while its context is open; it stops with the process that started it, however that ends."""

    def __init__(self, form: str, dsn: str, *, pool_size: int = POOL_SIZE, threads: int | None = None) -> None:
        """`threads` is the size of the framework's thread pool, None for what it takes by itself."""
        super().__init__("benchmarks.forms.server:make", form=form, dsn=dsn, pool_size=pool_size, threads=threads)


def default_threads() -> int:
    """How many threads the framework takes by itself: those of the event loop's default executor."""
    return min(32, (os.cpu_count() or 1) + 4)


def make(form: str, dsn: str, pool_size: int, threads: int | None) -> Litestar:
    configure_logs("critical")
    if threads is not None:
        set_asyncio_executor(ThreadPoolExecutor(threads))
    return FORMS[form].build(dsn, pool_size)
