"""The checks behind `/health`: whether each part of the service is there, and what is wrong."""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum

import msgspec

from domain.errors import TechnicalError
from domain.health_index.calendar import Status
from domain.use_cases.health_index import HealthIndexService
from domain.use_cases.zipcodes import RiskService


class Condition(StrEnum):
    """`DEGRADED`: it answers, but something that it leans on is missing."""

    UP = "UP"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"


class Check(msgspec.Struct, frozen=True):
    """The condition of one part, in words for an operator."""

    status: Condition
    detail: str


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
