"""Statements on prospecting jobs."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.store.db import Statement, Transaction

_POPULATING = Statement(
    """SELECT id, audience_id FROM jobs WHERE account_group_id = :account_group_id
    AND audience_id IN :audience_ids[] AND status IN ('queued', 'running') ORDER BY audience_id LIMIT 1"""
)


async def find_populating(tx: Transaction, audience_ids: Sequence[str]) -> tuple[str, str] | None:
    """Returns (audience id, job id) of an active job on one of the audiences, or None.

    Ask only after the audiences are locked: a statement sees what was committed before it began, and a job that starts
    later has to wait for the lock.
    """
    row = await tx.row(_POPULATING, audience_ids=list(audience_ids))
    return (row["audience_id"], row["id"]) if row else None
