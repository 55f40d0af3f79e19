"""The wiring, which the type checker cannot see into."""

from fractions import Fraction
from pathlib import Path

import msgspec
import pytest
from dependency_injector import providers
from opentelemetry.trace import NoOpTracer

from adapters.folder.repository import FileZipcodeRepository
from adapters.memory import InMemoryCache, InMemoryZipcodeRepository
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from domain import ports
from entrypoints.container import Container
from entrypoints.settings import Settings
from entrypoints.tracing.requests import Tracing

EVERYTHING = Settings(
    db_dsn="postgresql://belref@db.example/belref",
    migration_dsn="postgresql://owner@db.example/belref",
    redis_url="redis://cache.example:6379/0",
)
FOLDER = Settings(data_dir=Path("data"))
ACTIONS = {"inspection", "migrate", "probe"}  # these do something, with what they are given


@pytest.mark.parametrize("settings", [Settings(), Settings(health_index_source="snapshot"), FOLDER, EVERYTHING])
def test_every_provider_can_be_built_without_opening_anything(settings: Settings) -> None:
    container = Container(settings=settings, tracing=Tracing(NoOpTracer(), lambda _: None))
    needing = (
        set() if settings is EVERYTHING else {"pool", "postgres_turn", "figure_announcements", "follower", "redis"}
    )
    if settings is not FOLDER:
        needing.add("folder")
    if settings not in {FOLDER, EVERYTHING}:
        needing |= {"announcements", "held"}
    for name, provider in container.providers.items():
        if name not in ACTIONS | needing:
            assert provider() is not None


@pytest.mark.parametrize("settings", [Settings(), FOLDER, EVERYTHING])
def test_ports_are_bound_to_adapters_that_say_so(settings: Settings) -> None:
    container = Container(settings=settings)
    assert ports.Cache in type(container.cache()).__mro__
    assert ports.ZipcodeRepository in type(container.repository()).__mro__
    assert ports.HealthIndexProvider in type(container.source()).__mro__


def test_storage_is_chosen_by_the_settings() -> None:
    plain, full = Container(settings=Settings()), Container(settings=EVERYTHING)
    assert isinstance(plain.repository(), InMemoryZipcodeRepository)
    assert isinstance(plain.cache(), InMemoryCache)
    assert full.repository() is full.held()
    assert isinstance(full.store(), PsycopgZipcodeRepository)
    assert full.cache() is full.redis()
    assert set(plain.checks()) == {"risk_table", "health_index"}
    files = Container(settings=FOLDER)
    assert files.repository() is files.held()
    assert isinstance(files.store(), FileZipcodeRepository)
    assert set(files.checks()) == {"risk_table", "health_index", "data_dir"}
    assert set(full.checks()) == {"risk_table", "health_index", "postgres", "figures", "redis"}


def test_everything_is_made_once() -> None:
    container = Container(settings=EVERYTHING)
    singletons = [p for p in container.providers.values() if isinstance(p, providers.Singleton)]
    assert len(singletons) >= 8
    assert all(provider() is provider() for provider in singletons)


def test_the_table_need_not_be_held() -> None:
    container = Container(settings=msgspec.structs.replace(EVERYTHING, risk_table_cache=False))
    assert container.repository() is container.store()
    assert "postgres" not in container.checks()


def test_how_much_of_a_table_may_change_is_a_setting() -> None:
    assert Container(settings=Settings()).releases().max_share == Fraction(1, 5)
    assert Container(settings=Settings(risk_max_change_percent=5)).releases().max_share == Fraction(1, 20)


async def test_the_snapshot_is_the_source_where_it_is_asked_for() -> None:
    container = Container(settings=Settings(health_index_source="snapshot"))
    refresh = await container.index().refresh()
    assert (refresh.publication.source, refresh.added, refresh.changed) == ("snapshot", (), ())
