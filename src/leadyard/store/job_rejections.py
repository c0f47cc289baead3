"""Statements on the rows that prospecting jobs have rejected, and on the notes on rows that they have imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadyard.database import Transaction
from leadyard.ids import id_of, key_of, key_or_none
from leadyard.model import MAX_STORED_REJECTIONS, RejectedRow
from leadyard.store.account_groups import KEY_OF_GROUP
from leadyard.store.db import Statement, from_document
from leadyard.store.job_status import ENDED_J

_LAST_REJECTION = Statement(
    """SELECT number, note_count FROM job_rejections WHERE account_group_id = :account_group_id AND job_id = :job_id
    ORDER BY number DESC LIMIT 1"""
)
_INSERT_REJECTIONS = Statement(
    """INSERT INTO job_rejections (account_group_id, job_id, number, line, code, message, cells, is_note, note_count,
        lead_id)
    SELECT :account_group_id, CAST(:job_id AS bigint), r.number, r.line, r.code, r.message, r.cells, r.is_note,
        r.note_count, r.lead_id
    FROM :rows{number bigint, line bigint, code text, message text, cells jsonb, is_note boolean, note_count bigint,
        lead_id bigint} AS r"""
)
_LIST_REJECTIONS = Statement(
    """SELECT number, line, code, message, cells, is_note FROM job_rejections
    WHERE account_group_id = :account_group_id AND job_id = :job_id AND number > :after
    AND is_note <= CAST(:notes AS boolean) ORDER BY number LIMIT :limit"""
)
_GROUPS_WITH_OLD_REJECTIONS = Statement(
    f"""SELECT {KEY_OF_GROUP} FROM (SELECT DISTINCT j.account_group_id FROM jobs j WHERE {ENDED_J}
        AND j.updated_at < :before AND EXISTS (SELECT 1 FROM job_rejections r
            WHERE r.account_group_id = j.account_group_id AND r.job_id = j.id)
        ORDER BY j.account_group_id LIMIT :limit) AS found""",
    across_groups=True,
)
_OLD_REJECTIONS = Statement(
    f"""SELECT r.job_id, r.number FROM jobs j JOIN job_rejections r
    ON r.account_group_id = j.account_group_id AND r.job_id = j.id
    WHERE j.account_group_id = :account_group_id AND {ENDED_J} AND j.updated_at < :before
    ORDER BY r.job_id, r.number LIMIT :limit"""
)
_FORGET_LEAD = Statement("DELETE FROM job_rejections WHERE account_group_id = :account_group_id AND lead_id = :lead_id")
_RENAME_LEAD = Statement(
    """UPDATE job_rejections SET lead_id = :new_id
    WHERE account_group_id = :account_group_id AND lead_id = :lead_id"""
)
_PRUNE_REJECTIONS = Statement(
    """DELETE FROM job_rejections WHERE account_group_id = :account_group_id AND job_id = :job_id
    AND number <= :number"""
)


async def insert(tx: Transaction, job_id: str, remarks: Sequence[RejectedRow]) -> None:
    """Stores rejected and noted rows of a held job in this order, up to 100,000 of each per job. Further ones are only
    counted."""
    if not remarks:
        return
    last = await tx.row(_LAST_REJECTION, job_id=key_of(job_id))
    rows = _kept(remarks, number=last["number"] if last else 0, notes=last["note_count"] if last else 0)
    if rows:
        await tx.run(_INSERT_REJECTIONS, job_id=key_of(job_id), rows=rows)


def _kept(remarks: Sequence[RejectedRow], *, number: int, notes: int) -> list[dict[str, Any]]:
    """Returns the rows to store behind these numbers of rows and of notes."""
    rows = []
    for row in remarks:
        if (notes if row.is_note else number - notes) >= MAX_STORED_REJECTIONS:
            continue
        number, notes = number + 1, notes + row.is_note
        rows.append(
            {
                "number": number,
                "line": row.line,
                "code": row.code,
                "message": row.message,
                "cells": list(row.cells),
                "is_note": row.is_note,
                "note_count": notes,
                "lead_id": key_or_none(row.lead_id),
            }
        )
    return rows


async def list_after(
    tx: Transaction, job_id: str, *, notes: bool, after: int, limit: int
) -> list[tuple[int, RejectedRow]]:
    """Returns at most `limit` rejected rows with numbers after `after`, in order, together with their numbers, and the
    notes among them if they are wanted."""
    rows = await tx.rows(_LIST_REJECTIONS, job_id=key_of(job_id), notes=notes, after=after, limit=limit)
    return [
        (
            row["number"],
            RejectedRow(
                line=row["line"],
                code=row["code"],
                message=row["message"],
                cells=tuple(from_document(row["cells"])),
                is_note=bool(row["is_note"]),
            ),
        )
        for row in rows
    ]


async def forget_lead(tx: Transaction, lead_id: str) -> None:
    """Removes the notes on a person who is erased."""
    await tx.run(_FORGET_LEAD, lead_id=key_of(lead_id))


async def rename_lead(tx: Transaction, lead_id: str, new_id: str) -> None:
    """Makes the notes on a lead notes on the lead into which it is merged."""
    await tx.run(_RENAME_LEAD, lead_id=key_of(lead_id), new_id=key_of(new_id))


async def list_groups_with_old(tx: Transaction, *, before: int, limit: int) -> list[str]:
    """Returns account groups with rejected rows of jobs that ended before that time."""
    rows = await tx.rows(_GROUPS_WITH_OLD_REJECTIONS, before=before, limit=limit)
    return [id_of(row["key"]) for row in rows]


async def remove_old(tx: Transaction, *, before: int, limit: int) -> int:
    """Removes about `limit` rejected rows of jobs that ended before that time. Returns the number removed."""
    found = await tx.rows(_OLD_REJECTIONS, before=before, limit=limit)
    last_of_job = {row["job_id"]: row["number"] for row in found}
    return sum(
        [await tx.run(_PRUNE_REJECTIONS, job_id=job_id, number=number) for job_id, number in last_of_job.items()]
    )
