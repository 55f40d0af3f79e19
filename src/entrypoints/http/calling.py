"""Calling a handler with what its request says, without the framework's model of its arguments.

The framework reads each parameter from a mapping of its own, asks for each dependency, and converts all of them, which
takes longer than most handlers do. Ours are texts of the path and the query, and objects that are there already. So who
has checked a request calls its handler; the framework finds it, turns what it raises into an answer, and sends that.
"""

from collections.abc import Callable, Iterable
from typing import Any

from litestar import Litestar, Request
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.routes import HTTPRoute

Call = Callable[[Request[Any, Any, Any], Iterable[tuple[str, str]]], Any]
"""Calls a handler with a request and the parameters of its query; to be awaited for the response. The handler knows all
of them, and none that it requires is missing."""

_TEXTS = (str, str | None, list[str] | None)


def calls(app: Litestar, given: Callable[[], object]) -> dict[BaseRouteHandler, Call]:
    """How to call the handlers that take texts of the path and the query, the request, and attributes of what is given.

    The others, such as those that read a body, are left to the framework.
    """
    found: dict[BaseRouteHandler, Call] = {}
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler, model in route.route_handler_map.values():
                names = handler.parsed_fn_signature.parameters
                dependencies = {each.key for batch in model.dependency_batches for each in batch}
                parameters = model.expected_path_params | model.expected_query_params
                told = dependencies | {each.field_name for each in parameters} | {"request"}
                are_texts = all(names[each.field_name].annotation in _TEXTS for each in parameters)
                if are_texts and told.issuperset(names) and not handler.has_sync_callable:
                    found[handler] = _call(handler, model, dependencies & set(names), given)
    return found


def _call(handler: HTTPRouteHandler, model: Any, dependencies: Iterable[str], given: Callable[[], object]) -> Call:
    function = handler.fn
    wants_request = "request" in handler.parsed_fn_signature.parameters
    defaults = {each.field_name: each.default for each in model.expected_query_params}
    of_path = [(each.field_alias, each.field_name) for each in model.expected_path_params]
    of_query = {each.field_alias: (each.field_name, each.is_sequence) for each in model.expected_query_params}

    def call(request: Request[Any, Any, Any], query: Iterable[tuple[str, str]]) -> Any:
        arguments: dict[str, Any] = {**defaults}
        for alias, name in of_path:
            arguments[name] = request.scope["path_params"][alias]
        for alias, value in query:
            name, is_sequence = of_query[alias]
            arguments[name] = [*(arguments[name] or ()), value] if is_sequence else value
        if dependencies:
            objects = given()
            for name in dependencies:
                arguments[name] = getattr(objects, name)
        if wants_request:
            arguments["request"] = request
        return function(**arguments)

    return call
