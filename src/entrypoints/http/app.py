"""The HTTP application: routes, errors, documentation. It is given use cases, and sees nothing behind them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, fields
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from litestar import Litestar, Response, get
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.openapi.spec import OpenAPI
from litestar.params import FromPath
from litestar.routes import HTTPRoute

from domain.clock import Clock
from domain.leases.places import Places
from domain.use_cases.health_index import HealthIndexService
from domain.use_cases.zipcodes import RiskService
from entrypoints.checks import HealthChecks
from entrypoints.http import health, legacy
from entrypoints.http.admission import Admission
from entrypoints.http.calling import calls
from entrypoints.http.cors import Cors
from entrypoints.http.edge.application import Edge
from entrypoints.http.edge.kept import KeptAnswers, Source, Steady
from entrypoints.http.exceptions import EXCEPTION_HANDLERS
from entrypoints.http.health import get_metrics
from entrypoints.http.health_index import claims, indexations, publications
from entrypoints.http.health_index import figures as health_index
from entrypoints.http.openapi.description import DecimalSchema, complete, openapi_config
from entrypoints.http.pages import routes as pages
from entrypoints.http.rents import indexations as rents
from entrypoints.http.rents import places as places_of_zipcodes
from entrypoints.http.requests import BreakableRequest
from entrypoints.http.risk import lookups, releases, zipcodes
from entrypoints.http.risk import ranges as risk_ranges
from entrypoints.logs import AccessLog
from entrypoints.metrics import Metrics

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]
"""What is open while the application runs."""

_ASSETS = "/schema/assets"
_MAX_BODY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What handlers receive, by the names of their parameters."""

    index: HealthIndexService
    risks: RiskService
    clock: Clock
    metrics: Metrics
    health_checks: HealthChecks
    places: Places


def create_app(
    *,
    index: HealthIndexService,
    risks: RiskService,
    clock: Clock,
    checks: HealthChecks,
    metrics: Metrics,
    places: Places,
    allow_origins: Sequence[str] = ("*",),
    lifespan: Sequence[Lifespan] = (),
    access_log: AccessLog | None = None,
    show_metrics: bool = True,
) -> Edge:
    """Build the application; nothing is opened before its lifespan starts.

    Without `access_log`, structlog is told of each request. Without `show_metrics` there is no `/metrics`.
    """
    given = Dependencies(index, risks, clock, metrics, checks, places)
    cors = Cors(allow_origins)
    framework = build_framework(lambda: given, cors, lifespan=lifespan, show_metrics=show_metrics)
    edge = add_edge(framework, metrics, cors, access_log=access_log)
    framework.on_shutdown.append(edge.close)
    return edge


def build_framework(
    given: Callable[[], Dependencies], cors: Cors, *, lifespan: Sequence[Lifespan] = (), show_metrics: bool = True
) -> Litestar:
    """Build what lies behind the edge. It asks at each request what its handlers receive."""
    admission = Admission(cors)
    app = Litestar(
        route_handlers=[
            pages.router,
            legacy.router,
            zipcodes.router,
            lookups.router,
            risk_ranges.router,
            releases.router,
            health_index.router,
            claims.router,
            publications.router,
            indexations.router,
            rents.router,
            places_of_zipcodes.router,
            health.router,
            documentation_asset,
            *([get_metrics] if show_metrics else []),
        ],
        dependencies={each.name: _provide(given, each.name) for each in fields(Dependencies)},
        exception_handlers=EXCEPTION_HANDLERS,
        request_class=BreakableRequest,
        before_request=admission.answer,
        lifespan=list(lifespan),
        request_max_body_size=_MAX_BODY,
        openapi_config=openapi_config(_ASSETS),
        plugins=[DecimalSchema()],
        logging_config=None,
    )
    _one_dependency_after_the_other(app)
    complete(app.openapi_schema)
    admission.learn(app.openapi_schema, calls(app, given))
    return app


def add_edge(framework: Litestar, metrics: Metrics, cors: Cors, *, access_log: AccessLog | None = None) -> Edge:
    """Put an edge in front of the framework."""
    edge = Edge(framework, metrics, cors=cors, access_log=access_log)
    edge.allowed = _allowed(framework.openapi_schema)
    return edge


def _one_dependency_after_the_other(app: Litestar) -> None:
    """The framework resolves independent ones in tasks of their own, which takes longer than all else in a request.

    Ours are there already: there is nothing to wait for.
    """
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for _, model in route.route_handler_map.values():
                model.dependency_batches = [{each} for batch in model.dependency_batches for each in batch]


def keep_answers(index: HealthIndexService, risks: RiskService, clock: Clock, metrics: Metrics) -> KeptAnswers:
    """What the server's protocol answers from, for handlers that say what their answers are made of."""

    def steady(now: datetime) -> Steady:
        return Steady(*index.steady(now))

    kept = KeptAnswers({"risk": Source(risks.version), "index": Source(index.version, steady)}, clock)
    metrics.watch_cache(kept.figures)
    return kept


def _allowed(document: OpenAPI) -> dict[str, bytes]:
    methods = {
        path: [b"GET, HEAD"] * bool(item.get) + [b"POST"] * bool(item.post)
        for path, item in (document.paths or {}).items()
    }
    return {path: b", ".join([*each, b"OPTIONS"]) for path, each in methods.items()}


def _provide(given: Callable[[], Dependencies], name: str) -> Provide:
    return Provide(lambda: getattr(given(), name), sync_to_thread=False)


def _asset_folder() -> Path:
    """Where Swagger UI lies, without importing the package, which would read all of it into memory."""
    spec = find_spec("offapi")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package offapi, which carries the documentation page, is not installed")
    return Path(spec.submodule_search_locations[0])


_ASSET_TYPES = {
    "swagger_bundle.js": "text/javascript",
    "swagger_preset.js": "text/javascript",
    "swagger_style.css": "text/css",
}


@get(f"{_ASSETS}/{{name:str}}", include_in_schema=False, sync_to_thread=True)
def documentation_asset(name: FromPath[str]) -> Response[bytes]:
    """A file of the documentation page, from the installed package and from nowhere else."""
    if name not in _ASSET_TYPES:
        raise NotFoundException
    content = (_asset_folder() / name).read_bytes()
    return Response(content, media_type=_ASSET_TYPES[name], headers={"Cache-Control": "public, max-age=86400"})
