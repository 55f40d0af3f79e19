"""A whole morning of a publication day, as fast as it goes, with a real server that plays Statbel."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx2
import pytest
from structlog.testing import capture_logs
from tests.integration.statbel_server import HTML, OPEN_DATA, UNAVAILABLE, Answer, Manner, StatbelServer

from adapters.bundled import load_places, load_snapshot
from adapters.caching.health_index import CachedHealthIndexProvider
from adapters.memory import AlwaysMyTurn, InMemoryCache, InMemoryFigureHistory, InMemoryZipcodeRepository
from adapters.statbel.provider import Retries, StatbelHealthIndexProvider
from domain.health_index.calendar import PublicationCalendar
from domain.health_index.figures import Figure, Month
from domain.use_cases.health_index import HealthIndexService
from domain.use_cases.zipcodes import RiskService
from entrypoints.http.app import create_app
from entrypoints.metrics import Metrics
from entrypoints.refresher import Refresher

KNOWN = tuple(figure for figure in load_snapshot().figures if figure.base_year == 2013)
SEPTEMBER = Figure(Month(2026, 9), 2013, Decimal("140.85"))
MORNING = datetime(2026, 9, 29, 5, 58, tzinfo=UTC)  # 7:58 in Brussels


class Clock:
    """Time that goes from one moment at which the refresher wakes up to the next one."""

    def __init__(self) -> None:
        self.now = MORNING
        self._wakes_at = MORNING
        self._asleep, self._awake = asyncio.Event(), asyncio.Event()

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """The refresher's own; nobody else sleeps."""
        self._wakes_at = self.now + timedelta(seconds=seconds)
        self._awake.clear()
        self._asleep.set()
        await self._awake.wait()

    async def go_on(self, span: timedelta) -> None:
        """Let time pass, and the refresher do what it does meanwhile."""
        end = self.now + span
        await self._asleep.wait()
        while self._wakes_at <= end:
            self.now = self._wakes_at
            self._asleep.clear()
            self._awake.set()
            await self._asleep.wait()
        self.now = end


@pytest.fixture
def statbel() -> Iterator[StatbelServer]:
    with StatbelServer() as server:
        yield server


async def test_each_state_is_one_log_line_and_the_new_month_is_served_within_a_minute(statbel: StatbelServer) -> None:
    statbel.publish(KNOWN)
    whole = statbel.take(OPEN_DATA)
    clock, calendar, metrics = Clock(), PublicationCalendar(), Metrics()
    source = StatbelHealthIndexProvider(statbel.open_data_url, [], clock, timeout=20, retries=Retries(2, 0, 0, 0))
    cached = CachedHealthIndexProvider(source, InMemoryCache(), limits=calendar.age_limits, clock=clock)
    index = HealthIndexService(cached, load_snapshot(), InMemoryFigureHistory(), clock, calendar)
    await index.load()
    refresher = Refresher(index, AlwaysMyTurn(), metrics, hidden_failure=lambda: cached.last_failure, sleep=clock.sleep)
    app = create_app(
        index=index,
        risks=RiskService(InMemoryZipcodeRepository(), clock),
        clock=clock,
        checks={},
        metrics=metrics,
        places=load_places(),
    )
    outcomes: Counter[int] = Counter()
    served_at: datetime | None = None

    async def ask_for_ever() -> None:
        nonlocal served_at
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://belref.test") as client:  # type: ignore[arg-type]
            while True:
                answer = await client.get("/v1/health-index/latest?base_year=2013")
                outcomes[answer.status_code] += 1
                if served_at is None and answer.json()["month"] == "2026-09":
                    served_at = clock()
                await asyncio.sleep(0)

    async def answers(number: int = 25) -> None:
        """Go on once so many more were given."""
        enough = outcomes.total() + number
        async with asyncio.timeout(20):
            while outcomes.total() < enough:  # noqa: ASYNC110 - they are counted by another task
                await asyncio.sleep(0)

    with capture_logs() as logs:
        tasks = [asyncio.create_task(refresher.run()), asyncio.create_task(ask_for_ever())]
        for answer in (whole, HTML, UNAVAILABLE, Answer(whole.body, manner=Manner.HALF)):
            statbel.answer(OPEN_DATA, answer)
            await clock.go_on(timedelta(minutes=4))
            await answers()
        statbel.publish([*KNOWN, SEPTEMBER])
        appeared = clock()
        for _ in range(12):
            await clock.go_on(timedelta(seconds=10))
            await answers(5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await cached.aclose()
        await source.aclose()

    lines = [line.get("reason", line.get("latest_month")) for line in logs if line["event"].startswith("health index")]
    assert len(lines) == 5, lines
    not_yet, html, unavailable, half, there = lines
    assert (not_yet, there) == ("2026-08", "2026-09")
    assert "not data" in html
    assert "503" in unavailable
    assert "open data" in half
    assert served_at is not None
    assert served_at - appeared < timedelta(minutes=1)
    assert set(outcomes) == {200}
    assert outcomes[200] > 100
