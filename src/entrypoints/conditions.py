"""What is true of the service at the moment when its metrics are read: whether it is ready, what each part says, which
table is in service, how old the figures are. Nothing here is counted along the way.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from domain.clock import start_of_day
from domain.errors import Rejection, SourceRejected, TechnicalError
from domain.risk.releases import ReleaseStatus
from domain.use_cases.health_index import HealthIndexService
from domain.use_cases.zipcodes import RiskService, RiskView
from entrypoints.checks import Check, Condition, HealthChecks
from entrypoints.readings import UNAVAILABLE

_PATIENCE = 2.0  # seconds that a part may take to answer: whoever collects metrics waits for ten


class Parts(Collector):
    """The condition of each part, as `/health` has it."""

    def __init__(self, checks: HealthChecks) -> None:
        self._checks = checks
        self._conditions: dict[str, Condition] = {}

    async def look(self) -> None:
        found = await asyncio.gather(*(_condition(check) for check in self._checks.values()))
        self._conditions = dict(zip(self._checks, found, strict=True))

    def collect(self) -> Iterable[Metric]:
        what = "Whether a part of the service is in this condition, as /health says."
        family = GaugeMetricFamily("belref_part_condition", what, labels=("part", "condition"))
        for part, condition in self._conditions.items():
            for each in Condition:
                family.add_metric((part, each), each is condition)
        yield family


async def _condition(check: Callable[[], Awaitable[Check]]) -> Condition:
    try:
        async with asyncio.timeout(_PATIENCE):
            return (await check()).status
    except TimeoutError:
        return Condition.DOWN


class TableInService(Collector):
    """Whether there is a risk table to answer from, which one, since when, and what else was loaded."""

    def __init__(self, risks: RiskService, *, sample: str) -> None:
        """`sample` is the label of the table whose factors are invented."""
        self._risks, self._sample = risks, sample
        self._view: RiskView | None = None

    async def look(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                self._view = await self._risks.view()
        except (TechnicalError, TimeoutError):
            self._view = None

    def collect(self) -> Iterable[Metric]:
        view = self._view
        yield GaugeMetricFamily("belref_ready", "Whether there is a risk table to answer from.", value=view is not None)
        if view is None:
            return
        release, standing = view.release, view.history.standing(view.release.id)
        what = "The release of risk tables in service."
        yield InfoMetricFamily("belref_risk_table", what, {"release": release.id, "label": release.label})
        if standing.activated_at is not None:
            yield _instant("belref_risk_table_activated", "When it was put into service", standing.activated_at)
        what = "Whether the table in service is the sample, whose factors are invented."
        yield GaugeMetricFamily("belref_risk_table_sample", what, value=release.label == self._sample)
        family = GaugeMetricFamily("belref_risk_releases", "Releases of risk tables, by status.", labels=("status",))
        counts = Counter(view.history.standing(each.id).status for each in view.history.releases)
        for status in ReleaseStatus:
            family.add_metric((status,), counts[status])
        yield family


class Held(Protocol):
    """A table that is held in the process, and followed in its store."""

    @property
    def unheard_for(self) -> float: ...

    @property
    def refuses_history(self) -> bool: ...


class RiskStore(Collector):
    """How long the store of risk tables has been silent, and whether what it says is not taken over.

    A store in the process itself is never silent.
    """

    def __init__(self, held: Held | None) -> None:
        self._held = held

    def collect(self) -> Iterable[Metric]:
        held = self._held
        what = "Seconds since the store of risk tables was heard last; 0 for one in the process itself."
        yield GaugeMetricFamily("belref_risk_store_unheard_seconds", what, value=held.unheard_for if held else 0)
        what = "Whether the store's history lacks events that are known here, so that it is not taken over."
        yield GaugeMetricFamily("belref_risk_history_refused", what, value=bool(held and held.refuses_history))


class Figures(Collector):
    """How old the figures of the health index are, and why the last reading of the source failed, if it did."""

    def __init__(self, index: HealthIndexService) -> None:
        self._index = index

    def collect(self) -> Iterable[Metric]:
        known = self._index.now().freshness
        name, month = "belref_health_index", known.latest_month
        begun = date(month.year, month.number, 1)
        yield _instant(f"{name}_read", "When the source of the figures was last read with success", known.as_of)
        yield _instant(f"{name}_latest_month", "When the latest month known began", start_of_day(begun))
        expected = start_of_day(known.next_publication)
        yield _instant(f"{name}_next_publication", "The day on which the first unknown month is expected", expected)
        what = "Whether the last reading of the source failed, by the kind of failure."
        family = GaugeMetricFamily("belref_statbel_failing", what, labels=("kind",))
        failure = self._index.source_failure
        kind = failure.rejection if isinstance(failure, SourceRejected) else UNAVAILABLE if failure else None
        for each in (UNAVAILABLE, *Rejection):
            family.add_metric((each,), each == kind)
        yield family


class SourceCache(Collector):
    """What the cache in front of the source had when it was asked."""

    def __init__(self, store: str, lookups: Mapping[str, int]) -> None:
        """`store` is where the cache lies; `lookups` is read each time."""
        self._store, self._lookups = store, lookups

    def collect(self) -> Iterable[Metric]:
        what = "Questions to the cache in front of the source, by where it lies and what it had."
        family = CounterMetricFamily("belref_source_cache_lookups", what, labels=("store", "found"))
        for found, number in self._lookups.items():
            family.add_metric((self._store, found), number)
        yield family


def _instant(name: str, what: str, at: datetime) -> Metric:
    return GaugeMetricFamily(f"{name}_timestamp_seconds", f"{what}, in seconds since 1970.", value=at.timestamp())
