"""Statements on API keys. The secret itself is never here: only its hash is kept."""

from __future__ import annotations

from collections.abc import Mapping

from leadyard.model import ApiKey, Permission
from leadyard.store.db import Row, Statement, Transaction, as_document, from_document

_INSERT = Statement(
    """INSERT INTO api_keys (id, name, secret_hash, permissions, created_at, expires_at, revoked_at)
    VALUES (:id, :name, :secret_hash, :permissions, :created_at, :expires_at, NULL)""",
    across_groups=True,
)
_ALLOW = Statement(
    "INSERT INTO api_key_account_groups (account_group_id, api_key_id) VALUES (:group, :api_key_id)", across_groups=True
)
_FIND = Statement(
    """SELECT k.id, k.secret_hash, k.permissions, k.expires_at, k.revoked_at, g.account_group_id
    FROM api_keys k LEFT JOIN api_key_account_groups g ON g.api_key_id = k.id AND g.account_group_id = :group
    WHERE k.secret_hash = :secret_hash""",
    across_groups=True,
)
_LIST = Statement(
    """SELECT k.id, k.name, k.permissions, k.created_at, k.expires_at, k.revoked_at, k.last_used_at, g.account_group_id
    FROM api_keys k JOIN api_key_account_groups g ON g.api_key_id = k.id ORDER BY k.id, g.account_group_id""",
    across_groups=True,
)
_FIND_BY_ID = Statement(
    """SELECT k.id, k.name, k.permissions, k.created_at, k.expires_at, k.revoked_at, k.last_used_at, g.account_group_id
    FROM api_keys k JOIN api_key_account_groups g ON g.api_key_id = k.id
    WHERE k.id = :id ORDER BY g.account_group_id""",
    across_groups=True,
)
_EXPIRE = Statement(
    "UPDATE api_keys SET expires_at = :expires_at WHERE id = :id AND revoked_at IS NULL", across_groups=True
)
# Several processes write this; the later time wins, whoever comes last.
_SET_LAST_USED = Statement(
    """UPDATE api_keys SET last_used_at = u.last_used_at FROM :uses{id text, last_used_at bigint} AS u
    WHERE api_keys.id = u.id AND (api_keys.last_used_at IS NULL OR api_keys.last_used_at < u.last_used_at)""",
    across_groups=True,
)
_REVOKE = Statement("UPDATE api_keys SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL", across_groups=True)
_EXISTS = Statement("SELECT id FROM api_keys WHERE id = :id", across_groups=True)


async def insert(tx: Transaction, key: ApiKey, *, secret_hash: str) -> None:
    """Adds the key and the account groups it may use."""
    await tx.run(
        _INSERT,
        id=key.id,
        name=key.name,
        secret_hash=secret_hash,
        permissions=as_document(key.permissions),
        created_at=key.created_at,
        expires_at=key.expires_at,
    )
    for group in key.account_group_ids:
        await tx.run(_ALLOW, group=group, api_key_id=key.id)


async def find_by_secret_hash(tx: Transaction, *, secret_hash: str, account_group_id: str) -> Row | None:
    """Returns the key's row with the account group's id in `account_group_id` if the key may use that group."""
    return await tx.row(_FIND, secret_hash=secret_hash, group=account_group_id)


async def list_all(tx: Transaction) -> list[ApiKey]:
    """Returns every key, oldest first, revoked and expired ones too."""
    rows: dict[str, list[Row]] = {}
    for row in await tx.rows(_LIST):
        rows.setdefault(row["id"], []).append(row)
    return [_key(of_key[0], tuple(row["account_group_id"] for row in of_key)) for of_key in rows.values()]


async def revoke(tx: Transaction, *, api_key_id: str, now: int) -> bool:
    """Revokes the key from now on. Returns whether it was valid until now."""
    return await tx.run(_REVOKE, id=api_key_id, now=now) == 1


async def find(tx: Transaction, api_key_id: str) -> ApiKey | None:
    """Returns the key, revoked or not, or None."""
    rows = await tx.rows(_FIND_BY_ID, id=api_key_id)
    return _key(rows[0], tuple(row["account_group_id"] for row in rows)) if rows else None


async def expire(tx: Transaction, *, api_key_id: str, expires_at: int) -> bool:
    """Lets the key expire at that time. Returns False, and does nothing, if it is revoked."""
    return await tx.run(_EXPIRE, id=api_key_id, expires_at=expires_at) == 1


async def set_last_used(tx: Transaction, uses: Mapping[str, int]) -> None:
    """Writes when each of the keys was last used, unless a later time is written already."""
    await tx.run(_SET_LAST_USED, uses=[{"id": id, "last_used_at": at} for id, at in sorted(uses.items())])


async def exists(tx: Transaction, api_key_id: str) -> bool:
    """Returns whether there is such a key, revoked or not."""
    return await tx.row(_EXISTS, id=api_key_id) is not None


def _key(row: Row, account_group_ids: tuple[str, ...]) -> ApiKey:
    return ApiKey(
        id=row["id"],
        name=row["name"],
        permissions=tuple(Permission(name) for name in from_document(row["permissions"])),
        account_group_ids=account_group_ids,
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
    )
