"""Statements on the moves in the record of changes."""

from __future__ import annotations

from leadyard.database import Transaction
from leadyard.ids import NUMBER_BITS, id_of, key_of
from leadyard.model import Change, Move
from leadyard.store.changes import COLUMNS, change_from
from leadyard.store.db import Row, Statement, from_document

# Only what move-leads has done. The move of a job has no limit of leads.
_MINE = "c.account_group_id = :account_group_id AND c.kind = 'move' AND c.job_id IS NULL"
_FIND = Statement(f"SELECT {COLUMNS}, c.lead_ids FROM changes c WHERE {_MINE} AND c.id = :id")
_FIND_MADE = Statement(
    f"""SELECT {COLUMNS}, c.lead_ids FROM changes c WHERE {_MINE} AND c.id >= :since AND c.attempt = :attempt
    ORDER BY c.id LIMIT 1"""
)


async def find(tx: Transaction, move_id: str) -> Move | None:
    """Returns the move with its lead ids, or None."""
    row = await tx.row(_FIND, id=key_of(move_id))
    return _move(row) if row else None


async def find_made(tx: Transaction, planned: Move) -> Move | None:
    """Returns the move that was made of a planned one, with its lead ids, or None. It is of the same attempt, and has a
    time not before the planned one. Reads the moves made since then, of which there are few a moment later."""
    # Not the time in the planned id, which is later than `moved_at` if the clock has stepped back.
    row = await tx.row(_FIND_MADE, since=planned.moved_at << NUMBER_BITS, attempt=planned.attempt)
    return _move(row) if row else None


def move_of(change: Change, lead_ids: tuple[str, ...] | None = None) -> Move:
    """Returns the change as a move, which it must be."""
    assert change.source_audience_id is not None and change.target_audience_id is not None
    return Move(
        id=change.id,
        source_audience_id=change.source_audience_id,
        target_audience_id=change.target_audience_id,
        moved_count=change.lead_count,
        already_in_target_count=change.already_in_target_count,
        moved_at=change.changed_at,
        api_key_id=change.api_key_id,
        undone_by_move_id=change.undone_by_change_id,
        lead_ids=lead_ids,
    )


def _move(row: Row) -> Move:
    return move_of(change_from(row), tuple(map(id_of, from_document(row["lead_ids"]) or ())))
