"""Statements on the parts of a change that a job makes completely or not at all.

The job first writes what it is going to do: parts that are planned. A planned part is not an event, whatever its lists
contain. The transaction that does it fills the lists and clears the mark. To take the change back, the job reads the
parts from the last one on, and removes each.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from leadyard.database import Transaction
from leadyard.ids import id_of, key_of, keys_of
from leadyard.model import Effect
from leadyard.store.changes import lists_of
from leadyard.store.db import Row, Statement, from_document

LEADS_A_PART = 10_000
LeadKeys: TypeAlias = "array[int]"
"""Some leads of a selection, in order of id, at most LEADS_A_PART. Only the store reads them."""

_INSERT = Statement(
    """INSERT INTO change_parts (account_group_id, change_id, position, changed_at, created_count, is_planned, lead_ids,
        left_at, entered_at)
    VALUES (:account_group_id, :change_id, :position, :changed_at, :created_count, true, :lead_ids[bigint],
        :left_at[bigint], :entered_at[bigint])"""
)
_MINE = "account_group_id = :account_group_id AND change_id = :change_id"
_COLUMNS = "position, created_count, is_planned, changed_at, lead_ids, left_at, entered_at"
_FIND = Statement(f"SELECT {_COLUMNS} FROM change_parts WHERE {_MINE} AND position = :position")
_LAST = Statement(f"SELECT {_COLUMNS} FROM change_parts WHERE {_MINE} ORDER BY position DESC LIMIT 1")
_DONE = Statement(
    f"""UPDATE change_parts SET is_planned = false, left_at = :left_at[bigint], entered_at = :entered_at[bigint]
    WHERE {_MINE} AND position = :position"""
)
_KEYS = Statement(f"SELECT lead_ids FROM change_parts WHERE {_MINE} AND position = :position AND is_planned")
_ALL_MOVED = Statement(
    f"""UPDATE change_parts SET is_planned = false, left_at = :left_at[bigint], entered_at = NULL
    WHERE {_MINE} AND position = :position"""
)
_NEEDS_REVERSAL = Statement(
    f"SELECT position FROM change_parts WHERE {_MINE} AND (NOT is_planned OR created_count > 0) LIMIT 1"
)
_REMOVE = Statement(f"DELETE FROM change_parts WHERE {_MINE} AND position = :position")
_REMOVE_ALL = Statement(f"DELETE FROM change_parts WHERE {_MINE}")
_REMOVE_CHANGE = Statement(
    "DELETE FROM changes WHERE account_group_id = :account_group_id AND id = :change_id AND state = 'open'"
)
# Reads all leads of the change, so with a long list.
_CONTAINED = Statement(
    """SELECT DISTINCT u.lead_id FROM change_parts p CROSS JOIN LATERAL unnest(p.lead_ids) AS u(lead_id)
    WHERE p.account_group_id = :account_group_id AND p.change_id = :change_id
    AND u.lead_id IN (SELECT w.lead_id FROM unnest(:lead_ids[bigint]) AS w(lead_id))""",
    sqlite="""SELECT DISTINCT u.value AS lead_id FROM change_parts p CROSS JOIN json_each(p.lead_ids) AS u
    WHERE p.account_group_id = :account_group_id AND p.change_id = :change_id AND u.value IN :lead_ids[bigint]""",
)
# A change of a job has no entry in the index before it is complete, so only the few changes without entries are read.
_TAKEN_OUT = Statement(
    """SELECT c.source_audience_id, c.job_id FROM changes c CROSS JOIN LATERAL (
        SELECT lead_ids FROM change_parts WHERE account_group_id = :account_group_id AND change_id = c.id
        AND NOT is_planned AND left_at IS NOT NULL OFFSET 0) p
    WHERE c.account_group_id = :account_group_id AND NOT c.is_indexed AND c.state = 'open'
    AND p.lead_ids && :lead_ids[bigint] ORDER BY c.id LIMIT 1""",
    sqlite="""SELECT c.source_audience_id, c.job_id FROM changes c
    JOIN change_parts p ON p.account_group_id = c.account_group_id AND p.change_id = c.id
    WHERE c.account_group_id = :account_group_id AND NOT c.is_indexed AND c.state = 'open'
    AND NOT p.is_planned AND p.left_at IS NOT NULL
    AND EXISTS (SELECT 1 FROM json_each(:lead_ids) AS u WHERE instr(p.lead_ids, CAST(u.value AS text)) > 0)
    ORDER BY c.id LIMIT 1""",
)
_COUNT = Statement(
    """UPDATE changes SET lead_count = lead_count + CAST(:leads AS bigint),
    already_in_target_count = already_in_target_count + CAST(:already AS bigint)
    WHERE account_group_id = :account_group_id AND id = :change_id"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a change. The lists of its effect are as they are stored: a list is None if nothing is known, or if
    all leads entered the target at `changed_at`. The id of an erased lead is ERASED_ID. The first `created_count` leads
    were brought back into the account group for this part."""

    position: int
    created_count: int
    is_planned: bool
    changed_at: int
    effect: Effect


async def insert_keys(tx: Transaction, change_id: str, keys: LeadKeys, *, position: int, changed_at: int) -> None:
    """Writes a planned part of which only the leads are known."""
    await _insert(tx, change_id, list(keys), position, changed_at)


async def insert(
    tx: Transaction, change_id: str, effect: Effect, *, position: int, changed_at: int, created_count: int
) -> None:
    """Writes a planned part with its lists."""
    await _insert(
        tx,
        change_id,
        keys_of(effect.lead_ids),
        position,
        changed_at,
        created_count=created_count,
        left_at=_list(effect.left_at),
        entered_at=_list(effect.entered_at),
    )


async def find(tx: Transaction, change_id: str, *, position: int) -> Part | None:
    """Returns the part that begins at this position, or None."""
    row = await tx.row(_FIND, change_id=key_of(change_id), position=position)
    return _part(row) if row else None


async def find_last(tx: Transaction, change_id: str) -> Part | None:
    """Returns the last part, or None without any."""
    row = await tx.row(_LAST, change_id=key_of(change_id))
    return _part(row) if row else None


async def mark_done(tx: Transaction, change_id: str, part: Part, effect: Effect) -> None:
    """Writes what was done to the leads of the part, which is an event from now on."""
    lists = lists_of(effect, part.changed_at)
    del lists["lead_ids"]
    await tx.run(_DONE, change_id=key_of(change_id), position=part.position, **lists)


async def find_keys(tx: Transaction, change_id: str, *, position: int) -> list[int]:
    """Returns the keys of the leads of the planned part that begins at this position, none without a part. In this
    form a part of leads that have much in common goes through the service without being read."""
    row = await tx.row(_KEYS, change_id=key_of(change_id), position=position)
    return from_document(row["lead_ids"]) if row else []


async def mark_all_moved(tx: Transaction, change_id: str, *, position: int, left_at: list[int]) -> None:
    """Writes that all leads of the part have left the source, with their times, and entered the target."""
    await tx.run(_ALL_MOVED, change_id=key_of(change_id), position=position, left_at=left_at)


async def needs_reversal(tx: Transaction, change_id: str) -> bool:
    """Returns whether a part was done, or has brought people back into the account group."""
    return await tx.row(_NEEDS_REVERSAL, change_id=key_of(change_id)) is not None


async def list_contained(tx: Transaction, change_id: str, lead_ids: Sequence[str]) -> set[str]:
    """Returns the leads that the parts of the change list."""
    rows = await tx.rows(_CONTAINED, change_id=key_of(change_id), lead_ids=keys_of(lead_ids))
    return {id_of(row["lead_id"]) for row in rows}


async def find_taken_out(tx: Transaction, lead_ids: Sequence[str]) -> tuple[str, str] | None:
    """Returns (audience id, job id) of a job that has taken one of the leads out of the audience, and may still take
    that back, or None."""
    row = await tx.row(_TAKEN_OUT, lead_ids=keys_of(lead_ids))
    return (id_of(row["source_audience_id"]), id_of(row["job_id"])) if row else None


async def remove(tx: Transaction, change_id: str, *, position: int) -> None:
    """Removes the part that begins at this position."""
    await tx.run(_REMOVE, change_id=key_of(change_id), position=position)


async def remove_change(tx: Transaction, change_id: str) -> None:
    """Removes an open change with all its parts, none of which is done."""
    await tx.run(_REMOVE_ALL, change_id=key_of(change_id))
    await tx.run(_REMOVE_CHANGE, change_id=key_of(change_id))


async def count(tx: Transaction, change_id: str, *, leads: int = 0, already: int = 0) -> None:
    """Adds to the number of leads of the change, and of those that were in the target before."""
    await tx.run(_COUNT, change_id=key_of(change_id), leads=leads, already=already)


async def _insert(
    tx: Transaction,
    change_id: str,
    keys: list[int],
    position: int,
    changed_at: int,
    *,
    created_count: int = 0,
    left_at: list[int | None] | None = None,
    entered_at: list[int | None] | None = None,
) -> None:
    await tx.run(
        _INSERT,
        change_id=key_of(change_id),
        position=position,
        changed_at=changed_at,
        created_count=created_count,
        lead_ids=keys,
        left_at=left_at,
        entered_at=entered_at,
    )


def _list(values: Sequence[int | None] | None) -> list[int | None] | None:
    return None if values is None else list(values)


def _part(row: Row) -> Part:
    left_at, entered_at = from_document(row["left_at"]), from_document(row["entered_at"])
    return Part(
        position=row["position"],
        created_count=row["created_count"],
        is_planned=bool(row["is_planned"]),
        changed_at=row["changed_at"],
        effect=Effect(
            lead_ids=tuple(map(id_of, from_document(row["lead_ids"]))),
            left_at=None if left_at is None else tuple(left_at),
            entered_at=None if entered_at is None else tuple(entered_at),
        ),
    )
