"""`/metrics`."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.worlds import make_app, make_client, make_index

from adapters.memory import InMemoryZipcodeRepository
from entrypoints.metrics import Metrics

MISSING = "belref_health_index_months_missing"
CHANGED = "belref_health_index_figures_changed_total"
COUNT = "belref_request_seconds_count"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 9, 10, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


async def read(client: httpx2.AsyncClient) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by name and the values of its labels."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def client(clock: Clock, metrics: Metrics) -> AsyncIterator[httpx2.AsyncClient]:
    index = make_index(clock=clock)
    metrics.watch_months_missing(index.months_missing)
    app = make_app(InMemoryZipcodeRepository(), index, clock, checks={}, metrics=metrics)
    async with make_client(app) as client:
        yield client


async def test_they_are_in_the_text_format_of_prometheus_and_never_kept(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["cache-control"] == "no-store"
    assert f"# TYPE {MISSING} gauge" in answer.text


@pytest.mark.parametrize(
    ("now", "missing"),
    [
        (datetime(2026, 9, 10, tzinfo=UTC), 0),
        (datetime(2026, 9, 29, 12, tzinfo=UTC), 0),  # expected today, not before
        (datetime(2026, 9, 29, 22, tzinfo=UTC), 1),  # the day after, in Brussels
        (datetime(2026, 11, 22, tzinfo=UTC), 2),
        (datetime(2027, 9, 10, tzinfo=UTC), 12),
    ],
)
async def test_months_missing_are_those_expected_before_today(
    client: httpx2.AsyncClient, clock: Clock, now: datetime, missing: int
) -> None:
    clock.now = now
    assert (await read(client))[MISSING, ()] == missing


async def test_figures_that_changed_are_counted(client: httpx2.AsyncClient, metrics: Metrics) -> None:
    assert (await read(client))[CHANGED, ()] == 0
    metrics.figures_changed.inc(2)
    assert (await read(client))[CHANGED, ()] == 2


async def test_requests_are_counted_by_method_route_and_status(client: httpx2.AsyncClient) -> None:
    for path in ("/v1/health-index/2020-01", "/v1/health-index/2020-02", "/v1/health-index/1993-12"):
        await client.get(path)
    await client.head("/v1/health-index/2020-03")
    await client.post("/v1/indexations", json={"items": []})
    found = await read(client)
    route = "/v1/health-index/{month}"
    assert found[COUNT, ("GET", route, "200")] == 2
    assert found[COUNT, ("GET", route, "404")] == 1
    assert found[COUNT, ("HEAD", route, "200")] == 1
    assert found[COUNT, ("POST", "/v1/indexations", "200")] == 1
    assert found["belref_request_seconds_bucket", ("+Inf", "GET", route, "200")] == 2


async def test_nothing_that_a_client_wrote_becomes_a_label(client: httpx2.AsyncClient) -> None:
    await client.get("/secret-of-a-client")
    await client.get("/v1/health-index/secret-of-a-client?base_year=secret-of-a-client")
    await client.request("SECRETOFACLIENT", "/v1/health-index/latest")
    await client.request("PURGE", "/v1/health-index/latest")
    text = (await client.get("/metrics")).text
    assert "secret" not in text.lower()
    assert 'method="other"' in text


async def test_each_application_has_figures_of_its_own(client: httpx2.AsyncClient) -> None:
    await client.get("/v1/health-index/latest")
    other = Metrics()
    other.series("GET", "/x", 200).observe(0.1)
    labels = {"method": "GET", "route": "/v1/health-index/latest", "status": "200"}
    assert other.registry.get_sample_value(COUNT, labels) is None
