"""Which adapter stands behind which port. Building the graph opens nothing; see `lifecycle`."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta

import holidays
from dependency_injector import containers, providers
from psycopg_pool import AsyncConnectionPool

from adapters.caching import CachedHealthIndexProvider
from adapters.memory import (
    AlwaysMyTurn,
    InMemoryCache,
    InMemoryFigureHistory,
    InMemoryHealthIndexProvider,
    InMemoryZipcodeRepository,
)
from adapters.migrate import migrate
from adapters.postgres import PsycopgZipcodeRepository, make_listener, make_pool, probe
from adapters.postgres_figures import FIGURES_CHANNEL, PostgresTurn, PsycopgFigureHistory
from adapters.redis_cache import RedisCache
from adapters.risk_csv import read_risk_table
from adapters.snapshot import SAMPLE_RISK_TABLE, load_snapshot
from adapters.statbel import StatbelHealthIndexProvider
from adapters.zipcode_cache import CachedZipcodeRepository
from domain.freshness import Clock, PublicationCalendar
from domain.health_index import Publication
from domain.index_service import HealthIndexService
from domain.ports import Cache, FigureHistory, HealthIndexProvider, Turn, ZipcodeRepository
from domain.services import RiskService
from domain.zipcodes import Release, RiskTable
from entrypoints.http import health
from entrypoints.http.metrics import Metrics
from entrypoints.refresher import Refresher
from entrypoints.settings import Settings, split

_CHECK_EVERY = timedelta(seconds=30)
"""How often the active release is read even though no announcement came, in case one got lost."""


SAMPLE_LABEL = SAMPLE_RISK_TABLE.name
"""The label of the bundled table, whose factors are invented."""


def utc_now() -> datetime:
    """The clock of the service."""
    return datetime.now(UTC)


def belgian_holidays() -> Callable[[date], bool]:
    """Whether a date is a public holiday in the whole of Belgium."""
    return holidays.country_holidays("BE").__contains__


def _table_to_load(settings: Settings) -> Release:
    """The table that the settings name, or the sample.

    :raises InvalidRiskTable: when the operator's file is not valid
    """
    path = settings.risk_table_file or SAMPLE_RISK_TABLE
    return Release.of(read_risk_table(path), path.name)


# What is not asked for is not built: a provider is handed over instead of the thing itself.


def _repository(settings: Settings, postgres: Callable[[], ZipcodeRepository]) -> ZipcodeRepository:
    return InMemoryZipcodeRepository() if settings.db_dsn is None else postgres()


def _history(settings: Settings, postgres: Callable[[], FigureHistory]) -> FigureHistory:
    return InMemoryFigureHistory() if settings.db_dsn is None else postgres()


def _turn(settings: Settings, postgres: Callable[[], Turn]) -> Turn:
    return AlwaysMyTurn() if settings.db_dsn is None else postgres()


def _metrics(index: HealthIndexService) -> Metrics:
    metrics = Metrics()
    metrics.watch_months_missing(index.months_missing)
    return metrics


def _refresher(
    settings: Settings,
    index: HealthIndexService,
    turn: Turn,
    metrics: Metrics,
    statbel: Callable[[], CachedHealthIndexProvider],
) -> Refresher:
    if settings.health_index_source == "snapshot":
        return Refresher(index, turn, metrics)
    source = statbel()
    return Refresher(index, turn, metrics, hidden_failure=lambda: source.last_failure)


def _cache(settings: Settings, redis: Callable[[], Cache]) -> Cache:
    return InMemoryCache() if settings.redis_url is None else redis()


def _source(
    settings: Settings, bundled: Publication, statbel: Callable[[], HealthIndexProvider]
) -> HealthIndexProvider:
    return InMemoryHealthIndexProvider(bundled) if settings.health_index_source == "snapshot" else statbel()


def _checks(
    settings: Settings,
    risks: RiskService,
    index: HealthIndexService,
    postgres: Callable[[], CachedZipcodeRepository],
    redis: Callable[[], RedisCache],
) -> health.HealthChecks:
    checks = {"risk_table": health.risk_table_check(risks), "health_index": health.health_index_check(index)}
    if settings.db_dsn is not None:
        held = postgres()

        async def postgres_failure() -> str | None:
            return held.degraded

        async def figures_failure() -> str | None:
            return index.history_failure

        checks["postgres"] = health.dependency_check(postgres_failure)
        checks["figures"] = health.dependency_check(figures_failure)
    if settings.redis_url is not None:
        cache = redis()

        async def redis_failure() -> str | None:
            await cache.get("health")  # it is asked rarely otherwise, and would be called healthy until then
            return cache.last_failure

        checks["redis"] = health.dependency_check(redis_failure)
    return checks


class Container(containers.DeclarativeContainer):
    """A synchronous graph of singletons; it is given the settings."""

    settings: providers.Provider[Settings] = providers.Dependency(instance_of=Settings)
    clock: providers.Provider[Clock] = providers.Object(utc_now)

    calendar: providers.Provider[PublicationCalendar] = providers.Singleton(PublicationCalendar, belgian_holidays())

    # Risk tables
    read_risk_table: providers.Provider[RiskTable] = providers.Callable(read_risk_table)
    table_to_load: providers.Provider[Release] = providers.Callable(_table_to_load, settings)
    migrate: providers.Provider[list[str]] = providers.Callable(migrate, settings.provided.migration_dsn)
    pool: providers.Provider[AsyncConnectionPool] = providers.Singleton(
        make_pool,
        settings.provided.db_dsn,
        max_size=settings.provided.db_pool_size,
        timeout=settings.provided.db_timeout_seconds,
        statement_timeout=settings.provided.db_timeout_seconds,
    )
    probe: providers.Provider[Awaitable[None]] = providers.Callable(
        probe, settings.provided.db_dsn, within=settings.provided.db_timeout_seconds
    )
    postgres: providers.Provider[CachedZipcodeRepository] = providers.Singleton(
        CachedZipcodeRepository,
        providers.Singleton(PsycopgZipcodeRepository, pool),
        listen=providers.Callable(
            make_listener, settings.provided.db_dsn, timeout=settings.provided.db_timeout_seconds
        ),
        check_every=providers.Object(_CHECK_EVERY),
    )
    repository: providers.Provider[ZipcodeRepository] = providers.Singleton(_repository, settings, postgres.provider)

    # Health index
    bundled: providers.Provider[Publication] = providers.Singleton(load_snapshot)
    redis: providers.Provider[RedisCache] = providers.Singleton(RedisCache, settings.provided.redis_url)
    cache: providers.Provider[Cache] = providers.Singleton(_cache, settings, redis.provider)
    statbel: providers.Provider[StatbelHealthIndexProvider] = providers.Singleton(
        StatbelHealthIndexProvider,
        open_data_url=settings.provided.statbel_open_data_url,
        view_urls=providers.Callable(split, settings.provided.statbel_view_urls),
        timeout=settings.provided.statbel_timeout_seconds,
        clock=clock,
    )
    cached_statbel: providers.Provider[CachedHealthIndexProvider] = providers.Singleton(
        CachedHealthIndexProvider, statbel, cache, limits=calendar.provided.age_limits, clock=clock
    )
    source: providers.Provider[HealthIndexProvider] = providers.Singleton(
        _source, settings, bundled, cached_statbel.provider
    )

    uncached_source: providers.Provider[HealthIndexProvider] = providers.Singleton(
        _source, settings, bundled, statbel.provider
    )

    history: providers.Provider[FigureHistory] = providers.Singleton(
        _history, settings, providers.Singleton(PsycopgFigureHistory, pool).provider
    )
    postgres_turn: providers.Provider[PostgresTurn] = providers.Singleton(
        PostgresTurn, settings.provided.db_dsn, settings.provided.db_timeout_seconds
    )
    turn: providers.Provider[Turn] = providers.Singleton(_turn, settings, postgres_turn.provider)
    figure_announcements: providers.Provider[Callable[[], AsyncGenerator[None]]] = providers.Callable(
        make_listener,
        settings.provided.db_dsn,
        timeout=settings.provided.db_timeout_seconds,
        channel=FIGURES_CHANNEL,
    )

    # Use cases
    index: providers.Provider[HealthIndexService] = providers.Singleton(
        HealthIndexService, source, bundled, history, clock, calendar
    )
    uncached_index: providers.Provider[HealthIndexService] = providers.Singleton(
        HealthIndexService, uncached_source, bundled, history, clock, calendar
    )
    risks: providers.Provider[RiskService] = providers.Singleton(RiskService, repository)
    metrics: providers.Provider[Metrics] = providers.Singleton(_metrics, index)
    refresher: providers.Provider[Refresher] = providers.Singleton(
        _refresher, settings, index, turn, metrics, cached_statbel.provider
    )
    checks: providers.Provider[health.HealthChecks] = providers.Singleton(
        _checks, settings, risks, index, postgres.provider, redis.provider
    )
