"""Saves the last use of each key, regularly while the service runs and once more when it stops."""

from __future__ import annotations

import asyncio

import structlog

from leadyard.database import Database
from leadyard.errors import ServiceUnavailable
from leadyard.operations.key_uses import KeyUses

_WRITE_EVERY_S = 60.0
# A service that is stopping does not wait longer for a busy database just for this.
_LAST_WRITE_WITHIN_S = 3.0
_log = structlog.get_logger("leadyard.worker")


async def keep_key_uses(db: Database, uses: KeyUses) -> None:
    """Writes the uses that requests have noted, once a minute as long as the service runs, and the rest at its end."""
    try:
        while True:
            await asyncio.sleep(_WRITE_EVERY_S)
            await _write(db, uses)
    finally:
        try:
            async with asyncio.timeout(_LAST_WRITE_WITHIN_S):
                await _write(db, uses)
        except TimeoutError:
            _log.warning("key_uses_lost")


async def _write(db: Database, uses: KeyUses) -> None:
    try:
        await uses.write(db)
    except ServiceUnavailable as error:
        _log.warning("key_uses_postponed", **error.for_log())
    except Exception:
        # The last use of a key is useful to have, but not important enough to stop the service.
        _log.exception("key_uses_failed")
