"""`/health`: whether the service lives, whether it can answer, and what is wrong."""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from domain.errors import TechnicalError
from domain.freshness import Status
from domain.index_service import HealthIndexService
from domain.services import RiskService
from entrypoints.http.problems import RETRY_AFTER_SECONDS, documented


class Condition(StrEnum):
    """`DEGRADED`: it answers, but something that it leans on is missing."""

    UP = "UP"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"


class Check(msgspec.Struct, frozen=True):
    """The condition of one part, in words for an operator."""

    status: Condition
    detail: str


class Health(msgspec.Struct, frozen=True):
    """The worst condition of all parts, and each part's own."""

    status: Condition
    checks: Mapping[str, Check]


HealthChecks = Mapping[str, Callable[[], Awaitable[Check]]]
"""What `/health` asks, by name of the part."""


def risk_table_check(risks: RiskService) -> Callable[[], Awaitable[Check]]:
    """DOWN as long as there is no table to answer from."""

    async def check() -> Check:
        try:
            release = await risks.active()
        except TechnicalError as error:
            return Check(Condition.DOWN, type(error).__name__)
        return Check(Condition.UP, f"release {release.id} ({release.label})")

    return check


def health_index_check(index: HealthIndexService) -> Callable[[], Awaitable[Check]]:
    """DEGRADED when a publication that was expected is not known here."""

    async def check() -> Check:
        known = index.now().freshness
        detail = f"latest month {known.latest_month} from {known.source}, next expected on {known.next_publication}"
        overdue = known.status is Status.OVERDUE
        return Check(Condition.DEGRADED if overdue else Condition.UP, f"{detail}: {known.status}")

    return check


def dependency_check(failure: Callable[[], Awaitable[str | None]]) -> Callable[[], Awaitable[Check]]:
    """DEGRADED while there is a failure: the service goes on without, from what it holds."""

    async def check() -> Check:
        reason = await failure()
        return Check(Condition.UP, "reachable") if reason is None else Check(Condition.DEGRADED, reason)

    return check


_NO_STORE = {"Cache-Control": "no-store"}
_DOWN = {503: ResponseSpec(Health, description="The service cannot answer", generate_examples=False)}


@get(
    "/",
    summary="The condition of the service and its parts",
    operation_id="getHealth",
    responses={**_DOWN, **documented()},
)
async def get_health(health_checks: NamedDependency[HealthChecks]) -> Response[Health]:
    checks = {name: await check() for name, check in health_checks.items()}
    conditions = {check.status for check in checks.values()}
    worst = next((c for c in (Condition.DOWN, Condition.DEGRADED) if c in conditions), Condition.UP)
    return _respond(Health(worst, checks), down=worst is Condition.DOWN)


@get("/live", summary="Whether the process answers", operation_id="getLiveness", responses=documented())
async def get_live() -> Response[Health]:
    return _respond(Health(Condition.UP, {}), down=False)


@get(
    "/ready",
    summary="Whether there is data to answer with",
    operation_id="getReadiness",
    responses={**_DOWN, **documented()},
)
async def get_ready(risks: NamedDependency[RiskService]) -> Response[Health]:
    check = await risk_table_check(risks)()
    return _respond(Health(check.status, {"risk_table": check}), down=check.status is Condition.DOWN)


def _respond(health: Health, *, down: bool) -> Response[Health]:
    headers = {**_NO_STORE, "Retry-After": str(RETRY_AFTER_SECONDS)} if down else _NO_STORE
    return Response(health, status_code=503 if down else 200, headers=headers)


router = Router("/health", route_handlers=[get_health, get_live, get_ready], tags=["health"])
