"""Log lines: one JSON object each, or coloured text in development. Ours and those of libraries look the same."""

import logging
import sys
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer

from entrypoints.http.access_log import AccessLog, BatchedAccessLog, SilentAccessLog, StructuredAccessLog, written_to


def configure_logs(level: str, *, for_people: bool = False) -> None:
    """Send everything to standard error, from `level` on; traces never show the values of local variables."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: list[Any] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if for_people
        else [
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("httpx2", "httpcore2"):
        logging.getLogger(chatty).setLevel("WARNING")
    logging.getLogger("stamina").setLevel("ERROR")  # what comes of its retries is logged where it matters


def access_log(level: str, *, for_people: bool = False) -> AccessLog:
    """What writes the line of each request, for logs that are configured with the same arguments."""
    if level not in {"debug", "info"}:
        return SilentAccessLog()
    return StructuredAccessLog() if for_people else BatchedAccessLog(written_to(sys.stderr))
