"""Every check of the doctor, all at the same time: what is independent does not wait for the rest."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import TypeVar

from domain.errors import SourceRejected, SourceUnavailable, StorageUnavailable
from domain.health_index.table import IndexTable
from domain.risk.tables import InvalidRiskTable
from entrypoints.container import Container
from entrypoints.doctor.findings import Finding, failed, ok, skipped
from entrypoints.doctor.folder import folder_finding, look_at_folder
from entrypoints.doctor.in_force import settings_findings
from entrypoints.doctor.machine import (
    HeardTime,
    Port,
    clock_finding,
    descriptors_finding,
    descriptors_limit,
    look_at_packages,
    look_at_port,
    port_findings,
    python_finding,
)
from entrypoints.doctor.servers import (
    postgres_away,
    postgres_findings,
    redis_finding,
    risk_table_finding,
    statbel_away,
    statbel_finding,
    unkept_table_finding,
    unread_table_finding,
)
from entrypoints.lifecycle import opened_store
from entrypoints.settings import Store

PATIENCE = 8.0
"""For how many seconds a check is waited for."""

Seen = TypeVar("Seen")
Findings = Sequence[Finding]

_STORES = {Store.POSTGRES: "postgres", Store.FOLDER: "data_dir", Store.MEMORY: "store"}


class Examination:
    """Looks at everything that a service with these settings leans on, and changes nothing."""

    def __init__(
        self,
        container: Container,
        *,
        offline: bool = False,
        patience: float = PATIENCE,
        look_at_port: Callable[[str, int], Port] = look_at_port,
    ) -> None:
        """`offline` leaves Statbel out; `patience` is in seconds; `look_at_port` takes the place of the network."""
        self._container, self._settings, self._clock = container, container.settings(), container.clock()
        self._offline, self._patience, self._look_at_port = offline, patience, look_at_port
        self._heard: list[HeardTime] = []

    async def findings(self) -> AsyncIterator[Finding]:
        """Each finding, as soon as it and those before it are known."""
        store = self._begin(_STORES[self._settings.store], self._store())
        statbel = self._begin("statbel", self._statbel(store))
        tasks = [
            self._begin("settings", aside(lambda: settings_findings(self._settings))),
            self._begin("python", aside(lambda: [python_finding(*look_at_packages())])),
            self._begin("clock", self._time(store, statbel)),
            self._begin("descriptors", aside(lambda: [descriptors_finding(descriptors_limit(), self._settings)])),
            self._begin("port", self._ports()),
            store,
            self._begin("redis", self._redis()),
            statbel,
        ]
        try:
            for task in tasks:
                for finding in await task:
                    yield finding
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, name: str, check: Coroutine[object, object, Findings]) -> asyncio.Task[Findings]:
        async def bounded() -> Findings:
            try:
                async with asyncio.timeout(self._patience):
                    return await check
            except TimeoutError:
                reason = f"nothing was found out within {self._patience:g} s"
                return [failed(name, reason, "see whether what it leans on is slow or silent, and ask again")]
            except OSError as error:
                reason = f"it cannot be looked at: {error.strerror or type(error).__name__}"
                return [failed(name, reason, "let the user of the service read it")]

        return asyncio.create_task(bounded())

    async def _store(self) -> Findings:
        """What keeps releases, and the one in service."""
        match self._settings.store:
            case Store.POSTGRES:
                return await self._postgres()
            case Store.FOLDER if self._settings.data_dir is not None:
                path = self._settings.data_dir
                return [folder_finding(await aside(lambda: look_at_folder(path))), await self._risk_table()]
            case _:
                return [
                    ok("store", "memory: no release is kept, as neither DB_DSN nor DATA_DIR is set"),
                    await aside(self._unkept_table),
                ]

    async def _postgres(self) -> Findings:
        try:
            async with opened_store(self._container):
                before = self._clock()
                facts = await self._container.inspection()
                self._heard.append(HeardTime("Postgres", before, facts.time, self._clock()))
                with contextlib.suppress(StorageUnavailable):  # Statbel is compared with what is bundled then
                    await self._container.uncached_index().follow()  # which reads, and records nothing
                return [*postgres_findings(facts, self._settings), await self._risk_table()]
        except StorageUnavailable as error:
            return [postgres_away(error.reason), unread_table_finding("Postgres cannot be asked", Store.POSTGRES)]

    async def _risk_table(self) -> Finding:
        try:
            history = await self._container.releases().history()
        except StorageUnavailable as error:
            return unread_table_finding(error.reason, self._settings.store)
        return risk_table_finding(history, self._settings, self._clock())

    def _unkept_table(self) -> Finding:
        try:
            draft = self._container.draft_to_seed()
        except InvalidRiskTable as error:
            advice = f"run: belref risk check {self._settings.risk_table_file}"
            return failed("risk_table", f"RISK_TABLE_FILE: {error}", advice)
        return unkept_table_finding(draft.label, sum(draft.table.counts().values()))

    async def _redis(self) -> Findings:
        if self._settings.redis_url is None:
            return [ok("redis", "not configured: each process keeps Statbel's answers in its own memory")]
        try:
            cache = self._container.redis()
        except ValueError as error:
            return [failed("redis", f"REDIS_URL: {error}", "correct REDIS_URL")]
        try:
            return [redis_finding(await self._container.checks()["redis"]())]
        finally:
            await cache.aclose()

    async def _statbel(self, store: Awaitable[Findings]) -> Findings:
        if self._settings.health_index_source == "snapshot":
            return [ok("statbel", "never asked, as HEALTH_INDEX_SOURCE=snapshot says")]
        if self._offline:
            return [skipped("statbel", "not asked (--offline)")]
        await asyncio.wait([asyncio.ensure_future(store)])  # which reads what is known
        known = self._container.uncached_index().now().table
        return [await self._reading(known)]

    async def _reading(self, known: IndexTable) -> Finding:
        source = self._container.impatient_statbel()
        before = self._clock()
        try:
            publication = await source.publication(known)
        except (SourceUnavailable, SourceRejected) as error:
            return statbel_away(error, source.failures)
        finally:
            if source.told_time is not None:
                self._heard.append(HeardTime("Statbel", before, source.told_time, self._clock()))
            await source.aclose()
        latest = max(figure.month for figure in publication.figures)
        return statbel_finding(source.answered_by, latest, known.latest_month, source.failures)

    async def _time(self, *told: asyncio.Task[Findings]) -> Findings:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience * 0.9):
                await asyncio.wait(told)
        return [clock_finding(self._heard, self._clock())]

    async def _ports(self) -> Findings:
        host, port = self._settings.host, self._settings.metrics_port
        looks = [aside(lambda: self._look_at_port(host, self._settings.port))]
        if port:
            looks.append(aside(lambda: self._look_at_port(host, port)))
        found = await asyncio.gather(*looks)
        return port_findings(found[0], found[1] if port else None)


async def aside(look: Callable[[], Seen]) -> Seen:
    """What a call gives that blocks. It is not waited for at the end of the process, as a disk may never answer."""
    loop = asyncio.get_running_loop()
    seen: asyncio.Future[Seen] = loop.create_future()

    def settle(give: Callable[[], None]) -> None:
        if not seen.done():
            give()

    def work() -> None:
        try:
            give = partial(seen.set_result, look())
        except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
            give = partial(seen.set_exception, error)
        with contextlib.suppress(RuntimeError):  # nobody waits any more
            loop.call_soon_threadsafe(settle, give)

    threading.Thread(target=work, daemon=True).start()
    return await seen
