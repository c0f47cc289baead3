"""Cleans up behind deletions while the service runs."""

from __future__ import annotations

import asyncio

import structlog

from leadyard.errors import ServiceUnavailable
from leadyard.operations.audiences import empty_deleted_audiences
from leadyard.operations.operation import Database

_LOOK_EVERY_S = 2.0
_PAUSE_BETWEEN_BATCHES_S = 0.02
_log = structlog.get_logger("leadyard.worker")


async def keep_house(db: Database) -> None:
    """Removes the members of deleted audiences, batch by batch, for as long as the service runs.

    Every process does it; they leave each other's audiences alone. What is left when the service stops is done after
    its next start. The pause lets requests that wait for SQLite's one writer go first.
    """
    while True:
        try:
            removed = await empty_deleted_audiences(db)
        except ServiceUnavailable as error:
            _log.warning("housekeeping_postponed", reason=error.details)
            removed = 0
        except Exception:
            # Housekeeping must not end because of one bad round; the log has the reason.
            _log.exception("housekeeping_failed")
            removed = 0
        await asyncio.sleep(_PAUSE_BETWEEN_BATCHES_S if removed else _LOOK_EVERY_S)
