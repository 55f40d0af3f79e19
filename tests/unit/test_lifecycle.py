"""What is open while the service runs, in its embedded form; tests/integration has the rest."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from domain.errors import NoActiveRelease
from entrypoints.container import Container
from entrypoints.lifecycle import NotStartedError, opened_storage, running
from entrypoints.settings import Settings

SNAPSHOT = Settings(health_index_source="snapshot")


async def test_the_sample_is_served_where_no_table_is_named() -> None:
    container = Container(settings=SNAPSHOT)
    with pytest.raises(NoActiveRelease):
        await container.repository().active()
    async with running(container):
        release = await container.repository().active()
    assert release.label == "risk_table.sample.csv"


async def test_a_table_of_the_operator_takes_the_place_of_the_sample(tmp_path: Path) -> None:
    path = tmp_path / "ours.csv"
    path.write_text("1000 - 9999,C\n")
    container = Container(settings=Settings(health_index_source="snapshot", risk_table_file=path))
    async with opened_storage(container):
        release = await container.repository().active()
    assert release.label == "ours.csv"
    assert release.table.counts() == {"A": 0, "B": 0, "C": 9000}


async def test_a_table_with_faults_stops_the_start_and_each_fault_is_a_log_line(tmp_path: Path) -> None:
    path = tmp_path / "ours.csv"
    path.write_text("1000,D\n2000,A\n2000,B\n")
    container = Container(settings=Settings(health_index_source="snapshot", risk_table_file=path))
    with capture_logs() as logs, pytest.raises(NotStartedError, match=r"RISK_TABLE_FILE: .* line 1: .* \(and 1 more\)"):
        async with running(container):
            raise AssertionError
    assert [line["line"] for line in logs if line["event"] == "fault in the risk table"] == [1, 3]
