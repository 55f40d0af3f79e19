"""`/health`: whether the service lives, whether it can answer, and what is wrong."""

from collections.abc import Mapping

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from domain.use_cases.zipcodes import RiskService
from entrypoints.checks import Check, Condition, HealthChecks, risk_table_check
from entrypoints.http.openapi.responses import documented
from entrypoints.http.problems import RETRY_AFTER_SECONDS
from entrypoints.metrics import Metrics


class Health(msgspec.Struct, frozen=True):
    """The worst condition of all parts, and each part's own."""

    status: Condition
    checks: Mapping[str, Check]


_NO_STORE = {"Cache-Control": "no-store"}
_DOWN = {503: ResponseSpec(Health, description="The service cannot answer", generate_examples=False)}


@get(
    "/",
    summary="The condition of the service and its parts",
    description="`DEGRADED` answers 200: the service goes on without what is missing. `DOWN` answers 503.",
    operation_id="getHealth",
    responses={**_DOWN, **documented()},
)
async def get_health(health_checks: NamedDependency[HealthChecks]) -> Response[Health]:
    checks = {name: await check() for name, check in health_checks.items()}
    conditions = {check.status for check in checks.values()}
    worst = next((c for c in (Condition.DOWN, Condition.DEGRADED) if c in conditions), Condition.UP)
    return _respond(Health(worst, checks), down=worst is Condition.DOWN)


@get(
    "/live",
    summary="Whether the process answers",
    description="It looks at nothing: a process that answers lives.",
    operation_id="getLiveness",
    responses=documented(),
)
async def get_live() -> Response[Health]:
    return _respond(Health(Condition.UP, {}), down=False)


@get(
    "/ready",
    summary="Whether there is data to answer with",
    description="503 until the first risk table is in service. Send requests to a replica once this answers 200.",
    operation_id="getReadiness",
    responses={**_DOWN, **documented()},
)
async def get_ready(risks: NamedDependency[RiskService]) -> Response[Health]:
    check = await risk_table_check(risks)()
    return _respond(Health(check.status, {"risk_table": check}), down=check.status is Condition.DOWN)


def _respond(health: Health, *, down: bool) -> Response[Health]:
    headers = {**_NO_STORE, "Retry-After": str(RETRY_AFTER_SECONDS)} if down else _NO_STORE
    return Response(health, status_code=503 if down else 200, headers=headers)


@get("/metrics", include_in_schema=False)
async def get_metrics(metrics: NamedDependency[Metrics]) -> Response[bytes]:
    body = generate_latest(metrics.registry)
    return Response(
        body, media_type=CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8"), headers={"Cache-Control": "no-store"}
    )


router = Router("/health", route_handlers=[get_health, get_live, get_ready], tags=["health"])
