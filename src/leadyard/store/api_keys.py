"""Statements on API keys. The secret itself is never here, because only its hash is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadyard.database import Transaction
from leadyard.ids import id_of, id_or_none, key_of, number_of
from leadyard.model import ApiKey, KeyGrant, Permission
from leadyard.store.db import Row, Statement, as_document, from_document

_COLUMNS = "k.id, k.name, k.permissions, k.created_at, k.expires_at, k.revoked_at, k.last_used_at"
_GROUPS = """JOIN api_key_account_groups a ON a.api_key_id = k.id
    JOIN account_groups g ON g.id = a.account_group_id"""
_INSERT = Statement(
    """INSERT INTO api_keys (id, name, secret_hash, permissions, created_at, expires_at, revoked_at)
    VALUES (:id, :name, :secret_hash, :permissions, :created_at, :expires_at, NULL)""",
    across_groups=True,
)
_ALLOW = Statement(
    "INSERT INTO api_key_account_groups (account_group_id, api_key_id) VALUES (:group, :api_key_id)", across_groups=True
)
# The number finds the requested account group among the groups of the key, and `g.key` proves its whole id. A request
# with another time in the id is a request for an account group that does not exist.
_FIND = Statement(
    """SELECT k.id, k.secret_hash, k.permissions, k.expires_at, k.revoked_at, g.key AS group_key
    FROM api_keys k LEFT JOIN api_key_account_groups a ON a.api_key_id = k.id AND a.account_group_id = :group
    LEFT JOIN account_groups g ON g.id = a.account_group_id AND g.key = :group_key
    WHERE k.secret_hash = :secret_hash""",
    across_groups=True,
)
_LIST = Statement(
    f"""SELECT {_COLUMNS}, g.key AS group_key FROM api_keys k {_GROUPS} ORDER BY k.id, g.key""",
    across_groups=True,
)
_FIND_BY_ID = Statement(
    f"""SELECT {_COLUMNS}, g.key AS group_key FROM api_keys k {_GROUPS} WHERE k.id = :id ORDER BY g.key""",
    across_groups=True,
)
_EXPIRE = Statement(
    "UPDATE api_keys SET expires_at = :expires_at WHERE id = :id AND revoked_at IS NULL", across_groups=True
)
# Several processes write this. The latest time wins, in any order of the writes.
_SET_LAST_USED = Statement(
    """UPDATE api_keys SET last_used_at = u.last_used_at FROM :uses{id bigint, last_used_at bigint} AS u
    WHERE api_keys.id = u.id AND (api_keys.last_used_at IS NULL OR api_keys.last_used_at < u.last_used_at)""",
    across_groups=True,
)
_REVOKE = Statement("UPDATE api_keys SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL", across_groups=True)
_EXISTS = Statement("SELECT id FROM api_keys WHERE id = :id", across_groups=True)


async def insert(tx: Transaction, key: ApiKey, *, secret_hash: str) -> None:
    """Adds the key and the account groups that it may use."""
    await tx.run(
        _INSERT,
        id=key_of(key.id),
        name=key.name,
        secret_hash=secret_hash,
        permissions=as_document(key.permissions),
        created_at=key.created_at,
        expires_at=key.expires_at,
    )
    for group in key.account_group_ids:
        await tx.run(_ALLOW, group=number_of(group), api_key_id=key_of(key.id))


async def find_by_secret_hash(tx: Transaction, *, secret_hash: str, account_group_id: str) -> KeyGrant | None:
    """Returns what the key of this hash grants in the account group, or None if the key does not exist."""
    row = await tx.row(
        _FIND, secret_hash=secret_hash, group=number_of(account_group_id), group_key=key_of(account_group_id)
    )
    if row is None:
        return None
    return KeyGrant(
        api_key_id=id_of(row["id"]),
        permissions=frozenset(_permissions(row)),
        account_group_id=id_or_none(row["group_key"]),
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )


async def list_all(tx: Transaction) -> list[ApiKey]:
    """Returns all keys, oldest first, including revoked and expired ones."""
    rows: dict[int, list[Row]] = {}
    for row in await tx.rows(_LIST):
        rows.setdefault(row["id"], []).append(row)
    return [_key(of_key) for of_key in rows.values()]


async def revoke(tx: Transaction, *, api_key_id: str, now: int) -> bool:
    """Revokes the key. Returns False if it does not exist or was revoked before."""
    return await tx.run(_REVOKE, id=key_of(api_key_id), now=now) == 1


async def find(tx: Transaction, api_key_id: str) -> ApiKey | None:
    """Returns the key, revoked or not, or None."""
    rows = await tx.rows(_FIND_BY_ID, id=key_of(api_key_id))
    return _key(rows) if rows else None


async def expire(tx: Transaction, *, api_key_id: str, expires_at: int) -> bool:
    """Sets when the key expires. Returns False, and does nothing, if it is revoked."""
    return await tx.run(_EXPIRE, id=key_of(api_key_id), expires_at=expires_at) == 1


async def set_last_used(tx: Transaction, uses: Mapping[str, int]) -> None:
    """Saves when each key was last used, unless a later time is already stored."""
    await tx.run(_SET_LAST_USED, uses=[{"id": key_of(id), "last_used_at": at} for id, at in sorted(uses.items())])


async def exists(tx: Transaction, api_key_id: str) -> bool:
    """Returns whether the key exists, revoked or not."""
    return await tx.row(_EXISTS, id=key_of(api_key_id)) is not None


def _permissions(row: Row) -> tuple[Permission, ...]:
    return tuple(Permission(name) for name in from_document(row["permissions"]))


def _key(rows: Sequence[Row]) -> ApiKey:
    """Returns the key of its rows, one for each account group."""
    row = rows[0]
    return ApiKey(
        id=id_of(row["id"]),
        name=row["name"],
        permissions=_permissions(row),
        account_group_ids=tuple(id_of(each["group_key"]) for each in rows),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
    )
