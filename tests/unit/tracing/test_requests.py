"""Spans of requests: which have one, what it says, and what stays as it was for all others."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id
from structlog.testing import capture_logs
from tests.worlds import make_app

from domain.errors import SourceUnavailable
from entrypoints.logs import BatchedAccessLog
from entrypoints.metrics import Series
from entrypoints.tracing.requests import Tracing

HOT = "/v1/zipcodes/9000"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE}-{SPAN}-01"
NOT_SAMPLED = f"00-{TRACE}-{SPAN}-00"
BY_PARENT = ParentBased(ALWAYS_OFF)
MALFORMED = [
    "",
    "01",
    f"00-{TRACE}-{SPAN}",
    f"00-{TRACE}-{SPAN}-0z",
    f"ff-{TRACE}-{SPAN}-01",
    f"00-{'0' * 32}-{SPAN}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"00-{TRACE}-{SPAN}-01-more",
    f"00-{TRACE.upper()}-{SPAN}-01",
    f"00-{'g' * 32}-{SPAN}-01",
    "é" * 55,
    SAMPLED * 100,
]


class Subject:
    """A service in memory with spans in memory."""

    def __init__(self, sampler: Sampler, *, response_cache: bool = True) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracing = Tracing(provider.get_tracer("test"), lambda _: None)
        self.app = make_app(response_cache=response_cache)
        self.app.edge.tracing = self.tracing
        self.server = self.app.server()

    async def warm(self, target: str = HOT) -> "Subject":
        await self.server.ask(target)
        self.exporter.clear()
        return self

    def spans(self) -> dict[str, ReadableSpan]:
        found = self.exporter.get_finished_spans()
        by_name = {each.name: each for each in found}
        assert len(by_name) == len(found)
        return by_name

    def only(self) -> ReadableSpan:
        (span,) = self.exporter.get_finished_spans()
        return span


def parent_of(span: ReadableSpan) -> tuple[str, str] | None:
    parent = span.parent
    return None if parent is None else (format_trace_id(parent.trace_id), format_span_id(parent.span_id))


def attributes(span: ReadableSpan) -> Mapping[str, object]:
    return dict(span.attributes or {})


class TestAKeptAnswer:
    async def test_it_has_no_span_where_the_client_names_none(self) -> None:
        subject = await Subject(ALWAYS_ON).warm()
        assert (await subject.server.ask(HOT)).status == 200
        assert subject.exporter.get_finished_spans() == ()

    @pytest.mark.parametrize("name", ["traceparent", "Traceparent", "TraceParent"])
    async def test_it_has_one_within_the_sampled_span_of_the_client(self, name: str) -> None:
        subject = await Subject(BY_PARENT).warm()
        identity = "7a1d4b0e-0000-4000-8000-000000000001"
        hits = subject.app.kept.hits if subject.app.kept else 0
        await subject.server.ask(f"{HOT}", headers=[(name, SAMPLED), ("X-Request-ID", identity)])
        assert subject.app.kept is not None
        assert subject.app.kept.hits == hits + 1
        span = subject.only()
        assert (span.name, span.kind) == ("GET /v1/zipcodes/{zipcode}", SpanKind.SERVER)
        assert parent_of(span) == (TRACE, SPAN)
        assert attributes(span) == {
            "http.request.method": "GET",
            "http.route": "/v1/zipcodes/{zipcode}",
            "http.response.status_code": 200,
            "url.path": HOT,
            "url.scheme": "http",
            "server.address": "belref.test",
            "belref.kept": True,
            "belref.request_id": identity,
        }

    async def test_its_bytes_are_those_without_a_trace(self) -> None:
        subject = await Subject(BY_PARENT).warm()
        identity = ("X-Request-ID", "7a1d4b0e-0000-4000-8000-000000000001")
        plain = await subject.server.ask(HOT, headers=[identity])
        assert await subject.server.ask(HOT, headers=[identity, ("traceparent", SAMPLED)]) == plain

    async def test_it_has_none_where_the_clients_is_not_sampled(self) -> None:
        subject = await Subject(ALWAYS_ON).warm()
        await subject.server.ask(HOT, headers=[("traceparent", NOT_SAMPLED)])
        assert subject.exporter.get_finished_spans() == ()

    async def test_it_has_none_where_the_sampler_wants_none(self) -> None:
        subject = await Subject(ALWAYS_OFF).warm()
        await subject.server.ask(HOT, headers=[("traceparent", SAMPLED)])
        assert subject.exporter.get_finished_spans() == ()

    @pytest.mark.parametrize("malformed", MALFORMED)
    async def test_a_malformed_parent_counts_as_none(self, malformed: str) -> None:
        subject = await Subject(BY_PARENT).warm()
        assert (await subject.server.ask(HOT, headers=[("traceparent", malformed)])).status == 200
        assert subject.exporter.get_finished_spans() == ()

    async def test_two_parents_count_as_none(self) -> None:
        subject = await Subject(BY_PARENT).warm()
        await subject.server.ask(HOT, headers=[("traceparent", SAMPLED), ("traceparent", SAMPLED)])
        assert subject.exporter.get_finished_spans() == ()


class TestAMiss:
    async def test_it_has_a_span_and_the_handler_one_within_it(self) -> None:
        subject = Subject(ALWAYS_ON)
        await subject.server.ask(f"{HOT}?secret=1234", headers=[("Host", "api.example:8443")])
        spans = subject.spans()
        assert set(spans) == {"GET /v1/zipcodes/{zipcode}", "get_zipcode"}
        server, handler = spans["GET /v1/zipcodes/{zipcode}"], spans["get_zipcode"]
        assert server.parent is None
        assert server.context is not None
        assert handler.parent == server.context
        assert handler.kind is SpanKind.INTERNAL
        found = attributes(server)
        assert (found["server.address"], found["server.port"]) == ("api.example", 8443)
        assert "belref.kept" not in found
        assert not any("1234" in str(value) for span in spans.values() for value in attributes(span).values())

    async def test_it_is_within_the_sampled_span_of_the_client(self) -> None:
        subject = Subject(BY_PARENT)
        await subject.server.ask(HOT, headers=[("traceparent", SAMPLED), ("tracestate", "vendor=1")])
        server = subject.spans()["GET /v1/zipcodes/{zipcode}"]
        assert parent_of(server) == (TRACE, SPAN)
        assert server.context is not None
        assert server.context.trace_state.get("vendor") == "1"

    @pytest.mark.parametrize(
        "headers", [[], [("traceparent", NOT_SAMPLED)], *([("traceparent", each)] for each in MALFORMED)]
    )
    async def test_it_has_none_where_neither_client_nor_ratio_wants_one(self, headers: list[tuple[str, str]]) -> None:
        subject = Subject(BY_PARENT)
        assert (await subject.server.ask(HOT, headers=headers)).status == 200
        assert subject.exporter.get_finished_spans() == ()

    async def test_what_has_no_route_is_named_by_its_method(self) -> None:
        subject = Subject(ALWAYS_ON)
        await subject.server.ask("/nowhere")
        span = subject.spans()["GET"]
        assert attributes(span)["http.response.status_code"] == 404
        assert "http.route" not in attributes(span)
        assert span.status.status_code is StatusCode.UNSET

    async def test_a_method_that_is_not_known_is_not_repeated(self) -> None:
        subject = Subject(ALWAYS_ON)
        await subject.server.ask(HOT, method="PROPFIND")
        (server,) = [span for span in subject.spans().values() if span.kind is SpanKind.SERVER]
        assert attributes(server)["http.request.method"] == "_OTHER"
        assert "PROPFIND" not in server.name

    async def test_of_a_long_path_the_beginning_is_told(self) -> None:
        subject = Subject(ALWAYS_ON)
        await subject.server.ask("/" + "a" * 5000)
        assert len(str(attributes(subject.spans()["GET"])["url.path"])) == 256

    @pytest.mark.parametrize(
        ("host", "expected"),
        [("a.example", ("a.example", None)), ("a:1", ("a", 1)), ("[::1]:80", ("::1", 80)), ("[::1]", ("::1", None))],
    )
    async def test_it_names_the_host_that_was_asked(self, host: str, expected: tuple[str, int | None]) -> None:
        subject = Subject(ALWAYS_ON)
        await subject.server.ask(HOT, headers=[("Host", host)])
        found = attributes(subject.spans()["GET /v1/zipcodes/{zipcode}"])
        assert (found["server.address"], found.get("server.port")) == expected


NAMES = st.sampled_from([b"traceparent", b"Traceparent", b"tracestate", b"host", b"x-request-id"])
ODD = [SAMPLED.encode(), NOT_SAMPLED.encode(), b"a=1", b"a:99999", b"[", b":"]
VALUES = st.binary(max_size=80) | st.sampled_from(ODD)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6), st.binary(max_size=300))
def test_whatever_a_client_writes_it_is_answered(headers: list[tuple[bytes, bytes]], target: bytes) -> None:
    tracing = Subject(ALWAYS_ON).tracing
    tracing.kept(headers, target, "http", Series("GET", "/index", 200), "1", 0.001)
    scope = {"headers": headers, "method": "GET", "path": "/", "raw_path": target, "scheme": "http"}
    traced = tracing.begin(scope, "1")
    assert traced is not None
    traced.end("GET", "/index", 200)


class TestTheLogLine:
    @pytest.mark.parametrize("kept", [True, False])
    async def test_it_holds_the_trace_of_what_is_traced_and_of_nothing_else(self, *, kept: bool) -> None:
        subject = Subject(BY_PARENT, response_cache=kept)
        written: list[str] = []
        subject.app.edge.log = BatchedAccessLog(written.append, at_once=1)
        await subject.server.ask(HOT)
        await subject.server.ask(HOT, headers=[("traceparent", SAMPLED)])
        await subject.server.ask(HOT, headers=[("traceparent", NOT_SAMPLED)])
        lines = [json.loads(line) for line in "".join(written).splitlines()]
        assert [line.get("trace_id") for line in lines] == [None, TRACE, None]
        assert {len(line["request_id"]) for line in lines} == {36}

    async def test_so_it_does_where_lines_are_for_people(self) -> None:
        subject = Subject(BY_PARENT)
        with capture_logs() as lines:
            await subject.server.ask(HOT)
            await subject.server.ask(HOT, headers=[("traceparent", SAMPLED)])
        assert ["trace_id" in line for line in lines] == [False, True]


class TestAReading:
    def test_it_has_a_root_span_of_its_own(self) -> None:
        subject = Subject(ALWAYS_ON)
        with subject.tracing.tracer.start_as_current_span("another"), subject.tracing.reading(lambda: None):
            pass
        reading = subject.spans()["read health index"]
        assert reading.parent is None
        assert reading.status.status_code is StatusCode.UNSET

    def test_it_says_why_it_failed(self) -> None:
        subject = Subject(ALWAYS_ON)
        with subject.tracing.reading(lambda: SourceUnavailable("statbel", "status 500")):
            pass
        reading = subject.only()
        assert reading.status.status_code is StatusCode.ERROR
        assert attributes(reading)["error.type"] == "SourceUnavailable"
        assert "status 500" in str(reading.status.description)
