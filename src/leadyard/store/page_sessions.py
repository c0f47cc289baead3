"""Statements on the sessions of the page. The secret itself is never here, because only its hash is stored."""

from __future__ import annotations

from leadyard.database import Transaction
from leadyard.ids import id_of, id_or_none, key_of, number_of
from leadyard.model import KeyGrant, Permission
from leadyard.store.db import Statement, from_document

_INSERT = Statement(
    """INSERT INTO page_sessions (secret_hash, api_key_id, created_at, expires_at)
    VALUES (:secret_hash, :api_key_id, :created_at, :expires_at)""",
    across_groups=True,
)
# As with a key itself: the number finds the account group, and `g.key` proves its whole id.
_FIND = Statement(
    """SELECT k.id, k.permissions, k.expires_at, k.revoked_at, s.expires_at AS session_expires_at, g.key AS group_key
    FROM page_sessions s JOIN api_keys k ON k.id = s.api_key_id
    LEFT JOIN api_key_account_groups a ON a.api_key_id = k.id AND a.account_group_id = :group
    LEFT JOIN account_groups g ON g.id = a.account_group_id AND g.key = :group_key
    WHERE s.secret_hash = :secret_hash""",
    across_groups=True,
)
_REMOVE = Statement("DELETE FROM page_sessions WHERE secret_hash = :secret_hash", across_groups=True)
_PRUNE = Statement(
    """DELETE FROM page_sessions WHERE secret_hash IN (
        SELECT secret_hash FROM page_sessions WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit)""",
    across_groups=True,
)


async def insert(tx: Transaction, *, secret_hash: str, api_key_id: str, created_at: int, expires_at: int) -> None:
    """Adds a session of the key."""
    await tx.run(
        _INSERT, secret_hash=secret_hash, api_key_id=key_of(api_key_id), created_at=created_at, expires_at=expires_at
    )


async def find_grant(tx: Transaction, *, secret_hash: str, account_group_id: str) -> KeyGrant | None:
    """Returns what the key of this session grants in the account group, until the session or the key expires. None if
    the session does not exist."""
    row = await tx.row(
        _FIND, secret_hash=secret_hash, group=number_of(account_group_id), group_key=key_of(account_group_id)
    )
    if row is None:
        return None
    ends = [at for at in (row["expires_at"], row["session_expires_at"]) if at is not None]
    return KeyGrant(
        api_key_id=id_of(row["id"]),
        permissions=frozenset(Permission(name) for name in from_document(row["permissions"])),
        account_group_id=id_or_none(row["group_key"]),
        expires_at=min(ends),
        revoked_at=row["revoked_at"],
    )


async def remove(tx: Transaction, *, secret_hash: str) -> None:
    """Removes the session, if it exists."""
    await tx.run(_REMOVE, secret_hash=secret_hash)


async def prune(tx: Transaction, *, now: int, limit: int) -> int:
    """Removes at most `limit` expired sessions. Returns the number removed."""
    return await tx.run(_PRUNE, now=now, limit=limit)
