"""Statements on the leases of webhooks: which worker sends for which webhook, for how long, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from leadyard.database import Transaction
from leadyard.ids import id_of, key_of, key_or_none
from leadyard.model import DisabledReason, Replay, SealedSecret, Webhook
from leadyard.store.account_groups import KEY_OF_GROUP
from leadyard.store.db import Row, Statement
from leadyard.store.webhooks import COLUMNS, replay_from, secrets_from, webhook_from

_LONGEST_LEASE_MS = 10 * 60_000
LONGEST_HOLD_MS = 3_600_000
_STATE = f"{COLUMNS}, secrets, position, replay_position, replay_until, replay_from, replay_to, lease_number"
# A time further in the future than any lease or hold was written before the clock was set back.
_IS_FREE = """status = 'active'
    AND (lease_until <= CAST(:now AS bigint) OR lease_until > CAST(:farthest_lease AS bigint))
    AND (hold_until <= CAST(:now AS bigint) OR hold_until > CAST(:farthest_hold AS bigint))"""
# Those that were served longest ago first. Locks nothing. Webhooks are few, compared with what they send.
_DUE = Statement(
    f"""SELECT {KEY_OF_GROUP}, id FROM (SELECT w.account_group_id, w.id, w.lease_until FROM webhooks w
        LEFT JOIN event_feeds f ON f.account_group_id = w.account_group_id
        WHERE {_IS_FREE} AND (w.ready_at <= CAST(:now AS bigint) OR f.last_id > w.position
            OR w.replay_position IS NOT NULL)
        ORDER BY w.lease_until, w.id LIMIT :limit) AS due ORDER BY lease_until, id""",
    across_groups=True,
)
# A second worker waits for the row, and then finds that it is no longer free.
_CLAIM = Statement(
    f"""UPDATE webhooks SET lease_number = lease_number + 1,
    lease_until = CAST(:now AS bigint) + CAST(:lease_ms AS bigint)
    WHERE account_group_id = :account_group_id AND id = :id AND {_IS_FREE} RETURNING {_STATE}"""
)
_HELD = "account_group_id = :account_group_id AND id = :id AND lease_number = :lease_number AND status <> 'deleted'"
_HOLD = Statement(f"SELECT {_STATE} FROM webhooks WHERE {_HELD} ORDER BY id FOR UPDATE")
_EXTEND = Statement(f"UPDATE webhooks SET lease_until = CAST(:now AS bigint) + CAST(:lease_ms AS bigint) WHERE {_HELD}")
_SAVE = Statement(
    f"""UPDATE webhooks SET position = :position, replay_position = :replay_position, replay_until = :replay_until,
    replay_from = :replay_from, replay_to = :replay_to, ready_at = :ready_at, hold_until = :hold_until,
    last_success_at = :last_success_at, failing_since = :failing_since, status = :status,
    disabled_reason = :disabled_reason, lease_until = :lease_until WHERE {_HELD}"""
)
_RELEASE = Statement(
    f"UPDATE webhooks SET lease_until = CAST(:now AS bigint), hold_until = CAST(:hold_until AS bigint) WHERE {_HELD}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldWebhook:
    """The row of a webhook under a lease."""

    webhook: Webhook
    secrets: tuple[SealedSecret, ...]
    position: str
    replay: Replay | None
    lease_number: int


async def list_due(tx: Transaction, *, now: int, limit: int) -> list[tuple[str, str]]:
    """Returns (account group, webhook) of webhooks that have something to send and no worker, longest waiting first."""
    rows = await tx.rows(_DUE, limit=limit, **_bounds(now))
    return [(id_of(row["key"]), id_of(row["id"])) for row in rows]


async def claim(tx: Transaction, webhook_id: str, *, now: int, lease_ms: int) -> HeldWebhook | None:
    """Takes the lease of the webhook, or returns None if another worker has it or it must not send now."""
    row = await tx.row(_CLAIM, id=key_of(webhook_id), lease_ms=lease_ms, **_bounds(now))
    return None if row is None else _held(row)


async def hold(tx: Transaction, webhook_id: str, *, lease_number: int) -> HeldWebhook | None:
    """Locks the row of the webhook, and returns it. None if another worker has the lease, or it was deleted."""
    row = await tx.row(_HOLD, id=key_of(webhook_id), lease_number=lease_number)
    return None if row is None else _held(row)


async def extend(tx: Transaction, webhook_id: str, *, lease_number: int, now: int, lease_ms: int) -> bool:
    """Extends the lease. Returns whether it is still held."""
    values = {"id": key_of(webhook_id), "lease_number": lease_number, "now": now, "lease_ms": lease_ms}
    return await tx.run(_EXTEND, **values) == 1


async def save(tx: Transaction, held: HeldWebhook, *, ready_at: int | None, hold_until: int, lease_until: int) -> None:
    """Writes the state of a held webhook: how far it has come, its health, and when it may send again."""
    webhook, replay = held.webhook, held.replay
    await tx.run(
        _SAVE,
        id=key_of(webhook.id),
        lease_number=held.lease_number,
        position=key_of(held.position),
        replay_position=key_or_none(replay.position if replay else None),
        replay_until=key_or_none(replay.until if replay else None),
        replay_from=replay.from_ms if replay else None,
        replay_to=replay.to_ms if replay else None,
        ready_at=ready_at,
        hold_until=hold_until,
        last_success_at=webhook.last_success_at,
        failing_since=webhook.failing_since,
        status=webhook.status,
        disabled_reason=_reason(webhook.disabled_reason),
        lease_until=lease_until,
    )


async def release(tx: Transaction, webhook_id: str, *, lease_number: int, now: int, hold_until: int) -> None:
    """Ends the lease if it is still held. Nothing is sent before `hold_until`."""
    values = {"id": key_of(webhook_id), "lease_number": lease_number, "now": now, "hold_until": hold_until}
    await tx.run(_RELEASE, **values)


def _held(row: Row) -> HeldWebhook:
    return HeldWebhook(
        webhook=webhook_from(row),
        secrets=secrets_from(row),
        position=id_of(row["position"]),
        replay=replay_from(row),
        lease_number=row["lease_number"],
    )


def _reason(reason: DisabledReason | None) -> str | None:
    return None if reason is None else str(reason)


def _bounds(now: int) -> dict[str, Any]:
    return {"now": now, "farthest_lease": now + _LONGEST_LEASE_MS, "farthest_hold": now + LONGEST_HOLD_MS + 60_000}
