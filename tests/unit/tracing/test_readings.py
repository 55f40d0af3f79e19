"""What the container gives the refresher: a span around each reading, that says whether it succeeded."""

import asyncio

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from entrypoints.container import Container
from entrypoints.settings import Settings
from entrypoints.tracing.requests import Tracing

NOWHERE = Settings(statbel_open_data_url="http://127.0.0.1:9/", statbel_view_urls="")


async def test_a_reading_that_fails_has_a_span_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    container = Container(settings=NOWHERE, tracing=Tracing(provider.get_tracer("test"), lambda _: None))
    await container.statbel().aclose()  # from now on it says that it is closed, and asks nobody
    refresher, rested = container.refresher(), asyncio.Event()

    async def rest(_: float) -> None:
        rested.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(refresher, "_sleep", rest)
    running = asyncio.create_task(refresher.run())
    await rested.wait()
    running.cancel()
    await asyncio.wait([running])
    (reading,) = exporter.get_finished_spans()
    assert (reading.name, reading.parent) == ("read health index", None)
    assert reading.status.status_code is StatusCode.ERROR
    assert dict(reading.attributes or {}) == {"error.type": "SourceUnavailable"}
