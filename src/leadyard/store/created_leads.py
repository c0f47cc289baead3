"""Statements that find the import which has created a lead.

An entry in change_subjects for each of these leads would take 90 bytes, nearly a tenth of what PostgreSQL stores for a
person. But the ids of the leads of a batch are of the same milliseconds. So the index has an entry for each *span* of
time from which the change has leads, and a part contains its first and its last new lead. A reader finds the changes
of the span, which are few, and looks for the lead in the parts that may contain it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from leadyard.database import Transaction
from leadyard.ids import NUMBER_BITS, key_of
from leadyard.store.changes import COLUMNS, COLUMNS_INSIDE
from leadyard.store.db import Row, Statement, from_document

# 128 ms. A batch creates its leads in one or two of these. The number of a kind is smaller than any span, and the key
# of a lead is larger, so each subject in the index has only one meaning.
_SPAN_BITS = NUMBER_BITS + 7

_MAY_CONTAIN = "p.first_created_id <= CAST(:lead_id AS bigint) AND p.last_created_id >= CAST(:lead_id AS bigint)"
_PARTS = "SELECT 1 FROM change_parts p WHERE p.account_group_id = :account_group_id AND p.change_id = c.id"
_IN_SPAN = """s.account_group_id = :account_group_id AND s.subject = :span
    AND s.change_id > CAST(:after AS bigint) AND s.change_id < CAST(:before AS bigint)"""
_FITS = """c.state <> 'open' AND (CAST(:kind AS text) IS NULL OR c.kind = :kind)
    AND (CAST(:audience_id AS bigint) IS NULL OR c.target_audience_id = :audience_id)
    AND (c.job_id IS NULL OR CAST(:without_jobs AS integer) = 0)"""
_LIST = Statement(
    f"""SELECT {COLUMNS} FROM change_subjects s CROSS JOIN LATERAL (SELECT {COLUMNS_INSIDE} FROM changes
        WHERE account_group_id = :account_group_id AND id = s.change_id LIMIT 1 OFFSET 0) c
    WHERE {_IN_SPAN} AND {_FITS} AND EXISTS ({_PARTS} AND {_MAY_CONTAIN}
        AND CAST(:lead_id AS bigint) = ANY(p.lead_ids) LIMIT 1 OFFSET 0)
    ORDER BY s.change_id DESC LIMIT :limit""",
    # The lists are JSON texts, in which a key with 19 digits is found exactly.
    sqlite=f"""SELECT {COLUMNS} FROM change_subjects s CROSS JOIN changes c
    WHERE c.account_group_id = :account_group_id AND c.id = s.change_id AND {_IN_SPAN} AND {_FITS}
    AND EXISTS ({_PARTS} AND {_MAY_CONTAIN} AND instr(p.lead_ids, CAST(:lead_id AS text)) > 0)
    ORDER BY s.change_id DESC LIMIT :limit""",
)
_OF_SPAN = Statement(
    "SELECT change_id FROM change_subjects WHERE account_group_id = :account_group_id AND subject = :span"
)
_CREATED_IN = """FROM change_parts WHERE account_group_id = :account_group_id AND change_id = :change_id
    AND created_count > 0 AND first_created_id <= CAST(:highest AS bigint)
    AND last_created_id >= CAST(:lowest AS bigint)"""
_RANGES = Statement(f"SELECT position, first_created_id, last_created_id {_CREATED_IN} ORDER BY position")
_CREATED_AT = Statement(
    """SELECT created_count, lead_ids FROM change_parts WHERE account_group_id = :account_group_id
    AND change_id = :change_id AND position IN :positions[bigint]"""
)


def spans_of(lead_keys: Iterable[int]) -> set[int]:
    """Returns the subjects for leads that a change has created."""
    return {key >> _SPAN_BITS for key in lead_keys if key}


async def list_changes(tx: Transaction, lead_key: int, **values: Any) -> list[Row]:
    """Returns the rows of the imports that have created the lead, of which there is one at most, unless people were
    merged. `values` are those that change_subjects.py selects by."""
    [span] = spans_of([lead_key])
    return await tx.rows(_LIST, lead_id=lead_key, span=span, **values)


async def list_possible(tx: Transaction, lead_key: int) -> list[int]:
    """Returns the keys of the changes that may have created the lead."""
    [span] = spans_of([lead_key])
    return [row["change_id"] for row in await tx.rows(_OF_SPAN, span=span)]


async def find_created(tx: Transaction, change_id: str, lead_keys: Collection[int]) -> set[int]:
    """Returns the leads among these that an earlier batch of this import has created. Reads few parts, whose leads are
    of the same time."""
    if not lead_keys:
        return set()
    ends = {"lowest": min(lead_keys), "highest": max(lead_keys)}
    ranges = await tx.rows(_RANGES, change_id=key_of(change_id), **ends)
    positions = [
        row["position"]
        for row in ranges
        if any(row["first_created_id"] <= key <= row["last_created_id"] for key in lead_keys)
    ]
    if not positions:
        return set()
    rows = await tx.rows(_CREATED_AT, change_id=key_of(change_id), positions=positions)
    created = {key for row in rows for key in from_document(row["lead_ids"])[: row["created_count"]]}
    return created.intersection(lead_keys)
