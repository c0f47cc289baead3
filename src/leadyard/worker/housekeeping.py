"""What the service does without being asked: cleaning up behind deletions, and what nobody needs any more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog

from leadyard.errors import ServiceUnavailable
from leadyard.operations.audiences import empty_deleted_audiences
from leadyard.operations.idempotency import prune_answers
from leadyard.operations.job_runs import prune_rejected_rows
from leadyard.operations.operation import Database
from leadyard.operations.uploads import prune_uploads

Chore = Callable[[Database], Awaitable[int]]
"""Does a small batch of its work and returns how much that was: 0 when there is nothing to do."""

# How often to look for new work, in seconds. What became due by the passing of weeks can wait for an hour more, and is
# looked for among all jobs that have ended.
CHORES: Mapping[Chore, float] = {
    empty_deleted_audiences: 2.0,
    prune_uploads: 2.0,
    prune_answers: 2.0,
    prune_rejected_rows: 3_600.0,
}

_SHORTEST_WAIT_S = 2.0
_PAUSE_BETWEEN_BATCHES_S = 0.02
_log = structlog.get_logger("leadyard.worker")


async def keep_house(db: Database) -> None:
    """Does the chores that are due in turns, batch by batch, for as long as the service runs.

    Every process does them; they leave each other's rows alone. What is left when the service stops is done after its
    next start. The pause lets requests that wait for SQLite's one writer go first.
    """
    due_at = dict.fromkeys(CHORES, 0.0)
    while True:
        done = sum([await _do(chore, db, due_at) for chore in CHORES if due_at[chore] <= time.monotonic()])
        await asyncio.sleep(_PAUSE_BETWEEN_BATCHES_S if done else _SHORTEST_WAIT_S)


async def _do(chore: Chore, db: Database, due_at: dict[Chore, float]) -> int:
    """One bad round must end neither the housekeeping nor the other chores; the log has the reason."""
    try:
        done = await chore(db)
        due_at[chore] = 0.0 if done else time.monotonic() + CHORES[chore]
        return done
    except ServiceUnavailable as error:
        _log.warning("housekeeping_postponed", chore=_name(chore), reason=error.details)
    except Exception:
        _log.exception("housekeeping_failed", chore=_name(chore))
    return 0


def _name(chore: Chore) -> str:
    return getattr(chore, "__name__", repr(chore))
