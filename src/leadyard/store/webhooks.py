"""Statements on webhooks, for the clients that manage them. Their leases are in webhook_leases.py."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.database import Transaction
from leadyard.ids import id_of, key_of, keys_of
from leadyard.model import DisabledReason, EventType, Replay, SealedSecret, Webhook, WebhookStatus
from leadyard.store.account_groups import KEY_OF_GROUP
from leadyard.store.db import Row, Statement, as_document, from_document

COLUMNS = (
    "id, url, types, audience_ids, description, status, disabled_reason, created_at, last_success_at, failing_since"
)
_EXISTING = "account_group_id = :account_group_id AND status <> 'deleted'"
# The limit would not hold if two webhooks were added at once. NO KEY does not block transactions that only refer to it.
_LOCK_GROUP = Statement(
    "SELECT id FROM account_groups WHERE id = :account_group_id ORDER BY id FOR NO KEY UPDATE", across_groups=True
)
_COUNT = Statement(f"SELECT count(*) AS webhooks FROM webhooks WHERE {_EXISTING}")
# A new webhook begins at the end of the feed. Events that get their place in it later come after this.
_END_OF_FEED = Statement("SELECT last_id FROM event_feeds WHERE account_group_id = :account_group_id")
_INSERT = Statement(
    """INSERT INTO webhooks (account_group_id, id, url, types, audience_ids, description, status, created_at, secrets,
        position)
    VALUES (:account_group_id, :id, :url, :types, :audience_ids[bigint], :description, :status, :created_at, :secrets,
        :position)"""
)
_LIST = Statement(f"SELECT {COLUMNS} FROM webhooks WHERE {_EXISTING} AND id > :after ORDER BY id LIMIT :limit")
_FIND = Statement(f"SELECT {COLUMNS}, secrets FROM webhooks WHERE {_EXISTING} AND id = :id")
_LOCK = Statement(f"SELECT {COLUMNS}, secrets FROM webhooks WHERE {_EXISTING} AND id = :id ORDER BY id FOR UPDATE")
_UPDATE = Statement(
    """UPDATE webhooks SET url = :url, types = :types, audience_ids = :audience_ids[bigint],
    description = :description, status = :status, disabled_reason = :disabled_reason, failing_since = :failing_since,
    hold_until = 0 WHERE account_group_id = :account_group_id AND id = :id"""
)
_SET_SECRETS = Statement(
    "UPDATE webhooks SET secrets = :secrets, hold_until = 0 WHERE account_group_id = :account_group_id AND id = :id"
)
_SET_REPLAY = Statement(
    """UPDATE webhooks SET replay_position = :position, replay_until = :until, replay_from = :from_ms,
    replay_to = :to_ms, hold_until = 0 WHERE account_group_id = :account_group_id AND id = :id"""
)
_FIND_PROGRESS = Statement(
    """SELECT position, replay_position, replay_until, replay_from, replay_to FROM webhooks
    WHERE account_group_id = :account_group_id AND id = :id"""
)
_SET_READY = Statement(
    """UPDATE webhooks SET ready_at = :ready_at, hold_until = 0
    WHERE account_group_id = :account_group_id AND id = :id"""
)
_MARK_DELETED = Statement(
    "UPDATE webhooks SET status = 'deleted' WHERE account_group_id = :account_group_id AND id = :id"
)
_GROUPS_TO_REMOVE = Statement(
    f"""SELECT {KEY_OF_GROUP} FROM (SELECT DISTINCT account_group_id FROM webhooks WHERE status = 'deleted'
        LIMIT :limit) AS found""",
    across_groups=True,
)
_LOCK_DELETED = Statement(
    """SELECT id FROM webhooks WHERE account_group_id = :account_group_id AND status = 'deleted'
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"""
)
_REMOVE = Statement("DELETE FROM webhooks WHERE account_group_id = :account_group_id AND id = :id")


async def lock_group(tx: Transaction) -> None:
    """Blocks new webhooks of the account group until the transaction ends."""
    await tx.row(_LOCK_GROUP)


async def count(tx: Transaction) -> int:
    """Returns how many webhooks the account group has."""
    row = await tx.row(_COUNT)
    assert row is not None
    found: int = row["webhooks"]
    return found


async def end_of_feed(tx: Transaction) -> str:
    """Returns the id of the last event in the feed of the account group, 24 zeros before the first one."""
    row = await tx.row(_END_OF_FEED)
    return id_of(0 if row is None else row["last_id"])


async def insert(tx: Transaction, webhook: Webhook, *, secrets: Sequence[SealedSecret], position: str) -> None:
    """Adds the webhook. It gets the events after `position`."""
    await tx.run(
        _INSERT,
        id=key_of(webhook.id),
        url=webhook.url,
        types=as_document(list(webhook.types)),
        audience_ids=keys_of(webhook.audience_ids),
        description=webhook.description,
        status=webhook.status,
        created_at=webhook.created_at,
        secrets=_secrets_document(secrets),
        position=key_of(position),
    )


async def list_after(tx: Transaction, *, after: str | None, limit: int) -> list[Webhook]:
    """Returns at most `limit` webhooks, oldest first, after the given id."""
    rows = await tx.rows(_LIST, after=0 if after is None else key_of(after), limit=limit)
    return [webhook_from(row) for row in rows]


async def find(tx: Transaction, webhook_id: str) -> tuple[Webhook, tuple[SealedSecret, ...]] | None:
    """Returns the webhook with its secrets, or None."""
    row = await tx.row(_FIND, id=key_of(webhook_id))
    return None if row is None else (webhook_from(row), secrets_from(row))


async def lock(tx: Transaction, webhook_id: str) -> tuple[Webhook, tuple[SealedSecret, ...]] | None:
    """Locks the webhook and returns it with its secrets, or None."""
    row = await tx.row(_LOCK, id=key_of(webhook_id))
    return None if row is None else (webhook_from(row), secrets_from(row))


async def update(tx: Transaction, webhook: Webhook) -> None:
    """Writes the settings and the state of a locked webhook. It may send again at once."""
    await tx.run(
        _UPDATE,
        id=key_of(webhook.id),
        url=webhook.url,
        types=as_document(list(webhook.types)),
        audience_ids=keys_of(webhook.audience_ids),
        description=webhook.description,
        status=webhook.status,
        disabled_reason=webhook.disabled_reason,
        failing_since=webhook.failing_since,
    )


async def set_secrets(tx: Transaction, webhook_id: str, secrets: Sequence[SealedSecret]) -> None:
    """Writes the secrets of a locked webhook. It may send again at once."""
    await tx.run(_SET_SECRETS, id=key_of(webhook_id), secrets=_secrets_document(secrets))


async def find_progress(tx: Transaction, webhook_id: str) -> tuple[str, Replay | None]:
    """Returns the id of the last event that the locked webhook is done with, and the replay that it has not finished,
    or None."""
    row = await tx.row(_FIND_PROGRESS, id=key_of(webhook_id))
    assert row is not None
    return id_of(row["position"]), replay_from(row)


async def set_replay(tx: Transaction, webhook_id: str, replay: Replay) -> None:
    """Makes a locked webhook send these events again, in addition to new ones."""
    await tx.run(
        _SET_REPLAY,
        id=key_of(webhook_id),
        position=key_of(replay.position),
        until=key_of(replay.until),
        from_ms=replay.from_ms,
        to_ms=replay.to_ms,
    )


async def set_ready(tx: Transaction, webhook_id: str, *, at: int) -> None:
    """Makes a locked webhook look for retries at this time, by the clock of the database."""
    await tx.run(_SET_READY, id=key_of(webhook_id), ready_at=at)


async def mark_deleted(tx: Transaction, webhook_id: str) -> None:
    """Makes a locked webhook invisible. `remove` removes it later."""
    await tx.run(_MARK_DELETED, id=key_of(webhook_id))


async def list_groups_to_remove(tx: Transaction, *, limit: int) -> list[str]:
    """Returns account groups with a deleted webhook whose row is still there."""
    return [id_of(row["key"]) for row in await tx.rows(_GROUPS_TO_REMOVE, limit=limit)]


async def lock_deleted(tx: Transaction) -> str | None:
    """Locks a deleted webhook that no other process is removing, and returns its id, or None."""
    row = await tx.row(_LOCK_DELETED)
    return None if row is None else id_of(row["id"])


async def remove(tx: Transaction, webhook_id: str) -> None:
    """Removes the row of a locked deleted webhook that has no deliveries left."""
    await tx.run(_REMOVE, id=key_of(webhook_id))


def webhook_from(row: Row) -> Webhook:
    """Returns the webhook of a row with COLUMNS."""
    reason = row["disabled_reason"]
    return Webhook(
        id=id_of(row["id"]),
        url=row["url"],
        types=tuple(map(EventType, from_document(row["types"]))),
        audience_ids=tuple(map(id_of, from_document(row["audience_ids"]))),
        description=row["description"],
        status=WebhookStatus(row["status"]),
        disabled_reason=None if reason is None else DisabledReason(reason),
        created_at=row["created_at"],
        last_success_at=row["last_success_at"],
        failing_since=row["failing_since"],
    )


def secrets_from(row: Row) -> tuple[SealedSecret, ...]:
    """Returns the secrets in a row, the current one first."""
    return tuple(SealedSecret(**each) for each in from_document(row["secrets"]))


def replay_from(row: Row) -> Replay | None:
    """Returns the replay in a row, or None."""
    if row["replay_position"] is None:
        return None
    return Replay(
        position=id_of(row["replay_position"]),
        until=id_of(row["replay_until"]),
        from_ms=row["replay_from"],
        to_ms=row["replay_to"],
    )


def _secrets_document(secrets: Sequence[SealedSecret]) -> str:
    return as_document([{"sealed": each.sealed, "until": each.until} for each in secrets])
