"""Sessions of the page: a browser signs in with an API key, and from then on holds only the secret of its session."""

from __future__ import annotations

import hashlib
import secrets

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.errors import Unauthorized
from leadyard.model import ApiKey, KeyGrant
from leadyard.operations.operation import retried
from leadyard.store import api_keys, page_sessions

_PREFIX = "ps_live_"
_RANDOM_BYTES = 32
_LENGTH = len(_PREFIX) + 2 * _RANDOM_BYTES
_SESSIONS_A_BATCH = 500


@retried
async def open_session(
    db: Database, *, api_key_id: str, key_expires_at: int | None, lifetime_ms: int
) -> tuple[str, int]:
    """Opens a session of the key. Returns its secret, of which only a hash is stored, and the time when it ends: after
    `lifetime_ms`, or with the key if that ends earlier."""
    secret, now = f"{_PREFIX}{secrets.token_hex(_RANDOM_BYTES)}", now_ms()
    expires_at = now + lifetime_ms if key_expires_at is None else min(now + lifetime_ms, key_expires_at)
    async with db.write(None) as tx:
        await page_sessions.insert(
            tx, secret_hash=_hash(secret), api_key_id=api_key_id, created_at=now, expires_at=expires_at
        )
    return secret, expires_at


@retried
async def find_grant(db: Database, *, secret: str, account_group_id: str) -> KeyGrant | None:
    """Returns what the session grants in the account group, or None if it does not exist. The caller checks whether the
    key is revoked and whether the time is over."""
    async with db.read(None) as tx:
        return await page_sessions.find_grant(tx, secret_hash=_hash(secret), account_group_id=account_group_id)


@retried
async def find_key_of_session(db: Database, *, api_key_id: str) -> ApiKey:
    """Returns the key that a session belongs to, for the page to show. Raises Unauthorized if it no longer exists."""
    async with db.read(None) as tx:
        key = await api_keys.find(tx, api_key_id)
    if key is None:
        raise Unauthorized
    return key


@retried
async def close_session(db: Database, *, secret: str) -> None:
    """Ends the session. Does nothing if it has ended before."""
    async with db.write(None) as tx:
        await page_sessions.remove(tx, secret_hash=_hash(secret))


@retried
async def prune_sessions(db: Database) -> int:
    """Removes a batch of expired sessions. Returns their number. For the housekeeping of the service."""
    async with db.write(None) as tx:
        return await page_sessions.prune(tx, now=now_ms(), limit=_SESSIONS_A_BATCH)


def is_session_secret(secret: str) -> bool:
    """Returns whether the text may be the secret of a session, by its prefix and length, without a query."""
    return len(secret) == _LENGTH and secret.isascii() and secret.startswith(_PREFIX)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
