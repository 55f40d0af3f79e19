"""The whole application on the bundled data and in memory, and somebody who operates it."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx2

from adapters.bundled import SAMPLE_RISK_TABLE, load_snapshot
from adapters.memory import InMemoryFigureHistory, InMemoryHealthIndexProvider, InMemoryZipcodeRepository
from adapters.risk_files.reading import read_risk_table
from domain.clock import Clock
from domain.health_index.calendar import PublicationCalendar
from domain.health_index.figures import Publication
from domain.ports import HealthIndexProvider
from domain.risk.releases import Draft, Release
from domain.risk.tables import RiskFactor, RiskRange, RiskTable
from domain.use_cases.health_index import HealthIndexService
from domain.use_cases.releases import ReleaseService
from domain.use_cases.zipcodes import RiskService
from entrypoints.checks import HealthChecks, health_index_check, risk_table_check
from entrypoints.http.app import create_app
from entrypoints.http.edge.application import Edge
from entrypoints.metrics import Metrics

NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)
"""The snapshot ends with August 2026, so nothing is expected before 29 September."""

RESPONSE_CACHE = os.environ.get("BELREF_TEST_RESPONSE_CACHE") != "off"
"""Whether answers are kept; every test holds either way."""

LOADED = datetime(2026, 9, 1, 8, tzinfo=UTC)
"""When the bundled risk table was put into service."""


def make_index(provider: HealthIndexProvider, bundled: Publication, clock: Clock) -> HealthIndexService:
    """The service over a history in memory and a country without holidays."""
    return HealthIndexService(provider, bundled, InMemoryFigureHistory(), clock, PublicationCalendar())


def make_app(
    repository: InMemoryZipcodeRepository | None = None,
    index: HealthIndexService | None = None,
    now: datetime | Clock = NOW,
    checks: HealthChecks | None = None,
    allow_origins: Sequence[str] = ("*",),
) -> Edge:
    """The application on the bundled data, at an instant or by a clock."""

    def clock() -> datetime:
        return now if isinstance(now, datetime) else now()

    if repository is None:
        sample = Draft(read_risk_table(SAMPLE_RISK_TABLE), "sample", "0" * 64)
        repository = InMemoryZipcodeRepository(sample, clock=lambda: LOADED)
    if index is None:
        index = make_index(InMemoryHealthIndexProvider(load_snapshot()), load_snapshot(), clock)
    risks = RiskService(repository, clock)
    if checks is None:
        checks = {"risk_table": risk_table_check(risks), "health_index": health_index_check(index)}
    return create_app(
        index=index,
        risks=risks,
        clock=clock,
        checks=checks,
        metrics=Metrics(),
        allow_origins=allow_origins,
        response_cache=RESPONSE_CACHE,
    )


def make_client(app: Edge) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
    return httpx2.AsyncClient(transport=transport, base_url="http://belref.test")


class Operator:
    """Somebody who loads risk tables while time goes by, and the service that answers from them."""

    def __init__(self, now: datetime = LOADED) -> None:
        self.now = now
        self.repository = InMemoryZipcodeRepository(clock=lambda: self.now)
        self.releases = ReleaseService(self.repository)
        self.app = make_app(self.repository, now=lambda: self.now)

    def waits(self, days: int = 0, seconds: int = 0) -> datetime:
        """Let time pass; the instant after that."""
        self.now += timedelta(days=days, seconds=seconds)
        return self.now

    async def loads(self, *ranges: tuple[int, int, str], label: str = "test.csv") -> Release:
        """Load a table without putting it into service."""
        table = RiskTable(RiskRange(first, last, RiskFactor(factor)) for first, last, factor in ranges)
        return (await self.releases.load(Draft(table, label, "ab" * 32), "alice@example.org")).release

    async def activates(self, *ranges: tuple[int, int, str], label: str = "test.csv") -> Release:
        """Load a table and put it into service, however much it changes."""
        release = await self.loads(*ranges, label=label)
        return (await self.releases.activate(release.id, "alice@example.org", force=True)).release

    async def rolls_back(self) -> Release:
        """Put the release before into service again."""
        return (await self.releases.rollback("bob@example.org")).release
