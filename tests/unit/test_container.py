"""The wiring, which the type checker cannot see into."""

from pathlib import Path

import pytest
from dependency_injector import providers

from domain import ports
from entrypoints.container import Container
from entrypoints.settings import Settings


@pytest.mark.parametrize("source", ["statbel", "snapshot"])
def test_every_provider_can_be_built_without_opening_anything(source: str) -> None:
    container = Container(settings=Settings(health_index_source="statbel" if source == "statbel" else "snapshot"))
    for name, provider in container.providers.items():
        if name != "read_risk_table":  # takes a path
            assert provider() is not None


def test_ports_are_bound_to_adapters_that_say_so() -> None:
    container = Container(settings=Settings())
    assert ports.Cache in type(container.cache()).__mro__
    assert ports.ZipcodeRepository in type(container.repository()).__mro__
    assert ports.HealthIndexProvider in type(container.provider()).__mro__


def test_everything_is_made_once() -> None:
    container = Container(settings=Settings())
    singletons = [p for p in container.providers.values() if isinstance(p, providers.Singleton)]
    assert len(singletons) >= 8
    assert all(provider() is provider() for provider in singletons)


async def test_a_table_of_the_operator_takes_the_place_of_the_sample(tmp_path: Path) -> None:
    path = tmp_path / "ours.csv"
    path.write_text("1000 - 9999,C\n")
    release = await Container(settings=Settings(risk_table_file=path)).repository().active()
    assert release.label == "ours.csv"
    assert release.table.counts() == {"A": 0, "B": 0, "C": 9000}


async def test_the_snapshot_is_the_source_where_it_is_asked_for() -> None:
    container = Container(settings=Settings(health_index_source="snapshot"))
    refresh = await container.index().refresh()
    assert (refresh.publication.source, refresh.added, refresh.changed) == ("snapshot", (), ())
