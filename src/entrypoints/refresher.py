"""The background task that keeps the figures current."""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta

import structlog

from domain.errors import TechnicalError
from domain.health_index import Month
from domain.services import HealthIndexService, Refresh

log = structlog.get_logger(__name__)

_SOONEST = timedelta(seconds=40)
_LONGEST_PAUSE = timedelta(minutes=30)


class Refresher:
    """Reads the source at once, then again whenever what is known is no longer fresh.

    A little late each time, so that replicas that started together do not ask together; after a failure, in pauses that
    double up to half an hour.
    """

    def __init__(self, index: HealthIndexService, *, jitter: Callable[[float, float], float] = random.uniform) -> None:
        self._index, self._jitter = index, jitter
        self._failures = 0
        self._said: str | None = None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(self.delay().total_seconds())

    async def refresh(self) -> None:
        """Read the source once and log what came of it; a failure that repeats itself is logged once."""
        try:
            refresh = await self._index.refresh()
        except TechnicalError as error:
            self._failures += 1
            if str(error) != self._said:
                log.warning("health index not refreshed", reason=str(error), latest_month=str(self._latest()))
            self._said = str(error)
        except Exception:
            self._failures += 1
            log.exception("health index not refreshed")  # a defect here must not end the refreshing for good
        else:
            self._failures, self._said = 0, None
            self._log(refresh)

    def delay(self) -> timedelta:
        """How long to wait before the next reading."""
        if self._failures:
            wait: timedelta = min(_SOONEST * 2 ** min(self._failures - 1, 10), _LONGEST_PAUSE)
        else:
            wait = max(self._index.fresh_for(), _SOONEST)
        return wait * self._jitter(1.0, 1.1)

    def _log(self, refresh: Refresh) -> None:
        for change in refresh.changed:
            log.warning(
                "published figure changed",
                month=str(change.before.month),
                base_year=change.before.base_year,
                before=str(change.before.value),
                after=str(change.after.value),
            )
        log.info(
            "health index refreshed",
            source=refresh.publication.source,
            latest_month=str(self._latest()),
            added=len(refresh.added),
            changed=len(refresh.changed),
        )

    def _latest(self) -> Month:
        return self._index.table.latest_month
