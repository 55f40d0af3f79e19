"""Which adapter stands behind which port. Building the graph opens nothing; see `lifecycle`.

An adapter with a driver of its own is imported when it is built, not before: drivers take longer to import than most
commands take to answer.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from dependency_injector import containers, providers

from adapters.bundled import SAMPLE_RISK_TABLE, load_places, load_snapshot
from adapters.caching.health_index import CachedHealthIndexProvider
from adapters.caching.risk_tables import CachedZipcodeRepository
from adapters.folder.repository import FileZipcodeRepository, make_watcher
from adapters.memory import (
    AlwaysMyTurn,
    InMemoryCache,
    InMemoryFigureHistory,
    InMemoryHealthIndexProvider,
    InMemoryZipcodeRepository,
)
from adapters.risk_files.reading import read_draft
from domain.clock import Clock
from domain.health_index.calendar import PublicationCalendar
from domain.health_index.figures import Publication
from domain.leases.places import Places
from domain.ports import Cache, FigureHistory, HealthIndexProvider, Turn, ZipcodeRepository
from domain.risk.releases import Draft
from domain.use_cases.health_index import HealthIndexService
from domain.use_cases.releases import ReleaseService
from domain.use_cases.zipcodes import RiskService
from entrypoints import drivers
from entrypoints.checks import HealthChecks, dependency_check, health_index_check, risk_table_check
from entrypoints.settings import Settings, Store, split

if TYPE_CHECKING:
    from psycopg_pool import AsyncConnectionPool

    from adapters.postgres.figures import PostgresTurn
    from adapters.postgres.inspection import ServerFacts
    from adapters.redis_cache import RedisCache
    from adapters.statbel.provider import StatbelHealthIndexProvider
    from entrypoints.metrics import Metrics
    from entrypoints.readings import Readings
    from entrypoints.refresher import Refresher
    from entrypoints.tracing.requests import Tracing

_CHECK_EVERY = timedelta(seconds=30)
"""How often the table in service is read even though no announcement came, in case one got lost."""

_WATCH_EVERY = 0.25  # seconds between two looks at the folder of releases

SAMPLE_LABEL = SAMPLE_RISK_TABLE.name
"""The label of the bundled table, whose factors are invented."""


def utc_now() -> datetime:
    """The clock of the service."""
    return datetime.now(UTC)


def belgian_holidays() -> Callable[[date], bool]:
    """Whether a date is a public holiday in the whole of Belgium."""
    import holidays  # noqa: PLC0415 - it takes as long as the rest of a command; only a calendar needs it

    return holidays.country_holidays("BE").__contains__


def _draft_to_seed(settings: Settings) -> Draft:
    """The table that the settings name, or the sample.

    :raises InvalidRiskTable: when the operator's file is not valid
    """
    return read_draft(settings.risk_table_file or SAMPLE_RISK_TABLE)


# Pass providers, not instances, so that unused ones are never built.


def _repository(
    settings: Settings, store: ZipcodeRepository, held: Callable[[], ZipcodeRepository]
) -> ZipcodeRepository:
    return held() if settings.holds_table else store


def _max_share(settings: Settings) -> Fraction:
    return Fraction(settings.risk_max_change_percent, 100)


def _readings() -> Readings:
    from entrypoints.readings import Readings  # noqa: PLC0415 - structlog; only a reading of the source needs it

    return Readings()


def _addresses(settings: Settings) -> list[str]:
    return [settings.statbel_open_data_url, *split(settings.statbel_view_urls)]


def _metrics(
    settings: Settings,
    index: HealthIndexService,
    risks: RiskService,
    readings: Readings,
    checks: HealthChecks,
    held: Callable[[], CachedZipcodeRepository],
    statbel: Callable[[], CachedHealthIndexProvider],
) -> Metrics:
    # Prometheus; only a server counts.
    from prometheus_client import Info, ProcessCollector  # noqa: PLC0415

    from entrypoints import conditions  # noqa: PLC0415
    from entrypoints.metrics import Metrics  # noqa: PLC0415

    metrics = Metrics()
    Info("belref_build", "The version of the service.", registry=metrics.registry).info({"version": version("belref")})
    ProcessCollector(registry=metrics.registry)
    metrics.watch_months_missing(index.months_missing)
    metrics.watch_estimates(lambda: index.now().table.comparisons)
    metrics.watch_readings(readings.counts)
    metrics.watch(conditions.Figures(index))
    if settings.health_index_source == "statbel":
        store = "memory" if settings.redis_url is None else "redis"
        metrics.watch(conditions.SourceCache(store, statbel().lookups))
    parts, table = conditions.Parts(checks), conditions.TableInService(risks, sample=SAMPLE_LABEL)
    metrics.watch(parts, parts.look)
    metrics.watch(table, table.look)
    repository = held() if settings.holds_table else None
    metrics.watch(conditions.RiskStore(repository))
    return metrics


def _refresher(
    settings: Settings,
    index: HealthIndexService,
    turn: Turn,
    metrics: Metrics,
    statbel: Callable[[], CachedHealthIndexProvider],
    tracing: Tracing | None,
) -> Refresher:
    from entrypoints.refresher import Refresher  # noqa: PLC0415 - structlog; only a server refreshes

    if settings.health_index_source == "snapshot":
        return Refresher(index, turn, metrics)
    source = statbel()
    around = nullcontext if tracing is None else partial(tracing.reading, lambda: index.source_failure)
    return Refresher(index, turn, metrics, hidden_failure=lambda: source.last_failure, around=around)


def _follower(
    index: HealthIndexService, announcements: Callable[[], AsyncGenerator[bool]]
) -> Callable[[], Awaitable[None]]:
    from entrypoints.refresher import follow  # noqa: PLC0415 - as above

    return lambda: follow(index, announcements)


def _cache(settings: Settings, redis: Callable[[], Cache]) -> Cache:
    return InMemoryCache() if settings.redis_url is None else redis()


def _checks(
    settings: Settings,
    risks: RiskService,
    index: HealthIndexService,
    held: Callable[[], CachedZipcodeRepository],
    redis: Callable[[], RedisCache],
) -> HealthChecks:
    checks = {"risk_table": risk_table_check(risks), "health_index": health_index_check(index)}
    if settings.holds_table:
        repository = held()

        async def store_failure() -> str | None:
            return repository.degraded

        checks["postgres" if settings.store is Store.POSTGRES else "data_dir"] = dependency_check(store_failure)
    if settings.store is Store.POSTGRES:

        async def figures_failure() -> str | None:
            return index.history_failure

        checks["figures"] = dependency_check(figures_failure)
    if settings.redis_url is not None:
        cache = redis()

        async def redis_failure() -> str | None:
            await cache.get("health")  # it is asked rarely otherwise, and would be called healthy until then
            return cache.last_failure

        checks["redis"] = dependency_check(redis_failure)
    return checks


class Container(containers.DeclarativeContainer):
    """A synchronous graph of singletons; it is given the settings."""

    settings: providers.Provider[Settings] = providers.Dependency(instance_of=Settings)
    clock: providers.Provider[Clock] = providers.Object(utc_now)
    tracing: providers.Provider[Tracing | None] = providers.Object(None)  # but in a service that makes traces

    calendar: providers.Provider[PublicationCalendar] = providers.Singleton(
        PublicationCalendar, providers.Callable(belgian_holidays)
    )

    # Risk tables
    draft_to_seed: providers.Provider[Draft] = providers.Callable(_draft_to_seed, settings)
    migrate: providers.Provider[list[str]] = providers.Callable(
        drivers.postgres_migration, settings.provided.migration_dsn
    )
    pool: providers.Provider[AsyncConnectionPool] = providers.Singleton(
        drivers.postgres_pool,
        settings.provided.db_dsn,
        max_size=settings.provided.db_pool_size,
        timeout=settings.provided.db_timeout_seconds,
        statement_timeout=settings.provided.db_timeout_seconds,
        tracing=tracing,
    )
    probe: providers.Provider[Awaitable[None]] = providers.Callable(
        drivers.postgres_probe,
        settings.provided.db_dsn,
        within=settings.provided.db_timeout_seconds,
    )
    inspection: providers.Provider[Awaitable[ServerFacts]] = providers.Callable(
        drivers.postgres_inspection,
        settings.provided.db_dsn,
        within=settings.provided.db_timeout_seconds,
    )
    folder: providers.Provider[FileZipcodeRepository] = providers.Selector(
        settings.provided.store,
        folder=providers.Singleton(FileZipcodeRepository, settings.provided.data_dir, clock=clock),
    )
    store: providers.Provider[ZipcodeRepository] = providers.Selector(
        settings.provided.store,
        postgres=providers.Singleton(drivers.postgres_risk_tables, pool),
        folder=folder,
        memory=providers.Singleton(InMemoryZipcodeRepository, clock=clock),
    )
    # What is in memory changes here alone: nobody announces it.
    announcements: providers.Provider[Callable[[], AsyncGenerator[bool]]] = providers.Selector(
        settings.provided.store,
        postgres=providers.Callable(
            drivers.release_announcements, settings.provided.db_dsn, timeout=settings.provided.db_timeout_seconds
        ),
        folder=providers.Callable(make_watcher, settings.provided.data_dir, _WATCH_EVERY),
    )
    held: providers.Provider[CachedZipcodeRepository] = providers.Singleton(
        CachedZipcodeRepository,
        store,
        listen=announcements,
        check_every=providers.Object(_CHECK_EVERY),
        accept_older=settings.provided.accept_older_history,
    )
    repository: providers.Provider[ZipcodeRepository] = providers.Singleton(_repository, settings, store, held.provider)

    # Health index
    bundled: providers.Provider[Publication] = providers.Singleton(load_snapshot)
    redis: providers.Provider[RedisCache] = providers.Singleton(
        drivers.redis_cache, settings.provided.redis_url, tracing=tracing
    )
    cache: providers.Provider[Cache] = providers.Singleton(_cache, settings, redis.provider)
    readings: providers.Provider[Readings] = providers.Singleton(_readings)
    _any_statbel: providers.Provider[StatbelHealthIndexProvider] = providers.Factory(
        drivers.statbel,
        open_data_url=settings.provided.statbel_open_data_url,
        view_urls=providers.Callable(split, settings.provided.statbel_view_urls),
        timeout=settings.provided.statbel_timeout_seconds,
        clock=clock,
        listener=readings,
        tracing=tracing,
    )
    statbel: providers.Provider[StatbelHealthIndexProvider] = providers.Singleton(_any_statbel)
    # For one look: whoever waits for it does not wait for further attempts.
    impatient_statbel: providers.Provider[StatbelHealthIndexProvider] = providers.Singleton(_any_statbel, attempts=1)
    cached_statbel: providers.Provider[CachedHealthIndexProvider] = providers.Singleton(
        CachedHealthIndexProvider,
        statbel,
        cache,
        limits=calendar.provided.age_limits,
        clock=clock,
        addresses=providers.Callable(_addresses, settings),
    )
    snapshot: providers.Provider[HealthIndexProvider] = providers.Singleton(InMemoryHealthIndexProvider, bundled)
    source: providers.Provider[HealthIndexProvider] = providers.Selector(
        settings.provided.health_index_source, statbel=cached_statbel, snapshot=snapshot
    )
    uncached_source: providers.Provider[HealthIndexProvider] = providers.Selector(
        settings.provided.health_index_source, statbel=statbel, snapshot=snapshot
    )

    history_in_memory: providers.Provider[FigureHistory] = providers.Singleton(InMemoryFigureHistory)
    history: providers.Provider[FigureHistory] = providers.Selector(
        settings.provided.store,
        postgres=providers.Singleton(drivers.postgres_figures, pool),
        folder=history_in_memory,
        memory=history_in_memory,
    )
    postgres_turn: providers.Provider[PostgresTurn] = providers.Singleton(
        drivers.postgres_turn, settings.provided.db_dsn, timeout=settings.provided.db_timeout_seconds
    )
    my_turn: providers.Provider[Turn] = providers.Singleton(AlwaysMyTurn)
    turn: providers.Provider[Turn] = providers.Selector(
        settings.provided.store, postgres=postgres_turn, folder=my_turn, memory=my_turn
    )
    figure_announcements: providers.Provider[Callable[[], AsyncGenerator[bool]]] = providers.Callable(
        drivers.figure_announcements, settings.provided.db_dsn, timeout=settings.provided.db_timeout_seconds
    )

    # Places
    places: providers.Provider[Places] = providers.Singleton(load_places)

    # Use cases
    index: providers.Provider[HealthIndexService] = providers.Singleton(
        HealthIndexService,
        source,
        bundled,
        history,
        clock,
        calendar,
        accept_older=settings.provided.accept_older_history,
    )
    uncached_index: providers.Provider[HealthIndexService] = providers.Singleton(
        HealthIndexService, uncached_source, bundled, history, clock, calendar
    )
    risks: providers.Provider[RiskService] = providers.Singleton(RiskService, repository, clock)
    releases: providers.Provider[ReleaseService] = providers.Singleton(
        ReleaseService, store, providers.Callable(_max_share, settings)
    )
    seeding: providers.Provider[ReleaseService] = providers.Singleton(ReleaseService, repository)
    checks: providers.Provider[HealthChecks] = providers.Singleton(
        _checks, settings, risks, index, held.provider, redis.provider
    )
    metrics: providers.Provider[Metrics] = providers.Singleton(
        _metrics, settings, index, risks, readings, checks, held.provider, cached_statbel.provider
    )
    refresher: providers.Provider[Refresher] = providers.Singleton(
        _refresher, settings, index, turn, metrics, cached_statbel.provider, tracing
    )
    follower: providers.Provider[Callable[[], Awaitable[None]]] = providers.Callable(
        _follower, index, figure_announcements
    )
