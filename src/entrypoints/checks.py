"""The checks behind `/health`: whether each part of the service is there, and what is wrong."""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum

import msgspec

from domain.errors import Rejection, SourceRejected, TechnicalError
from domain.health_index.calendar import Status
from domain.use_cases.health_index import HealthIndexService
from domain.use_cases.zipcodes import RiskService

_LONGEST_REASON = 300  # characters


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


WHAT_TO_DO = {
    Rejection.REVISED: "what was known is answered on; compare with statbel.fgov.be, and if Statbel has revised its "
    "series, run: belref index refresh --accept-revision",
    Rejection.UNCONFIRMED: "it is believed with the next reading that says the same",
}


def health_index_check(index: HealthIndexService) -> Callable[[], Awaitable[Check]]:
    """DEGRADED when a publication that was expected is not known here, when most of what is known was revised, and when
    an estimate turned out wrong.
    """

    async def check() -> Check:
        view, failure = index.now(), index.source_failure
        known = view.freshness
        latest = f"latest month {known.latest_month} from {known.source}"
        detail = [f"{latest}, next expected on {known.next_publication}: {known.status}"]
        degraded = known.status is Status.OVERDUE
        if failure is not None:
            detail.append(f"the last reading failed: {str(failure)[:_LONGEST_REASON]}")
        if isinstance(failure, SourceRejected) and failure.rejection in WHAT_TO_DO:
            detail.append(WHAT_TO_DO[failure.rejection])
            degraded = True
        if wrong := [each for each in view.table.comparisons if not each.agrees]:
            first = wrong[0].published
            detail.append(
                f"estimates that were wrong: {len(wrong)}, such as {first.month} in base {first.base_year}: "
                f"{wrong[0].estimated}, published as {first.value}; others may be wrong until belref is updated"
            )
            degraded = True
        return Check(Condition.DEGRADED if degraded else Condition.UP, "; ".join(detail))

    return check


def dependency_check(failure: Callable[[], Awaitable[str | None]]) -> Callable[[], Awaitable[Check]]:
    """DEGRADED while there is a failure: the service goes on without, from what it holds."""

    async def check() -> Check:
        reason = await failure()
        return Check(Condition.UP, "reachable") if reason is None else Check(Condition.DEGRADED, reason)

    return check
