"""What is logged and counted of the readings of the source."""

from pathlib import Path

import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from domain.errors import Rejection, SourceRejected, SourceUnavailable
from entrypoints.container import Container
from entrypoints.metrics import Metrics
from entrypoints.readings import Readings
from entrypoints.settings import Settings

OPEN_DATA, VIEW = "statbel open data", "be.STAT view 1"
AWAY = SourceUnavailable(OPEN_DATA, "status 503")
PAGE = SourceRejected(OPEN_DATA, Rejection.NOT_DATA, "it is a web page")


def test_a_fallback_leaves_one_line_and_the_return_another() -> None:
    readings = Readings()
    with capture_logs() as logs:
        readings(OPEN_DATA, ())
        for _ in range(3):
            readings(VIEW, (AWAY,))
        readings(None, (AWAY, PAGE))
        readings(VIEW, (PAGE,))
        readings(OPEN_DATA, ())
    assert [(line["event"], line["answered_by"], line["log_level"]) for line in logs] == [
        ("a fallback answered", VIEW, "warning"),
        ("the first address answers again", OPEN_DATA, "info"),
    ]
    assert logs[0]["failures"] == ["statbel open data does not answer: status 503"]


def test_readings_are_counted_by_who_answered_and_failures_by_their_kind() -> None:
    readings, metrics = Readings(), Metrics()
    metrics.watch_readings(readings.counts)
    for answered_by, failures in ((OPEN_DATA, ()), (VIEW, (AWAY,)), (VIEW, (PAGE,)), (None, (PAGE,))):
        readings(answered_by, failures)
    value = metrics.registry.get_sample_value
    assert [value("belref_statbel_readings_total", {"answered_by": name}) for name in (OPEN_DATA, VIEW, "nobody")] == [
        1,
        2,
        1,
    ]
    assert value("belref_statbel_failures_total", {"source": OPEN_DATA, "kind": "unavailable"}) == 1
    assert value("belref_statbel_failures_total", {"source": OPEN_DATA, "kind": "not data"}) == 2
    assert b"belref_statbel_readings_total" in generate_latest(metrics.registry)


@pytest.mark.parametrize("source", ["statbel", "snapshot"])
def test_the_container_connects_the_source_with_the_metrics(source: str, tmp_path: Path) -> None:
    container = Container(settings=Settings(health_index_source=source))  # type: ignore[arg-type]
    container.readings()(VIEW, (AWAY,))
    value = container.metrics().registry.get_sample_value
    assert value("belref_statbel_readings_total", {"answered_by": VIEW}) == 1
    assert container.statbel()._listener is container.readings()
