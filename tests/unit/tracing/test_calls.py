"""Spans of what is asked of Redis and Statbel: within what is traced, and without a value."""

from collections.abc import Mapping

import httpx2
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, Tracer

from adapters.redis_cache import RedisCache
from entrypoints.tracing.calls import TracedClient, redis_calls

SECRET = "hunter2"  # noqa: S105 - of nothing


class Subject:
    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer: Tracer = provider.get_tracer("test")

    def call(self) -> ReadableSpan:
        """The one client span; it is within the span that the test made."""
        child, parent = self.exporter.get_finished_spans()
        assert child.parent == parent.context
        assert child.kind is SpanKind.CLIENT
        assert SECRET not in child.to_json()
        return child


def attributes(span: ReadableSpan) -> Mapping[str, object]:
    return dict(span.attributes or {})


def answering(status: int) -> httpx2.MockTransport:
    return httpx2.MockTransport(lambda _: httpx2.Response(status))


ADDRESS = f"https://user:{SECRET}@statbel.example/cpi.zip?key={SECRET}"


class TestStatbel:
    async def test_a_request_has_a_span_without_what_may_be_secret(self) -> None:
        subject = Subject()
        async with TracedClient(subject.tracer, transport=answering(200)) as client:
            with subject.tracer.start_as_current_span("reading"):
                await client.get(ADDRESS)
        span = subject.call()
        assert span.name == "GET"
        assert attributes(span) == {
            "http.request.method": "GET",
            "http.response.status_code": 200,
            "server.address": "statbel.example",
            "server.port": 443,
            "url.full": "https://statbel.example/cpi.zip",
        }

    async def test_a_refusal_is_an_error(self) -> None:
        subject = Subject()
        async with TracedClient(subject.tracer, transport=answering(503)) as client:
            with subject.tracer.start_as_current_span("reading"):
                await client.get(ADDRESS)
        assert subject.call().status.status_code is StatusCode.ERROR
        assert attributes(subject.call())["error.type"] == "503"

    async def test_so_is_a_failure_of_which_the_kind_alone_is_told(self) -> None:
        def fail(_: httpx2.Request) -> httpx2.Response:
            raise httpx2.ConnectError(f"cannot reach {ADDRESS}")

        subject = Subject()
        async with TracedClient(subject.tracer, transport=httpx2.MockTransport(fail)) as client:
            with subject.tracer.start_as_current_span("reading"), pytest.raises(httpx2.ConnectError):
                await client.get(ADDRESS)
        span = subject.call()
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description is None
        assert not span.events
        assert attributes(span)["error.type"] == "ConnectError"

    async def test_there_is_none_outside_of_what_is_traced(self) -> None:
        subject = Subject()
        async with TracedClient(subject.tracer, transport=answering(200)) as client:
            await client.get(ADDRESS)
        assert subject.exporter.get_finished_spans() == ()


class TestRedis:
    URL = f"redis://user:{SECRET}@cache.example:6380/2"

    @pytest.mark.parametrize(("kind", "command"), [("get", "GET"), ("set", "SET"), ("delete", "DEL")])
    def test_a_call_has_a_span_without_key_and_password(self, kind: str, command: str) -> None:
        subject = Subject()
        call = redis_calls(subject.tracer, self.URL)
        with subject.tracer.start_as_current_span("reading"), call(kind):
            pass
        span = subject.call()
        assert span.name == command
        assert attributes(span) == {
            "db.system.name": "redis",
            "db.namespace": "2",
            "db.operation.name": command,
            "server.address": "cache.example",
            "server.port": 6380,
        }

    def test_a_socket_is_named_by_its_path(self) -> None:
        subject = Subject()
        with subject.tracer.start_as_current_span("reading"), redis_calls(subject.tracer, "unix:///run/redis")("get"):
            pass
        found = attributes(subject.call())
        assert found["server.address"] == "/run/redis"
        assert "server.port" not in found

    async def test_a_failure_is_a_miss_with_an_error_in_its_span(self) -> None:
        subject = Subject()
        url = f"unix:///nowhere/redis?password={SECRET}"
        cache = RedisCache(url, around=redis_calls(subject.tracer, url))
        with subject.tracer.start_as_current_span("reading"):
            assert await cache.get(SECRET) is None
        span = subject.call()
        assert span.status.status_code is StatusCode.ERROR
        assert attributes(span)["error.type"] == cache.last_failure

    async def test_a_redis_that_is_left_alone_was_not_called(self) -> None:
        subject = Subject()
        url = "unix:///nowhere/redis"
        cache = RedisCache(url, around=redis_calls(subject.tracer, url))
        with subject.tracer.start_as_current_span("reading"):
            await cache.get("a")
            await cache.get("b")
        assert len(subject.exporter.get_finished_spans()) == 2

    def test_an_address_that_cannot_be_used_is_left_to_the_cache(self) -> None:
        subject = Subject()
        with pytest.raises(ValueError, match="the address of Redis cannot be used"):
            RedisCache("http://a", around=redis_calls(subject.tracer, "http://a"))
