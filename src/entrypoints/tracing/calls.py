"""Spans of what the service asks of others: Postgres, Redis, Statbel. There are none but within a span that is sampled.

The official instrumentations replace functions of the drivers for the whole process, and trace connections that nobody
waits for. Here the drivers' own extension points are used, and no value is recorded: no parameter of a statement, no
key, no query of an address, no words of an error.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar

import httpx2
from opentelemetry.semconv.attributes import (
    db_attributes,
    error_attributes,
    http_attributes,
    server_attributes,
    url_attributes,
)
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode, Tracer, get_current_span
from psycopg import AsyncCursor
from redis.asyncio.connection import parse_url

_COMMANDS = {"delete": "DEL"}

Calls = Callable[[str], AbstractContextManager[object]]


@contextmanager
def _call(tracer: Tracer, name: str, attributes: Mapping[str, str | int]) -> Iterator[Span]:
    if not get_current_span().is_recording():
        yield INVALID_SPAN
        return
    with tracer.start_as_current_span(
        name, kind=SpanKind.CLIENT, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            _failed(span, getattr(error, "sqlstate", None) or type(error).__name__)
            raise


def _failed(span: Span, kind: str) -> None:
    span.set_attribute(error_attributes.ERROR_TYPE, kind)
    span.set_status(Status(StatusCode.ERROR))


class TracedCursor(AsyncCursor[Any]):
    """A cursor whose statements have spans; subclasses are made by `traced_cursor`."""

    tracer: ClassVar[Tracer]

    async def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        if not get_current_span().is_recording():
            return await super().execute(query, params, **options)
        info = self.connection.info
        attributes: dict[str, str | int] = {
            db_attributes.DB_SYSTEM_NAME: "postgresql",
            db_attributes.DB_NAMESPACE: info.dbname,
            server_attributes.SERVER_ADDRESS: info.host,
            server_attributes.SERVER_PORT: info.port,
        }
        operation = ""
        if isinstance(query, str):  # one that is composed may have values in it
            attributes[db_attributes.DB_QUERY_TEXT] = text = " ".join(query.split())
            attributes[db_attributes.DB_OPERATION_NAME] = operation = text.partition(" ")[0]
        with _call(self.tracer, f"{operation} {info.dbname}".strip(), attributes):
            return await super().execute(query, params, **options)


def traced_cursor(tracer: Tracer) -> type[AsyncCursor[Any]]:
    """The cursor of all connections of a pool."""
    return type("ServiceCursor", (TracedCursor,), {"tracer": tracer})


def redis_calls(tracer: Tracer, url: str) -> Calls:
    """What is to surround each call of Redis, which is named by its kind; `url` is where that is."""
    try:
        address: Mapping[str, Any] = parse_url(url)
    except ValueError:
        address = {}  # the cache says what is wrong with it
    attributes: dict[str, str | int] = {
        db_attributes.DB_SYSTEM_NAME: "redis",
        db_attributes.DB_NAMESPACE: str(address.get("db", 0)),
        server_attributes.SERVER_ADDRESS: address.get("host") or address.get("path") or "localhost",
    }
    if "path" not in address:
        attributes[server_attributes.SERVER_PORT] = address.get("port", 6379)

    def call(kind: str) -> AbstractContextManager[object]:
        command = _COMMANDS.get(kind, kind.upper())
        return _call(tracer, command, {**attributes, db_attributes.DB_OPERATION_NAME: command})

    return call


class TracedClient(httpx2.AsyncClient):
    """A client of HTTP whose requests have spans, each to the end of its answer's head."""

    def __init__(self, tracer: Tracer, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._tracer = tracer

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        url = request.url
        attributes: dict[str, str | int] = {
            http_attributes.HTTP_REQUEST_METHOD: request.method,
            server_attributes.SERVER_ADDRESS: url.host,
            server_attributes.SERVER_PORT: url.port or {"http": 80}.get(url.scheme, 443),
            url_attributes.URL_FULL: str(url.copy_with(userinfo=b"", query=None, fragment=None)),
        }
        with _call(self._tracer, request.method, attributes) as span:
            response = await super().send(request, **options)
            span.set_attribute(http_attributes.HTTP_RESPONSE_STATUS_CODE, response.status_code)
            if response.status_code >= 400:
                _failed(span, str(response.status_code))
            return response
