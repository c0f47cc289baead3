"""The condition that a job is queued or running, for all statements and indexes that use it."""

from __future__ import annotations

from leadyard.model import ACTIVE_JOB_STATUSES

_STATUSES = ", ".join(f"'{status}'" for status in ACTIVE_JOB_STATUSES)

ACTIVE = f"status IN ({_STATUSES})"
"""For statements that read only jobs. It is also the predicate of the indexes of active jobs."""
ACTIVE_J = f"j.{ACTIVE}"
"""For statements with the alias `j` for the table."""
ENDED_J = f"j.status NOT IN ({_STATUSES})"
