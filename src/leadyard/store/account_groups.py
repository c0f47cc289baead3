"""Statements on account groups, the tenants."""

from __future__ import annotations

from leadyard.model import AccountGroup
from leadyard.store.db import Row, Statement, Transaction

_INSERT = Statement(
    "INSERT INTO account_groups (id, name, created_at) VALUES (:id, :name, :created_at)", across_groups=True
)
_LIST = Statement("SELECT id, name, created_at, max_results FROM account_groups ORDER BY id", across_groups=True)
_FIND = Statement("SELECT id, name, created_at, max_results FROM account_groups WHERE id = :id", across_groups=True)
_LIST_OF_KEY = Statement(
    """SELECT g.id, g.name, g.created_at, g.max_results
    FROM api_key_account_groups k JOIN account_groups g ON g.id = k.account_group_id
    WHERE k.api_key_id = :api_key_id AND g.id > :after ORDER BY g.id LIMIT :limit""",
    across_groups=True,
)
_SET_MAX_RESULTS = Statement("UPDATE account_groups SET max_results = :max_results WHERE id = :id", across_groups=True)


async def insert(tx: Transaction, group: AccountGroup) -> None:
    """Adds the account group."""
    await tx.run(_INSERT, id=group.id, name=group.name, created_at=group.created_at)


async def list_all(tx: Transaction) -> list[AccountGroup]:
    """Returns every account group, oldest first."""
    return [_group(row) for row in await tx.rows(_LIST)]


async def find(tx: Transaction, account_group_id: str) -> AccountGroup | None:
    """Returns the account group, or None."""
    row = await tx.row(_FIND, id=account_group_id)
    return _group(row) if row else None


async def list_of_key(tx: Transaction, *, api_key_id: str, after: str, limit: int) -> list[AccountGroup]:
    """Returns at most `limit` account groups the key may use, from the first id beyond `after` on."""
    return [_group(row) for row in await tx.rows(_LIST_OF_KEY, api_key_id=api_key_id, after=after, limit=limit)]


async def set_max_results(tx: Transaction, account_group_id: str, max_results: int) -> bool:
    """Sets how many prospects one job of the account group may bring in. Returns whether there is such a group."""
    return await tx.run(_SET_MAX_RESULTS, id=account_group_id, max_results=max_results) == 1


def _group(row: Row) -> AccountGroup:
    return AccountGroup(id=row["id"], name=row["name"], created_at=row["created_at"], max_results=row["max_results"])
