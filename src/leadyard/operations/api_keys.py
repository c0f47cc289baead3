"""API keys: made, listed and revoked by the operator, recognised at the door."""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from leadyard.clock import now_ms
from leadyard.errors import Forbidden, NotFound, Unauthorized
from leadyard.ids import new_id
from leadyard.model import ApiKey, Caller, Permission
from leadyard.operations.operation import retried
from leadyard.store import account_groups, api_keys
from leadyard.store.db import Database, from_document

_PREFIX = "sk_live_"
_RANDOM_BYTES = 24
_SECRET_LENGTH = len(_PREFIX) + 2 * _RANDOM_BYTES + 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A key that was recognised. `account_group_id` is the group asked for if the key may use it, else None."""

    api_key_id: str
    permissions: frozenset[Permission]
    account_group_id: str | None

    def caller(self) -> Caller:
        """Returns the caller within the account group. Raises Forbidden, in the same words whether the group is
        somebody else's or does not exist."""
        if self.account_group_id is None:
            raise Forbidden("The key may not use this account group. GET /v1/accounts lists those it may use.")
        return Caller(account_group_id=self.account_group_id, permissions=self.permissions, api_key_id=self.api_key_id)


@retried
async def create_api_key(
    db: Database,
    *,
    name: str | None,
    account_group_ids: Sequence[str],
    permissions: Sequence[Permission],
    expires_at: int | None,
) -> tuple[ApiKey, str]:
    """Makes a key. Returns it and its secret, which is shown this once: only a hash of it is kept.

    Raises NotFound for an unknown account group.
    """
    secret = _new_secret()
    key = ApiKey(
        id=new_id(),
        name=name,
        permissions=tuple(dict.fromkeys(permissions)),
        account_group_ids=tuple(dict.fromkeys(account_group_ids)),
        created_at=now_ms(),
        expires_at=expires_at,
        revoked_at=None,
    )
    async with db.write(None) as tx:
        for group_id in key.account_group_ids:
            if await account_groups.find(tx, group_id) is None:
                raise NotFound("account group", group_id)
        await api_keys.insert(tx, key, secret_hash=_hash(secret))
    return key, secret


@retried
async def list_api_keys(db: Database) -> list[ApiKey]:
    """Returns every key, oldest first, revoked and expired ones too; never a secret."""
    async with db.read(None) as tx:
        return await api_keys.list_all(tx)


@retried
async def revoke_api_key(db: Database, *, api_key_id: str) -> bool:
    """Revokes the key. Returns False if it was revoked before. Raises NotFound."""
    async with db.write(None) as tx:
        if not await api_keys.exists(tx, api_key_id):
            raise NotFound("API key", api_key_id)
        return await api_keys.revoke(tx, api_key_id=api_key_id, now=now_ms())


@retried
async def authenticate(db: Database, *, secret: str, account_group_id: str) -> Credential:
    """Returns what the secret entitles to, with regard to the account group. Raises Unauthorized, in the same words for
    an unknown, revoked and expired key.

    The look-up by hash tells nothing by its timing: who can choose the hash to look up knows the secret.
    """
    if not _is_well_formed(secret):
        raise Unauthorized
    async with db.read(None) as tx:
        row = await api_keys.find_by_secret_hash(tx, secret_hash=_hash(secret), account_group_id=account_group_id)
    if row is None or row["revoked_at"] is not None:
        raise Unauthorized
    if row["expires_at"] is not None and row["expires_at"] <= now_ms():
        raise Unauthorized
    return Credential(
        api_key_id=row["id"],
        permissions=frozenset(Permission(name) for name in from_document(row["permissions"])),
        account_group_id=row["account_group_id"],
    )


def _new_secret() -> str:
    random_part = secrets.token_hex(_RANDOM_BYTES)
    return f"{_PREFIX}{random_part}{_checksum(random_part)}"


def _checksum(random_part: str) -> str:
    # So that a typing error, or a leak in a log, can be recognised without asking the database.
    return f"{zlib.crc32(random_part.encode()):08x}"


def _is_well_formed(secret: str) -> bool:
    random_part = secret[len(_PREFIX) : -8]
    return (
        len(secret) == _SECRET_LENGTH
        and secret.isascii()
        and secret.startswith(_PREFIX)
        and secret.endswith(_checksum(random_part))
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
