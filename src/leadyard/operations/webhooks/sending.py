"""Work for the senders: finds webhooks with something to send, leases one, and reads its next events.

A lease is on a webhook, not on a delivery. So one worker at a time sends for a webhook, it sees the order of the
events, and each saved step is a single transaction. docs/decisions/0048 has the argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from leadyard.clock import now_ms
from leadyard.database import Database, Transaction
from leadyard.errors import LeaseLost
from leadyard.model import ClaimedWebhook, Delivery, Event, Sending
from leadyard.operations.operation import retried
from leadyard.operations.webhooks.retries import is_struggling
from leadyard.operations.webhooks.secrets import open_valid
from leadyard.store import events, job_leases, webhook_deliveries, webhook_leases
from leadyard.store.webhook_leases import HeldWebhook

# How many events to read for a webhook that takes few of them, before its position is saved.
_READ_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The next things that a webhook has to send, in this order: retries, then events of a replay, then new events.

    `failed` are due deliveries whose events are no longer kept. When all of `fresh` are handled, the webhook is done
    with the feed up to `position`; the same is true for `replayed` and `replay_position`, None when the replay ends
    there. `has_more` if more is to be sent after all this.
    """

    retries: tuple[Sending, ...]
    failed: tuple[Delivery, ...]
    replayed: tuple[Sending, ...]
    replay_position: str | None
    fresh: tuple[Sending, ...]
    position: str
    has_more: bool

    @property
    def sendings(self) -> tuple[Sending, ...]:
        """All of them, in the order in which to send them."""
        return (*self.retries, *self.replayed, *self.fresh)


@retried
async def list_due_webhooks(db: Database, *, limit: int) -> list[tuple[str, str]]:
    """Returns (account group, webhook) of those that have something to send now and that no worker has, longest waiting
    first. Takes no lock."""
    async with db.read(None) as tx:
        return await webhook_leases.list_due(tx, now=await job_leases.clock_ms(tx), limit=limit)


@retried
async def claim_webhook(
    db: Database, *, account_group_id: str, webhook_id: str, lease_ms: int
) -> ClaimedWebhook | None:
    """Takes the lease of the webhook and returns it, or None if another worker was faster or it must not send now."""
    async with db.write(account_group_id) as tx:
        now = await job_leases.clock_ms(tx)
        held = await webhook_leases.claim(tx, webhook_id, now=now, lease_ms=lease_ms)
        return None if held is None else claimed_from(tx, held)


@retried
async def extend_webhook(db: Database, claimed: ClaimedWebhook, *, lease_ms: int) -> None:
    """Extends the lease. Raises LeaseLost."""
    async with db.write(claimed.account_group_id) as tx:
        now, webhook_id = await job_leases.clock_ms(tx), claimed.webhook.id
        if not await webhook_leases.extend(
            tx, webhook_id, lease_number=claimed.lease_number, now=now, lease_ms=lease_ms
        ):
            raise lost(claimed)


@retried
async def release_webhook(db: Database, claimed: ClaimedWebhook, *, hold_ms: int = 0) -> None:
    """Ends the lease, if it is still held. No worker takes the webhook before `hold_ms` have passed."""
    async with db.write(claimed.account_group_id) as tx:
        now = await job_leases.clock_ms(tx)
        await webhook_leases.release(
            tx, claimed.webhook.id, lease_number=claimed.lease_number, now=now, hold_until=now + hold_ms
        )


