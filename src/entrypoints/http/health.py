"""`/health`: whether the service lives, whether it can answer, and what is wrong."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec
from litestar import Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from domain.use_cases.zipcodes import RiskService
from entrypoints.checks import Check, Condition, HealthChecks, risk_table_check
from entrypoints.http.openapi.responses import documented
from entrypoints.http.problems import BAD_REQUEST, RETRY_AFTER_SECONDS
from entrypoints.http.representation import Finished
from entrypoints.metrics import Metrics, exposition


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


@get(
    "/metrics",
    summary="Figures about the service, for Prometheus",
    description="In the text format of Prometheus, or as OpenMetrics where `Accept` asks for it. Open to everybody who "
    "reaches the service, unless `METRICS_PORT` gives it a port of its own.",
    operation_id="getMetrics",
    media_type="text/plain",
    responses=documented(BAD_REQUEST),
    tags=["health"],
)
async def get_metrics(request: Request[Any, Any, Any], metrics: NamedDependency[Metrics]) -> Response[str]:
    body, media_type = await exposition(metrics, ", ".join(request.headers.getall("accept", [])))
    headers = {"Content-Type": media_type, "Content-Length": str(len(body))}
    return cast("Response[str]", Finished(body, {**headers, **_NO_STORE, "Vary": "Accept"}))


router = Router("/health", route_handlers=[get_health, get_live, get_ready], tags=["health"])
