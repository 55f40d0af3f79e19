"""A handler is called with what the framework would call it with."""

from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar, Request
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from tests.worlds import make_app

from entrypoints.http.app import Dependencies, build_framework
from entrypoints.http.calling import calls
from entrypoints.http.cors import Cors

_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@cache
def given_to_handlers() -> Dependencies:
    return make_app().given


@cache
def framework() -> Litestar:
    return build_framework(given_to_handlers, Cors(()))


def models() -> dict[HTTPRouteHandler, Any]:
    """Every handler with the framework's model of its arguments."""
    routes = (route for route in framework().routes if isinstance(route, HTTPRoute))
    return dict(pair for route in routes for pair in route.route_handler_map.values())


def test_every_documented_get_is_called_at_once_and_what_reads_a_body_is_not() -> None:
    called = calls(framework(), given_to_handlers)
    for handler in models():
        if handler.resolve_include_in_schema():
            assert (handler in called) is ("GET" in handler.http_methods), handler.handler_name


@given(data=st.data())
async def test_its_arguments_are_those_of_the_framework(data: st.DataObject) -> None:
    """Whatever the texts are, and whichever of those that are optional are there."""
    called = calls(framework(), given_to_handlers)
    handler = data.draw(st.sampled_from([each for each in models() if each in called]))
    model = models()[handler]
    parameters = sorted(model.expected_query_params, key=lambda each: str(each.field_alias))
    query = [
        (each.field_alias, text)
        for each in parameters
        for text in data.draw(
            st.lists(_texts, min_size=int(each.is_required), max_size=3 if each.is_sequence else 1), each.field_alias
        )
    ]
    scope: Any = {
        "type": "http",
        "query_string": urlencode(query).encode(),
        "path_params": {each.field_alias: data.draw(_texts, "path") for each in model.expected_path_params},
        "route_handler": handler,
        "state": {},
    }
    request: Request[Any, Any, Any] = Request(scope)
    expected = await model.to_kwargs(request)
    await model.resolve_dependencies(request, expected)
    wanted = handler.signature_model.parse_values_from_connection_kwargs(connection=request, kwargs=expected)

    async def tell(**arguments: object) -> dict[str, object]:
        return arguments

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handler, "_fn", tell)
        found = await calls(framework(), given_to_handlers)[handler](request, query)
    assert found == wanted
