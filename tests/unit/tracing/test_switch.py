"""Whether there are traces, and what is said where there cannot be any."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.resources import Resource
from structlog.testing import capture_logs

from entrypoints.tracing.export import RareLog, exported
from entrypoints.tracing.requests import Tracing
from entrypoints.tracing.switch import is_switched_on, start_tracing

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
COLLECTOR = {ENDPOINT: "http://127.0.0.1:9"}


@pytest.fixture(autouse=True)
def _library_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)
    loggers = [logging.getLogger(name) for name in ("opentelemetry", "urllib3")]
    before = [(each.handlers[:], each.propagate, each.level) for each in loggers]
    environ = dict(os.environ)
    yield
    for each, (handlers, propagate, level) in zip(loggers, before, strict=True):
        each.handlers[:], each.propagate = handlers, propagate
        each.setLevel(level)
    for name in set(os.environ) - set(environ):
        del os.environ[name]


def service_of(tracing: Tracing) -> dict[str, object]:
    resource: Resource = tracing.tracer.resource  # type: ignore[attr-defined]  # the library's own tracer has it
    return dict(resource.attributes)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "belref"}, False),
        ({ENDPOINT: ""}, False),
        (COLLECTOR, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"}, True),
        ({**COLLECTOR, "OTEL_SDK_DISABLED": "false"}, True),
        ({**COLLECTOR, "OTEL_SDK_DISABLED": "True"}, False),
        ({**COLLECTOR, "OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({**COLLECTOR, "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_an_endpoint_switches_them_on(environ: dict[str, str], *, expected: bool) -> None:
    assert is_switched_on(environ) is expected


def test_without_an_endpoint_nothing_happens(tmp_path: Path) -> None:
    with capture_logs() as lines:
        assert start_tracing(tmp_path / ".env") is None
    assert lines == []


def test_the_file_counts_too_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"{ENDPOINT}=http://127.0.0.1:9\nOTEL_SERVICE_NAME=of the file\nPORT=1\n", "utf-8")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "of the environment")
    tracing = start_tracing(dotenv)
    assert tracing is not None
    tracing.close(1)
    assert service_of(tracing)["service.name"] == "of the environment"


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, COLLECTOR[ENDPOINT])
    monkeypatch.delitem(sys.modules, "entrypoints.tracing.export")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with capture_logs() as lines:
        assert start_tracing(tmp_path / ".env") is None
    (line,) = lines
    assert "pip install '.[otel]'" in line["event"]
    assert line["log_level"] == "error"
    assert line["switched_on_by"] == ENDPOINT
    assert line["missing"] == "opentelemetry.sdk.trace"


def test_a_value_that_cannot_be_used_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, COLLECTOR[ENDPOINT])
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "-1")
    with capture_logs() as lines:
        assert start_tracing(tmp_path / ".env") is None
    assert "max_queue_size" in lines[0]["reason"]


def test_another_protocol_is_not_spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, COLLECTOR[ENDPOINT])
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with capture_logs() as lines:
        tracing = start_tracing(tmp_path / ".env")
    assert tracing is not None
    tracing.close(1)
    assert [(line["wanted"], line["spoken"]) for line in lines] == [("grpc", "http/protobuf")]


def test_the_service_has_a_name_without_being_given_one() -> None:
    tracing = exported()
    tracing.close(1)
    assert service_of(tracing)["service.name"] == "belref"


def test_what_the_library_complains_of_is_logged_once_a_minute() -> None:
    now = 0.0
    rare = RareLog(lambda: now)
    library = logging.getLogger("opentelemetry.exporter.test")
    logging.getLogger("opentelemetry").handlers[:], logging.getLogger("opentelemetry").propagate = [rare], False
    with capture_logs() as lines:
        for now in (0.0, 1.0, 59.9, 60.0, 61.0):
            library.warning("no collector at %s", now)
            library.error("batch lost")
    assert [line["reason"] for line in lines] == ["no collector at 0.0", "no collector at 60.0"]


def test_a_service_without_traces_imports_nothing_of_the_library() -> None:
    of_the_extra = ["opentelemetry.sdk", "entrypoints.tracing.export", "entrypoints.tracing.requests"]
    program = f"import sys, entrypoints.server; sys.exit(any(name in sys.modules for name in {of_the_extra}))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
