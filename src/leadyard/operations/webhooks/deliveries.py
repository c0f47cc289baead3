"""Deliveries for clients: lists them, and sends events again."""

from __future__ import annotations

from leadyard.clock import now_ms
from leadyard.database import Transaction
from leadyard.errors import NotFound
from leadyard.ids import NUMBER_BITS, id_of
from leadyard.model import Caller, Delivery, DeliveryStatus, Page, Permission, Replay, Webhook
from leadyard.operations.operation import snapshot, writes
from leadyard.store import job_leases, webhook_deliveries, webhooks

# An event gets its id when it gets its place in the feed: a moment after it occurred, or longer while no process runs
# that gives places. Clocks of machines differ a little.
_EARLIER_MS = 60_000
_LATER_MS = 24 * 3_600_000


@snapshot(Permission.WEBHOOKS_READ)
async def list_deliveries(
    tx: Transaction, caller: Caller, *, webhook_id: str, status: DeliveryStatus | None, before: str | None, limit: int
) -> Page[Delivery]:
    """Returns a page of the deliveries, of the latest events first, only those with `status` unless it is None.
    `before` is the `next_key` of a page. Raises NotFound."""
    if await webhooks.find(tx, webhook_id) is None:
        raise NotFound("webhook", webhook_id)
    found = await webhook_deliveries.list_newest_first(tx, webhook_id, status=status, before=before, limit=limit + 1)
    return Page.of(found, limit, lambda delivery: delivery.event_id)


@writes(Permission.WEBHOOKS_WRITE)
async def redeliver(tx: Transaction, caller: Caller, *, webhook_id: str, delivery_id: str) -> Delivery:
    """Sends the event of a delivery again as soon as possible, whatever its status was, with the whole plan of retries.
    Returns the delivery, which is pending. Raises NotFound for the webhook or the delivery."""
    await _lock(tx, webhook_id)
    if delivery_id not in await webhook_deliveries.find(tx, webhook_id, [delivery_id]):
        raise NotFound("delivery", delivery_id)
    now = await job_leases.clock_ms(tx)
    await webhook_deliveries.begin_again(tx, webhook_id, delivery_id, now=now)
    await webhooks.set_ready(tx, webhook_id, at=now)
    return (await webhook_deliveries.find(tx, webhook_id, [delivery_id]))[delivery_id]


@writes(Permission.WEBHOOKS_WRITE)
async def replay_events(tx: Transaction, caller: Caller, *, webhook_id: str, from_ms: int, to_ms: int) -> Webhook:
    """Sends all kept events that occurred in this time, both ends included, again to the webhook, with the ids that
    they had. Returns the webhook.

    It adds to a replay that is still running: then the webhook gets everything from the earlier beginning to the later
    end. Raises NotFound.
    """
    webhook = await _lock(tx, webhook_id)
    done, running = await webhooks.find_progress(tx, webhook_id)
    if running is not None:
        from_ms, to_ms = min(from_ms, running.from_ms), max(to_ms, running.to_ms)
    now = now_ms()
    replay = Replay(
        position=id_of(max(0, min(from_ms, now) - _EARLIER_MS) << NUMBER_BITS),
        # Later events are new to the webhook, and come anyway.
        until=min(done, id_of((max(0, min(to_ms, now)) + _LATER_MS) << NUMBER_BITS)),
        from_ms=from_ms,
        to_ms=to_ms,
    )
    await webhooks.set_replay(tx, webhook_id, replay)
    return webhook


async def _lock(tx: Transaction, webhook_id: str) -> Webhook:
    found = await webhooks.lock(tx, webhook_id)
    if found is None:
        raise NotFound("webhook", webhook_id)
    return found[0]
