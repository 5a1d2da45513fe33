"""Structured logs on stderr: events with ids, never texts, tokens or presigned queries.

Exceptions tell where and of what kind they are, and not their texts: those hold values, be it what
PostgreSQL calls a detail, what a validator was given, or the address that a client asked.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO, cast

import structlog

ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class Log:
    """A stream for logs: a disk that is full or a pipe that is closed fails nobody who logs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write if it can be."""
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        """Flush if it can be."""
        with suppress(OSError):
            self._stream.flush()


class LibraryFormatter(logging.Formatter):
    """What libraries log by Python's own means, as the same lines of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; asyncio's second one shows the exception that its first one is about."""
        said = record.getMessage()
        line = {
            "logger": record.name,
            "event": said.partition("\n")[0] if record.name == "asyncio" else said,
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
        }
        if record.exc_info:
            line["exception"] = told_of(record.exc_info)
        return json.dumps(line)


def configure_logs(level: str) -> None:
    """One JSON line an event."""
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(number),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(lambda info: told_of(cast(ExcInfo, info))),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, Log(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LibraryFormatter())
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler])


def told_of(info: ExcInfo) -> str:
    """The traceback of an exception and of those behind it, without their texts."""
    return "" if info[1] is None else "".join(_lines(info[1])).rstrip()


def _lines(error: BaseException) -> Iterator[str]:
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if behind is not None:
        yield from _lines(behind)
        yield "\nthen:\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    code = getattr(error, "sqlstate", None) or getattr(error, "errno", None)
    yield f"{type(error).__module__}.{type(error).__qualname__}{f' ({code})' if code else ''}\n"
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _lines(inner)
