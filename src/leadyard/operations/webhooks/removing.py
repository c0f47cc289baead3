"""The housekeeping of webhooks: removes deleted ones, and deliveries of events that are no longer kept."""

from __future__ import annotations

from functools import partial

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.operations.operation import retried, run_again_on_conflict
from leadyard.store import webhook_deliveries, webhooks

_GROUPS_A_ROUND = 20
_DELIVERIES_A_BATCH = 2_000
_DAY_MS = 24 * 3_600_000


@retried
async def remove_deleted_webhooks(db: Database) -> int:
    """Removes a batch of the deliveries of deleted webhooks, and the webhooks that have none left. Returns how many
    rows it has removed: 0 means that there is nothing left to do."""
    async with db.read(None) as tx:
        group_ids = await webhooks.list_groups_to_remove(tx, limit=_GROUPS_A_ROUND)
    removing = [partial(_remove_one, db, group_id) for group_id in group_ids]
    return sum([await run_again_on_conflict(each, name="remove_deleted_webhooks") for each in removing])


async def _remove_one(db: Database, account_group_id: str) -> int:
    async with db.write(account_group_id) as tx:
        webhook_id = await webhooks.lock_deleted(tx)
        if webhook_id is None:
            return 0
        removed = await webhook_deliveries.remove_some(tx, webhook_id, before_ms=None, limit=_DELIVERIES_A_BATCH)
        if removed < _DELIVERIES_A_BATCH:
            await webhooks.remove(tx, webhook_id)
        return removed + 1


@retried
async def prune_deliveries(db: Database, *, keep_days: int) -> int:
    """Removes a batch of the deliveries of events that are older than so many days. Returns their number: 0 means that
    there is nothing left to do."""
    before = now_ms() - keep_days * _DAY_MS
    async with db.read(None) as tx:
        found = await webhook_deliveries.list_webhooks_with_old(tx, before_ms=before, limit=_GROUPS_A_ROUND)
    pruning = [partial(_prune_one, db, group_id, webhook_id, before) for group_id, webhook_id in found]
    return sum([await run_again_on_conflict(each, name="prune_deliveries") for each in pruning])


async def _prune_one(db: Database, account_group_id: str, webhook_id: str, before_ms: int) -> int:
    async with db.write(account_group_id) as tx:
        return await webhook_deliveries.remove_some(tx, webhook_id, before_ms=before_ms, limit=_DELIVERIES_A_BATCH)
