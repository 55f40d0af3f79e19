from datetime import UTC, datetime

import httpx2
from tests.worlds import make_app, make_client

from adapters.memory import InMemoryZipcodeRepository
from entrypoints.checks import Check, Condition


async def test_all_is_up_while_the_figures_are_fresh(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/health")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["status"] == "UP"
    assert set(body["checks"]) == {"risk_table", "health_index"}


async def test_an_overdue_publication_degrades_and_is_named() -> None:
    async with make_client(make_app(now=datetime(2026, 11, 22, tzinfo=UTC))) as client:
        answer = await client.get("/health")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "DEGRADED"
    assert "overdue" in body["checks"]["health_index"]["detail"]
    assert body["checks"]["risk_table"]["status"] == "UP"


async def test_without_a_risk_table_it_is_down_but_alive() -> None:
    async with make_client(make_app(InMemoryZipcodeRepository())) as client:
        down, ready, live = [await client.get(path) for path in ("/health", "/health/ready", "/health/live")]
    assert (down.status_code, down.json()["status"]) == (503, "DOWN")
    assert (ready.status_code, ready.json()["status"]) == (503, "DOWN")
    assert int(down.headers["retry-after"]) > 0
    assert (live.status_code, live.json()) == (200, {"status": "UP", "checks": {}})


async def test_the_worst_part_decides() -> None:
    async def degraded() -> Check:
        return Check(Condition.DEGRADED, "leaning")

    async def up() -> Check:
        return Check(Condition.UP, "fine")

    async with make_client(make_app(checks={"a": up, "b": degraded})) as client:
        assert (await client.get("/health")).json() == {
            "status": "DEGRADED",
            "checks": {"a": {"status": "UP", "detail": "fine"}, "b": {"status": "DEGRADED", "detail": "leaning"}},
        }


async def test_it_is_ready_once_it_can_answer(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/health/ready")).json()["status"] == "UP"
