"""Statements on the deliveries of webhooks: what was sent, and what will be sent again."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.database import Transaction
from leadyard.ids import BEYOND_EVERY_KEY, NUMBER_BITS, id_of, key_of, keys_of
from leadyard.model import Attempt, Delivery, DeliveryStatus, EventType
from leadyard.store.account_groups import KEY_OF_GROUP
from leadyard.store.db import Row, Statement, from_document

_COLUMNS = "event_id, type, status, tries, attempts, next_attempt_at"
_OF_WEBHOOK = "account_group_id = :account_group_id AND webhook_id = :webhook_id"
_LIST = Statement(
    f"""SELECT {_COLUMNS} FROM webhook_deliveries WHERE {_OF_WEBHOOK} AND event_id < CAST(:before AS bigint)
    ORDER BY event_id DESC LIMIT :limit"""
)
_LIST_WITH_STATUS = Statement(
    f"""SELECT {_COLUMNS} FROM webhook_deliveries WHERE {_OF_WEBHOOK} AND event_id < CAST(:before AS bigint)
    AND status = :status ORDER BY event_id DESC LIMIT :limit"""
)
_FIND = Statement(
    f"""SELECT {_COLUMNS} FROM webhook_deliveries WHERE {_OF_WEBHOOK} AND event_id IN :event_ids[bigint]
    ORDER BY event_id"""
)
_DUE = Statement(
    f"""SELECT {_COLUMNS} FROM webhook_deliveries WHERE {_OF_WEBHOOK} AND status = 'pending'
    AND next_attempt_at <= CAST(:now AS bigint) ORDER BY next_attempt_at LIMIT :limit"""
)
_NEXT_DUE = Statement(
    f"""SELECT next_attempt_at FROM webhook_deliveries WHERE {_OF_WEBHOOK} AND status = 'pending'
    ORDER BY next_attempt_at LIMIT 1"""
)
# An event that was sent before, and is sent again by a replay, has a row.
_PUT = Statement(
    """INSERT INTO webhook_deliveries (account_group_id, webhook_id, event_id, type, status, tries, attempts,
        next_attempt_at)
    SELECT :account_group_id, CAST(:webhook_id AS bigint), r.event_id, r.type, r.status, r.tries, r.attempts,
        r.next_attempt_at
    FROM :rows{event_id bigint, type text, status text, tries integer, attempts jsonb, next_attempt_at bigint} AS r
    WHERE true
    ON CONFLICT (account_group_id, webhook_id, event_id) DO UPDATE SET status = excluded.status,
        tries = excluded.tries, attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at
    RETURNING event_id"""
)
_BEGIN_AGAIN = Statement(
    f"""UPDATE webhook_deliveries SET status = 'pending', tries = 0, next_attempt_at = CAST(:now AS bigint)
    WHERE {_OF_WEBHOOK} AND event_id = :event_id"""
)
_REMOVE_SOME = Statement(
    f"""DELETE FROM webhook_deliveries WHERE {_OF_WEBHOOK} AND event_id IN (
        SELECT d.event_id FROM webhook_deliveries d WHERE d.account_group_id = :account_group_id
        AND d.webhook_id = :webhook_id AND d.event_id < CAST(:before AS bigint) ORDER BY d.event_id LIMIT :limit)"""
)
_WEBHOOKS_WITH_OLD = Statement(
    f"""SELECT {KEY_OF_GROUP}, id FROM (SELECT w.account_group_id, w.id FROM webhooks w WHERE EXISTS (
        SELECT 1 FROM webhook_deliveries d WHERE d.account_group_id = w.account_group_id AND d.webhook_id = w.id
        AND d.event_id < CAST(:before AS bigint)) LIMIT :limit) AS found""",
    across_groups=True,
)


async def list_newest_first(
    tx: Transaction, webhook_id: str, *, status: DeliveryStatus | None, before: str | None, limit: int
) -> list[Delivery]:
    """Returns at most `limit` deliveries of the webhook, of the latest events first, before the given event."""
    first = BEYOND_EVERY_KEY if before is None else key_of(before)
    wanted = {"webhook_id": key_of(webhook_id), "before": first, "limit": limit}
    if status is None:
        return [_delivery(row) for row in await tx.rows(_LIST, **wanted)]
    return [_delivery(row) for row in await tx.rows(_LIST_WITH_STATUS, status=status, **wanted)]


async def find(tx: Transaction, webhook_id: str, event_ids: Sequence[str]) -> dict[str, Delivery]:
    """Returns the deliveries of these events to the webhook, by event. Events that were not sent have none."""
    rows = await tx.rows(_FIND, webhook_id=key_of(webhook_id), event_ids=keys_of(event_ids))
    return {each.event_id: each for each in map(_delivery, rows)}


async def list_due(tx: Transaction, webhook_id: str, *, now: int, limit: int) -> list[Delivery]:
    """Returns at most `limit` deliveries that are to be retried by now, longest due first."""
    rows = await tx.rows(_DUE, webhook_id=key_of(webhook_id), now=now, limit=limit)
    return [_delivery(row) for row in rows]


async def next_due(tx: Transaction, webhook_id: str) -> int | None:
    """Returns the time of the next retry of the webhook, or None if there is none."""
    row = await tx.row(_NEXT_DUE, webhook_id=key_of(webhook_id))
    return None if row is None else row["next_attempt_at"]


async def put(tx: Transaction, webhook_id: str, deliveries: Sequence[Delivery]) -> None:
    """Writes the deliveries, new or known, of a held webhook. Each event may be in the list once."""
    rows = [
        {
            "event_id": key_of(each.event_id),
            "type": each.type,
            "status": each.status,
            "tries": each.tries,
            "attempts": [
                {"at": a.at, "status": a.status_code, "ms": a.duration_ms, "error": a.error} for a in each.attempts
            ],
            "next_attempt_at": each.next_attempt_at,
        }
        for each in deliveries
    ]
    await tx.rows(_PUT, webhook_id=key_of(webhook_id), rows=rows)


async def begin_again(tx: Transaction, webhook_id: str, event_id: str, *, now: int) -> None:
    """Makes the delivery pending, to be sent now and then by the whole plan of retries."""
    await tx.run(_BEGIN_AGAIN, webhook_id=key_of(webhook_id), event_id=key_of(event_id), now=now)


async def remove_some(tx: Transaction, webhook_id: str, *, before_ms: int | None, limit: int) -> int:
    """Removes at most `limit` of the oldest deliveries, of events before this time, or of all events. Returns
    their number."""
    before = BEYOND_EVERY_KEY if before_ms is None else before_ms << NUMBER_BITS
    return await tx.run(_REMOVE_SOME, webhook_id=key_of(webhook_id), before=before, limit=limit)


async def list_webhooks_with_old(tx: Transaction, *, before_ms: int, limit: int) -> list[tuple[str, str]]:
    """Returns (account group, webhook) of webhooks with deliveries of events before this time."""
    rows = await tx.rows(_WEBHOOKS_WITH_OLD, before=before_ms << NUMBER_BITS, limit=limit)
    return [(id_of(row["key"]), id_of(row["id"])) for row in rows]


def _delivery(row: Row) -> Delivery:
    attempts = from_document(row["attempts"])
    return Delivery(
        event_id=id_of(row["event_id"]),
        type=EventType(row["type"]),
        status=DeliveryStatus(row["status"]),
        attempts=tuple(
            Attempt(at=each["at"], status_code=each["status"], duration_ms=each["ms"], error=each["error"])
            for each in attempts
        ),
        tries=row["tries"],
        next_attempt_at=row["next_attempt_at"],
    )
