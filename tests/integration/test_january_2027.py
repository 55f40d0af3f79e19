"""January 2027: Statbel publishes in all five base years, and one figure is not what was estimated."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import httpx2
import pytest
from structlog.testing import capture_logs
from tests.integration.statbel_server import StatbelServer
from tests.worlds import make_client

from adapters.bundled import load_snapshot
from domain.health_index.figures import Figure, Month, convert, estimate
from domain.health_index.table import IndexTable
from entrypoints.container import Container
from entrypoints.lifecycle import opened_storage
from entrypoints.server import build_app
from entrypoints.settings import Settings

NOW = datetime(2027, 1, 29, 12, tzinfo=UTC)
IN_2025 = {"2026-08": "103.49", "2026-09": "103.55", "2026-10": "103.80", "2026-11": "103.92", "2026-12": "104.05"}
LATEST = {"2027-01": "104.31"}
WRONG = Figure(Month(2026, 4), 1988, Decimal("230.80"))
"""Estimated as 230.81."""


def published() -> list[Figure]:
    """What is bundled, and what Statbel would publish by then if all estimates but one were right."""
    bundled = IndexTable(load_snapshot().figures)
    table, _, _ = bundled.merged(
        Figure(Month.parse(month), 2025, Decimal(value)) for month, value in {**IN_2025, **LATEST}.items()
    )
    more = {}
    for number in range(27):
        month = Month(2024, 11).plus(number)
        for base_year in (2013, 2004, 1996, 1988):
            figure = table.figure(month, base_year)
            more[base_year, month] = Figure(month, base_year, figure.value)
    more[WRONG.base_year, WRONG.month] = WRONG
    return list(table.merged(more.values())[0].figures())


@pytest.fixture
async def container() -> AsyncIterator[Container]:
    with StatbelServer() as statbel:
        statbel.publish(published())
        settings = Settings(
            statbel_open_data_url=statbel.open_data_url, statbel_view_urls=statbel.view_url, run_seeder=True
        )
        container = Container(settings=settings, clock=lambda: NOW)
        async with opened_storage(container):
            yield container
        await container.cached_statbel().aclose()
        await container.statbel().aclose()


@pytest.fixture
async def client(container: Container) -> AsyncIterator[httpx2.AsyncClient]:
    async with make_client(build_app(container)) as client:
        yield client


async def test_the_estimate_that_was_wrong_is_logged_counted_and_shown_and_the_published_figure_is_answered(
    container: Container, client: httpx2.AsyncClient
) -> None:
    question = "/v1/health-index/2026-04?base_year=1988"
    (before,) = (await client.get(question)).json()["figures"]
    assert (before["value"], before["provenance"], before["margin"]) == (230.81, "estimated", 0.02)

    with capture_logs() as logs:
        await container.refresher().refresh()
        await container.refresher().refresh()
    (wrong,) = [line for line in logs if line["event"] == "estimates were wrong"]
    assert {name: wrong[name] for name in ("base_year", "figures", "wrong", "month", "published", "estimated")} == {
        "base_year": 1988,
        "figures": 13,
        "wrong": 1,
        "month": "2026-04",
        "published": "230.80",
        "estimated": "230.81",
    }
    right = {line["base_year"]: line["figures"] for line in logs if line["event"] == "estimates were right"}
    assert right == {2004: 13, 1996: 13}

    (after,) = (await client.get(question)).json()["figures"]
    assert (after["value"], after["provenance"], "margin" in after) == (230.8, "published", False)
    assert (await client.get("/index?year=2004")).json()["provenance"] == "published"

    health = (await client.get("/health")).json()
    assert (health["status"], health["checks"]["health_index"]["status"]) == ("DEGRADED", "DEGRADED")
    assert "2026-04 in base 1988: 230.81, published as 230.80" in health["checks"]["health_index"]["detail"]

    metrics = (await client.get("/metrics")).text
    assert 'belref_health_index_estimates{agrees="false",base_year="1988"} 1.0' in metrics
    assert 'belref_health_index_estimates{agrees="true",base_year="2004"} 13.0' in metrics
    assert 'belref_statbel_readings_total{answered_by="statbel open data"} 1.0' in metrics


async def test_an_old_lease_takes_statbels_own_figure_as_soon_as_there_is_one(
    container: Container, client: httpx2.AsyncClient
) -> None:
    question = (
        "/v1/rent-indexations?rent=1000&region=wallonia&signed_on=2010-07-25&starts_on=2010-08-01"
        "&on=2026-08-15&energy_label=A"
    )
    before = (await client.get(question)).json()
    await container.refresher().refresh()
    after = (await client.get(question)).json()
    assert (before["base_year"], after["base_year"]) == (2013, 2004)
    assert after["end"]["provenance"] == "published"


def test_the_world_is_what_it_says() -> None:
    july = convert(Decimal("103.24"), 2025, 2013), estimate(Decimal("103.24"), 2025, 2004)
    assert [str(each) for each in july] == ["139.96", "169.03"]
    assert len({figure.base_year for figure in published() if figure.month == Month(2027, 1)}) == 5
