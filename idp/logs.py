"""Logs are for operators: one JSON object a line on standard error, never with a secret in it."""

import logging
import sys
from contextlib import suppress
from typing import TextIO

import structlog


class Lossy:
    """A stream that loses what it cannot write: a full disk under the log is no fault of a
    request, and must not take its answer away.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def configure_logs() -> None:
    """Set up structlog once for the process; libraries speak through it from WARNING up."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(Lossy(sys.stderr)),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=False)
    logging.getLogger("authlib").setLevel(logging.WARNING)
