"""Writes down when the keys were last used, while the service runs and once more when it stops."""

from __future__ import annotations

import asyncio

import structlog

from leadyard.errors import ServiceUnavailable
from leadyard.operations.key_uses import KeyUses
from leadyard.operations.operation import Database

_WRITE_EVERY_S = 60.0
# A service that was told to stop does not wait for a busy database just for this.
_LAST_WRITE_WITHIN_S = 3.0
_log = structlog.get_logger("leadyard.worker")


async def keep_key_uses(db: Database, uses: KeyUses) -> None:
    """Writes every minute what the requests have noted, for as long as the service runs, and the rest when it ends."""
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
        _log.warning("key_uses_postponed", reason=error.details)
    except Exception:
        # When a key was last used is worth knowing and not worth a service that stops.
        _log.exception("key_uses_failed")
