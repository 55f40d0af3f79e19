"""The whole application on the bundled data and in memory, and somebody who operates it."""

import json
import os
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import httpx2
from litestar import Litestar
from litestar.types import ASGIApp, Receive, Send
from tests.worlds.wire import Wire, WireTransport

from adapters.bundled import SAMPLE_RISK_TABLE, load_places, load_snapshot
from adapters.memory import InMemoryFigureHistory, InMemoryHealthIndexProvider, InMemoryZipcodeRepository
from adapters.risk_files.reading import read_draft
from domain.clock import Clock
from domain.health_index.calendar import PublicationCalendar
from domain.health_index.figures import Publication
from domain.leases.places import Places
from domain.ports import HealthIndexProvider
from domain.risk.releases import Draft, Release
from domain.risk.tables import RiskFactor, RiskRange, RiskTable
from domain.use_cases.health_index import HealthIndexService
from domain.use_cases.releases import ReleaseService
from domain.use_cases.zipcodes import RiskService
from entrypoints.checks import HealthChecks, health_index_check, risk_table_check
from entrypoints.http.app import Dependencies, add_edge, build_framework, keep_answers
from entrypoints.http.cors import Cors
from entrypoints.http.edge.guards import Limits
from entrypoints.metrics import Metrics

NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)
"""The snapshot ends with August 2026, so nothing is expected before 29 September."""

RESPONSE_CACHE = os.environ.get("BELREF_TEST_RESPONSE_CACHE") != "off"
"""Whether answers are kept; every test holds either way."""

LOADED = datetime(2026, 9, 1, 8, tzinfo=UTC)
"""When the bundled risk table was put into service."""


_given: ContextVar[Dependencies] = ContextVar("given")


@cache
def _framework(allow_origins: tuple[str, ...]) -> Litestar:
    """Everything behind the edge, built once: building takes longer than answering hundreds of requests."""
    return build_framework(_given.get, Cors(allow_origins))


class Application:
    """The application over use cases of its own: the framework is shared, the edge and its cache are not."""

    def __init__(self, given: Dependencies, allow_origins: tuple[str, ...], *, response_cache: bool) -> None:
        self.given = given
        self.edge = add_edge(_framework(allow_origins), given.metrics, Cors(allow_origins))
        self.kept = keep_answers(given.index, given.risks, given.clock, given.metrics) if response_cache else None

    def server(self, limits: Limits | None = None) -> Wire:
        """The server that it is behind."""
        return Wire(self, self.edge, self.kept, limits=limits)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        token = _given.set(self.given)
        try:
            await self.edge(scope, receive, send)
        finally:
            _given.reset(token)


class _Calendar(PublicationCalendar):
    """A country without holidays, where each figure is judged once: there are 1,300 of them in the snapshot."""

    published_since = cache(PublicationCalendar.published_since)


_CALENDAR = _Calendar()


@cache
def snapshot() -> Publication:
    """The bundled figures, read once."""
    return load_snapshot()


@cache
def bundled_places() -> Places:
    """The bundled places, read once."""
    return load_places()


@cache
def sample() -> Draft:
    """The bundled risk table, read once."""
    return Draft(read_draft(SAMPLE_RISK_TABLE).table, "sample", "0" * 64)


def make_index(
    provider: HealthIndexProvider | None = None, bundled: Publication | None = None, clock: Clock = lambda: NOW
) -> HealthIndexService:
    """The service over the bundled figures unless others are given, a history in memory, and no holidays."""
    bundled = snapshot() if bundled is None else bundled
    provider = InMemoryHealthIndexProvider(bundled) if provider is None else provider
    return HealthIndexService(provider, bundled, InMemoryFigureHistory(), clock, _CALENDAR)


def make_app(
    repository: InMemoryZipcodeRepository | None = None,
    index: HealthIndexService | None = None,
    now: datetime | Clock = NOW,
    checks: HealthChecks | None = None,
    metrics: Metrics | None = None,
    *,
    places: Places | None = None,
    allow_origins: tuple[str, ...] = ("*",),
    response_cache: bool = RESPONSE_CACHE,
) -> Application:
    """The application on the bundled data, at an instant or by a clock."""

    def clock() -> datetime:
        return now if isinstance(now, datetime) else now()

    if repository is None:
        repository = InMemoryZipcodeRepository(sample(), clock=lambda: LOADED)
    if index is None:
        index = make_index(clock=clock)
    risks = RiskService(repository, clock)
    if checks is None:
        checks = {"risk_table": risk_table_check(risks), "health_index": health_index_check(index)}
    if places is None:
        places = bundled_places()
    given = Dependencies(index, risks, clock, Metrics() if metrics is None else metrics, checks, places)
    return Application(given, allow_origins, response_cache=response_cache)


def make_transport(app: ASGIApp) -> httpx2.AsyncBaseTransport:
    """The way to the server, where it keeps answers, and to the application itself where it keeps none."""
    if isinstance(app, Application) and app.kept is not None:
        return WireTransport(app.server())
    return httpx2.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]


def make_client(app: ASGIApp) -> httpx2.AsyncClient:
    """A client of the server or of the application."""
    return httpx2.AsyncClient(transport=make_transport(app), base_url="http://belref.test")


def exact(answer: httpx2.Response) -> dict[str, Any]:
    """The body of a good answer, its numbers as the decimals that they are written as."""
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = json.loads(answer.text, parse_float=Decimal)
    return body


def invalid(kind: str, name: str, *values: str | None) -> list[tuple[dict[str, str | None], int, str, str]]:
    """For a table of refusals: values of one parameter that are each refused as this kind of problem, naming it."""
    return [({name: value}, 400, kind, name) for value in values]


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
