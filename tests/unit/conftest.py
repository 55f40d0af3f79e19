import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import httpx2
import pytest
import pytest_socket
import structlog

from adapters.memory import InMemoryFigureHistory, InMemoryHealthIndexProvider, InMemoryZipcodeRepository
from adapters.risk_csv import read_risk_table
from adapters.snapshot import SAMPLE_RISK_TABLE, load_snapshot
from domain.freshness import Clock, PublicationCalendar
from domain.health_index import Publication
from domain.index_service import HealthIndexService
from domain.ports import HealthIndexProvider
from domain.services import RiskService
from domain.zipcodes import Release
from entrypoints.http import health
from entrypoints.http.app import create_app
from entrypoints.http.edge import Edge
from entrypoints.http.metrics import Metrics

NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)
"""The snapshot ends with August 2026, so nothing is expected before 29 September."""


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A command configures the logs of the process; the next test must not write to its streams."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _no_sockets() -> Iterator[None]:
    pytest_socket.disable_socket(allow_unix_socket=True)
    yield
    pytest_socket.enable_socket()


def make_index(provider: HealthIndexProvider, bundled: Publication, clock: Clock) -> HealthIndexService:
    """The service over a history in memory and a country without holidays."""
    return HealthIndexService(provider, bundled, InMemoryFigureHistory(), clock, PublicationCalendar())


def make_app(
    repository: InMemoryZipcodeRepository | None = None,
    index: HealthIndexService | None = None,
    now: datetime = NOW,
    checks: health.HealthChecks | None = None,
) -> Edge:
    """The application on the bundled data, at an instant."""

    def clock() -> datetime:
        return now

    if repository is None:
        repository = InMemoryZipcodeRepository(Release.of(read_risk_table(SAMPLE_RISK_TABLE), "sample"))
    if index is None:
        index = make_index(InMemoryHealthIndexProvider(load_snapshot()), load_snapshot(), clock)
    risks = RiskService(repository)
    if checks is None:
        checks = {"risk_table": health.risk_table_check(risks), "health_index": health.health_index_check(index)}
    return create_app(index=index, risks=risks, clock=clock, checks=checks, metrics=Metrics())


def make_client(app: Edge) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
    return httpx2.AsyncClient(transport=transport, base_url="http://belref.test")


@pytest.fixture(scope="session")
def app() -> Edge:
    return make_app()


@pytest.fixture
async def client(app: Edge) -> AsyncIterator[httpx2.AsyncClient]:
    async with make_client(app) as client:
        yield client
