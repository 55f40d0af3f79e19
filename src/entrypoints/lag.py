"""How late the event loop comes to what is due: a request waits as long as whatever else runs in the process."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

from prometheus_client import Histogram

from entrypoints.metrics import Metrics

_EVERY = 0.5  # seconds
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@contextlib.asynccontextmanager
async def loop_lag_measured(
    metrics: Metrics, *, every: float = _EVERY, monotonic: Callable[[], float] = time.monotonic
) -> AsyncIterator[None]:
    """Ask twice a second, within the block, to be called, and count by how much the call was late."""
    lags = Histogram(
        "belref_event_loop_lag_seconds",
        "By how much the event loop was late for something due, in seconds.",
        buckets=_BUCKETS,
        registry=metrics.registry,
    )
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle | None = None

    def ask() -> None:
        nonlocal timer
        timer = loop.call_later(every, called, monotonic() + every)

    def called(due: float) -> None:
        lags.observe(max(monotonic() - due, 0.0))
        ask()

    ask()
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()
        metrics.registry.unregister(lags)
