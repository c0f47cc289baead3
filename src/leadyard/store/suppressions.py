"""Statements on suppressions: hashes of the identities of people who must not come back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from leadyard.database import Transaction
from leadyard.ids import BEYOND_EVERY_KEY, id_of, key_of
from leadyard.model import Suppression
from leadyard.store.db import Row, Statement

_MINE = "WHERE account_group_id = :account_group_id"
VERSION = f"SELECT version FROM suppression_lists {_MINE}"
KEY_CHECK = f"SELECT key_check FROM suppression_lists {_MINE}"
# Locks the row of the account group, so that additions to one list come one after the other.
_NEXT_VERSION = Statement(
    """INSERT INTO suppression_lists (account_group_id, version, key_check) VALUES (:account_group_id, 1, :key_check)
    ON CONFLICT (account_group_id) DO UPDATE SET version = suppression_lists.version + 1 RETURNING key_check"""
)
_ADD = Statement(
    """INSERT INTO suppressions (account_group_id, hash, id, created_at, reason)
    SELECT :account_group_id, r.hash, r.id, r.created_at, r.reason
    FROM :rows{hash text, id bigint, created_at bigint, reason text} AS r WHERE true
    ON CONFLICT DO NOTHING RETURNING hash"""
)
_COLUMNS = "hash, id, created_at, reason"
_FIND = Statement(f"SELECT {_COLUMNS} FROM suppressions {_MINE} AND hash IN :hashes[text]")
_LIST = Statement(f"SELECT {_COLUMNS} FROM suppressions {_MINE} AND id < :before ORDER BY id DESC LIMIT :limit")
_REMOVE = Statement(f"DELETE FROM suppressions {_MINE} AND hash = :hash RETURNING hash")


async def begin_addition(tx: Transaction, key_check: str) -> str:
    """Locks the list of the account group for this transaction, and makes it if necessary. Returns the check value of
    the key of its hashes, which is `key_check` for a new list."""
    row = await tx.row(_NEXT_VERSION, key_check=key_check)
    assert row is not None
    value: str = row["key_check"]
    return value


async def add(tx: Transaction, new: Sequence[Suppression]) -> set[str]:
    """Adds the suppressions to the locked list. Returns the hashes that were not on it before."""
    rows = [
        {"hash": each.hash, "id": key_of(each.id), "created_at": each.created_at, "reason": each.reason} for each in new
    ]
    return {row["hash"] for row in await tx.rows(_ADD, rows=rows)}


async def find(tx: Transaction, hashes: Iterable[str]) -> dict[str, Suppression]:
    """Returns the suppressed ones of the hashes, with their suppressions."""
    return {row["hash"]: _suppression(row) for row in await tx.rows(_FIND, hashes=list(hashes))}


async def list_newest_first(tx: Transaction, *, before: str | None, limit: int) -> list[Suppression]:
    """Returns at most `limit` suppressions with ids before `before`, newest first."""
    last = BEYOND_EVERY_KEY if before is None else key_of(before)
    return [_suppression(row) for row in await tx.rows(_LIST, before=last, limit=limit)]


async def remove(tx: Transaction, hash_: str) -> bool:
    """Removes the suppression. Returns whether there was one."""
    return await tx.row(_REMOVE, hash=hash_) is not None


def _suppression(row: Row) -> Suppression:
    return Suppression(id=id_of(row["id"]), hash=row["hash"], created_at=row["created_at"], reason=row["reason"])
