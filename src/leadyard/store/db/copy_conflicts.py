"""Conflicts with other transactions that Citus reports without a SQLSTATE, because a COPY failed on a node.

PostgreSQL itself always has one, so there the error is never of this kind (docs/decisions/0052).
"""

from __future__ import annotations

_TEXTS = (
    "duplicate key value violates",
    "violates foreign key constraint",
    "deadlock detected",
    "canceling statement due to lock timeout",
)


def is_conflict_of_copy(error: Exception) -> bool:
    """Returns whether the text of an internal error tells of a conflict, after which the work can be run again."""
    return any(text in str(error) for text in _TEXTS)
