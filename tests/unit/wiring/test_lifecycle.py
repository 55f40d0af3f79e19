"""What is open while the service runs, in its embedded form; tests/integration has the rest."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from domain.errors import NoActiveRelease
from domain.risk.tables import RiskFactor
from entrypoints.container import Container
from entrypoints.lifecycle import NotStartedError, opened_storage, running
from entrypoints.settings import Settings

SNAPSHOT = Settings(health_index_source="snapshot")


async def test_the_sample_is_served_where_no_table_is_named() -> None:
    container = Container(settings=SNAPSHOT)
    with pytest.raises(NoActiveRelease):
        await container.repository().current()
    async with running(container):
        current = await container.repository().current()
    assert current.release.label == "risk_table.sample.csv"


async def test_a_table_of_the_operator_takes_the_place_of_the_sample(tmp_path: Path) -> None:
    path = tmp_path / "ours.csv"
    path.write_text("1000 - 9999,C\n")
    container = Container(settings=Settings(health_index_source="snapshot", risk_table_file=path))
    async with opened_storage(container):
        current = await container.repository().current()
    assert current.release.label == "ours.csv"
    assert current.table.counts() == {"A": 0, "B": 0, "C": 9000}


async def test_a_table_with_faults_stops_the_start_and_each_fault_is_a_log_line(tmp_path: Path) -> None:
    path = tmp_path / "ours.csv"
    path.write_text("1000,D\n2000,A\n2000,B\n")
    container = Container(settings=Settings(health_index_source="snapshot", risk_table_file=path))
    with capture_logs() as logs, pytest.raises(NotStartedError, match=r"RISK_TABLE_FILE: .* line 1: .* \(and 1 more\)"):
        async with running(container):
            raise AssertionError
    assert [line["line"] for line in logs if line["event"] == "fault in the risk table"] == [1, 3]


class TestFolder:
    """DATA_DIR: releases outlive the process without Postgres."""

    @staticmethod
    def container(folder: Path, **settings: object) -> Container:
        return Container(settings=Settings(health_index_source="snapshot", data_dir=folder, **settings))  # type: ignore[arg-type]  # as they come

    async def test_the_table_is_put_into_service_once_and_found_again(self, tmp_path: Path) -> None:
        path = tmp_path / "ours.csv"
        path.write_text("1000 - 9999,C\n")
        folder = tmp_path / "data"
        async with running(first := self.container(folder, risk_table_file=path)):
            release = (await first.repository().current()).release
        assert (release.label, release.created_by) == ("ours.csv", "belref serve")
        with capture_logs() as logs:
            async with running(second := self.container(folder)):
                assert (await second.repository().current()).release == release
        assert "risk table is there already" in {line["event"] for line in logs}

    async def test_a_later_file_is_not_taken_over_and_the_log_says_so(self, tmp_path: Path) -> None:
        path, folder = tmp_path / "ours.csv", tmp_path / "data"
        path.write_text("1000 - 9999,C\n")
        async with opened_storage(self.container(folder, risk_table_file=path)):
            path.write_text("1000 - 9999,A\n")
        with capture_logs() as logs:
            async with opened_storage(second := self.container(folder, risk_table_file=path)):
                assert (await second.repository().current()).table.counts()[RiskFactor.C] == 9000
        assert "RISK_TABLE_FILE is not what is in service" in {line["event"] for line in logs}

    async def test_without_a_seeder_an_empty_folder_is_nothing_to_answer_with(self, tmp_path: Path) -> None:
        said = (
            "DATA_DIR: no risk table is in service there, and RUN_SEEDER=false puts none there: run `belref risk load"
        )
        with pytest.raises(NotStartedError, match=said):
            async with running(self.container(tmp_path / "data", run_seeder=False)):
                raise AssertionError

    async def test_a_question_puts_nothing_into_the_folder(self, tmp_path: Path) -> None:
        folder = tmp_path / "data"
        async with opened_storage(container := self.container(folder), seed=False):
            with pytest.raises(NoActiveRelease):
                await container.risks().active()
        assert not folder.exists()

    async def test_a_folder_that_cannot_be_used_stops_the_start(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(NotStartedError, match="DATA_DIR: "):
            async with running(self.container(tmp_path / "file" / "data")):
                raise AssertionError

    async def test_it_can_be_asked_at_every_look_up(self, tmp_path: Path) -> None:
        async with running(container := self.container(tmp_path / "data", risk_table_cache=False)):
            assert container.repository() is container.store()
            assert container.risks().version() is None
            assert (await container.risks().active()).label == "risk_table.sample.csv"
