"""The log: JSON lines on stderr that contain neither secrets nor lead data."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import MutableMapping
from contextvars import ContextVar
from functools import lru_cache
from traceback import extract_tb
from typing import Any, TextIO, cast

import structlog
from pydantic_core import to_json

from leadyard.store.db.log import log_statements

trace_id_of_lines: ContextVar[str | None] = ContextVar("trace_id_of_lines", default=None)
"""The trace id of the request that is being served. It is in each line that the request causes."""


def set_up_logs_of_command() -> None:
    """Writes warnings and errors of a command to stderr, as JSON lines. Its stdout is for its result."""
    # A command may run inside another process, such as a test, which sets up its own logs afterwards.
    _configure("warning", keep_loggers=False)


def set_up_logs(log_level: str) -> None:
    """Writes JSON lines to stderr, from `log_level` (debug, info, warning or error) up."""
    _configure(log_level, keep_loggers=True)


def _configure(log_level: str, *, keep_loggers: bool) -> None:
    level = logging.getLevelNamesMapping()[log_level.upper()]
    structlog.configure(
        # One step instead of structlog's own five, which take a twelfth of the processor time of a move.
        processors=[_as_line],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Stderr())),
        cache_logger_on_first_use=keep_loggers,
    )
    log_statements(enabled=level <= logging.DEBUG)


def _as_line(_logger: object, level: str, event: MutableMapping[str, Any]) -> str:
    """Returns the JSON text of a line: its own values first, then trace id, level, exceptions and time."""
    trace_id = trace_id_of_lines.get()
    if trace_id is not None:
        event.setdefault("trace_id", trace_id)
    event["level"] = level
    if event.pop("exc_info", None):
        event["exceptions"] = _exceptions()
    now_ns = time.time_ns()
    event["timestamp"] = f"{_second(now_ns // 1_000_000_000)}.{now_ns // 1000 % 1_000_000:06d}Z"
    # ASCII, so that no character of a client can control the terminal that shows the line.
    try:
        return to_json(event, ensure_ascii=True, fallback=repr).decode()
    except ValueError:
        # A text with half a surrogate pair, or bytes that are not UTF-8.
        return json.dumps(event, default=repr)


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    """Returns the time in UTC to the second, as the beginning of an ISO 8601 text."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _exceptions() -> list[dict[str, Any]]:
    """Returns the types and places of the exceptions that are being handled, and nothing else: messages and local
    variables can contain keys and lead data."""
    error: BaseException | None = sys.exc_info()[1]
    chain = []
    while error is not None:
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
        chain.append({"type": f"{type(error).__module__}.{type(error).__qualname__}", "places": places})
        error = error.__cause__ or error.__context__
    return chain


class _Stderr:
    """stderr as it is at the moment. Its disk may be full: then the log line is lost, and the request still
    succeeds."""

    def write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            return

    def flush(self) -> None:
        """Does nothing, because `write` has done it."""
