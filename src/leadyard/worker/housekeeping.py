"""Housekeeping in the background: finishes deletions, and removes data that is no longer needed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

import structlog

from leadyard.database import Database
from leadyard.errors import ServiceUnavailable
from leadyard.operations.audiences import empty_deleted_audiences
from leadyard.operations.changes.indexing import expire_changes, index_changes
from leadyard.operations.duplicates import compare_leads_after_writing
from leadyard.operations.events.placing import place_events, prune_events
from leadyard.operations.idempotency import prune_answers
from leadyard.operations.jobs.prospecting_steps import prune_rejected_rows
from leadyard.operations.page_sessions import prune_sessions
from leadyard.operations.uploads import prune_uploads
from leadyard.operations.webhooks.removing import prune_deliveries, remove_deleted_webhooks

Chore = Callable[[Database], Awaitable[int]]
"""Does a small batch of its work and returns the number of things done: 0 when there is nothing to do."""

# How often to look for new work, in seconds. Rejected rows become due after weeks, so an hour more is harmless, and the
# search for them reads all jobs that have ended. An expired session is not valid, whether its row is there or not.
CHORES: Mapping[Chore, float] = {
    empty_deleted_audiences: 2.0,
    place_events: 2.0,
    index_changes: 2.0,
    compare_leads_after_writing: 2.0,
    remove_deleted_webhooks: 2.0,
    prune_uploads: 2.0,
    prune_answers: 2.0,
    prune_rejected_rows: 3_600.0,
    prune_sessions: 600.0,
}

_SHORTEST_WAIT_S = 2.0
_EXPIRY_S = 3_600.0
_PRUNING_S = 600.0
_PAUSE_BETWEEN_BATCHES_S = 0.02
_log = structlog.get_logger("leadyard.worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """For how many days data is kept: the lead ids of changes, None for ever, and events."""

    changes_days: int | None
    events_days: int


async def keep_house(db: Database, keeping: Keeping) -> None:
    """Does the due chores in turn, batch by batch, as long as the service runs.

    All processes do them; each leaves the rows alone that another one is working on. Work that is left when the service
    stops is done after its next start. The pause gives way to requests that wait for SQLite's single writer.
    """
    chores = dict(CHORES)
    chores[partial(prune_events, keep_days=keeping.events_days)] = _PRUNING_S
    chores[partial(prune_deliveries, keep_days=keeping.events_days)] = _PRUNING_S
    if keeping.changes_days is not None:
        chores[partial(expire_changes, keep_days=keeping.changes_days)] = _EXPIRY_S
    due_at = dict.fromkeys(chores, 0.0)
    while True:
        now = time.monotonic()
        done = sum([await _do(chore, db, due_at, wait_s=chores[chore]) for chore in chores if due_at[chore] <= now])
        await asyncio.sleep(_PAUSE_BETWEEN_BATCHES_S if done else _SHORTEST_WAIT_S)


async def _do(chore: Chore, db: Database, due_at: dict[Chore, float], *, wait_s: float) -> int:
    """Runs one batch and returns the number of things done. An error does not end the housekeeping or affect the other
    chores; the log has the reason."""
    try:
        done = await chore(db)
        due_at[chore] = 0.0 if done else time.monotonic() + wait_s
        return done
    except ServiceUnavailable as error:
        _log.warning("housekeeping_postponed", chore=_name(chore), **error.for_log())
    except Exception:
        _log.exception("housekeeping_failed", chore=_name(chore))
    return 0


def _name(chore: Chore) -> str:
    function = chore.func if isinstance(chore, partial) else chore
    return getattr(function, "__name__", repr(function))
