"""What becomes of estimated figures once Statbel publishes in the old base years again."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from structlog.testing import capture_logs
from tests.worlds import make_app, make_client, make_index

from adapters.bundled import load_snapshot
from adapters.memory import AlwaysMyTurn
from domain.errors import Rejection, SourceRejected, SourceUnavailable, TechnicalError
from domain.health_index.figures import Figure, Month, Publication
from domain.health_index.table import IndexTable
from domain.ports import HealthIndexProvider
from domain.use_cases.health_index import HealthIndexService
from entrypoints.checks import Condition, health_index_check
from entrypoints.metrics import Metrics
from entrypoints.refresher import Refresher

NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)
BUNDLED = load_snapshot()
APRIL = Month(2026, 4)
TRUE = {2004: "168.27", 1996: "191.43", 1988: "230.81"}


class Source(HealthIndexProvider):
    """Publishes what is bundled, and more."""

    def __init__(self) -> None:
        self.more: list[Figure] = []
        self.failure: TechnicalError | None = None

    async def publication(self, known: IndexTable) -> Publication:
        if self.failure is not None:
            raise self.failure
        return Publication((*BUNDLED.figures, *self.more), NOW, "statbel")

    def publish(self, base_year: int, value: str, month: Month = APRIL) -> None:
        # A source gives no hole: the months between are published as they were derived or estimated.
        table = IndexTable([*BUNDLED.figures, *self.more])
        between = Month(2024, 11)
        while between < month:
            figure = table.figure(between, base_year)
            if table.published(between, base_year) is None:
                self.more.append(Figure(between, base_year, figure.value))
            between = between.plus(1)
        self.more.append(Figure(month, base_year, Decimal(value)))


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def index(source: Source) -> HealthIndexService:
    return make_index(source, Publication(BUNDLED.figures, NOW - timedelta(days=1), "snapshot"), lambda: NOW)


@pytest.fixture
def metrics(index: HealthIndexService) -> Metrics:
    metrics = Metrics()
    metrics.watch_estimates(lambda: index.now().table.comparisons)
    return metrics


@pytest.fixture
def refresher(index: HealthIndexService, metrics: Metrics) -> Refresher:
    return Refresher(index, AlwaysMyTurn(), metrics)


def counted(metrics: Metrics, base_year: int, agrees: str) -> float | None:
    labels = {"base_year": str(base_year), "agrees": agrees}
    return metrics.registry.get_sample_value("belref_health_index_estimates", labels)


async def test_that_they_were_right_is_logged_once_and_counted(
    source: Source, refresher: Refresher, metrics: Metrics
) -> None:
    for base_year, value in TRUE.items():
        source.publish(base_year, value)
    with capture_logs() as logs:
        await refresher.refresh()
        await refresher.refresh()
    told = [(line["base_year"], line["figures"]) for line in logs if line["event"] == "estimates were right"]
    assert sorted(told) == [(1988, 4), (1996, 4), (2004, 4)]
    assert [counted(metrics, base_year, "true") for base_year in TRUE] == [4, 4, 4]


async def test_that_one_was_wrong_is_a_warning_a_number_and_a_condition(
    source: Source, refresher: Refresher, metrics: Metrics, index: HealthIndexService
) -> None:
    source.publish(1988, "230.80")
    with capture_logs() as logs:
        await refresher.refresh()
        await refresher.refresh()
    (warning,) = [line for line in logs if line["event"] == "estimates were wrong"]
    assert (warning["log_level"], warning["base_year"], warning["wrong"]) == ("warning", 1988, 1)
    assert (warning["month"], warning["published"], warning["estimated"]) == ("2026-04", "230.80", "230.81")
    assert (counted(metrics, 1988, "false"), counted(metrics, 1988, "true")) == (1, 3)
    check = await health_index_check(index)()
    assert check.status is Condition.DEGRADED
    assert "estimates that were wrong: 1, such as 2026-04 in base 1988: 230.81, published as 230.80" in check.detail


async def test_the_next_answer_has_the_published_figure(
    source: Source, refresher: Refresher, index: HealthIndexService
) -> None:
    async with make_client(make_app(index=index)) as client:
        before = (await client.get("/v1/health-index/2026-04?base_year=1988")).json()["figures"][0]
        source.publish(1988, "230.80")
        await refresher.refresh()
        after = (await client.get("/v1/health-index/2026-04?base_year=1988")).json()["figures"][0]
    assert (before["value"], before["provenance"], before["margin"]) == (230.81, "estimated", 0.02)
    assert (after["value"], after["provenance"], after.get("margin")) == (230.80, "published", None)


async def test_while_nothing_is_published_there_is_nothing_to_say(
    refresher: Refresher, metrics: Metrics, index: HealthIndexService
) -> None:
    with capture_logs() as logs:
        await refresher.refresh()
    assert not [line for line in logs if "estimates" in line["event"]]
    assert counted(metrics, 1988, "true") is None
    assert (await health_index_check(index)()).status is Condition.UP


class TestWhatTheSourceRefusesToBe:
    """`/health` says what went wrong with the last reading, and what to do where a person must decide."""

    async def test_a_revision_of_most_figures_says_what_to_do(
        self, source: Source, refresher: Refresher, index: HealthIndexService
    ) -> None:
        source.failure = SourceRejected("statbel", Rejection.REVISED, "200 of 370 known figures in base 2013 differ")
        await refresher.refresh()
        check = await health_index_check(index)()
        assert check.status is Condition.DEGRADED
        assert "200 of 370 known figures in base 2013 differ" in check.detail
        assert "belref index refresh --accept-revision" in check.detail

    async def test_a_source_that_is_away_is_said_and_no_reason_to_worry_yet(
        self, source: Source, refresher: Refresher, index: HealthIndexService
    ) -> None:
        source.failure = SourceUnavailable("statbel", "status 503")
        await refresher.refresh()
        check = await health_index_check(index)()
        assert (check.status, "status 503" in check.detail) == (Condition.UP, True)
        source.failure = None
        await refresher.refresh()
        assert "status 503" not in (await health_index_check(index)()).detail
