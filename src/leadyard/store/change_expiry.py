"""Statements that remove the lead ids of old changes. Each account group has a mark: all changes before it are done."""

from __future__ import annotations

from leadyard.database import Transaction
from leadyard.ids import NUMBER_BITS, id_of, key_of
from leadyard.store.created_leads import spans_of
from leadyard.store.db import Statement, from_document
from leadyard.store.replaced_values import FORGET_CHANGE

_GROUPS = Statement(
    """SELECT key FROM account_groups WHERE changes_expired_before < CAST(:before AS bigint)
    AND key > CAST(:after AS bigint) ORDER BY key LIMIT :limit""",
    across_groups=True,
)
_LOCK_GROUP = Statement(
    """SELECT id, changes_expired_before FROM account_groups WHERE id = :account_group_id
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED""",
    across_groups=True,
)
_SET_MARK = Statement(
    "UPDATE account_groups SET changes_expired_before = :before WHERE id = :account_group_id", across_groups=True
)
_OLD = Statement(
    """SELECT c.id, c.state, c.is_indexed, c.lead_ids, (SELECT max(p.changed_at) FROM change_parts p
        WHERE p.account_group_id = :account_group_id AND p.change_id = c.id) AS ended_at
    FROM changes c WHERE c.account_group_id = :account_group_id
    AND c.id >= CAST(:first AS bigint) AND c.id < CAST(:before AS bigint) ORDER BY c.id LIMIT :limit FOR UPDATE"""
)
_PARTS = Statement(
    """SELECT position, first_created_id, last_created_id, lead_ids FROM change_parts
    WHERE account_group_id = :account_group_id AND change_id = :change_id ORDER BY position LIMIT 1"""
)
_REMOVE_PART = Statement(
    """DELETE FROM change_parts WHERE account_group_id = :account_group_id AND change_id = :change_id
    AND position = :position"""
)
_REMOVE_SUBJECTS = Statement(
    """DELETE FROM change_subjects WHERE account_group_id = :account_group_id AND subject IN :subjects[bigint]
    AND change_id = :change_id"""
)
# The people that it, as the undo of an import, has taken out of the account group.
_FORGET_WITHDRAWN = Statement(
    "DELETE FROM withdrawn_leads WHERE account_group_id = :account_group_id AND change_id = :change_id"
)
_EXPIRE = Statement(
    """UPDATE changes SET state = 'expired', lead_ids = NULL, left_at = NULL, entered_at = NULL
    WHERE account_group_id = :account_group_id AND id = :change_id"""
)


async def list_groups(tx: Transaction, *, before: int, after: str | None, limit: int) -> list[str]:
    """Returns ids of account groups with changes before that time that may not have expired, in order of id, after the
    given one."""
    first = 0 if after is None else key_of(after)
    rows = await tx.rows(_GROUPS, before=before << NUMBER_BITS, after=first, limit=limit)
    return [id_of(row["key"]) for row in rows]


async def expire_some(tx: Transaction, *, before: int, limit: int) -> int:
    """Removes the lead ids of the oldest changes before that time, at most `limit`. Returns how many changes it looked
    at. A change that is not complete or not in the index yet ends the batch, and so does an import with a part that is
    not so old: its members would be younger than the mark, and the check-up would miss the change that added them."""
    group = await tx.row(_LOCK_GROUP)
    if group is None:
        return 0
    first, last = group["changes_expired_before"], before << NUMBER_BITS
    old = await tx.rows(_OLD, first=first, before=last, limit=limit)
    mark, done = (last if len(old) < limit else old[-1]["id"] + 1), 0
    for row in old:
        if row["state"] == "open" or not row["is_indexed"] or (row["ended_at"] or 0) >= before:
            mark = row["id"]
            break
        if row["state"] == "complete":
            await _expire(tx, row["id"], from_document(row["lead_ids"]))
        done += 1
    await tx.run(_SET_MARK, before=mark)
    return done


async def _expire(tx: Transaction, change_key: int, lead_keys: list[int] | None) -> None:
    if lead_keys is not None:
        await tx.run(_REMOVE_SUBJECTS, change_id=change_key, subjects=lead_keys)
    while (part := await tx.row(_PARTS, change_id=change_key)) is not None:
        keys = from_document(part["lead_ids"])
        # Also if all leads of a span were erased since. Then only the first or the last one still has it.
        ends = [key for key in (part["first_created_id"], part["last_created_id"]) if key is not None]
        subjects = sorted({*keys, *(spans_of([*keys, *ends]) if ends else ())})
        await tx.run(_REMOVE_SUBJECTS, change_id=change_key, subjects=subjects)
        await tx.run(_REMOVE_PART, change_id=change_key, position=part["position"])
    await tx.run(_FORGET_WITHDRAWN, change_id=change_key)
    await tx.run(FORGET_CHANGE, change_id=change_key)
    await tx.run(_EXPIRE, change_id=change_key)
