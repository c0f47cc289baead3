"""The housekeeping of the record: fills its index, and removes lead ids that are too old."""

from __future__ import annotations

from functools import partial

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.operations.operation import retried, run_again_on_conflict
from leadyard.store import change_expiry, change_subjects

_GROUPS_A_ROUND = 100
_CHANGES_A_BATCH = 200
_LEADS_A_BATCH = 10_000
_EXPIRED_A_BATCH = 50
_DAY_MS = 24 * 3_600_000


@retried
async def index_changes(db: Database) -> int:
    """Puts a batch of changes into the index, in every account group that has any. Returns their number: 0 means that
    there is nothing left to do.

    Each batch is a small transaction of one account group, so that moves wait for none of it.
    """
    async with db.read(None) as tx:
        group_ids = await change_subjects.list_groups_to_index(tx, limit=_GROUPS_A_ROUND)
    return sum([await run_again_on_conflict(partial(_index, db, id), name="index_changes") for id in group_ids])


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
