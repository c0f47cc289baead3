"""API keys: the operator creates, lists, rotates and revokes them, and each request is authenticated by its key."""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.errors import Forbidden, KeyNotValid, NotFound, Unauthorized
from leadyard.ids import new_id
from leadyard.model import ApiKey, Caller, Permission
from leadyard.operations.operation import retried
from leadyard.operations.page_sessions import find_grant, is_session_secret
from leadyard.store import account_groups, api_keys

_PREFIX = "sk_live_"
_RANDOM_BYTES = 24
_SECRET_LENGTH = len(_PREFIX) + 2 * _RANDOM_BYTES + 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """An authenticated key. `account_group_id` is the requested group, or None if the key may not use it."""

    api_key_id: str
    permissions: frozenset[Permission]
    account_group_id: str | None
    expires_at: int | None = None

    def is_expired(self, now: int) -> bool:
        """Returns whether the key had expired by `now`, in milliseconds."""
        return self.expires_at is not None and self.expires_at <= now

    def caller(self) -> Caller:
        """Returns the caller within the account group. Raises Forbidden, with the same message whether the group
        belongs to another tenant or does not exist."""
        if self.account_group_id is None:
            raise Forbidden("The key may not use this account group. GET /v1/accounts lists the groups it may use.")
        return Caller(account_group_id=self.account_group_id, permissions=self.permissions, api_key_id=self.api_key_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorCredential(Credential):
    """The operator at the command line, who needs no key. `own_group_id` is the account group of the command."""

    own_group_id: str

    @classmethod
    def of(cls, account_group_id: str, *, asked_for: str) -> OperatorCredential:
        """Returns the credential for a request that is about the account group `asked_for`."""
        return cls(
            api_key_id="",
            permissions=frozenset(Permission),
            account_group_id=account_group_id if asked_for == account_group_id else None,
            own_group_id=account_group_id,
        )

    def caller(self) -> Caller:
        """Returns the operator as a caller. Raises Forbidden for another account group than that of the command."""
        if self.account_group_id is None:
            raise Forbidden(f"The command was started for the account group {self.own_group_id} only.")
        return Caller.operator(self.account_group_id)


@retried
async def create_api_key(
    db: Database,
    *,
    name: str | None,
    account_group_ids: Sequence[str],
    permissions: Sequence[Permission],
    expires_at: int | None,
) -> tuple[ApiKey, str]:
    """Creates a key. Returns it and its secret, which is not available again, because only a hash of it is stored.

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
    """Returns all keys without their secrets, oldest first, including revoked and expired ones."""
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
    """Creates a key with the name, permissions, account groups and expiry of this one. Returns the new key, its secret,
    which is not available again, and the time at which the old key expires: `overlap_ms` from now, or at its own expiry
    if that is earlier.

    Raises NotFound, and KeyNotValid for a key that is revoked or expired.
    """
    secret, now = _new_secret(), now_ms()
    async with db.write(None) as tx:
        old = await api_keys.find(tx, api_key_id)
        if old is None:
            raise NotFound("API key", api_key_id, listed_by="leadyard keys list")
        old_expires_at = now + overlap_ms if old.expires_at is None else min(old.expires_at, now + overlap_ms)
        # The statement checks again that the key is not revoked, because another transaction may have just revoked it.
        if (old.expires_at is not None and old.expires_at <= now) or not await api_keys.expire(
            tx, api_key_id=api_key_id, expires_at=old_expires_at
        ):
            raise KeyNotValid
        new = replace(old, id=new_id(), created_at=now, last_used_at=None)
        await api_keys.insert(tx, new, secret_hash=_hash(secret))
    return new, secret, old_expires_at


@retried
async def authenticate(db: Database, *, secret: str, account_group_id: str) -> Credential:
    """Returns the credential of the secret, of a key or of a session of the page, for the account group. Raises
    Unauthorized, with the same message for an unknown, revoked and expired key.

    The timing of the look-up by hash leaks nothing, because only a client with the secret can choose the hash.
    """
    if is_session_secret(secret):
        grant = await find_grant(db, secret=secret, account_group_id=account_group_id)
    elif is_well_formed(secret):
        async with db.read(None) as tx:
            grant = await api_keys.find_by_secret_hash(tx, secret_hash=_hash(secret), account_group_id=account_group_id)
    else:
        raise Unauthorized
    if grant is None or grant.revoked_at is not None:
        raise Unauthorized
    credential = Credential(
        api_key_id=grant.api_key_id,
        permissions=grant.permissions,
        account_group_id=grant.account_group_id,
        expires_at=grant.expires_at,
    )
    if credential.is_expired(now_ms()):
        raise Unauthorized
    return credential


def _new_secret() -> str:
    random_part = secrets.token_hex(_RANDOM_BYTES)
    return f"{_PREFIX}{random_part}{_checksum(random_part)}"


def _checksum(random_part: str) -> str:
    # With a checksum, a typing error, or a secret in a log, is recognised without a query to the database.
    return f"{zlib.crc32(random_part.encode()):08x}"


def is_well_formed(secret: str) -> bool:
    """Returns whether the text may be a secret of Leadyard, by its prefix, length and checksum, without a query."""
    random_part = secret[len(_PREFIX) : -8]
    return (
        len(secret) == _SECRET_LENGTH
        and secret.isascii()
        and secret.startswith(_PREFIX)
        and secret.endswith(_checksum(random_part))
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
