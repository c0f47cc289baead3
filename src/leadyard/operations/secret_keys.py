"""The secret key of the installation: the same in all processes, and the one with which the database is used.

The first use of the key writes its check value into the database. From then on the service refuses to use another key,
because it could not recognise a hash or read a text that was made with the first one.
"""

from __future__ import annotations

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.errors import SecretKeyDiffers, SecretKeyMissing
from leadyard.operations.operation import retried
from leadyard.secret_key import SecretKey
from leadyard.store import secret_key_check


async def usable_secret_key(db: Database) -> SecretKey:
    """Returns the secret key, for a caller that stores something that depends on it. Raises SecretKeyMissing, or
    SecretKeyDiffers if the database is used with another key."""
    key = db.secret_key
    if key is None:
        raise SecretKeyMissing
    if not key.is_confirmed:
        if await _check_value(db, key.check_value) != key.check_value:
            raise SecretKeyDiffers
        key.is_confirmed = True
    return key


@retried
async def refuse_other_secret_key(db: Database) -> None:
    """Raises SecretKeyMissing or SecretKeyDiffers if the database is used with a key that this process lacks. Does
    nothing before the first use of a key."""
    async with db.read(None) as tx:
        used = await secret_key_check.read(tx)
    if used is None:
        return
    if db.secret_key is None:
        raise SecretKeyMissing
    if db.secret_key.check_value != used:
        raise SecretKeyDiffers


@retried
async def _check_value(db: Database, mine: str) -> str | None:
    """Returns the check value of the database, after writing ours if there was none. Two processes that do this at the
    same moment get the same value."""
    async with db.write(None) as tx:
        await secret_key_check.add(tx, mine, now=now_ms())
        return await secret_key_check.read(tx)
