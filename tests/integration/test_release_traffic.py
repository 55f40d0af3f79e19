"""Releases are loaded, put into service and rolled back while 64 clients ask three replicas."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx2
import pytest
from psycopg_pool import AsyncConnectionPool
from tests.integration.postgres_databases import Database
from tests.integration.service import Service, running_services, wait_until
from tests.worlds.risk_tables import draft

from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from domain.risk.tables import FIRST_ZIPCODE, LAST_ZIPCODE, RiskFactor, RiskRange, RiskTable, Zipcode
from domain.use_cases.releases import ReleaseService

CLIENTS = 64
REPLICAS = 3
ANSWERS_BETWEEN = 2 * CLIENTS
"""So many answers are seen between two changes of what is in service."""
FOLLOWED_WITHIN = 10
"""Seconds; a replica promises one, and a busy machine takes some more."""
PAUSE = 0.25  # seconds between two requests of a client: all clients share one core here with the replicas
SNAPSHOT = {"HEALTH_INDEX_SOURCE": "snapshot"}
A, B, C = RiskFactor
ZIPCODES = range(FIRST_ZIPCODE, LAST_ZIPCODE + 1)

# Each table gives every zipcode another factor than the one before, so that one stale zipcode would show.
TABLES = [RiskTable(RiskRange(z, z, (A, B, C)[(z + turn) % 3]) for z in ZIPCODES) for turn in range(3)] + [
    RiskTable([RiskRange(1000, 3999, first), RiskRange(4000, 6999, second), RiskRange(7000, 9000 + gap, third)])
    for gap, (first, second, third) in enumerate([(A, B, C), (B, C, A), (C, A, B)])
]


@dataclass
class Seen:
    """What a client got: the releases that answered, in order; and the wrong answers, of which there should be none."""

    releases: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass
class Traffic:
    """What every client got, and when each replica answered from each release for the first time."""

    seen: Sequence[Seen] = field(default_factory=lambda: [Seen() for _ in range(CLIENTS)])
    firsts: Sequence[dict[str, float]] = field(default_factory=lambda: [{} for _ in range(REPLICAS)])

    @property
    def answers(self) -> int:
        return sum(len(each.releases) for each in self.seen)

    async def has_seen(self, release: str) -> None:
        """Go on once every replica has answered from this release, and clients have asked some more."""
        while not all(release in of_replica for of_replica in self.firsts):  # noqa: ASYNC110 - as long as it lasts
            await asyncio.sleep(0.005)
        enough = self.answers + ANSWERS_BETWEEN
        while self.answers < enough:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.fixture
def services(tmp_path: Path, database: Database) -> Iterator[Sequence[Service]]:
    folders = [tmp_path / str(number) for number in range(REPLICAS)]
    with running_services(folders, **SNAPSHOT, DB_DSN=database.service) as started:
        for service in started:
            wait_until(lambda s=service: _following(s), "a replica that follows")  # type: ignore[misc]
        yield started


def _following(service: Service) -> bool | None:
    checks = service.client.get("/health").json()["checks"]
    return checks["postgres"]["status"] == "UP" or None


async def test_clients_see_whole_releases_in_order_and_every_replica_follows(
    services: Sequence[Service], pool: AsyncConnectionPool, capsys: pytest.CaptureFixture[str]
) -> None:
    operator, traffic = ReleaseService(PsycopgZipcodeRepository(pool)), Traffic()
    tables: dict[str, RiskTable] = {}
    for release in (await operator.history()).releases:
        tables[release.id] = await operator.table(release.id)
    stop = asyncio.Event()
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        for number, (service, firsts) in enumerate(zip(services, traffic.firsts, strict=True)):
            group.create_task(_watch(service, firsts, stop))
            for client in range(number, CLIENTS, REPLICAS):
                group.create_task(_ask(service, traffic.seen[client], tables, stop, random.Random(client)))  # noqa: S311 - a choice that can be made again, no secret
        activated = await _operate(operator, tables, traffic)
        stop.set()

    assert [each.wrong for each in traffic.seen if each.wrong] == []
    order = [event.release for event in (await operator.history()).activations]
    for each in traffic.seen:
        assert each.releases, "a client got no answer"
        assert _in_order([release for release, _ in groupby(each.releases)], order)
    assert len({release for each in traffic.seen for release in each.releases}) >= len(TABLES)

    behind = [of_replica[release] - at for release, at in activated.items() for of_replica in traffic.firsts]
    with capsys.disabled():
        print(  # noqa: T201 - how far replicas are behind is worth knowing whenever this runs
            f"\n{traffic.answers:,} answers to {CLIENTS} clients, {len(order)} activations, "
            f"at most {max(behind):.3f} s behind"
        )
    assert max(behind) < FOLLOWED_WITHIN


async def _operate(operator: ReleaseService, tables: dict[str, RiskTable], traffic: Traffic) -> Mapping[str, float]:
    """Load every table and put it into service, then roll back twice; when each came into service the first time."""
    activated: dict[str, float] = {}
    for number, table in enumerate(TABLES):
        loaded = await operator.load(draft(table, f"{number}.csv"), "operator")
        tables[loaded.release.id] = table
        await operator.activate(loaded.release.id, "operator", force=True)
        activated[loaded.release.id] = time.monotonic()
        await traffic.has_seen(loaded.release.id)
    for _ in range(2):
        before = (await operator.rollback("operator")).release
        await traffic.has_seen(before.id)
    return activated


async def _watch(service: Service, firsts: dict[str, float], stop: asyncio.Event) -> None:
    """When this replica answered from each release for the first time."""
    async with _client(service) as client:
        while not stop.is_set():
            release = (await client.get("/zipcodes/9000")).headers["X-Release"]
            firsts.setdefault(release, time.monotonic())
            await asyncio.sleep(0.005)


async def _ask(
    service: Service, seen: Seen, tables: Mapping[str, RiskTable], stop: asyncio.Event, choose: random.Random
) -> None:
    async with _client(service) as client:
        while not stop.is_set():
            kind = choose.choices(("find", "bulk", "list"), (30, 3, 1))[0]
            zipcodes = [choose.choice(ZIPCODES) for _ in range(1 if kind == "find" else 200)]
            factor = choose.choice((A, B, C))
            if kind == "find":
                answer = await client.get(f"/v1/zipcodes/{zipcodes[0]}")
            elif kind == "bulk":
                answer = await client.post("/v1/zipcodes/lookup", json={"zipcodes": zipcodes})
            else:
                answer = await client.get(f"/v1/zipcodes?risk_factor={factor}")
            release = _release(answer)
            seen.releases.append(release)
            table = tables.get(release)
            if table is None or not _right(kind, answer, table, zipcodes, factor):
                seen.wrong.append(f"{answer.status_code} {kind} {zipcodes[:3]} {answer.text[:200]}")
            await asyncio.sleep(choose.uniform(0, 2 * PAUSE))


def _release(answer: httpx2.Response) -> str:
    """The release that answered; a 404 of a zipcode names it in its words alone."""
    if answer.status_code == 404:
        return str(answer.json()["detail"]).partition(" in release ")[2][:13]
    body = answer.json()
    assert answer.headers["X-Release"] == body["release"]
    return str(body["release"])


def _right(kind: str, answer: httpx2.Response, table: RiskTable, zipcodes: Sequence[int], factor: RiskFactor) -> bool:
    body: dict[str, Any] = answer.json()
    if kind == "find":
        expected = table.factor(Zipcode(zipcodes[0]))
        return answer.status_code == 404 if expected is None else body["risk_factor"] == expected.value
    if answer.status_code != 200:
        return False
    if kind == "list":
        items = [(item["zipcode"], item["risk_factor"]) for item in body["items"]]
        return items == [(zipcode, each.value) for zipcode, each in table.select({factor})]
    found = [item.get("result", {}).get("risk_factor") for item in body["items"]]
    return found == [table.factor(Zipcode(zipcode)) for zipcode in zipcodes]


def _in_order(observed: Sequence[str], order: Sequence[str]) -> bool:
    """Whether what a client observed is what happened, with gaps, and never backwards."""
    rest = iter(order)
    return all(release in rest for release in observed)


@asynccontextmanager
async def _client(service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{service.port}", timeout=20) as client:
        yield client
