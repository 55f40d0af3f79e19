"""Which adapter stands behind which port. Building the graph opens nothing; `main` opens and closes what needs it."""

from collections.abc import Callable
from datetime import UTC, datetime

from dependency_injector import containers, providers

from adapters.caching import CachedHealthIndexProvider
from adapters.memory import InMemoryCache, InMemoryHealthIndexProvider, InMemoryZipcodeRepository
from adapters.risk_csv import read_risk_table
from adapters.snapshot import SAMPLE_RISK_TABLE, load_snapshot
from adapters.statbel import StatbelHealthIndexProvider
from domain.freshness import age_limits
from domain.health_index import Publication
from domain.ports import Cache, HealthIndexProvider, ZipcodeRepository
from domain.services import Clock, HealthIndexService, RiskService
from domain.zipcodes import Release, RiskTable
from entrypoints.http import health
from entrypoints.refresher import Refresher
from entrypoints.settings import Settings, split


def utc_now() -> datetime:
    """The clock of the service."""
    return datetime.now(UTC)


def _risk_table(settings: Settings) -> tuple[RiskTable, str]:
    """The table that the settings name, or the sample, with its label.

    :raises InvalidRiskTable: when the operator's file is not valid
    """
    path = settings.risk_table_file or SAMPLE_RISK_TABLE
    return read_risk_table(path), path.name


def _repository(settings: Settings) -> InMemoryZipcodeRepository:
    table, label = _risk_table(settings)
    return InMemoryZipcodeRepository(Release.of(table, label))


def _provider(
    settings: Settings, bundled: Publication, statbel: Callable[[], HealthIndexProvider]
) -> HealthIndexProvider:
    """The source that the settings name. Nothing of Statbel's is built where it is not asked."""
    return InMemoryHealthIndexProvider(bundled) if settings.health_index_source == "snapshot" else statbel()


def _checks(risks: RiskService, index: HealthIndexService) -> health.HealthChecks:
    return {"risk_table": health.risk_table_check(risks), "health_index": health.health_index_check(index)}


class Container(containers.DeclarativeContainer):
    """A synchronous graph of singletons; it is given the settings."""

    settings: providers.Provider[Settings] = providers.Dependency(instance_of=Settings)

    clock: providers.Provider[Clock] = providers.Object(utc_now)
    bundled: providers.Provider[Publication] = providers.Singleton(load_snapshot)
    cache: providers.Provider[Cache] = providers.Singleton(InMemoryCache)
    read_risk_table: providers.Provider[RiskTable] = providers.Callable(read_risk_table)
    repository: providers.Provider[ZipcodeRepository] = providers.Singleton(_repository, settings)

    statbel: providers.Provider[StatbelHealthIndexProvider] = providers.Singleton(
        StatbelHealthIndexProvider,
        open_data_url=settings.provided.statbel_open_data_url,
        view_urls=providers.Callable(split, settings.provided.statbel_view_urls),
        timeout=settings.provided.statbel_timeout_seconds,
        clock=clock,
    )
    cached_statbel: providers.Provider[CachedHealthIndexProvider] = providers.Singleton(
        CachedHealthIndexProvider, statbel, cache, limits=providers.Object(age_limits), clock=clock
    )
    provider: providers.Provider[HealthIndexProvider] = providers.Singleton(
        _provider, settings, bundled, cached_statbel.provider
    )

    index: providers.Provider[HealthIndexService] = providers.Singleton(HealthIndexService, provider, bundled, clock)
    risks: providers.Provider[RiskService] = providers.Singleton(RiskService, repository)
    refresher: providers.Provider[Refresher] = providers.Singleton(Refresher, index, clock)
    checks: providers.Provider[health.HealthChecks] = providers.Singleton(_checks, risks, index)
