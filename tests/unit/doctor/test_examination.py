"""The examination as a whole: everything at the same time, within its patience, and without changing anything."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path

import pytest
from dependency_injector import providers
from tests.worlds import NOW

from domain.errors import SourceUnavailable, StorageUnavailable
from domain.health_index.figures import Publication
from domain.health_index.table import IndexTable
from entrypoints.container import Container
from entrypoints.doctor.examination import Examination, aside
from entrypoints.doctor.findings import Finding, Outcome
from entrypoints.doctor.machine import Port
from entrypoints.settings import Settings


class Source:
    """Plays Statbel: it gives what is bundled and tells a time, or fails."""

    answered_by = "statbel open data"

    def __init__(self, publication: Publication | None, ahead: timedelta = timedelta()) -> None:
        self._publication = publication
        self.told_time = NOW - ahead
        self.failures: tuple[SourceUnavailable, ...] = ()
        self.closed = False

    async def publication(self, known: IndexTable) -> Publication:
        if self._publication is None:
            self.failures = (SourceUnavailable("statbel open data", "status 500"),)
            raise self.failures[0]
        return self._publication

    async def aclose(self) -> None:
        self.closed = True


class Silent:
    """A store that never answers."""

    async def history(self) -> None:
        await asyncio.Event().wait()


def container(source: Source | None = None, **settings: object) -> Container:
    made = Container(settings=Settings(**settings))  # type: ignore[arg-type]  # they are those of a test
    made.clock.override(providers.Object(lambda: NOW))
    if source is not None:
        made.impatient_statbel.override(providers.Object(source))
    return made


async def findings(container: Container, *, offline: bool = False, patience: float = 20.0) -> dict[str, Finding]:
    examination = Examination(container, offline=offline, patience=patience, look_at_port=Port)
    return {each.name: each async for each in examination.findings()}


async def test_a_machine_without_servers_gets_one_line_for_each_thing_in_order() -> None:
    world = container()
    source = Source(world.bundled())
    world.impatient_statbel.override(providers.Object(source))
    found = await findings(world)
    names = ["settings", "python", "clock", "descriptors", "port", "store", "risk_table", "redis", "statbel"]
    assert list(found) == names
    assert {each.outcome for name, each in found.items() if name not in {"risk_table", "descriptors"}} == {Outcome.OK}
    assert source.closed


async def test_a_clock_is_compared_with_that_of_statbel() -> None:
    world = container()
    world.impatient_statbel.override(providers.Object(Source(world.bundled(), ahead=timedelta(minutes=5))))
    found = (await findings(world))["clock"]
    assert (found.outcome, "ahead of Statbel" in found.line) == (Outcome.WARNING, True)


async def test_a_source_that_fails_is_a_warning() -> None:
    found = (await findings(container(Source(None))))["statbel"]
    assert (found.outcome, "status 500" in found.line) == (Outcome.WARNING, True)


async def test_offline_and_a_snapshot_ask_nobody() -> None:
    assert (await findings(container(), offline=True))["statbel"].outcome is Outcome.SKIPPED
    found = (await findings(container(health_index_source="snapshot")))["statbel"]
    assert (found.outcome, "never asked" in found.line) == (Outcome.OK, True)


async def test_what_does_not_answer_is_a_line_and_holds_up_nothing_else() -> None:
    world = container(data_dir=Path("data"))
    world.releases.override(providers.Object(Silent()))
    found = await findings(world, offline=True, patience=0.05)
    assert found["data_dir"].outcome is Outcome.FAILED
    assert "within 0.05 s" in found["data_dir"].line
    assert found["redis"].outcome is Outcome.OK


async def test_a_postgres_that_cannot_be_asked_is_one_failure_and_not_two() -> None:
    def refused() -> Awaitable[None]:
        raise StorageUnavailable("Connection refused")

    world = container(db_dsn="postgresql://db/belref")
    world.probe.override(providers.Callable(refused))
    found = await findings(world, offline=True)
    assert (found["postgres"].outcome, found["risk_table"].outcome) == (Outcome.FAILED, Outcome.SKIPPED)
    assert "Connection refused" in found["postgres"].line


async def test_an_address_of_redis_that_cannot_be_used_is_told_without_its_password() -> None:
    found = (await findings(container(redis_url="http://:hidden@cache"), offline=True))["redis"]
    assert (found.outcome, "hidden" in found.line) == (Outcome.FAILED, False)


async def test_a_risk_table_with_faults_fails_and_names_the_command_that_lists_them(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("1000 - 1310,X\n")
    found = (await findings(container(risk_table_file=table), offline=True))["risk_table"]
    assert (found.outcome, "belref risk check" in found.line) == (Outcome.FAILED, True)


async def test_a_folder_without_a_release_is_left_as_it_is(tmp_path: Path) -> None:
    found = await findings(container(data_dir=tmp_path / "data"), offline=True)
    assert (found["data_dir"].outcome, found["risk_table"].outcome) == (Outcome.OK, Outcome.WARNING)
    assert not await aside((tmp_path / "data").exists)


async def test_what_blocks_gives_its_error_where_it_was_asked_for() -> None:
    def fail() -> None:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(PermissionError, match="Permission denied"):
        await aside(fail)
