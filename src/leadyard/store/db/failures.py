"""Failures of the database: the refusal for the client, the log line for the operator, the metric."""

from __future__ import annotations

import structlog

from leadyard.errors import Internal, ServiceUnavailable
from leadyard.watching import metrics

RETRY_AFTER_S = 2
COMMIT_UNKNOWN = "commit_unknown"
NOTHING_CHANGED = "Nothing was changed. Try again in a moment."
_log = structlog.get_logger("leadyard.store")

# Failures that need the operator get their own log line: `database_` and the reason, with advice.
_NEEDS_THE_OPERATOR = {"disk_full", "io_error", "read_only", "corrupt", "permission_denied", "tables_missing"}
_MESSAGES = {"read_only": "The database is read-only."}
_ADVICE = {
    "disk_full": "The disk of the database is full. Free some space; the service then recovers by itself.",
    "io_error": "The database cannot read or write its files. Check the disk, its quota and the system log.",
    "read_only": "The database is read-only. Check the permissions and the mount of its files.",
    "corrupt": "The database file is damaged. Stop the service, keep a copy of the file, and restore a backup.",
}


def unavailable(
    reason: str, *, detail: str = "", advice: str = "", details: str = NOTHING_CHANGED
) -> ServiceUnavailable:
    """Returns the refusal for a failure that may be temporary, and counts it.

    `reason` is one of a few stable words. `detail` is for the operator: the name of the error, or what the database
    answered when it refused a connection; it contains no data. `advice` replaces the usual advice.
    """
    advice = advice or _ADVICE.get(reason, "")
    _note(reason, detail, advice)
    refusal = ServiceUnavailable(details, message=_MESSAGES.get(reason), retry_after_s=RETRY_AFTER_S)
    refusal.reason, refusal.detail, refusal.advice = reason, detail, advice
    return refusal


def commit_unknown(*, detail: str) -> ServiceUnavailable:
    """Returns the refusal for a connection that was lost after the commit was sent. It is not known whether the commit
    arrived, so the work must not simply be run again. `detail` is for the operator, as in `unavailable`."""
    return unavailable(
        COMMIT_UNKNOWN,
        detail=detail,
        details="The connection was lost during the commit. Its changes were made either completely or not at all: "
        "read the current state before you retry.",
    )


def broken(reason: str, *, detail: str = "") -> Internal:
    """Returns the refusal for a permanent failure, and counts it."""
    _note(reason, detail, _ADVICE.get(reason, ""))
    return Internal()


def _note(reason: str, detail: str, advice: str) -> None:
    metrics.database_failed(reason)
    if reason in _NEEDS_THE_OPERATOR:
        _log.error(f"database_{reason}", detail=detail, advice=advice)
