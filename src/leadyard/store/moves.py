"""Statements on the record of moves."""

from __future__ import annotations

from leadyard.ids import BEYOND_EVERY_ID, TOKEN_LENGTH
from leadyard.model import Move
from leadyard.store.db import Row, Statement, Transaction, from_document

_COLUMNS = """id, source_audience_id, target_audience_id, moved_count, already_in_target_count, moved_at, api_key_id,
    undone_by_move_id"""
_LIST = Statement(
    f"""SELECT {_COLUMNS} FROM moves WHERE account_group_id = :account_group_id AND id < :before
    ORDER BY id DESC LIMIT :limit"""
)
_FIND = Statement(f"SELECT {_COLUMNS}, lead_ids FROM moves WHERE account_group_id = :account_group_id AND id = :id")
_FIND_MADE = Statement(
    f"""SELECT {_COLUMNS}, lead_ids FROM moves WHERE account_group_id = :account_group_id AND id >= :since
    AND substr(id, {TOKEN_LENGTH + 1}) = :token ORDER BY id LIMIT 1"""
)
_FORGET_LEAD = Statement(
    """UPDATE moves SET lead_ids = array_replace(lead_ids, CAST(:lead_id AS text), CAST(:erased AS text))
    WHERE account_group_id = :account_group_id AND CAST(:lead_id AS text) = ANY(lead_ids)""",
    # The column is a JSON text of ids of one length in quotes, so replacing text replaces exactly one id.
    sqlite="""UPDATE moves SET lead_ids = replace(lead_ids, :lead_id, :erased)
    WHERE account_group_id = :account_group_id AND instr(lead_ids, :lead_id) > 0""",
)
ERASED_LEAD_ID = "0" * 24


async def list_newest_first(tx: Transaction, *, before: str | None, limit: int) -> list[Move]:
    """Returns at most `limit` moves, without their lead ids, from the last id below `before` on."""
    return [_move(row, None) for row in await tx.rows(_LIST, before=before or BEYOND_EVERY_ID, limit=limit)]


async def find(tx: Transaction, move_id: str) -> Move | None:
    """Returns the move with its lead ids, or None."""
    row = await tx.row(_FIND, id=move_id)
    return _move(row, tuple(from_document(row["lead_ids"]))) if row else None


async def find_made(tx: Transaction, planned: Move) -> Move | None:
    """Returns what became of a planned move, with its lead ids, or None: its id has the same end, and a time that is
    not before the planned one. Reads the moves made since, which are few a moment later."""
    # Not the time in the planned id: after a clock that stepped back that is later than `moved_at`, which counts.
    since, token = f"{planned.moved_at:012x}", planned.id[-TOKEN_LENGTH:]
    row = await tx.row(_FIND_MADE, since=since, token=token)
    return _move(row, tuple(from_document(row["lead_ids"]))) if row else None


async def forget_lead(tx: Transaction, lead_id: str) -> None:
    """Puts ERASED_LEAD_ID in the place of the lead's id in every record; the numbers stay what they were."""
    await tx.run(_FORGET_LEAD, lead_id=lead_id, erased=ERASED_LEAD_ID)


def _move(row: Row, lead_ids: tuple[str, ...] | None) -> Move:
    return Move(
        id=row["id"],
        source_audience_id=row["source_audience_id"],
        target_audience_id=row["target_audience_id"],
        moved_count=row["moved_count"],
        already_in_target_count=row["already_in_target_count"],
        moved_at=row["moved_at"],
        api_key_id=row["api_key_id"],
        undone_by_move_id=row["undone_by_move_id"],
        lead_ids=lead_ids,
    )
