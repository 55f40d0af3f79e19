"""The background tasks that keep the figures current."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, aclosing, nullcontext
from datetime import timedelta

import structlog

from domain.errors import StorageUnavailable, TechnicalError
from domain.health_index.figures import Month
from domain.health_index.table import Comparison
from domain.ports import Turn
from domain.use_cases.health_index import HealthIndexService, Refresh
from entrypoints.metrics import Metrics

log = structlog.get_logger(__name__)

_SOONEST = timedelta(seconds=40)
_SHORTEST_SILENCE, _LONGEST_SILENCE = 1.0, 30.0  # seconds between attempts to listen
_LONGEST_PAUSE = timedelta(minutes=30)


def no_failure() -> None:
    """For a source that hides none."""


class Refresher:
    """Reads the source at once, then again whenever what is known is no longer fresh.

    One replica at a time does so; the others take over what it has kept. A little late each time, so that replicas that
    started together do not ask together. After a failure it waits longer each time, up to half an hour, but no longer
    than usual while a publication is due.
    """

    def __init__(
        self,
        index: HealthIndexService,
        turn: Turn,
        metrics: Metrics,
        *,
        hidden_failure: Callable[[], Exception | None] = no_failure,
        jitter: Callable[[float, float], float] = random.uniform,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        around: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """`hidden_failure` says why the source gave an older answer than it was asked for, if it did; `sleep` takes
        seconds; `around` surrounds each reading.
        """
        self._index, self._turn, self._metrics = index, turn, metrics
        self._hidden_failure, self._jitter, self._sleep, self._around = hidden_failure, jitter, sleep, around
        self._failures = 0
        self._unstored = False
        self._state = ""
        self._compared: dict[int, tuple[int, int]] = {}  # by base year: how many estimates, and how many were wrong

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            with self._around():
                await self.refresh()
            await self._sleep(self.delay().total_seconds())

    async def refresh(self) -> None:
        """Read the source once, or follow whoever does, and log what came of it: a line for each change of state."""
        try:
            if not await self._my_turn():
                await self._index.follow()
                self._failures, self._state, self._index.source_failure = 0, "", None
                self._compare_estimates()
                return
            refresh = await self._index.refresh()
        except TechnicalError as error:
            self._failed(error)
        except Exception:
            self._failures += 1
            log.exception("health index not refreshed")  # a defect here must not end the refreshing for good
        else:
            failure = self._hidden_failure()
            if isinstance(failure, TechnicalError) and not refresh.added and not refresh.changed:
                self._failed(failure)
            else:
                self._failures, self._index.source_failure = 0, None
                self._succeeded(refresh)
                self._compare_estimates()

    def delay(self) -> timedelta:
        """How long to wait before the next reading."""
        wait = max(self._index.fresh_for(), _SOONEST)
        if self._failures:
            patience = min(_SOONEST * 2 ** min(self._failures - 1, 10), _LONGEST_PAUSE)
            wait = _SOONEST if self._index.is_due() else patience
        elif self._unstored:
            wait = _SOONEST
        return wait * self._jitter(1.0, 1.1)

    async def _my_turn(self) -> bool:
        try:
            return await self._turn.take()
        except StorageUnavailable:
            return True  # without the store nobody can agree, and asking twice does no harm

    def _failed(self, failure: TechnicalError) -> None:
        self._failures += 1
        self._index.source_failure = failure
        reason = str(failure)
        if reason != self._state:
            log.warning("health index not refreshed", reason=reason, latest_month=str(self._latest()))
        self._state = reason

    def _succeeded(self, refresh: Refresh) -> None:
        for change in refresh.changed:
            log.warning(
                "published figure changed",
                month=str(change.before.month),
                base_year=change.before.base_year,
                before=str(change.before.value),
                after=str(change.after.value),
            )
        self._metrics.figures_changed.inc(len(refresh.changed))
        self._unstored = not refresh.stored
        if self._unstored:
            log.warning("figures not stored", reason="the store does not answer; it is tried again")
        state = f"as of {self._latest()}"
        if refresh.added or refresh.changed or state != self._state:
            log.info(
                "health index refreshed",
                source=refresh.publication.source,
                latest_month=str(self._latest()),
                added=len(refresh.added),
                changed=len(refresh.changed),
            )
        self._state = state

    def _compare_estimates(self) -> None:
        """Say once of each base year whether what Statbel publishes by now is what was estimated before."""
        by_base: dict[int, list[Comparison]] = {}
        for each in self._index.now().table.comparisons:
            by_base.setdefault(each.published.base_year, []).append(each)
        for base_year, every in by_base.items():
            wrong = [each for each in every if not each.agrees]
            counts = (len(every), len(wrong))
            if self._compared.get(base_year) == counts:
                continue
            self._compared[base_year] = counts
            if not wrong:
                log.info("estimates were right", base_year=base_year, figures=len(every))
                continue
            first = wrong[0]
            log.warning(
                "estimates were wrong",
                base_year=base_year,
                figures=len(every),
                wrong=len(wrong),
                month=str(first.published.month),
                published=str(first.published.value),
                estimated=str(first.estimated),
            )

    def _latest(self) -> Month:
        return self._index.now().table.latest_month


async def follow(
    index: HealthIndexService,
    listen: Callable[[], AsyncGenerator[object]],
    *,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Take over what other replicas have put into the history as soon as they announce it, until cancelled.

    An item of `listen` that is False announces nothing: it says that announcements would be heard.
    """
    pause = _SHORTEST_SILENCE
    while True:
        loaded = False
        try:
            async with aclosing(listen()) as announcements:
                async for item in announcements:
                    if item is not False:
                        await (index.follow() if loaded else index.load())
                    loaded, pause = True, _SHORTEST_SILENCE
        except TechnicalError as error:
            index.history_failure = str(error)
            if pause == _SHORTEST_SILENCE:
                log.warning("figures of other replicas not followed", reason=str(error))
        await sleep(pause)
        pause = min(pause * 2, _LONGEST_SILENCE)
