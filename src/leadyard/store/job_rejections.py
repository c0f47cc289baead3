"""Statements on the rows that prospecting jobs have rejected."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.model import MAX_STORED_REJECTIONS, RejectedRow
from leadyard.store.db import Statement, Transaction, from_document

_LAST_REJECTION = Statement(
    """SELECT COALESCE(MAX(number), 0) AS number FROM job_rejections
    WHERE account_group_id = :account_group_id AND job_id = :job_id"""
)
_INSERT_REJECTIONS = Statement(
    """INSERT INTO job_rejections (account_group_id, job_id, number, line, code, message, cells)
    SELECT :account_group_id, CAST(:job_id AS text), r.number, r.line, r.code, r.message, r.cells
    FROM :rows{number bigint, line bigint, code text, message text, cells jsonb} AS r"""
)
_LIST_REJECTIONS = Statement(
    """SELECT number, line, code, message, cells FROM job_rejections WHERE account_group_id = :account_group_id
    AND job_id = :job_id AND number > :after ORDER BY number LIMIT :limit"""
)
_GROUPS_WITH_OLD_REJECTIONS = Statement(
    """SELECT DISTINCT j.account_group_id FROM jobs j WHERE j.status NOT IN ('queued', 'running')
    AND j.updated_at < :before AND EXISTS (SELECT 1 FROM job_rejections r
        WHERE r.account_group_id = j.account_group_id AND r.job_id = j.id) ORDER BY j.account_group_id LIMIT :limit""",
    across_groups=True,
)
_OLD_REJECTIONS = Statement(
    """SELECT r.job_id, r.number FROM jobs j JOIN job_rejections r
    ON r.account_group_id = j.account_group_id AND r.job_id = j.id
    WHERE j.account_group_id = :account_group_id AND j.status NOT IN ('queued', 'running') AND j.updated_at < :before
    ORDER BY r.job_id, r.number LIMIT :limit"""
)
_PRUNE_REJECTIONS = Statement(
    """DELETE FROM job_rejections WHERE account_group_id = :account_group_id AND job_id = :job_id
    AND number <= :number"""
)


async def insert(tx: Transaction, job_id: str, rejected: Sequence[RejectedRow]) -> None:
    """Keeps rejected rows of a held job, up to 100,000 a job; of those beyond only the count remains."""
    if not rejected:
        return
    last = await tx.row(_LAST_REJECTION, job_id=job_id)
    assert last is not None
    rows = [
        {"number": number, "line": row.line, "code": row.code, "message": row.message, "cells": list(row.cells)}
        for number, row in enumerate(rejected, last["number"] + 1)
        if number <= MAX_STORED_REJECTIONS
    ]
    if rows:
        await tx.run(_INSERT_REJECTIONS, job_id=job_id, rows=rows)


async def list_after(tx: Transaction, job_id: str, *, after: int, limit: int) -> list[tuple[int, RejectedRow]]:
    """Returns at most `limit` rejected rows with their numbers, from the first number beyond `after` on."""
    rows = await tx.rows(_LIST_REJECTIONS, job_id=job_id, after=after, limit=limit)
    return [
        (
            row["number"],
            RejectedRow(
                line=row["line"], code=row["code"], message=row["message"], cells=tuple(from_document(row["cells"]))
            ),
        )
        for row in rows
    ]


async def list_groups_with_old(tx: Transaction, *, before: int, limit: int) -> list[str]:
    """Returns account groups that keep rejected rows of jobs which ended before that time."""
    rows = await tx.rows(_GROUPS_WITH_OLD_REJECTIONS, before=before, limit=limit)
    return [row["account_group_id"] for row in rows]


async def remove_old(tx: Transaction, *, before: int, limit: int) -> int:
    """Removes about `limit` rejected rows of jobs which ended before that time. Returns how many."""
    found = await tx.rows(_OLD_REJECTIONS, before=before, limit=limit)
    last_of_job = {row["job_id"]: row["number"] for row in found}
    return sum(
        [await tx.run(_PRUNE_REJECTIONS, job_id=job_id, number=number) for job_id, number in last_of_job.items()]
    )
