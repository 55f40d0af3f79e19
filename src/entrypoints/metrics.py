"""Figures about the service for Prometheus. Labels are route templates, never what a client wrote."""

import asyncio
import json
import time
from bisect import bisect_left
from collections import Counter as CountOf
from collections.abc import Awaitable, Callable, Iterable
from itertools import accumulate
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from domain.health_index.table import Comparison
from entrypoints.readings import NOBODY, ReadingCounts

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
_SECONDS = "belref_request_seconds"
_CACHE = "belref_response_cache"
_LABELS = ("method", "route", "status")

_Key = tuple[str, str, int]


class Series:
    """The requests of one method, route and status, counted by how long they took.

    Plain numbers, as a histogram of the library costs more to add to than a kept answer costs altogether.
    """

    __slots__ = ("counts", "created", "line", "method", "route", "seconds", "status")

    def __init__(self, method: str, route: str, status: int) -> None:
        self.method, self.route, self.status = method, route, status
        self.line = f'{{"method": {json.dumps(method)}, "route": {json.dumps(route)}, "status": {status}, '
        """How the line of such a request begins in the log."""
        self.counts = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0
        self.created = time.time()

    def observe(self, seconds: float) -> None:
        """Count one request."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds


class CacheFigures(NamedTuple):
    """What the response cache has done, and what it holds."""

    hits: int
    misses: int
    refused: int
    evicted: int
    entries: int
    bytes: int


class Metrics:
    """What is counted; each instance has a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.figures_changed = Counter(
            "belref_health_index_figures_changed",
            "Published figures that the source later gave differently.",
            registry=self.registry,
        )
        self.refused = Counter(
            "belref_refused",
            "Requests and connections that were refused or ended because a client took too much, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self._connections = Gauge("belref_connections", "Connections of clients.", registry=self.registry)
        self._requests = _Requests()
        self.registry.register(self._requests)
        self._looks: list[Callable[[], Awaitable[None]]] = []
        self._missing = Gauge(
            "belref_health_index_months_missing",
            "Months of the health index that were expected before today and are not known.",
            registry=self.registry,
        )

    def series(self, method: str, route: str, status: int, *, kept: bool = False) -> Series:
        """Where requests of this kind are counted; `route` is a template.

        Those that a `kept` answer answers are counted apart, so that nobody has to count twice.
        """
        return self._requests.series(method if method in METHODS else "other", route, status, kept=kept)

    def watch(self, collector: Collector, look: Callable[[], Awaitable[None]] | None = None) -> None:
        """Ask a collector whenever the metrics are read; await `look` before, if it has to wait for what it gives."""
        self.registry.register(collector)
        if look is not None:
            self._looks.append(look)

    async def look(self) -> None:
        """Let every collector that has to wait for its figures find them now."""
        await asyncio.gather(*(look() for look in self._looks))

    def watch_months_missing(self, months: Callable[[], int]) -> None:
        """Ask for the number whenever the metrics are read."""
        self._missing.set_function(months)

    def watch_readings(self, counts: Callable[[], ReadingCounts]) -> None:
        """Ask for these whenever the metrics are read."""
        self.registry.register(_Readings(counts))

    def watch_estimates(self, comparisons: Callable[[], Iterable[Comparison]]) -> None:
        """Ask for these whenever the metrics are read."""
        self.registry.register(_Estimates(comparisons))

    def watch_connections(self, connections: Callable[[], int]) -> None:
        """Ask for the number whenever the metrics are read."""
        self._connections.set_function(connections)

    def watch_cache(self, figures: Callable[[], CacheFigures]) -> None:
        """Ask for these whenever the metrics are read."""
        self.registry.register(_Cache(figures))


class _Readings(Collector):
    def __init__(self, counts: Callable[[], ReadingCounts]) -> None:
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        counts = self._counts()
        what = "Readings of the source, by the address that answered."
        answered = CounterMetricFamily("belref_statbel_readings", what, labels=("answered_by",))
        for name, number in {NOBODY: 0, **counts.answered}.items():  # at 0 from the start: a rise to 1 is seen as one
            answered.add_metric((name,), number)
        what = "Addresses of the source that did not answer or were not believed, by the kind of failure."
        failed = CounterMetricFamily("belref_statbel_failures", what, labels=("source", "kind"))
        for labels, number in counts.failed.items():
            failed.add_metric(labels, number)
        yield from (answered, failed)


class _Estimates(Collector):
    def __init__(self, comparisons: Callable[[], Iterable[Comparison]]) -> None:
        self._comparisons = comparisons

    def collect(self) -> Iterable[Metric]:
        what = "Published figures that were estimated before, by whether the estimate was right."
        family = GaugeMetricFamily("belref_health_index_estimates", what, labels=("base_year", "agrees"))
        counts = CountOf((each.published.base_year, each.agrees) for each in self._comparisons())
        for (base_year, agrees), number in sorted(counts.items()):
            family.add_metric((str(base_year), str(agrees).lower()), number)
        yield family


async def exposition(metrics: Metrics, accept: str) -> tuple[bytes, str]:
    """All figures in the format that is wanted, and its media type: the text of Prometheus, or OpenMetrics."""
    await metrics.look()
    try:
        encode, media_type = choose_encoder(accept)
        return encode(metrics.registry), media_type
    except (TypeError, ValueError):  # for a version that is none
        encode, media_type = choose_encoder("")
        return encode(metrics.registry), media_type


class _Requests(Collector):
    def __init__(self) -> None:
        self._made: dict[_Key, Series] = {}
        self._kept: dict[_Key, Series] = {}

    def series(self, method: str, route: str, status: int, *, kept: bool) -> Series:
        every = self._kept if kept else self._made
        found = every.get((method, route, status))
        if found is None:
            found = every[method, route, status] = Series(method, route, status)
        return found

    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(_SECONDS, "Requests by method, route and status, in seconds.", labels=_LABELS)
        bounds = [*map(str, BUCKETS), "+Inf"]
        for key in {**self._made, **self._kept}:
            both = [series[key] for series in (self._made, self._kept) if key in series]
            values = _texts(key)
            counts = (sum(each) for each in zip(*(series.counts for series in both), strict=True))
            cumulative = zip(bounds, accumulate(counts), strict=True)
            family.add_metric(values, list(cumulative), sum(series.seconds for series in both))
            created = min(series.created for series in both)
            family.add_sample(f"{_SECONDS}_created", dict(zip(_LABELS, values, strict=True)), created)
        yield family
        what = "Requests answered from the response cache, by method, route and status."
        answers = CounterMetricFamily(f"{_CACHE}_answers", what, labels=_LABELS)
        for key, series in self._kept.items():
            answers.add_metric(_texts(key), sum(series.counts))
        yield answers


def _texts(key: _Key) -> tuple[str, str, str]:
    method, route, status = key
    return method, route, str(status)


class _Cache(Collector):
    def __init__(self, figures: Callable[[], CacheFigures]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        now = self._figures()
        for name, what, value in (
            ("hits", "Requests answered from the response cache.", now.hits),
            ("misses", "Requests that the response cache could have answered and did not.", now.misses),
            ("refused", "Answers that could have been kept and were not let in.", now.refused),
            ("evicted", "Answers that made room for others.", now.evicted),
        ):
            yield CounterMetricFamily(f"{_CACHE}_{name}", what, value=value)
        yield GaugeMetricFamily(f"{_CACHE}_entries", "Answers that the response cache holds.", value=now.entries)
        yield GaugeMetricFamily(f"{_CACHE}_bytes", "What they take, in bytes, as estimated.", value=now.bytes)
