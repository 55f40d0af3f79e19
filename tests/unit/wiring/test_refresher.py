"""The background refresh."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from structlog.testing import capture_logs
from tests.worlds import make_index

from adapters.bundled import load_snapshot
from adapters.memory import AlwaysMyTurn
from domain.errors import SourceUnavailable
from domain.health_index.figures import Month, Publication
from domain.health_index.table import IndexTable
from domain.ports import HealthIndexProvider
from domain.use_cases.health_index import HealthIndexService
from entrypoints.metrics import Metrics
from entrypoints.refresher import Refresher

NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)


def _clock() -> datetime:
    return NOW


def _no_jitter(low: float, high: float) -> float:
    return low


class _Script(HealthIndexProvider):
    """Answers what it is told, one after the other."""

    def __init__(self, *answers: Publication | Exception) -> None:
        self.answers = list(answers)
        self.emptied = asyncio.Event()

    async def publication(self, known: IndexTable) -> Publication:
        answer = self.answers.pop(0)
        if not self.answers:
            self.emptied.set()
        if isinstance(answer, Exception):
            raise answer
        return answer


FULL = tuple(figure for figure in load_snapshot().figures if figure.base_year == 2013)
KNOWN = Publication(FULL[:-1], NOW - timedelta(days=1), "snapshot")
READ = Publication(FULL, NOW, "statbel")


def _refresher(*answers: Publication | Exception) -> tuple[Refresher, HealthIndexService]:
    index = make_index(_Script(*answers), KNOWN, _clock)
    return Refresher(index, AlwaysMyTurn(), Metrics(), jitter=_no_jitter), index


async def test_a_reading_is_logged_with_what_it_brought() -> None:
    refresher, index = _refresher(READ)
    with capture_logs() as logs:
        await refresher.refresh()
    assert [(line["event"], line["added"], line["changed"], line["latest_month"]) for line in logs] == [
        ("health index refreshed", 1, 0, "2026-08")
    ]
    assert index.now().freshness.source == "statbel"


async def test_a_figure_that_changed_is_a_warning_of_its_own() -> None:
    changed = replace(READ, figures=(*FULL[:-2], replace(FULL[-2], value=FULL[-2].value + Decimal("0.01")), FULL[-1]))
    refresher, index = _refresher(changed)
    with capture_logs() as logs:
        await refresher.refresh()
    (warning,) = [line for line in logs if line["log_level"] == "warning"]
    assert (warning["month"], warning["before"], warning["after"]) == ("2026-07", "139.96", "139.97")
    corrected = index.now().table.published(Month(2026, 7), 2013)
    assert corrected is not None
    assert corrected.value == Decimal("139.97")


async def test_a_failure_that_repeats_itself_is_logged_once_and_changes_nothing() -> None:
    down = SourceUnavailable("statbel", "refused")
    refresher, index = _refresher(down, down, SourceUnavailable("statbel", "time-out"), READ, down)
    before = index.now().table
    with capture_logs() as logs:
        for _ in range(3):
            await refresher.refresh()
        assert index.now().table is before
        await refresher.refresh()
        await refresher.refresh()
    assert [line.get("reason", "fine") for line in logs] == [
        "statbel does not answer: refused",
        "statbel does not answer: time-out",
        "fine",
        "statbel does not answer: refused",
    ]


async def test_a_defect_is_logged_with_its_trace_and_does_not_end_the_refreshing() -> None:
    refresher, _ = _refresher(RuntimeError("defect"), READ)
    with capture_logs() as logs:
        await refresher.refresh()
        await refresher.refresh()
    assert [line["log_level"] for line in logs] == ["error", "info"]
    assert logs[0]["exc_info"]


async def test_it_waits_hours_while_nothing_is_expected() -> None:
    refresher, _ = _refresher(READ)
    await refresher.refresh()
    assert refresher.delay() == timedelta(hours=6)


async def test_after_a_failure_it_waits_longer_each_time_up_to_half_an_hour() -> None:
    refresher, _ = _refresher(*[SourceUnavailable("statbel", "refused")] * 8, READ)
    waits = []
    for _ in range(8):
        await refresher.refresh()
        waits.append(refresher.delay() / timedelta(seconds=1))
    assert waits == [40, 80, 160, 320, 640, 1280, 1800, 1800]
    await refresher.refresh()
    assert refresher.delay() == timedelta(hours=6)


async def test_replicas_do_not_ask_at_the_same_moment() -> None:
    index = make_index(_Script(READ), KNOWN, _clock)
    refresher = Refresher(index, AlwaysMyTurn(), Metrics())
    await refresher.refresh()
    assert len({refresher.delay() for _ in range(20)}) > 1


async def test_it_starts_with_a_reading_and_ends_when_cancelled() -> None:
    script = _Script(READ)
    index = make_index(script, KNOWN, _clock)
    task = asyncio.create_task(Refresher(index, AlwaysMyTurn(), Metrics(), jitter=_no_jitter).run())
    await script.emptied.wait()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert index.now().table.latest_month == Month(2026, 8)
