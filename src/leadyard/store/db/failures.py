"""When the database fails: what the client is told, what the operator reads, what is counted."""

from __future__ import annotations

import structlog

from leadyard.errors import Internal, ServiceUnavailable
from leadyard.watching import metrics

RETRY_AFTER_S = 2
COMMIT_UNKNOWN = "commit_unknown"
NOTHING_CHANGED = "Nothing was changed. Try again in a moment."
_log = structlog.get_logger("leadyard.store")

# What does not pass by itself has a log line of its own, `database_` and the reason, with what to do.
_ADVICE = {
    "disk_full": "The disk of the database is full. Make room; the service goes on by itself.",
    "io_error": "The database cannot read or write its files. Look at the disk, its quota and the system's log.",
    "read_only": "The database may not be written. Look at the permissions and the mount of its files.",
    "corrupt": "The database file is damaged. Stop the service, keep a copy of the file, restore a backup.",
}


def unavailable(reason: str, *, detail: str = "", details: str = NOTHING_CHANGED) -> ServiceUnavailable:
    """Returns the refusal for a failure that may be over soon, and counts it.

    `reason` is one of a few stable words; `detail` names the error to the operator and holds no data.
    """
    _note(reason, detail)
    refusal = ServiceUnavailable(details, retry_after_s=RETRY_AFTER_S)
    refusal.reason = reason
    return refusal


def commit_unknown() -> ServiceUnavailable:
    """Returns the refusal for a connection that was lost once the commit was on its way. Nobody can know whether it
    arrived, so the work must not simply be run again."""
    return unavailable(
        COMMIT_UNKNOWN,
        details="The connection was lost during the commit. The change is either wholly there or wholly not: read "
        "the current state before you repeat the request.",
    )


def broken(reason: str, *, detail: str = "") -> Internal:
    """Returns the refusal for a failure that waiting does not mend, and counts it."""
    _note(reason, detail)
    return Internal()


def _note(reason: str, detail: str) -> None:
    metrics.database_failed(reason)
    if reason in _ADVICE:
        _log.error(f"database_{reason}", detail=detail, advice=_ADVICE[reason])
