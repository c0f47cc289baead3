"""Statements on leads that are probably one person.

A transaction that writes leads notes their ids in one row, and the housekeeping compares them later. So an import does
not write several index entries for each person (docs/decisions/0041).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from leadyard.database import Transaction
from leadyard.ids import BEYOND_EVERY_KEY, NUMBER_BITS, id_of, key_of, keys_of, new_id
from leadyard.model import DuplicateKey, DuplicateReason
from leadyard.store.account_groups import KEY_OF_GROUP
from leadyard.store.db import Row, Statement, from_document

_REASONS = tuple(DuplicateReason)
_NUMBER_OF_REASON = {reason: number for number, reason in enumerate(_REASONS)}

_NOTE = Statement(
    """INSERT INTO leads_to_compare (account_group_id, id, is_range, lead_ids)
    VALUES (:account_group_id, :id, CAST(:is_range AS boolean), :lead_ids[bigint])"""
)
_IN_RANGE = Statement(
    """SELECT id FROM leads WHERE account_group_id = :account_group_id AND id BETWEEN :first AND :last
    ORDER BY id"""
)
# The id of a note begins with its time.
_GROUPS = Statement(
    f"""SELECT {KEY_OF_GROUP} FROM (SELECT account_group_id FROM leads_to_compare GROUP BY account_group_id
        HAVING max(id) < :last_before OR min(id) < :first_before ORDER BY account_group_id LIMIT :limit) AS found""",
    across_groups=True,
)
# One process at a time compares the leads of an account group. Two that each add one of two leads would not see that
# these have a key in common.
_OWN_ROW = "SELECT id FROM account_groups WHERE id = :account_group_id ORDER BY id FOR NO KEY UPDATE"
_LOCK_GROUP = Statement(f"{_OWN_ROW} SKIP LOCKED", across_groups=True)
_WAIT_FOR_GROUP = Statement(_OWN_ROW, across_groups=True)
_NOTED = Statement(
    """SELECT id, is_range, lead_ids FROM leads_to_compare WHERE account_group_id = :account_group_id
    ORDER BY id LIMIT :limit"""
)
# The lock that a foreign key would take: only an erasure, an edit or a merge conflicts with it.
_KEEP_FREE = Statement(
    """SELECT id FROM leads WHERE account_group_id = :account_group_id AND id IN :ids[bigint]
    ORDER BY id FOR KEY SHARE SKIP LOCKED"""
)
_FORGET_NOTES = Statement(
    "DELETE FROM leads_to_compare WHERE account_group_id = :account_group_id AND id IN :ids[bigint]"
)
_FORGET = Statement(
    """DELETE FROM duplicate_keys WHERE account_group_id = :account_group_id AND lead_id IN :lead_ids[bigint]
    RETURNING reason, hash"""
)
_PRUNE = Statement(
    """DELETE FROM duplicate_groups WHERE account_group_id = :account_group_id
    AND (reason, hash) IN (SELECT r.reason, r.hash FROM :rows{reason integer, hash bigint} AS r)
    AND (SELECT count(*) FROM (SELECT 1 FROM duplicate_keys k WHERE k.account_group_id = :account_group_id
        AND k.reason = duplicate_groups.reason AND k.hash = duplicate_groups.hash LIMIT 2) AS members) < 2"""
)
_ADD = Statement(
    """INSERT INTO duplicate_keys (account_group_id, reason, hash, lead_id)
    SELECT :account_group_id, r.reason, r.hash, r.lead_id
    FROM :rows{reason integer, hash bigint, lead_id bigint} AS r WHERE true ON CONFLICT DO NOTHING RETURNING lead_id"""
)
_SHARED = Statement(
    """SELECT r.reason, r.hash FROM :rows{reason integer, hash bigint, lead_id bigint} AS r
    WHERE EXISTS (SELECT 1 FROM duplicate_keys k WHERE k.account_group_id = :account_group_id AND k.reason = r.reason
        AND k.hash = r.hash AND k.lead_id <> r.lead_id LIMIT 1 OFFSET 0)"""
)
_ADD_GROUPS = Statement(
    """INSERT INTO duplicate_groups (account_group_id, reason, hash) SELECT :account_group_id, r.reason, r.hash
    FROM :rows{reason integer, hash bigint} AS r WHERE true ON CONFLICT DO NOTHING RETURNING hash"""
)
_LIST = Statement(
    """SELECT reason, hash FROM duplicate_groups WHERE account_group_id = :account_group_id
    AND (reason, hash) > (CAST(:reason AS integer), CAST(:hash AS bigint)) ORDER BY reason, hash LIMIT :limit"""
)
_MEMBERS = Statement(
    """SELECT r.reason, r.hash, k.lead_id FROM :rows{reason integer, hash bigint} AS r CROSS JOIN LATERAL (
        SELECT lead_id FROM duplicate_keys WHERE account_group_id = :account_group_id AND reason = r.reason
        AND hash = r.hash ORDER BY lead_id LIMIT :most) k""",
    # SQLite has no LATERAL. It looks up the last of these leads first.
    sqlite=f"""SELECT r.reason, r.hash, k.lead_id FROM :rows{{reason integer, hash bigint}} AS r
    CROSS JOIN duplicate_keys k WHERE k.account_group_id = :account_group_id AND k.reason = r.reason AND k.hash = r.hash
    AND k.lead_id <= COALESCE((SELECT o.lead_id FROM duplicate_keys o WHERE o.account_group_id = :account_group_id
        AND o.reason = r.reason AND o.hash = r.hash ORDER BY o.lead_id LIMIT 1 OFFSET :most - 1),
        {BEYOND_EVERY_KEY})""",
)


class Note(NamedTuple):
    """Leads that a transaction has written, and that have not been compared since."""

    key: int
    lead_ids: list[str]


async def note(tx: Transaction, lead_keys: Sequence[int]) -> None:
    """Notes leads that this transaction writes, so that the housekeeping compares them."""
    await tx.run(_NOTE, id=key_of(new_id()), is_range=False, lead_ids=list(lead_keys))


async def note_new(tx: Transaction, lead_keys: Sequence[int]) -> None:
    """Notes leads that this transaction creates, by the range of their keys. Leads of other transactions in the range
    are compared twice, which changes nothing."""
    await tx.run(_NOTE, id=key_of(new_id()), is_range=True, lead_ids=[min(lead_keys), max(lead_keys)])


async def list_groups(tx: Transaction, *, last_before: int, first_before: int, limit: int) -> list[str]:
    """Returns ids of account groups with leads to compare: those whose last note is older than the one time, or whose
    first note is older than the other (milliseconds)."""
    oldest = {"last_before": last_before << NUMBER_BITS, "first_before": first_before << NUMBER_BITS}
    return [id_of(row["key"]) for row in await tx.rows(_GROUPS, limit=limit, **oldest)]


async def lock_notes(tx: Transaction, *, limit: int, leads: int) -> list[Note]:
    """Returns the oldest notes of the account group, at most `limit` with about so many leads, none if another process
    is at work on them."""
    if await tx.row(_LOCK_GROUP) is None:
        return []
    rows = await tx.rows(_NOTED, limit=limit)
    notes: list[Note] = []
    for row in rows:
        keys = from_document(row["lead_ids"])
        if row["is_range"]:
            keys = [each["id"] for each in await tx.rows(_IN_RANGE, first=keys[0], last=keys[1])]
        notes.append(Note(row["id"], list(map(id_of, keys))))
        leads -= len(notes[-1].lead_ids)
        if leads <= 0:
            break
    return notes


async def keep_free(tx: Transaction, lead_ids: Sequence[str]) -> set[str]:
    """Locks those of the leads that no other transaction has locked, so that none of them is erased before this one
    ends, and returns them. It does not wait, because an erasure waits for this process while it has locked its lead."""
    return {id_of(row["id"]) for row in await tx.rows(_KEEP_FREE, ids=[key_of(lead_id) for lead_id in lead_ids])}


async def replace_keys(tx: Transaction, lead_ids: Sequence[str], keys: Mapping[str, set[DuplicateKey]]) -> None:
    """Replaces the keys of the leads, and enters the groups that have two leads now. The leads in `keys` are locked
    against erasure; the others are gone."""
    before = await tx.rows(_FORGET, lead_ids=[key_of(lead_id) for lead_id in lead_ids])
    rows = sorted(
        (_NUMBER_OF_REASON[key.reason], key.hash, key_of(lead_id)) for lead_id, own in keys.items() for key in own
    )
    documents = [{"reason": reason, "hash": hash, "lead_id": lead} for reason, hash, lead in rows]
    await tx.rows(_ADD, rows=documents)
    shared = await tx.rows(_SHARED, rows=documents)
    await tx.rows(_ADD_GROUPS, rows=[{"reason": row["reason"], "hash": row["hash"]} for row in shared])
    await _prune(tx, before)


async def forget_notes(tx: Transaction, notes: Sequence[Note]) -> None:
    """Removes the notes."""
    await tx.run(_FORGET_NOTES, ids=[note.key for note in notes])


async def forget(tx: Transaction, lead_ids: Sequence[str]) -> None:
    """Removes the keys of locked leads, and the groups that end with them. Waits for a process that compares leads."""
    await tx.rows(_WAIT_FOR_GROUP)
    await _prune(tx, await tx.rows(_FORGET, lead_ids=keys_of(lead_ids)))


async def _prune(tx: Transaction, keys: Sequence[Row]) -> None:
    """Removes the groups of these keys that have one lead or none."""
    if keys:
        await tx.run(_PRUNE, rows=[{"reason": row["reason"], "hash": row["hash"]} for row in keys])


async def list_shared(tx: Transaction, *, after: DuplicateKey | None, limit: int) -> list[DuplicateKey]:
    """Returns at most `limit` keys that two leads have had in common, after `after`, most certain reason first."""
    reason, hash = (_NUMBER_OF_REASON[after.reason], after.hash) if after else (-1, 0)
    rows = await tx.rows(_LIST, reason=reason, hash=hash, limit=limit)
    return [DuplicateKey(_REASONS[row["reason"]], row["hash"]) for row in rows]


async def list_members(tx: Transaction, keys: Sequence[DuplicateKey], *, most: int) -> dict[DuplicateKey, list[str]]:
    """Returns the ids of the first `most` leads that have each key, oldest first."""
    rows = [{"reason": _NUMBER_OF_REASON[key.reason], "hash": key.hash} for key in keys]
    members: dict[DuplicateKey, list[str]] = {key: [] for key in keys}
    for row in await tx.rows(_MEMBERS, rows=rows, most=most):
        members[DuplicateKey(_REASONS[row["reason"]], row["hash"])].append(id_of(row["lead_id"]))
    return {key: sorted(ids) for key, ids in members.items()}
