"""What a command works on: the container over the settings, with what one command needs of it open."""

import contextlib
from collections.abc import AsyncIterator

from domain.use_cases.health_index import IndexView
from domain.use_cases.releases import ReleaseService
from entrypoints.cli.commands import Refused, noticed
from entrypoints.container import Container
from entrypoints.lifecycle import opened_history, opened_store
from entrypoints.logs import configure_logs
from entrypoints.settings import Settings, Store, load_settings


def make_container(settings: Settings) -> Container:
    """What a command works with; it logs no more than warnings, for people."""
    configure_logs("warning", for_people=True)
    return Container(settings=settings)


async def known_figures(container: Container) -> IndexView:
    """The figures that are known now; the source is not asked.

    :raises StorageUnavailable: when the store does not answer
    """
    async with opened_history(container):
        return container.uncached_index().now()


def lasting_store() -> Container:
    """What the settings name.

    :raises Refused: when that would not outlive the command
    """
    settings = load_settings()
    if settings.store is Store.MEMORY:
        raise Refused(
            "no_store", ["There is nowhere to keep releases: set DB_DSN (Postgres) or DATA_DIR (a folder of files)"]
        )
    return make_container(settings)


@contextlib.asynccontextmanager
async def opened_releases(container: Container) -> AsyncIterator[ReleaseService]:
    """The use cases over an open store.

    :raises StorageUnavailable: when it does not answer
    """
    async with noticed("waiting for the store ..."), opened_store(container):
        yield container.releases()
