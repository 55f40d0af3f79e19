"""Whether there are traces. Nothing of OpenTelemetry is imported unless they are switched on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from dotenv import dotenv_values

if TYPE_CHECKING:
    from entrypoints.tracing.requests import Tracing

log = structlog.get_logger(__name__)

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN = "http/protobuf"


def is_switched_on(environ: Mapping[str, str]) -> bool:
    """Whether these variables name somebody to send traces to, and none of them says not to."""
    return (
        any(environ.get(name) for name in _ENDPOINTS)
        and environ.get("OTEL_SDK_DISABLED", "").strip().lower() != "true"
        and environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() in {"", "otlp"}
    )


def start_tracing(dotenv: Path = Path(".env")) -> Tracing | None:
    """Traces, where OpenTelemetry's own variables switch them on, in the environment or in the file.

    What keeps them from being made is logged, and keeps nobody from being answered.
    """
    for name, value in dotenv_values(dotenv).items():
        if name.startswith("OTEL_") and value:
            os.environ.setdefault(name, value)  # the library reads nothing else
    if not is_switched_on(os.environ):
        return None
    protocol = next(filter(None, map(os.environ.get, _PROTOCOLS)), _SPOKEN)
    if protocol != _SPOKEN:
        log.warning("traces are sent by another protocol than wanted", wanted=protocol, spoken=_SPOKEN)
    try:
        from entrypoints.tracing.export import exported  # noqa: PLC0415 - it may not be installed
    except ModuleNotFoundError as error:
        log.error(  # noqa: TRY400 - where it was imported from tells nothing
            "no traces: install what makes them, with `pip install '.[otel]'` or from requirements/otel.txt",
            missing=error.name,
            switched_on_by=next(name for name in _ENDPOINTS if os.environ.get(name)),
        )
        return None
    try:
        return exported()
    except (ValueError, OSError) as error:
        log.error("no traces: a variable of OpenTelemetry cannot be used", reason=str(error))  # noqa: TRY400
        return None
