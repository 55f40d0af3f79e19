"""The HTTP application: routes, errors, documentation. It is given use cases, and sees nothing behind them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from importlib.util import find_spec
from pathlib import Path

from litestar import Litestar, Response, get
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.openapi.spec import OpenAPI
from litestar.params import FromPath

from domain.freshness import Clock
from domain.index_service import HealthIndexService
from domain.services import RiskService
from entrypoints.http import health, health_index, indexations, legacy, zipcodes
from entrypoints.http.description import DecimalSchema, complete, openapi_config
from entrypoints.http.edge import Edge
from entrypoints.http.metrics import Metrics, get_metrics
from entrypoints.http.parameters import KnownParameters
from entrypoints.http.problems import EXCEPTION_HANDLERS

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]
"""What is open while the application runs."""

_ASSETS = "/schema/assets"
_MAX_BODY = 64 * 1024


def create_app(
    *,
    index: HealthIndexService,
    risks: RiskService,
    clock: Clock,
    checks: health.HealthChecks,
    metrics: Metrics,
    allow_origins: Sequence[str] = ("*",),
    lifespan: Sequence[Lifespan] = (),
) -> Edge:
    """Build the application; nothing is opened before its lifespan starts."""
    known_parameters = KnownParameters()
    app = Litestar(
        route_handlers=[
            legacy.router,
            zipcodes.router,
            health_index.router,
            indexations.router,
            health.router,
            documentation_asset,
            get_metrics,
        ],
        dependencies={
            "index": _provide(index),
            "clock": _provide(clock),
            "metrics": _provide(metrics),
            "risks": _provide(risks),
            "health_checks": _provide(checks),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        before_request=known_parameters.check,
        lifespan=list(lifespan),
        cors_config=CORSConfig(
            allow_origins=list(allow_origins),
            allow_methods=["GET", "POST"],
            expose_headers=["ETag", "Link", "Deprecation", "Retry-After", "X-Request-ID"],
        ),
        request_max_body_size=_MAX_BODY,
        openapi_config=openapi_config(_ASSETS),
        plugins=[DecimalSchema()],
        logging_config=None,
    )
    complete(app.openapi_schema)
    known_parameters.learn(app.openapi_schema)
    edge = Edge(app, metrics)
    edge.allowed = _allowed(app.openapi_schema)
    return edge


def _allowed(document: OpenAPI) -> dict[str, bytes]:
    methods = {
        path: [b"GET, HEAD"] * bool(item.get) + [b"POST"] * bool(item.post)
        for path, item in (document.paths or {}).items()
    }
    return {path: b", ".join([*each, b"OPTIONS"]) for path, each in methods.items()}


def _provide(value: object) -> Provide:
    return Provide(lambda: value, sync_to_thread=False, use_cache=True)


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
