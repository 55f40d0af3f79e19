"""Where spans go: to a collector, by OTLP over HTTP, in a thread beside the event loop.

The queue in front of that thread is bounded, and what does not fit is lost: an answer never waits for a collector.
"""

import logging
import threading
import time
from collections.abc import Callable
from importlib.metadata import version

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from entrypoints.tracing.requests import Tracing

log = structlog.get_logger(__name__)

_LOG_EVERY = 60.0  # seconds


class RareLog(logging.Handler):
    """Tells the log what the library complains of, once a minute at most: each lost batch is worth several lines."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.WARNING)
        self._monotonic = monotonic
        self._told = -_LOG_EVERY

    def emit(self, record: logging.LogRecord) -> None:
        now = self._monotonic()
        if now - self._told >= _LOG_EVERY:
            self._told = now
            log.warning("traces may be lost", reason=record.getMessage())


def exported() -> Tracing:
    """Traces by the environment variables of OpenTelemetry; a thread of their own sends them from now on.

    :raises ValueError: for a value of a variable that cannot be used
    :raises OSError: for a certificate that cannot be read
    """
    provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    library = logging.getLogger("opentelemetry")
    library.handlers[:], library.propagate = [RareLog()], False
    logging.getLogger("urllib3").setLevel("ERROR")  # what comes of its attempts is told above

    def close(seconds: float) -> None:
        ending = threading.Thread(target=provider.shutdown, name="last traces", daemon=True)
        ending.start()
        ending.join(seconds)  # the library itself would wait for half a minute

    return Tracing(provider.get_tracer("belref", version("belref")), close)


def _resource() -> Resource:
    """Who sends: what the environment says, and our own name where that says none."""
    found = Resource.create({SERVICE_VERSION: version("belref")})
    unnamed = str(found.attributes.get(SERVICE_NAME, "")).startswith("unknown_service")
    return found.merge(Resource({SERVICE_NAME: "belref"})) if unnamed else found
