"""Spans of what the service does for a client, and of its own readings of the source.

The names of attributes are those of OpenTelemetry's semantic conventions for HTTP; `belref.` is before our own.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry.context import Context
from opentelemetry.semconv.attributes import error_attributes, http_attributes, server_attributes, url_attributes
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, format_trace_id, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from entrypoints.metrics import Series

_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
_LONGEST = 256  # characters of what a client wrote
_PROPAGATOR = TraceContextTextMapPropagator()
_NOWHERE = Context()
_BILLION = 1_000_000_000

Headers = Sequence[tuple[bytes, bytes]]


class TracedRequest:
    """The server span of a request that the application answers."""

    __slots__ = ("_span", "_tracer", "trace_id")

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer, self._span = tracer, span
        self.trace_id = format_trace_id(span.get_span_context().trace_id)

    @contextmanager
    def handling(self, scope: Mapping[str, Any]) -> Iterator[None]:
        """The span of routing and of the handler, named for the handler that the router leaves in `scope`."""
        within = set_span_in_context(self._span, _NOWHERE)
        with self._tracer.start_as_current_span("routing", within, record_exception=False) as span:
            try:
                yield
            finally:
                handler = scope.get("route_handler")
                if handler is not None:
                    span.update_name(handler.handler_name)

    def end(self, method: str, route: str, status: int) -> None:
        _describe(self._span, method, route, status)
        self._span.end()


class Tracing:
    """Makes spans where the sampler wants them; whoever has one may close it once, at the very end."""

    def __init__(self, tracer: Tracer, close: Callable[[float], None]) -> None:
        """`close` sends what waits, for so many seconds at most."""
        self.tracer, self.close = tracer, close

    def begin(self, scope: Mapping[str, Any], identity: str) -> TracedRequest | None:
        """The span of a request in the scope of ASGI; None where it is not sampled."""
        headers, method = scope["headers"], scope["method"]
        span = self.tracer.start_span(_known(method), _parent(headers), SpanKind.SERVER)
        if not span.is_recording():
            return None
        path = scope.get("raw_path") or scope["path"].encode()
        span.set_attributes(_asked(headers, method, path, scope["scheme"], identity))
        return TracedRequest(self.tracer, span)

    def kept(
        self, headers: Headers, target: bytes, scheme: str, series: Series, identity: str, seconds: float
    ) -> str | None:
        """Make the span of a request that a kept answer took; its trace. None where the client names no span.

        To be called where the client's span is sampled: it is not looked at again.
        """
        parent = _parent(headers)
        if parent is _NOWHERE:
            return None
        end = time.time_ns()
        begin = end - int(seconds * _BILLION)
        span = self.tracer.start_span(_known(series.method), parent, SpanKind.SERVER, start_time=begin)
        if not span.is_recording():
            return None
        span.set_attributes(_asked(headers, series.method, target.partition(b"?")[0], scheme, identity))
        span.set_attribute("belref.kept", True)
        _describe(span, series.method, series.route, series.status)
        span.end(end)
        return format_trace_id(span.get_span_context().trace_id)

    @contextmanager
    def reading(self, failure: Callable[[], Exception | None]) -> Iterator[None]:
        """The root span of one reading of the source; `failure` says afterwards why it failed, if it did."""
        with self.tracer.start_as_current_span("read health index", _NOWHERE, record_exception=False) as span:
            yield
            error = failure()
            if error is not None:
                span.set_attribute(error_attributes.ERROR_TYPE, type(error).__name__)
                span.set_status(Status(StatusCode.ERROR, str(error)))


def _parent(headers: Headers) -> Context:
    """The span of the client, where its headers name one; several `traceparent` name none."""
    parents = [value for name, value in headers if len(name) == 11 and name.lower() == b"traceparent"]
    if len(parents) != 1:
        return _NOWHERE
    states = [value.decode("latin-1") for name, value in headers if name.lower() == b"tracestate"]
    found = _PROPAGATOR.extract({"traceparent": [parents[0].decode("latin-1")], "tracestate": states}, Context())
    return found or _NOWHERE


def _known(method: str) -> str:
    return method if method in _METHODS else "HTTP"


def _asked(headers: Headers, method: str, path: bytes, scheme: str, identity: str) -> dict[str, str | int]:
    asked: dict[str, str | int] = {
        http_attributes.HTTP_REQUEST_METHOD: method if method in _METHODS else "_OTHER",
        url_attributes.URL_PATH: path[:_LONGEST].decode("latin-1"),
        url_attributes.URL_SCHEME: scheme,
        "belref.request_id": identity,
    }
    host = next((value for name, value in headers if len(name) == 4 and name.lower() == b"host"), b"")[:_LONGEST]
    name, colon, port = host.decode("latin-1").rpartition(":")
    if not colon or not port.isdecimal():
        name, port = host.decode("latin-1"), ""
    if name:
        asked[server_attributes.SERVER_ADDRESS] = name.strip("[]")
    if port:
        asked[server_attributes.SERVER_PORT] = int(port[:5])
    return asked


def _describe(span: Span, method: str, route: str, status: int) -> None:
    """What is known once there is an answer; `route` is a template, or `-` where there is none."""
    span.set_attribute(http_attributes.HTTP_RESPONSE_STATUS_CODE, status)
    if route != "-":
        span.set_attribute(http_attributes.HTTP_ROUTE, route)
        span.update_name(f"{_known(method)} {route}")
    if status >= 500 or status == 0:
        span.set_attribute(error_attributes.ERROR_TYPE, str(status) if status else "_OTHER")
        span.set_status(Status(StatusCode.ERROR))
