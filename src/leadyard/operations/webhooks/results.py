"""Saves the results of deliveries: their attempts and retries, the position of the webhook, and its health."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from leadyard.database import Database, Transaction
from leadyard.model import (
    Attempt,
    ClaimedWebhook,
    Delivery,
    DeliveryStatus,
    DisabledReason,
    EventType,
    Sending,
    Webhook,
    WebhookStatus,
)
from leadyard.operations.events.recording import record_event
from leadyard.operations.operation import retried
from leadyard.operations.webhooks import retries
from leadyard.operations.webhooks.sending import Work, claimed_from, lost
from leadyard.store import job_leases, webhook_deliveries, webhook_leases
from leadyard.store.webhook_leases import HeldWebhook
from leadyard.watching import metrics

_ATTEMPTS_SHOWN = 20
_NO_EVENT = "EVENT_NOT_KEPT"
_log = structlog.get_logger("leadyard.webhooks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome of one sending. `asked_s` is the Retry-After of the receiver."""

    sending: Sending
    attempt: Attempt
    asked_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """The webhook after the save, as it is now, and whether to go on with it: it is active, and needs no pause."""

    claimed: ClaimedWebhook
    goes_on: bool


async def save_results(
    db: Database, claimed: ClaimedWebhook, work: Work, results: Sequence[Result], *, lease_ms: int, release: bool
) -> Saved:
    """Writes the results, in the order in which they came, and how far the webhook has come. Ends the lease with
    `release` or if the webhook must not go on, otherwise extends it. Raises LeaseLost.

    `results` belong to the first sendings of the work, without a gap. The other sendings remain to be sent.
    """
    saved, deliveries, disabled = await _save(db, claimed, work, results, lease_ms=lease_ms, release=release)
    for delivery in deliveries:
        metrics.webhook_delivery(_OUTCOMES[delivery.status])
    if disabled is not None:
        metrics.webhook_disabled(disabled)
        _log.warning(
            "webhook_disabled",
            webhook_id=claimed.webhook.id,
            account_group_id=claimed.account_group_id,
            reason=disabled,
        )
    return saved


_OUTCOMES = {
    DeliveryStatus.DELIVERED: "delivered",
    DeliveryStatus.PENDING: "postponed",
    DeliveryStatus.FAILED: "failed",
}


@retried
async def _save(
    db: Database, claimed: ClaimedWebhook, work: Work, results: Sequence[Result], *, lease_ms: int, release: bool
) -> tuple[Saved, list[Delivery], DisabledReason | None]:
    webhook_id = claimed.webhook.id
    async with db.write(claimed.account_group_id) as tx:
        held = await webhook_leases.hold(tx, webhook_id, lease_number=claimed.lease_number)
        if held is None:
            raise lost(claimed)
        now = await job_leases.clock_ms(tx)
        deliveries = [_delivery(result, now=now) for result in results]
        deliveries += [_given_up(each, now=now) for each in work.failed]
        if deliveries:
            await webhook_deliveries.put(tx, webhook_id, list({each.event_id: each for each in deliveries}.values()))
        health = _health(held.webhook, results, now=now)
        hold_ms = _hold_ms(health, results, now=now)
        held = replace(_moved_on(held, claimed, work, results), webhook=health)
        goes_on = health.status is WebhookStatus.ACTIVE and hold_ms == 0
        await webhook_leases.save(
            tx,
            held,
            ready_at=await webhook_deliveries.next_due(tx, webhook_id),
            hold_until=now + hold_ms,
            lease_until=now if release or not goes_on else now + lease_ms,
        )
        disabled = await _announce(tx, health) if _has_been_disabled(claimed, health) else None
        return Saved(claimed=claimed_from(tx, held), goes_on=goes_on), deliveries, disabled


def _delivery(result: Result, *, now: int) -> Delivery:
    event, before = result.sending.event, result.sending.delivery
    attempts = (*(before.attempts if before else ()), result.attempt)[-_ATTEMPTS_SHOWN:]
    tries = (before.tries if before else 0) + 1
    status, next_attempt_at = DeliveryStatus.DELIVERED, None
    if result.attempt.error is not None:
        status, next_attempt_at = retries.after_failure(tries, now=now, asked_s=result.asked_s)
    return Delivery(
        event_id=event.id,
        type=event.type,
        status=status,
        attempts=attempts,
        tries=tries,
        next_attempt_at=next_attempt_at,
    )


def _given_up(delivery: Delivery, *, now: int) -> Delivery:
    """Returns the delivery of an event that is no longer kept, so that it cannot be sent again."""
    attempt = Attempt(at=now, status_code=None, duration_ms=0, error=_NO_EVENT)
    attempts = (*delivery.attempts, attempt)[-_ATTEMPTS_SHOWN:]
    return replace(delivery, status=DeliveryStatus.FAILED, attempts=attempts, next_attempt_at=None)


def _health(webhook: Webhook, results: Sequence[Result], *, now: int) -> Webhook:
    """Returns the webhook with its times of success and failure after these results, disabled if they demand that."""
    last_success_at, failing_since = webhook.last_success_at, webhook.failing_since
    for result in results:
        if result.attempt.error is None:
            last_success_at, failing_since = result.attempt.at, None
        elif failing_since is None:
            failing_since = now
    changed = replace(webhook, last_success_at=last_success_at, failing_since=failing_since)
    if webhook.status is not WebhookStatus.ACTIVE or not results:
        return changed
    if any(result.attempt.status_code == retries.GONE for result in results):
        return replace(changed, status=WebhookStatus.DISABLED, disabled_reason=DisabledReason.GONE)
    if results[-1].attempt.error is not None and retries.has_failed_too_long(failing_since, now=now):
        return replace(changed, status=WebhookStatus.DISABLED, disabled_reason=DisabledReason.FAILING)
    return changed


def _hold_ms(webhook: Webhook, results: Sequence[Result], *, now: int) -> int:
    asked = max((retries.asked_hold_ms(each.attempt.status_code, each.asked_s) for each in results), default=0)
    return max(asked, retries.pause_ms(webhook.failing_since, now=now))


def _moved_on(held: HeldWebhook, claimed: ClaimedWebhook, work: Work, results: Sequence[Result]) -> HeldWebhook:
    """Returns the row with the positions after these results. A replay that a client has asked for since the work was
    read begins with its own beginning."""
    sent = len(results)
    of_replay = min(max(0, sent - len(work.retries)), len(work.replayed))
    of_feed = max(0, sent - len(work.retries) - len(work.replayed))
    position = work.position
    if of_feed < len(work.fresh):
        position = work.fresh[of_feed - 1].event.id if of_feed else claimed.position
    replay = held.replay
    if replay is not None and replay == claimed.replay:
        if of_replay < len(work.replayed):
            reached: str | None = work.replayed[of_replay - 1].event.id if of_replay else replay.position
        else:
            reached = work.replay_position
        replay = None if reached is None else replace(replay, position=reached)
    return replace(held, position=position, replay=replay)


def _has_been_disabled(claimed: ClaimedWebhook, now: Webhook) -> bool:
    return now.status is WebhookStatus.DISABLED and claimed.webhook.status is WebhookStatus.ACTIVE


async def _announce(tx: Transaction, webhook: Webhook) -> DisabledReason | None:
    """Writes the event that the webhook was disabled, which the others of the account group get."""
    # Neither its URL nor its description, which a client may have filled with anything.
    await record_event(tx, EventType.WEBHOOK_DISABLED, {"webhookId": webhook.id, "reason": webhook.disabled_reason})
    return webhook.disabled_reason
