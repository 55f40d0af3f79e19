"""The wiring, which the type checker cannot see into."""

import pytest
from dependency_injector import providers

from adapters.memory import InMemoryCache, InMemoryZipcodeRepository
from domain import ports
from entrypoints.container import Container
from entrypoints.settings import Settings

EVERYTHING = Settings(
    db_dsn="postgresql://belref@db.example/belref",
    migration_dsn="postgresql://owner@db.example/belref",
    redis_url="redis://cache.example:6379/0",
)
ACTIONS = {"read_risk_table", "migrate", "probe"}  # these do something, with what they are given


@pytest.mark.parametrize("settings", [Settings(), Settings(health_index_source="snapshot"), EVERYTHING])
def test_every_provider_can_be_built_without_opening_anything(settings: Settings) -> None:
    container = Container(settings=settings)
    needing = (
        set() if settings is EVERYTHING else {"pool", "postgres", "postgres_turn", "figure_announcements", "redis"}
    )
    for name, provider in container.providers.items():
        if name not in ACTIONS | needing:
            assert provider() is not None


@pytest.mark.parametrize("settings", [Settings(), EVERYTHING])
def test_ports_are_bound_to_adapters_that_say_so(settings: Settings) -> None:
    container = Container(settings=settings)
    assert ports.Cache in type(container.cache()).__mro__
    assert ports.ZipcodeRepository in type(container.repository()).__mro__
    assert ports.HealthIndexProvider in type(container.source()).__mro__


def test_storage_is_chosen_by_the_settings() -> None:
    plain, full = Container(settings=Settings()), Container(settings=EVERYTHING)
    assert isinstance(plain.repository(), InMemoryZipcodeRepository)
    assert isinstance(plain.cache(), InMemoryCache)
    assert full.repository() is full.postgres()
    assert full.cache() is full.redis()
    assert set(plain.checks()) == {"risk_table", "health_index"}
    assert set(full.checks()) == {"risk_table", "health_index", "postgres", "figures", "redis"}


def test_everything_is_made_once() -> None:
    container = Container(settings=EVERYTHING)
    singletons = [p for p in container.providers.values() if isinstance(p, providers.Singleton)]
    assert len(singletons) >= 8
    assert all(provider() is provider() for provider in singletons)


async def test_the_snapshot_is_the_source_where_it_is_asked_for() -> None:
    container = Container(settings=Settings(health_index_source="snapshot"))
    refresh = await container.index().refresh()
    assert (refresh.publication.source, refresh.added, refresh.changed) == ("snapshot", (), ())
