"""`/v1/health-index`: the latest figures, the figures of a month, and a series."""

from datetime import timedelta
from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from domain.health_index.figures import IN_FORCE_SINCE, Month, Provenance
from domain.use_cases.health_index import HealthIndexService, IndexView, ReversedPeriod
from entrypoints.http import parameters as p
from entrypoints.http import reading as r
from entrypoints.http.health_index.bodies import (
    BaseYearBody,
    BaseYearsBody,
    MonthBody,
    SeriesBody,
    csv_lines,
    figure_bodies,
    freshness_body,
    series_item,
)
from entrypoints.http.openapi.responses import NOT_MODIFIED, documented
from entrypoints.http.problems import (
    BAD_REQUEST,
    BEFORE_FIRST_MONTH,
    NO_FIGURE,
    NOT_ACCEPTABLE,
    NOT_YET_PUBLISHED,
    UNKNOWN_BASE_YEAR,
    ProblemError,
    bad_input,
)
from entrypoints.http.representation import CSV, JSON, OF_THE_PAST, Validity, preferred, represent, represent_csv

SETTLED_AFTER = timedelta(hours=1)


@get(
    "/latest",
    summary="The latest health index, in every base year or in one",
    description="The latest figure that can be given in each base year. Base years may end at different months: each "
    "figure says its own, and whether it is published, derived or estimated.",
    operation_id="getLatestHealthIndex",
    responses={**documented(BAD_REQUEST, UNKNOWN_BASE_YEAR), **NOT_MODIFIED},
    opt={"cache": "index"},
)
async def get_latest(
    request: Request[Any, Any, Any],
    index: NamedDependency[HealthIndexService],
    base_year: p.BaseYearQuery = None,
    provenance: p.ProvenanceQuery = None,
    as_of: p.AsOfQuery = None,
) -> Response[MonthBody]:
    view, published = r.read_view(index, as_of), r.read(_published_alone, "provenance", provenance)
    figures = view.latest(r.read(r.whole_number(), "base_year", base_year), published=published is not None)
    body = MonthBody(str(max(figure.month for figure in figures)), figure_bodies(view, figures), freshness_body(view))
    return represent(request, body, tag=version(view), validity=validity_of(index, view, as_of))


@get(
    "/{month:str}",
    summary="The health index of a month, in every base year or in one",
    description="One figure for each base year in which it is published, or can be derived by an official coefficient "
    "or estimated by an inferred one.",
    operation_id="getHealthIndexOfMonth",
    responses={
        **documented(BAD_REQUEST, UNKNOWN_BASE_YEAR, BEFORE_FIRST_MONTH, NOT_YET_PUBLISHED, NO_FIGURE),
        **NOT_MODIFIED,
    },
    opt={"cache": "index"},
)
async def get_month(
    request: Request[Any, Any, Any],
    month: p.MonthPath,
    index: NamedDependency[HealthIndexService],
    base_year: p.BaseYearQuery = None,
    as_of: p.AsOfQuery = None,
) -> Response[MonthBody]:
    view, wanted = r.read_view(index, as_of), r.read(Month.parse, "month", month, "path")
    figures = view.of_month(wanted, r.read(r.whole_number(), "base_year", base_year))
    body = MonthBody(str(wanted), figure_bodies(view, figures), freshness_body(view))
    return represent(request, body, tag=version(view), validity=validity_of(index, view, as_of, wanted))


@get(
    "/",
    summary="The series of a base year, as JSON or CSV",
    description="Ascending, `from` and `to` included; without them, all months. `Accept: text/csv` gives CSV with a "
    "header.",
    operation_id="listHealthIndex",
    responses={
        **documented(BAD_REQUEST, UNKNOWN_BASE_YEAR, BEFORE_FIRST_MONTH, NOT_YET_PUBLISHED, NO_FIGURE, NOT_ACCEPTABLE),
        **NOT_MODIFIED,
    },
    opt={"cache": "index"},
)
async def list_series(
    request: Request[Any, Any, Any],
    index: NamedDependency[HealthIndexService],
    base_year: p.RequiredBaseYearQuery,
    first: p.FromQuery = None,
    last: p.ToQuery = None,
    as_of: p.AsOfQuery = None,
) -> Response[SeriesBody]:
    accepted = preferred(request, [JSON, CSV])
    if accepted is None:
        raise ProblemError(NOT_ACCEPTABLE, f"The series is available as {JSON} or {CSV}")
    start, end = r.read(Month.parse, "from", first), r.read(Month.parse, "to", last)
    year = r.read(r.whole_number(), "base_year", base_year)
    view = r.read_view(index, as_of)
    try:
        figures = view.series(year, start, end)
    except ReversedPeriod as error:
        raise bad_input("query", "from", str(error), first) from error
    validity = validity_of(index, view, as_of, end)
    if accepted == CSV:
        return represent_csv(request, csv_lines(figures), tag=f"{version(view)}-csv", validity=validity)
    body = SeriesBody(year, [series_item(figure) for figure in figures], len(figures), freshness_body(view))
    return represent(request, body, tag=version(view), validity=validity, vary="Accept")


@get(
    "/base-years",
    summary="The base years, the months known in each, and when each was in force",
    description="Latest base year first; with `as_of`, as far as it was known then.",
    operation_id="listBaseYears",
    responses={**documented(BAD_REQUEST), **NOT_MODIFIED},
    opt={"cache": "index"},
)
async def list_base_years(
    request: Request[Any, Any, Any], index: NamedDependency[HealthIndexService], as_of: p.AsOfQuery = None
) -> Response[BaseYearsBody]:
    view = r.read_view(index, as_of)
    items = [_base_year(view, base_year) for base_year in view.table.base_years]
    body = BaseYearsBody(items, len(items))
    return represent(request, body, tag=view.table.version, validity=validity_of(index, view, as_of))


def version(view: IndexView) -> str:
    """Changes exactly when a figure or the status of freshness does; not with each reading that brings nothing new."""
    return f"{view.table.version}-{view.freshness.status}"


def validity_of(index: HealthIndexService, view: IndexView, as_of: str | None, month: Month | None = None) -> Validity:
    """How long an answer about a month, or about what is latest, may be kept.

    An instant that is hardly over may still turn out to have known more: another replica may be about to say so.
    """
    if as_of is None:
        return Validity(index.cache_lifetime(month))
    is_over = index.now().freshness.as_of - view.freshness.as_of > SETTLED_AFTER
    if is_over and view.settled and index.history_failure is None:
        return OF_THE_PAST
    return Validity(index.cache_lifetime(month), settled=False)


def _published_alone(text: str) -> bool:
    if text != Provenance.PUBLISHED:
        raise r.UnreadableError(f"is not {Provenance.PUBLISHED}; leave it out to be given every figure")
    return True


def _base_year(view: IndexView, base_year: int) -> BaseYearBody:
    months = [figure.month for figure in view.series(base_year)]
    published = [figure.month for figure in view.table.figures() if figure.base_year == base_year]
    since = IN_FORCE_SINCE.get(base_year)
    later = [month for month in IN_FORCE_SINCE.values() if since is not None and month > since]
    return BaseYearBody(
        base_year=base_year,
        first_month=str(months[0]),
        last_month=str(months[-1]),
        first_published=str(published[0]),
        last_published=str(published[-1]),
        in_force_from=msgspec.UNSET if since is None else str(since),
        in_force_to=str(min(later).plus(-1)) if later else msgspec.UNSET,
    )


router = Router(
    "/v1/health-index", route_handlers=[get_latest, get_month, list_series, list_base_years], tags=["health index"]
)
