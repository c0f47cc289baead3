"""Gives committed events their places in the feed.

The time of an event, or a number from a sequence, does not follow the order of the commits. A reader that remembered
the last one would miss what commits later with a smaller one. So an event gets its place only after it has committed:
one transaction at a time, with the row of the feed locked, appends the events that it sees. An event that it does not
see yet gets a later place. Changes never lock that row, so they do not wait for each other (docs/decisions/0047).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import structlog

from leadyard.clock import now_ms
from leadyard.database import Database, Transaction
from leadyard.errors import ServiceUnavailable
from leadyard.model import Event, NewEvent
from leadyard.operations.operation import retried, run_again_on_conflict
from leadyard.store import event_outbox, events
from leadyard.watching import metrics

_log = structlog.get_logger("leadyard.events")
_EVENTS_A_BATCH = 500
_GROUPS_A_ROUND = 100
_DAY_MS = 24 * 3_600_000
_REMOVED_A_BATCH = 5_000


@retried
async def place_events(db: Database) -> int:
    """Gives places to a batch of events in every account group that has any. Returns how many it placed in full
    batches: 0 means that there is nothing left to do for now. For the housekeeping and the sender of webhooks; readers
    do it for their own account group.

    A batch that is not full was the last one. If it counted, the housekeeping of a busy service would look again at
    once, and place a few events at a time, each time in a transaction (docs/decisions/0047).
    """
    async with db.read(None) as tx:
        group_ids = await event_outbox.list_groups(tx, limit=_GROUPS_A_ROUND)
    placed = [await place_some(db, group_id) for group_id in group_ids]
    # There may be more account groups than in this round.
    return sum(number for number in placed if number == _EVENTS_A_BATCH or len(placed) == _GROUPS_A_ROUND)


async def place_waiting(db: Database, account_group_id: str) -> None:
    """Gives places to all events of the account group that have committed before the call. Takes no lock if there is
    none.

    If the database takes no writes now, for example because another process of SQLite writes for long, it leaves the
    events for later: a reader then gets those that have places, and the others come after them.
    """
    try:
        if await _is_waiting(db, account_group_id):
            await place_all(db, account_group_id)
    except ServiceUnavailable as error:
        _log.info("events_postponed", **error.for_log())


@retried
async def _is_waiting(db: Database, account_group_id: str) -> bool:
    """Returns whether a committed event of the account group has no place yet. Takes no lock."""
    async with db.read(account_group_id) as tx:
        return await event_outbox.has_any(tx)


async def place_all(db: Database, account_group_id: str) -> None:
    """As `place_waiting`, but does not look first, because there probably is something."""
    while await place_some(db, account_group_id) == _EVENTS_A_BATCH:
        pass


@retried
async def read_placed(db: Database, account_group_id: str, *, after: str, limit: int) -> list[Event]:
    """Returns at most `limit` events that follow the position, with their leads. For the readers of this process, whose
    permission was checked."""
    async with db.snapshot(account_group_id) as tx:
        return await events.list_after(tx, after, limit=limit)


async def place_some(db: Database, account_group_id: str) -> int:
    """Gives places to a batch of events of the account group. Returns their number."""
    placed = await run_again_on_conflict(partial(_place_some, db, account_group_id), name="place_events")
    metrics.events_placed(len(placed))
    return len(placed)


async def _place_some(db: Database, account_group_id: str) -> list[Event]:
    async with db.write(account_group_id) as tx:
        return await place_batch(tx)


async def place_before(tx: Transaction) -> None:
    """Gives places to all committed events of the account group in a transaction that is about to change a fact in
    them, such as the name of a locked audience. Takes its lock last of all locks."""
    while await place_batch(tx):
        pass


async def place_batch(tx: Transaction) -> list[Event]:
    """Gives places to a batch of events. Returns them without their leads, in the order of the feed."""
    feed = await events.lock_feed(tx)
    # A statement of its own after the lock, so that it sees what has committed while this one waited for it.
    taken = await event_outbox.take(tx, limit=_EVENTS_A_BATCH)
    if not taken:
        return []
    in_record = [event for event in taken if event.first_lead is not None]
    changes = await event_outbox.find_changes(tx, {each.change_id for each in in_record if each.change_id is not None})
    audience_ids = {id for event in in_record for id in (event.source_audience_id, event.target_audience_id) if id}
    audiences = await event_outbox.find_audiences(tx, audience_ids) if audience_ids else {}
    names = {audience_id: each.name for audience_id, each in audiences.items()}
    return await events.append(tx, feed, [(event, _data(event, changes, names)) for event in taken], now=now_ms())


def _data(
    event: NewEvent, changes: Mapping[str, event_outbox.ReportedChange], names: Mapping[str, str]
) -> Mapping[str, Any]:
    if event.first_lead is None or event.change_id is None:
        return event.data or {}
    # Without the change, which another program must have deleted, the feed still goes on.
    change = changes.get(event.change_id)
    data: dict[str, Any] = {
        "changeId": event.change_id,
        "jobId": change.job_id if change else None,
        "sourceAudience": _audience(event.source_audience_id, event.source_count, names),
        "targetAudience": _audience(event.target_audience_id, event.target_count, names),
        "leadCount": change.lead_count if change else 0,
        "alreadyInTargetCount": change.already_in_target_count if change else 0,
        **(event.data or {}),
    }
    if change is not None and change.undoes_change_id is not None:
        data["undoneChangeId"] = change.undoes_change_id
    return data


def _audience(audience_id: str | None, count: int | None, names: Mapping[str, str]) -> dict[str, Any] | None:
    if audience_id is None:
        return None
    return {"id": audience_id, "name": names.get(audience_id), "prospectCount": count}


@retried
async def prune_events(db: Database, *, keep_days: int) -> int:
    """Removes a batch of the events that are older than so many days, in every account group. Returns their number: 0
    means that there is nothing left to do."""
    before = now_ms() - keep_days * _DAY_MS
    async with db.read(None) as tx:
        group_ids: Sequence[str] = await events.list_groups_to_prune(tx, before=before, limit=_GROUPS_A_ROUND)
    return sum([await run_again_on_conflict(partial(_prune, db, id, before), name="prune_events") for id in group_ids])


async def _prune(db: Database, account_group_id: str, before: int) -> int:
    async with db.write(account_group_id) as tx:
        await events.lock_feed(tx)
        return await events.remove_some(tx, before=before, limit=_REMOVED_A_BATCH)
