"""Traces as a collector gets them: a service of its own, a receiver of OTLP on this machine, real stores."""

from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Self

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from psycopg.conninfo import conninfo_to_dict
from tests.integration.postgres_databases import Database
from tests.integration.service import Service, running_service, wait_until
from tests.integration.statbel_server import OPEN_DATA, Answer, StatbelServer
from tests.servers.redis import RedisServer
from tests.worlds.statbel_files import archive, table

from adapters.bundled import load_snapshot
from domain.health_index.figures import Figure, Month

KNOWN = tuple(figure for figure in load_snapshot().figures if figure.base_year != 2025)
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
SNAPSHOT = {"HEALTH_INDEX_SOURCE": "snapshot"}


class Collector:
    """Takes spans over HTTP while its context is open; a silent one takes them and never answers."""

    def __init__(self, *, silent: bool = False) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        self.asked = Event()
        self._silent, self._closing = silent, Event()

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def settings(self) -> dict[str, str]:
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self._server.server_port}",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
        }

    def trace_of(self, root: str) -> list[Span] | None:
        """The spans of the trace whose first span has this name, the first one first; None before that has come."""
        first = next((span for span in self.spans if span.name == root), None)
        if first is None:
            return None
        return [first, *(each for each in self.spans if each.trace_id == first.trace_id and each is not first)]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.asked.set()
                if collector._silent:
                    collector._closing.wait()
                    return
                collector.take(self.path, self.headers["Content-Type"], body)
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def take(self, path: str, media_type: str, body: bytes) -> None:
        assert (path, media_type) == ("/v1/traces", "application/x-protobuf")
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        for resource in request.resource_spans:
            names = (each.value.string_value for each in resource.resource.attributes if each.key == "service.name")
            self.services |= set(names)
            for scope in resource.scope_spans:
                self.spans += scope.spans


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


def attributes(span: Span) -> dict[str, object]:
    values = ((each.key, each.value) for each in span.attributes)
    return {name: getattr(value, value.WhichOneof("value") or "string_value") for name, value in values}


def children(spans: list[Span], parent: Span) -> list[Span]:
    return [span for span in spans if span.parent_span_id == parent.span_id]


def line_of(service: Service, request_id: object) -> dict[str, object]:
    return service.wait_for_line("request", request_id=request_id)


class TestTheTreeOfAMiss:
    def test_postgres_is_within_the_handler_within_the_request(
        self, database: Database, collector: Collector, tmp_path: Path
    ) -> None:
        settings = {**SNAPSHOT, "DB_DSN": database.service, "RISK_TABLE_CACHE": "false", **collector.settings}
        with running_service(tmp_path, **settings, OTEL_SERVICE_NAME="risk") as service:
            answer = service.client.get("/v1/zipcodes/9000", headers=SAMPLED)
            assert answer.status_code == 200
            root = "GET /v1/zipcodes/{zipcode}"
            server, *others = wait_until(lambda: collector.trace_of(root), "the span of the request")
            (handler,) = children(others, server)
            (statement,) = children(others, handler)
            line = line_of(service, answer.headers["x-request-id"])
        assert collector.services == {"risk"}
        assert (server.trace_id.hex(), server.parent_span_id.hex()) == (TRACE, SPAN)
        assert (server.kind, statement.kind) == (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT)
        assert handler.name == "get_zipcode"
        found = attributes(statement)
        assert statement.name == f"SELECT {found['db.namespace']}"
        assert (found["db.system.name"], found["db.operation.name"]) == ("postgresql", "SELECT")
        assert "%(zipcode)s" in str(found["db.query.text"])
        assert "9000" not in str({name: value for name, value in found.items() if name != "server.port"})
        assert (found["server.address"], type(found["server.port"])) == ("127.0.0.1", int)
        assert line["trace_id"] == TRACE
        secret = conninfo_to_dict(database.service)["password"]
        assert not any(str(secret) in str(attributes(span)) for span in collector.spans)

    def test_redis_is_within_the_handler_within_the_request(
        self, redis_server: RedisServer, collector: Collector, tmp_path: Path
    ) -> None:
        settings = {**SNAPSHOT, "REDIS_URL": redis_server.url, **collector.settings}
        with running_service(tmp_path, **settings) as service:
            assert service.client.get("/health").status_code == 200
            server, *others = wait_until(lambda: collector.trace_of("GET /health"), "the span of the request")
        (handler,) = children(others, server)
        (call,) = children(others, handler)
        assert (call.name, attributes(call)["db.system.name"]) == ("GET", "redis")
        assert collector.services == {"belref"}


def test_a_reading_of_statbel_is_a_tree_of_its_own(
    database: Database, redis_server: RedisServer, collector: Collector, tmp_path: Path
) -> None:
    with StatbelServer() as statbel:
        september = Figure(Month(2026, 9), 2013, Decimal("140.85"))
        body = archive(table([*(figure for figure in KNOWN if figure.base_year == 2013), september]))
        statbel.answer(f"{OPEN_DATA}?secret=1234", Answer(body))
        settings = {
            "STATBEL_OPEN_DATA_URL": f"{statbel.open_data_url}?secret=1234",
            "STATBEL_VIEW_URLS": "",
            "DB_DSN": database.service,
            "REDIS_URL": redis_server.url,
        }
        with running_service(tmp_path, **settings, **collector.settings):
            root, *others = wait_until(lambda: collector.trace_of("read health index"), "the span of the reading")
    assert not root.parent_span_id
    assert {span.parent_span_id for span in others} == {root.span_id}
    by_system = {attributes(span).get("db.system.name", span.name): span for span in others}
    assert set(by_system) == {"redis", "GET", "postgresql"}
    asked = attributes(by_system["GET"])
    assert (asked["http.request.method"], asked["http.response.status_code"]) == ("GET", 200)
    assert "1234" not in str(asked)
    assert statbel.requests
    assert "traceparent" not in statbel.requests[0].headers


def test_what_is_traced_last_is_sent_before_the_end(collector: Collector, tmp_path: Path) -> None:
    settings = {**SNAPSHOT, **collector.settings, "OTEL_BSP_SCHEDULE_DELAY": "600000"}
    with running_service(tmp_path, **settings) as service:
        service.client.get("/v1/zipcodes/9000")
        assert not collector.spans
        assert service.terminate() == 0
    assert {span.name for span in collector.spans} == {"GET /v1/zipcodes/{zipcode}", "get_zipcode"}


def test_without_a_collector_all_are_answered_and_the_log_says_so_once(collector: Collector, tmp_path: Path) -> None:
    settings = collector.settings
    with running_service(
        tmp_path, **SNAPSHOT, **(settings | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    ) as service:
        service.client.get("/v1/zipcodes/9000")
        service.wait_for_line("traces may be lost")
        assert service.client.get("/v1/zipcodes/1000").status_code == 200
        assert service.terminate() == 0
        complaints = [line for line in service.lines() if line["level"] != "info"]
    assert [line["event"] for line in complaints if "sample" not in line["event"]] == ["traces may be lost"]


def test_a_collector_that_never_answers_keeps_nobody_waiting(tmp_path: Path) -> None:
    with (
        Collector(silent=True) as collector,
        running_service(tmp_path, **SNAPSHOT, **collector.settings, SHUTDOWN_SECONDS="1") as service,
    ):
        for zipcode in range(1000, 1100):
            assert service.client.get(f"/v1/zipcodes/{zipcode}").status_code in {200, 404}
        assert collector.asked.wait(20)
        assert service.terminate() == 0
