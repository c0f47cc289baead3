"""Logs the statements that are really sent, for debugging and for the house tests. Only texts, never values."""

from __future__ import annotations

import structlog

_log = structlog.get_logger("leadyard.sql")
_enabled = False


def log_statements(*, enabled: bool) -> None:
    """Switches the log line per statement on or off for this process."""
    global _enabled
    _enabled = enabled


def log_statement(sql: str) -> None:
    """Writes one debug line. It checks a plain flag first, because each statement passes through here."""
    if _enabled:
        _log.debug("statement", sql=sql)
