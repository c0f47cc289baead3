"""The statements that are really sent, for whoever debugs and for the house tests. Texts only, never a value."""

from __future__ import annotations

import structlog

_log = structlog.get_logger("leadyard.sql")
_enabled = False


def log_statements(*, enabled: bool) -> None:
    """Switches the log line per statement on or off for this process."""
    global _enabled
    _enabled = enabled


def log_statement(sql: str) -> None:
    """Writes one debug line. A plain flag is asked first because this stands in the path of every statement."""
    if _enabled:
        _log.debug("statement", sql=sql)
