"""Building the adapters that have a driver of their own.

Each is imported when it is built, not before: drivers take longer to import than most commands take to answer.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from psycopg_pool import AsyncConnectionPool

    from adapters.postgres.figures import PostgresTurn
    from adapters.postgres.inspection import ServerFacts
    from adapters.redis_cache import RedisCache
    from adapters.statbel.provider import Listener, StatbelHealthIndexProvider
    from domain.clock import Clock
    from domain.ports import FigureHistory, ZipcodeRepository
    from entrypoints.tracing.requests import Tracing


def postgres_pool(
    dsn: str, *, max_size: int, timeout: float, statement_timeout: float, tracing: Tracing | None
) -> AsyncConnectionPool:
    from adapters.postgres.connections import make_pool

    cursor = None
    if tracing is not None:
        from entrypoints.tracing.calls import traced_cursor

        cursor = traced_cursor(tracing.tracer)
    return make_pool(
        dsn, max_size=max_size, timeout=timeout, statement_timeout=statement_timeout, cursor_factory=cursor
    )


def postgres_probe(dsn: str, *, within: float) -> Awaitable[None]:
    from adapters.postgres.connections import probe

    return probe(dsn, within=within)


def postgres_inspection(dsn: str, *, within: float) -> Awaitable[ServerFacts]:
    from adapters.postgres.inspection import inspect

    return inspect(dsn, within=within)


def postgres_migration(dsn: str) -> list[str]:
    from adapters.postgres.migrate import migrate

    return migrate(dsn)


def postgres_risk_tables(pool: AsyncConnectionPool) -> ZipcodeRepository:
    from adapters.postgres.risk_tables import PsycopgZipcodeRepository

    return PsycopgZipcodeRepository(pool)


def postgres_figures(pool: AsyncConnectionPool) -> FigureHistory:
    from adapters.postgres.figures import PsycopgFigureHistory

    return PsycopgFigureHistory(pool)


def postgres_turn(dsn: str, *, timeout: float) -> PostgresTurn:
    from adapters.postgres.figures import PostgresTurn

    return PostgresTurn(dsn, timeout)


def release_announcements(dsn: str, *, timeout: float) -> Callable[[], AsyncGenerator[bool]]:
    from adapters.postgres.connections import make_listener

    return make_listener(dsn, timeout=timeout)


def figure_announcements(dsn: str, *, timeout: float) -> Callable[[], AsyncGenerator[bool]]:
    from adapters.postgres.connections import make_listener
    from adapters.postgres.figures import FIGURES_CHANNEL

    return make_listener(dsn, timeout=timeout, channel=FIGURES_CHANNEL)


def redis_cache(url: str, *, tracing: Tracing | None) -> RedisCache:
    from adapters.redis_cache import RedisCache

    if tracing is None:
        return RedisCache(url)
    from entrypoints.tracing.calls import redis_calls

    return RedisCache(url, around=redis_calls(tracing.tracer, url))


def statbel(
    open_data_url: str,
    view_urls: Sequence[str],
    clock: Clock,
    *,
    timeout: float,
    listener: Listener,
    tracing: Tracing | None = None,
    attempts: int | None = None,
) -> StatbelHealthIndexProvider:
    """`attempts` is how often a source is asked that does not answer; without it, as often as the adapter thinks."""
    from adapters.statbel.provider import Retries, StatbelHealthIndexProvider

    def provider(**also: Any) -> StatbelHealthIndexProvider:
        retries = Retries() if attempts is None else Retries(attempts)
        return StatbelHealthIndexProvider(
            open_data_url, view_urls, clock, timeout=timeout, retries=retries, listener=listener, **also
        )

    if tracing is None:
        return provider()
    from entrypoints.tracing.calls import TracedClient

    return provider(make_client=partial(TracedClient, tracing.tracer))
