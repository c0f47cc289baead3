"""The housekeeping of the record: fills its index, and removes lead ids that are too old."""

from __future__ import annotations

from functools import partial
from time import monotonic
from weakref import WeakKeyDictionary

import structlog

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.errors import CONFLICTS, ServiceUnavailable
from leadyard.operations.operation import retried, run_again_on_conflict
from leadyard.store import change_expiry, change_subjects
from leadyard.watching import metrics

_GROUPS_A_ROUND = 100
_CHANGES_A_BATCH = 200
_LEADS_A_BATCH = 10_000
_EXPIRED_A_BATCH = 50
_DAY_MS = 24 * 3_600_000
_NEXT_TRY_S = 60.0
# Failures that may come from the rows of one account group. After all others the database does not work for any group.
_OF_ONE_GROUP = {CONFLICTS, "statement_timeout"}
_log = structlog.get_logger("leadyard.changes")

_set_aside: WeakKeyDictionary[Database, dict[str, float]] = WeakKeyDictionary()
"""The account groups whose changes this process could not put into the index, with the time of the next attempt."""


@retried
async def index_changes(db: Database) -> int:
    """Puts a batch of changes into the index, in every account group that has any. Returns their number: 0 means that
    there is nothing left to do.

    Each batch is a small transaction of one account group, so that moves wait for none of it. A group whose batch fails
    does not hold up the others: this process logs it, and tries it again after a minute. Raises ServiceUnavailable if
    the database does not work.
    """
    done, last = 0, None
    while not done and (group_ids := await _list_groups_to_index(db, after=last)):
        done = sum([await _index_or_set_aside(db, id) for id in group_ids])
        last = group_ids[-1]
    return done


async def _list_groups_to_index(db: Database, *, after: str | None) -> list[str]:
    async with db.read(None) as tx:
        return await change_subjects.list_groups_to_index(tx, after=after, limit=_GROUPS_A_ROUND)


async def _index_or_set_aside(db: Database, account_group_id: str) -> int:
    next_try_at = _set_aside.setdefault(db, {})
    if monotonic() < next_try_at.get(account_group_id, 0.0):
        return 0
    try:
        done = await run_again_on_conflict(partial(_index, db, account_group_id), name="index_changes")
    except ServiceUnavailable as error:
        if error.reason not in _OF_ONE_GROUP:
            raise
        _log.error("change_index_failed", account_group_id=account_group_id, **error.for_log())
    except Exception:
        _log.exception("change_index_failed", account_group_id=account_group_id)
    else:
        next_try_at.pop(account_group_id, None)
        return done
    metrics.change_index_failed()
    next_try_at[account_group_id] = monotonic() + _NEXT_TRY_S
    return 0


async def _index(db: Database, account_group_id: str) -> int:
    async with db.write(account_group_id) as tx:
        return await change_subjects.index_some(tx, changes=_CHANGES_A_BATCH, leads=_LEADS_A_BATCH)


@retried
async def expire_changes(db: Database, *, keep_days: int) -> int:
    """Removes the lead ids of a batch of changes that are older than so many days, in every account group. Their
    numbers stay, and they can no longer be undone. Returns their number: 0 means that there is nothing left to do."""
    before = now_ms() - keep_days * _DAY_MS
    done, last = 0, None
    # All account groups, because those without an old change count as nothing done.
    while group_ids := await _list_groups_to_expire(db, before, after=last):
        for id in group_ids:
            done += await run_again_on_conflict(partial(_expire, db, id, before), name="expire_changes")
        last = group_ids[-1]
    return done


async def _list_groups_to_expire(db: Database, before: int, *, after: str | None) -> list[str]:
    async with db.read(None) as tx:
        return await change_expiry.list_groups(tx, before=before, after=after, limit=_GROUPS_A_ROUND)


async def _expire(db: Database, account_group_id: str, before: int) -> int:
    async with db.write(account_group_id) as tx:
        return await change_expiry.expire_some(tx, before=before, limit=_EXPIRED_A_BATCH)
