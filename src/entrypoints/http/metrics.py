"""Figures about the service for Prometheus. Labels are route templates, never what a client wrote."""

from collections.abc import Callable

from litestar import Response, get
from litestar.di import NamedDependency
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """What is counted; each instance has a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.figures_changed = Counter(
            "belref_health_index_figures_changed",
            "Published figures that the source later gave differently.",
            registry=self.registry,
        )
        self._requests = Histogram(
            "belref_request_seconds",
            "Requests by method, route and status, in seconds.",
            ["method", "route", "status"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._missing = Gauge(
            "belref_health_index_months_missing",
            "Months of the health index that were expected before today and are not known.",
            registry=self.registry,
        )

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; `route` is a template."""
        self._requests.labels(method if method in _METHODS else "other", route, status).observe(seconds)

    def watch_months_missing(self, months: Callable[[], int]) -> None:
        """Ask for the number whenever the metrics are read."""
        self._missing.set_function(months)


_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})


@get("/metrics", include_in_schema=False)
async def get_metrics(metrics: NamedDependency[Metrics]) -> Response[bytes]:
    body = generate_latest(metrics.registry)
    return Response(
        body, media_type=CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8"), headers={"Cache-Control": "no-store"}
    )
