"""Statements on events that have committed with their changes, and have no place in the feed yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leadyard.database import Transaction
from leadyard.ids import BEYOND_EVERY_KEY, id_of, id_or_none, key_of, key_or_none, keys_of
from leadyard.model import EventType, NewEvent
from leadyard.store.account_groups import KEY_OF_GROUP
from leadyard.store.db import Row, Statement, as_document, from_document

_COLUMNS = """id, type, occurred_at, source_audience_id, target_audience_id, source_count, target_count, change_id,
    first_lead, data"""
_INSERT = Statement(
    f"""INSERT INTO event_outbox (account_group_id, {_COLUMNS}) VALUES (:account_group_id, :id, :type, :occurred_at,
    :source_audience_id, :target_audience_id, :source_count, :target_count, :change_id, :first_lead, :data)"""
)
_ANY = Statement("SELECT id FROM event_outbox WHERE account_group_id = :account_group_id LIMIT 1")
# The first `limit` ones, or all.
_TAKE = Statement(
    f"""DELETE FROM event_outbox WHERE account_group_id = :account_group_id
    AND id <= COALESCE((SELECT o.id FROM event_outbox o WHERE o.account_group_id = :account_group_id
        ORDER BY o.id LIMIT 1 OFFSET CAST(:limit AS bigint) - 1), {BEYOND_EVERY_KEY})
    RETURNING {_COLUMNS}"""
)
_CHANGES = Statement(
    """SELECT id, job_id, lead_count, already_in_target_count, undoes_change_id FROM changes
    WHERE account_group_id = :account_group_id AND id IN :ids[bigint]"""
)
_AUDIENCES = Statement(
    """SELECT id, name, prospect_count, changed_at FROM audiences
    WHERE account_group_id = :account_group_id AND id IN :ids[bigint]"""
)
_GROUPS = Statement(
    f"""SELECT {KEY_OF_GROUP} FROM (SELECT DISTINCT account_group_id FROM event_outbox
        ORDER BY account_group_id LIMIT :limit) AS found""",
    across_groups=True,
)


@dataclass(frozen=True, slots=True)
class ReportedChange:
    """What events report of a change."""

    job_id: str | None
    lead_count: int
    already_in_target_count: int
    undoes_change_id: str | None


@dataclass(frozen=True, slots=True)
class ReportedAudience:
    """An audience as events report it, and the time of its last change."""

    name: str
    prospect_count: int
    changed_at: int


async def insert(tx: Transaction, event: NewEvent) -> None:
    """Writes the event. Raises TransactionConflict if another waiting event of the account group has its key."""
    await tx.run(
        _INSERT,
        id=key_of(event.key_id),
        type=event.type,
        occurred_at=event.occurred_at,
        source_audience_id=key_or_none(event.source_audience_id),
        target_audience_id=key_or_none(event.target_audience_id),
        source_count=event.source_count,
        target_count=event.target_count,
        change_id=key_or_none(event.change_id),
        first_lead=event.first_lead,
        data=None if event.data is None else as_document(event.data),
    )


async def has_any(tx: Transaction) -> bool:
    """Returns whether an event waits for its place."""
    return await tx.row(_ANY) is not None


async def take(tx: Transaction, *, limit: int) -> list[NewEvent]:
    """Removes at most `limit` events, those with the smallest keys, and returns them in the order of their keys. The
    feed must be locked."""
    rows = await tx.rows(_TAKE, limit=limit)
    return [_event(row) for row in sorted(rows, key=lambda row: row["id"])]


async def find_changes(tx: Transaction, change_ids: Iterable[str]) -> dict[str, ReportedChange]:
    """Returns id → what events report of the change, for those that exist."""
    rows = await tx.rows(_CHANGES, ids=sorted(keys_of(list(change_ids))))
    return {
        id_of(row["id"]): ReportedChange(
            id_or_none(row["job_id"]),
            row["lead_count"],
            row["already_in_target_count"],
            id_or_none(row["undoes_change_id"]),
        )
        for row in rows
    }


async def find_audiences(tx: Transaction, audience_ids: Iterable[str]) -> dict[str, ReportedAudience]:
    """Returns id → what events report of the audience, also of deleted ones."""
    rows = await tx.rows(_AUDIENCES, ids=sorted(keys_of(list(audience_ids))))
    return {id_of(row["id"]): ReportedAudience(row["name"], row["prospect_count"], row["changed_at"]) for row in rows}


async def list_groups(tx: Transaction, *, limit: int) -> Sequence[str]:
    """Returns ids of account groups with events that wait for their places."""
    return [id_of(row["key"]) for row in await tx.rows(_GROUPS, limit=limit)]


def _event(row: Row) -> NewEvent:
    return NewEvent(
        key_id=id_of(row["id"]),
        type=EventType(row["type"]),
        occurred_at=row["occurred_at"],
        source_audience_id=id_or_none(row["source_audience_id"]),
        target_audience_id=id_or_none(row["target_audience_id"]),
        source_count=row["source_count"],
        target_count=row["target_count"],
        change_id=id_or_none(row["change_id"]),
        first_lead=row["first_lead"],
        data=from_document(row["data"]),
    )
