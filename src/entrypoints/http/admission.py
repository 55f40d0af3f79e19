"""What is refused before a handler sees it: a host that is none, a page that may not ask, a parameter nobody knows."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from litestar import Request, Response
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import OpenAPI, OpenAPIType, Parameter, Schema

from entrypoints.http.calling import Call
from entrypoints.http.cors import Cors
from entrypoints.http.problems import BAD_REQUEST, ProblemError, bad_input, echo
from entrypoints.http.requests import host_refusal

_NOTHING_BELOW_SCHEMA = "/schema/{path}"  # the framework's own route, which answers with a page of HTML


class Admission:
    """Checks each request for a route.

    The OpenAPI description is the list of the parameters that a route knows, so that the two cannot differ.
    """

    def __init__(self, cors: Cors) -> None:
        self._cors = cors
        self._by_route: Mapping[tuple[str, str], Mapping[str, Parameter]] = {}
        self._calls: Mapping[BaseRouteHandler, Call] = {}

    def learn(self, document: OpenAPI, calls: Mapping[BaseRouteHandler, Call]) -> None:
        """Take the parameters from the description of the application, and how its handlers are called."""
        self._calls = calls
        self._by_route = {
            (method, path): {
                parameter.name: parameter
                for parameter in operation.parameters or ()
                if isinstance(parameter, Parameter) and parameter.param_in == "query"
            }
            for path, item in (document.paths or {}).items()
            for method, operation in (("GET", item.get), ("POST", item.post))
            if operation is not None
        }

    async def answer(self, request: Request[Any, Any, Any]) -> Response[Any] | None:
        """Raise the problem of a request that no handler should see; otherwise what the handler answers.

        None leaves the handler to the framework.
        """
        if (refusal := host_refusal(request)) is not None:
            raise ProblemError(BAD_REQUEST, refusal)
        route = request.scope["path_template"]
        if route == _NOTHING_BELOW_SCHEMA:
            raise NotFoundException
        if request.method == "OPTIONS":
            self._check_origin(request)
        elif (known := self._by_route.get((request.method, route))) is not None:
            query = _check_parameters(request, known)
            if (call := self._calls.get(request.scope["route_handler"])) is not None:
                response: Response[Any] = await call(request, query)
                return response
        return None

    def _check_origin(self, request: Request[Any, Any, Any]) -> None:
        origin, method = request.headers.get("origin"), request.headers.get("access-control-request-method")
        if origin and method and (refusal := self._cors.refusal(echo(origin), echo(method))) is not None:
            raise ProblemError(BAD_REQUEST, refusal)


def _check_parameters(request: Request[Any, Any, Any], known: Mapping[str, Parameter]) -> list[tuple[str, str]]:
    """The parameters of the query; 400 for an unknown name, for one given twice that takes one value, for one missing.

    A typo such as `base_yaer` must not be ignored in silence.
    """
    seen: set[str] = set()
    query = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    for name, value in query:
        if name not in known:
            allowed = ", ".join(known) or "none"
            raise bad_input("query", echo(name), f"there is no such parameter here (known: {allowed})", value)
        if name in seen and not _takes_several(known[name]):
            raise bad_input("query", name, f"{name} is given more than once", value)
        seen.add(name)
    for name, parameter in known.items():
        if parameter.required and name not in seen:
            raise bad_input("query", name, f"{name} is required", None)
    return query


def _takes_several(parameter: Parameter) -> bool:
    return isinstance(parameter.schema, Schema) and parameter.schema.type is OpenAPIType.ARRAY
