"""API keys: made, listed, rotated and revoked by the operator, recognised at the door."""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from leadyard.clock import now_ms
from leadyard.errors import Forbidden, KeyNotValid, NotFound, Unauthorized
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
    expires_at: int | None = None

    def is_expired(self, now: int) -> bool:
        """Returns whether the key had expired by `now`, in milliseconds."""
        return self.expires_at is not None and self.expires_at <= now

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
                raise NotFound("account group", group_id, listed_by="leadyard account-groups list")
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
            raise NotFound("API key", api_key_id, listed_by="leadyard keys list")
        return await api_keys.revoke(tx, api_key_id=api_key_id, now=now_ms())


@retried
async def rotate_api_key(db: Database, *, api_key_id: str, overlap_ms: int) -> tuple[ApiKey, str, int]:
    """Makes a key that may do what this one may, for as long as it may, under the same name. Returns the new key, its
    secret, which is shown this once, and the time at which the old one expires: `overlap_ms` from now, or earlier if it
    was to expire earlier anyway.

    Raises NotFound, and KeyNotValid for a key that is revoked or expired.
    """
    secret, now = _new_secret(), now_ms()
    async with db.write(None) as tx:
        old = await api_keys.find(tx, api_key_id)
        if old is None:
            raise NotFound("API key", api_key_id, listed_by="leadyard keys list")
        old_expires_at = now + overlap_ms if old.expires_at is None else min(old.expires_at, now + overlap_ms)
        # The statement asks again whether it is revoked: another transaction may have done that since we looked.
        if (old.expires_at is not None and old.expires_at <= now) or not await api_keys.expire(
            tx, api_key_id=api_key_id, expires_at=old_expires_at
        ):
            raise KeyNotValid
        new = replace(old, id=new_id(), created_at=now, last_used_at=None)
        await api_keys.insert(tx, new, secret_hash=_hash(secret))
    return new, secret, old_expires_at


@retried
async def authenticate(db: Database, *, secret: str, account_group_id: str) -> Credential:
    """Returns what the secret entitles to, with regard to the account group. Raises Unauthorized, in the same words for
    an unknown, revoked and expired key.

    The look-up by hash tells nothing by its timing: who can choose the hash to look up knows the secret.
    """
    if not is_well_formed(secret):
        raise Unauthorized
    async with db.read(None) as tx:
        row = await api_keys.find_by_secret_hash(tx, secret_hash=_hash(secret), account_group_id=account_group_id)
    if row is None or row["revoked_at"] is not None:
        raise Unauthorized
    credential = Credential(
        api_key_id=row["id"],
        permissions=frozenset(Permission(name) for name in from_document(row["permissions"])),
        account_group_id=row["account_group_id"],
        expires_at=row["expires_at"],
    )
    if credential.is_expired(now_ms()):
        raise Unauthorized
    return credential


def _new_secret() -> str:
    random_part = secrets.token_hex(_RANDOM_BYTES)
    return f"{_PREFIX}{random_part}{_checksum(random_part)}"


def _checksum(random_part: str) -> str:
    # So that a typing error, or a leak in a log, can be recognised without asking the database.
    return f"{zlib.crc32(random_part.encode()):08x}"


def is_well_formed(secret: str) -> bool:
    """Returns whether the text may be a secret of ours, without asking the database: prefix, length and checksum."""
    random_part = secret[len(_PREFIX) : -8]
    return (
        len(secret) == _SECRET_LENGTH
        and secret.isascii()
        and secret.startswith(_PREFIX)
        and secret.endswith(_checksum(random_part))
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
