"""Statements on account groups, the tenants."""

from __future__ import annotations

from leadyard.database import Transaction
from leadyard.ids import id_of, key_of, number_of
from leadyard.model import AccountGroup
from leadyard.store.db import Row, Statement

KEY_OF_GROUP = "(SELECT key FROM account_groups WHERE id = account_group_id) AS key"
"""The key of the account group of a row, for statements that look for account groups with something to do. A look-up
for each of these few groups, whatever the statistics are, because a join may read all account groups."""
_INSERT = Statement(
    "INSERT INTO account_groups (id, key, name, created_at) VALUES (:id, :key, :name, :created_at)", across_groups=True
)
_LIST = Statement("SELECT key, name, created_at, max_results FROM account_groups ORDER BY key", across_groups=True)
# The number finds the row, and the key proves the whole id.
_FIND = Statement(
    "SELECT key, name, created_at, max_results FROM account_groups WHERE id = :id AND key = :key", across_groups=True
)
_LIST_OF_KEY = Statement(
    """SELECT g.key, g.name, g.created_at, g.max_results
    FROM api_key_account_groups k JOIN account_groups g ON g.id = k.account_group_id
    WHERE k.api_key_id = :api_key_id AND g.key > :after ORDER BY g.key LIMIT :limit""",
    across_groups=True,
)
_SET_MAX_RESULTS = Statement(
    "UPDATE account_groups SET max_results = :max_results WHERE id = :id AND key = :key", across_groups=True
)


async def insert(tx: Transaction, group: AccountGroup) -> None:
    """Adds the account group. Raises TransactionConflict if another one has the number of its id."""
    await tx.run(_INSERT, **_keys(group.id), name=group.name, created_at=group.created_at)


async def list_all(tx: Transaction) -> list[AccountGroup]:
    """Returns all account groups, oldest first."""
    return [_group(row) for row in await tx.rows(_LIST)]


async def find(tx: Transaction, account_group_id: str) -> AccountGroup | None:
    """Returns the account group, or None."""
    row = await tx.row(_FIND, **_keys(account_group_id))
    return _group(row) if row else None


async def list_of_key(tx: Transaction, *, api_key_id: str, after: str, limit: int) -> list[AccountGroup]:
    """Returns at most `limit` account groups that the key may use, with ids after `after`, in order of id."""
    rows = await tx.rows(_LIST_OF_KEY, api_key_id=key_of(api_key_id), after=key_of(after), limit=limit)
    return [_group(row) for row in rows]


async def set_max_results(tx: Transaction, account_group_id: str, max_results: int) -> bool:
    """Sets how many prospects a job of the account group may add. Returns whether the group exists."""
    return await tx.run(_SET_MAX_RESULTS, **_keys(account_group_id), max_results=max_results) == 1


def _keys(account_group_id: str) -> dict[str, int]:
    return {"id": number_of(account_group_id), "key": key_of(account_group_id)}


def _group(row: Row) -> AccountGroup:
    return AccountGroup(
        id=id_of(row["key"]), name=row["name"], created_at=row["created_at"], max_results=row["max_results"]
    )