@retried
async def read_work(db: Database, claimed: ClaimedWebhook, *, limit: int) -> Work:
    """Returns what to send next: at most `limit` deliveries, or a single one for a webhook that has failed for a while.

    `limit` bounds the memory that a webhook takes.
    """
    async with db.snapshot(claimed.account_group_id) as tx:
        now = await job_leases.clock_ms(tx)
        most = 1 if is_struggling(claimed.webhook.failing_since, now=now) else limit
        due = await webhook_deliveries.list_due(tx, claimed.webhook.id, now=now, limit=most)
        found = {event.id: event for event in await events.find_all(tx, [each.event_id for each in due])}
        retries = tuple(Sending(event=found[each.event_id], delivery=each) for each in due if each.event_id in found)
        replayed, replay_position, more_replayed = await _replayed(tx, claimed, limit=max(0, most - len(retries)))
        # An event that is due for a retry is sent once, as that.
        replayed = tuple(each for each in replayed if each.event.id not in found)
        fresh, position, more_fresh = await _fresh(tx, claimed, limit=max(0, most - len(retries) - len(replayed)))
    return Work(
        retries=retries,
        failed=tuple(each for each in due if each.event_id not in found),
        replayed=replayed,
        replay_position=replay_position,
        fresh=fresh,
        position=position,
        has_more=len(due) == most or more_replayed or more_fresh,
    )


def claimed_from(tx: Transaction, held: HeldWebhook) -> ClaimedWebhook:
    """Returns the webhook of a held row with the secrets that sign now, none if they cannot be decrypted."""
    assert tx.account_group_id is not None
    secrets = open_valid(tx, held.webhook.id, held.secrets, now=now_ms())
    return ClaimedWebhook(
        webhook=held.webhook,
        account_group_id=tx.account_group_id,
        lease_number=held.lease_number,
        position=held.position,
        replay=held.replay,
        secrets=secrets or (),
    )


def lost(claimed: ClaimedWebhook) -> LeaseLost:
    """Returns the refusal for a worker that no longer holds the webhook."""
    return LeaseLost(f"Webhook {claimed.webhook.id} was deleted, or another worker has it now. Stop sending for it.")


async def _fresh(tx: Transaction, claimed: ClaimedWebhook, *, limit: int) -> tuple[tuple[Sending, ...], str, bool]:
    """Returns the next new events for the webhook, the position after them, and whether the feed goes on there."""
    if limit == 0:
        return (), claimed.position, True
    read_at_once = _READ_AT_ONCE if claimed.webhook.is_filtered else limit
    found = await events.list_after(tx, claimed.position, limit=read_at_once)
    wanted = [event for event in found if claimed.webhook.takes(event)]
    sendings = tuple(Sending(event=event) for event in wanted[:limit])
    if len(wanted) > limit:
        return sendings, sendings[-1].event.id, True
    return sendings, found[-1].id if found else claimed.position, len(found) == read_at_once


async def _replayed(
    tx: Transaction, claimed: ClaimedWebhook, *, limit: int
) -> tuple[tuple[Sending, ...], str | None, bool]:
    """Returns the next events of the replay of the webhook, the position after them, None at its end, and whether it
    goes on. It takes at most half of the limit, so that new events do not wait for the end of a long replay."""
    replay = claimed.replay
    if replay is None:
        return (), None, False
    most = (limit + 1) // 2
    if most == 0:
        return (), replay.position, True
    found = await events.list_after(tx, replay.position, limit=_READ_AT_ONCE if claimed.webhook.is_filtered else most)
    inside = [event for event in found if event.id <= replay.until]
    wanted = [
        event
        for event in inside
        if replay.from_ms <= event.occurred_at <= replay.to_ms and claimed.webhook.takes(event)
    ]
    sendings = await _with_deliveries(tx, claimed, wanted[:most])
    if len(wanted) > most:
        return sendings, wanted[most - 1].id, True
    is_over = not found or len(inside) < len(found) or inside[-1].id == replay.until
    return sendings, None if is_over else inside[-1].id, not is_over


async def _with_deliveries(tx: Transaction, claimed: ClaimedWebhook, wanted: Sequence[Event]) -> tuple[Sending, ...]:
    if not wanted:
        return ()
    known = await webhook_deliveries.find(tx, claimed.webhook.id, [event.id for event in wanted])
    # The plan of retries begins again, and the attempts that were made stay visible.
    begun = {id: replace(delivery, tries=0) for id, delivery in known.items()}
    return tuple(Sending(event=event, delivery=begun.get(event.id)) for event in wanted)
