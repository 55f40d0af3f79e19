"""`/v1/releases`: the risk tables that were loaded, when each was in service, and what differs between two of them.

Who loaded them or put them into service stays off the network: the log of the command line has the names.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from domain.risk.comparison import Comparison
from domain.risk.releases import Release, ReleaseHistory, ReleaseStatus, Standing, UnknownRelease
from domain.risk.tables import RiskFactor
from domain.use_cases.zipcodes import RiskService
from entrypoints.http import parameters as p
from entrypoints.http import reading as r
from entrypoints.http.openapi.responses import NOT_MODIFIED, documented
from entrypoints.http.problems import BAD_REQUEST, NOT_FOUND, UNAVAILABLE, UNKNOWN_RELEASE, ProblemError
from entrypoints.http.representation import FOREVER, represent
from entrypoints.http.risk.zipcodes import CACHED, IN_SERVICE, next_page


class ReleaseBody(msgspec.Struct, frozen=True, kw_only=True):
    """A release. `source_sha256` is that of the file that was loaded; `table_sha256` is that of what the table says.

    `counts` are zipcodes for each risk factor. `activated_at` and `retired_at` are of the last time that it was in
    service, and absent where there is none.
    """

    id: str
    label: str
    created_at: datetime
    source_sha256: str
    table_sha256: str
    counts: Mapping[RiskFactor, int]
    ranges: int
    status: ReleaseStatus
    activated_at: datetime | msgspec.UnsetType = msgspec.UNSET
    retired_at: datetime | msgspec.UnsetType = msgspec.UNSET


class ReleasePage(msgspec.Struct, frozen=True):
    """A page of releases, newest first; `next` is the path of the page that follows, where there is one."""

    items: list[ReleaseBody]
    total: int
    page: int
    page_size: int
    next: str | msgspec.UnsetType = msgspec.UNSET


class ChangeItem(msgspec.Struct, frozen=True):
    """Neighbouring zipcodes that go from one risk factor to another; null stands for none."""

    first: int
    last: int
    before: RiskFactor | None
    after: RiskFactor | None
    zipcodes: int


class FactorChangeBody(msgspec.Struct, frozen=True):
    """How many zipcodes have a factor before and after, how many come to it, and how many leave it."""

    before: int
    after: int
    gained: int
    lost: int


class DiffBody(msgspec.Struct, frozen=True):
    """What changes from the release `against` to the release `release`, in as few ranges as there can be, ascending.

    `added`, `removed` and `changed` are zipcodes; `share` is how much they are, in percent, of all that have a factor
    in one of the two or in both.
    """

    release: str
    against: str
    added: int
    removed: int
    changed: int
    share: Decimal
    by_factor: Mapping[RiskFactor, FactorChangeBody]
    items: list[ChangeItem]
    total: int


@get(
    "/",
    summary="Every release of the risk table, newest first",
    description="`source_sha256` is that of the file that was loaded, `table_sha256` that of what the table says, "
    "however it is cut into ranges. `activated_at` and `retired_at` are of the last time that it was in service.",
    operation_id="listReleases",
    responses={**documented(BAD_REQUEST, UNAVAILABLE), **NOT_MODIFIED},
    opt=CACHED,
)
async def list_releases(
    request: Request[Any, Any, Any],
    risks: NamedDependency[RiskService],
    page: p.PageQuery = "1",
    page_size: p.ReleasesPageSizeQuery = "100",
) -> Response[ReleasePage]:
    number, size = r.read_page(page, page_size, p.LARGEST_PAGE_OF_RELEASES)
    history = await risks.history()
    newest_first = sorted(history.releases, key=_number, reverse=True)
    found, total = newest_first[(number - 1) * size : number * size], len(newest_first)
    body = ReleasePage(
        items=[_body(release, history.standing(release.id)) for release in found],
        total=total,
        page=number,
        page_size=size,
        next=next_page(request, [], number, size) if number * size < total else msgspec.UNSET,
    )
    return represent(request, body, tag=_version(history), validity=IN_SERVICE)


@get(
    "/{release:str}",
    summary="A release of the risk table",
    description="What was loaded and when, and when it was in service. A release never changes; its status does.",
    operation_id="getRelease",
    responses={**documented(BAD_REQUEST, NOT_FOUND, UNAVAILABLE), **NOT_MODIFIED},
    opt=CACHED,
)
async def get_release(
    request: Request[Any, Any, Any], release: p.ReleasePath, risks: NamedDependency[RiskService]
) -> Response[ReleaseBody]:
    history = await risks.history()
    found = _found(history, release)
    standing = history.standing(found.id)
    since = standing.retired_at or standing.activated_at or found.created_at
    tag = f"{found.id}-{standing.status}-{_utc(since).isoformat()}"
    return represent(request, _body(found, standing), tag=tag, validity=IN_SERVICE, release=found.id)


@get(
    "/{release:str}/diff",
    summary="What changes from one release to another, as ranges and by risk factor",
    description="`added`, `removed` and `changed` count zipcodes; `share` is how many they are, in percent, of those "
    "that have a factor in one of the two releases or in both.",
    operation_id="getReleaseDiff",
    responses={**documented(BAD_REQUEST, NOT_FOUND, UNKNOWN_RELEASE, UNAVAILABLE), **NOT_MODIFIED},
    opt=CACHED,
)
async def get_release_diff(
    request: Request[Any, Any, Any],
    release: p.ReleasePath,
    risks: NamedDependency[RiskService],
    against: p.AgainstQuery = None,
) -> Response[DiffBody]:
    history = await risks.history()
    after, before = _found(history, release), _compared_with(history, against)
    return represent(
        request,
        _diff(before, after, await risks.compare(before, after)),
        tag=f"{before.id}-{after.id}",
        validity=FOREVER if (release, against) == (after.id, before.id) else IN_SERVICE,
        release=after.id,
    )


def _found(history: ReleaseHistory, text: str) -> Release:
    try:
        return history.numbered(text)
    except UnknownRelease as error:
        raise ProblemError(NOT_FOUND, str(error)) from error


def _compared_with(history: ReleaseHistory, text: str | None) -> Release:
    if text is None:
        return history.active
    with r.reading("against", text):
        return history.numbered(text)


def _version(history: ReleaseHistory) -> str:
    """Changes with each event. Its instant sets two stores apart that count from one alike."""
    if not history.events:
        return "0"
    last = history.events[-1]
    return f"{last.number}-{_utc(last.at).isoformat()}"


def _body(release: Release, standing: Standing) -> ReleaseBody:
    return ReleaseBody(
        id=release.id,
        label=release.label,
        created_at=_utc(release.created_at),
        source_sha256=release.source_sha256,
        table_sha256=release.table_sha256,
        counts=release.counts,
        ranges=release.ranges,
        status=standing.status,
        activated_at=_optional(standing.activated_at),
        retired_at=_optional(standing.retired_at),
    )


def _diff(before: Release, after: Release, comparison: Comparison) -> DiffBody:
    changes = comparison.changes
    return DiffBody(
        release=after.id,
        against=before.id,
        added=comparison.added,
        removed=comparison.removed,
        changed=comparison.changed,
        share=comparison.percent,
        by_factor={
            factor: FactorChangeBody(change.before, change.after, change.gained, change.lost)
            for factor, change in comparison.by_factor().items()
        },
        items=[ChangeItem(each.first, each.last, each.before, each.after, each.zipcodes) for each in changes],
        total=len(changes),
    )


def _number(release: Release) -> int:
    return release.number


def _optional(instant: datetime | None) -> datetime | msgspec.UnsetType:
    return msgspec.UNSET if instant is None else _utc(instant)


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)


router = Router("/v1/releases", route_handlers=[list_releases, get_release, get_release_diff], tags=["releases"])
