"""Statements on the feed of events.

The id of an event is its position. `append` gives it with the row of the feed locked, to events that have committed, so
a reader that has read all events up to an id never gets a smaller one later (docs/decisions/0047).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from leadyard.database import Transaction
from leadyard.ids import ERASED_ID, NUMBER_BITS, id_of, id_or_none, key_of, key_or_none, number_of
from leadyard.model import MAX_LEADS_PER_EVENT, Event, EventFilter, EventType, NewEvent
from leadyard.store.account_groups import KEY_OF_GROUP
from leadyard.store.db import NewRows, Row, Statement, as_document, from_document

_COLUMNS = "id, type, occurred_at, source_audience_id, target_audience_id, change_id, first_lead, data"
_FROM_HERE = "FROM events WHERE account_group_id = :account_group_id AND id > CAST(:after AS bigint) ORDER BY id"
# The feed of a new account group begins here. The update changes nothing; it locks the row.
_LOCK_FEED = Statement(
    """INSERT INTO event_feeds (account_group_id, last_id) VALUES (:account_group_id, 0)
    ON CONFLICT (account_group_id) DO UPDATE SET last_id = event_feeds.last_id RETURNING last_id, removed_through"""
)
_FIND_FEED = Statement("SELECT last_id, removed_through FROM event_feeds WHERE account_group_id = :account_group_id")
# For all account groups whose readers wait in a process: one statement, several times a second.
_ENDS = Statement(
    """SELECT f.account_group_id, f.last_id, EXISTS (SELECT 1 FROM event_outbox o
        WHERE o.account_group_id = f.account_group_id) AS is_waiting
    FROM event_feeds f WHERE f.account_group_id IN :numbers[bigint]""",
    across_groups=True,
)
_SET_LAST = Statement("UPDATE event_feeds SET last_id = :last_id WHERE account_group_id = :account_group_id")
_ADD = NewRows(
    "events",
    ("id", "type", "occurred_at", "source_audience_id", "target_audience_id", "change_id", "first_lead", "data"),
)
_LIST = Statement(f"SELECT {_COLUMNS} {_FROM_HERE} LIMIT :limit")
# An event about a person has its audiences in its data, which the caller compares.
_LIST_MATCHING = Statement(
    f"""SELECT {_COLUMNS} FROM (SELECT {_COLUMNS} {_FROM_HERE} LIMIT :look_at) AS e
    WHERE (CAST(:any_type AS integer) = 1 OR e.type IN :types[text])
    AND (CAST(:audience_id AS bigint) IS NULL OR e.source_audience_id = :audience_id
        OR e.target_audience_id = :audience_id OR e.type IN ('prospect.erased', 'prospect.merged'))
    ORDER BY e.id LIMIT :limit"""
)
_END_OF_LOOK = Statement(
    f"SELECT max(e.id) AS last_id, count(*) AS seen FROM (SELECT id {_FROM_HERE} LIMIT :look_at) AS e"
)
_FIND = Statement(f"SELECT {_COLUMNS} FROM events WHERE account_group_id = :account_group_id AND id = :id")
_FIND_ALL = Statement(
    f"SELECT {_COLUMNS} FROM events WHERE account_group_id = :account_group_id AND id IN :ids[bigint] ORDER BY id"
)
_LEADS = Statement(
    f"""SELECT c.id, c.lead_ids[1:{MAX_LEADS_PER_EVENT}] AS lead_ids FROM changes c
    WHERE c.account_group_id = :account_group_id AND c.id IN :ids[bigint]""",
    sqlite=f"""SELECT c.id, CASE WHEN c.lead_ids IS NOT NULL THEN (SELECT json_group_array(u.value) FROM (
        SELECT value FROM json_each(c.lead_ids) LIMIT {MAX_LEADS_PER_EVENT}) AS u) END AS lead_ids FROM changes c
    WHERE c.account_group_id = :account_group_id AND c.id IN :ids[bigint]""",
)
_LEADS_OF_PART = Statement(
    f"""SELECT p.position, p.lead_ids[1:{MAX_LEADS_PER_EVENT}] AS lead_ids FROM change_parts p
    WHERE p.account_group_id = :account_group_id AND p.change_id = :change_id AND p.position >= CAST(:first AS bigint)
    ORDER BY p.position LIMIT :limit""",
    sqlite=f"""SELECT p.position, (SELECT json_group_array(u.value) FROM (
        SELECT value FROM json_each(p.lead_ids) LIMIT {MAX_LEADS_PER_EVENT}) AS u) AS lead_ids FROM change_parts p
    WHERE p.account_group_id = :account_group_id AND p.change_id = :change_id AND p.position >= CAST(:first AS bigint)
    ORDER BY p.position LIMIT :limit""",
)
_GROUPS_TO_PRUNE = Statement(
    f"""SELECT {KEY_OF_GROUP} FROM (SELECT f.account_group_id FROM event_feeds f WHERE EXISTS (SELECT 1 FROM events e
        WHERE e.account_group_id = f.account_group_id AND e.id < CAST(:before AS bigint))
        ORDER BY f.account_group_id LIMIT :limit) AS found""",
    across_groups=True,
)
_REMOVE_SOME = Statement(
    """DELETE FROM events WHERE account_group_id = :account_group_id AND id <= COALESCE((
        SELECT max(o.id) FROM (SELECT id FROM events WHERE account_group_id = :account_group_id
            AND id < CAST(:before AS bigint) ORDER BY id LIMIT :limit) AS o), 0) RETURNING id"""
)
_SET_REMOVED = Statement(
    "UPDATE event_feeds SET removed_through = :removed_through WHERE account_group_id = :account_group_id"
)
# A part of an import has a thousand leads, but a small one may have a few.
_PARTS_READ = 20


@dataclass(frozen=True, slots=True)
class Feed:
    """The ends of a feed: the id of its last event, and of the last one that was removed because of its age."""

    last_id: str
    removed_through: str


@dataclass(frozen=True, slots=True)
class FeedEnd:
    """The id of the last event of a feed, and whether committed events wait for their places after it."""

    last_id: str
    is_waiting: bool


async def lock_feed(tx: Transaction) -> Feed:
    """Locks the feed of the account group, which exists from then on, until the transaction ends."""
    row = await tx.row(_LOCK_FEED)
    assert row is not None
    return _feed(row)


async def find_feed(tx: Transaction) -> Feed:
    """Returns the ends of the feed, without a lock. An account group without events has an empty one."""
    row = await tx.row(_FIND_FEED)
    return _feed(row) if row else Feed(id_of(0), id_of(0))


async def find_ends(tx: Transaction, account_group_ids: Sequence[str]) -> dict[str, FeedEnd]:
    """Returns account group → end of its feed, for those that have a feed. The ids must be proven ones."""
    id_of_number = {number_of(id): id for id in account_group_ids}
    rows = await tx.rows(_ENDS, numbers=sorted(id_of_number))
    return {
        id_of_number[row["account_group_id"]]: FeedEnd(id_of(row["last_id"]), bool(row["is_waiting"])) for row in rows
    }


async def append(
    tx: Transaction, feed: Feed, new: Sequence[tuple[NewEvent, Mapping[str, Any]]], *, now: int
) -> list[Event]:
    """Gives the events, each with its data, their places at the end of the locked feed, in this order, and returns them
    without their leads.

    An id has the time, at least one millisecond after the one before, and the number of the account group. So ids are
    unique in the installation, and later than all before even if the clock has stepped back.
    """
    group = number_of(tx.account_group_id or "")
    first = max(now, (key_of(feed.last_id) >> NUMBER_BITS) + 1)
    placed = [(first + at << NUMBER_BITS | group, event, data) for at, (event, data) in enumerate(new)]
    if placed:
        await tx.add(_ADD, [_row(key, event, data) for key, event, data in placed])
        await tx.run(_SET_LAST, last_id=placed[-1][0])
    return [_placed(key, event, data) for key, event, data in placed]


async def list_after(tx: Transaction, after: str, *, limit: int) -> list[Event]:
    """Returns at most `limit` events of the feed that follow the position, in order, with their leads. The position is
    the id of an event, or 24 zeros for the beginning of what is kept."""
    return await _with_leads(tx, await tx.rows(_LIST, after=key_of(after), limit=limit))


async def list_matching(
    tx: Transaction, wanted: EventFilter, after: str, *, limit: int, look_at: int
) -> tuple[list[Event], str, bool]:
    """Returns the events among the `look_at` next ones that match the filter, at most `limit`; the position after which
    to continue; and whether the feed goes on there."""
    rows = await tx.rows(
        _LIST_MATCHING,
        after=key_of(after),
        look_at=look_at,
        limit=limit + 1,
        any_type=int(wanted.types is None),
        types=sorted(wanted.types or ()),
        audience_id=key_or_none(wanted.audience_id),
    )
    end = await tx.row(_END_OF_LOOK, after=key_of(after), look_at=look_at)
    found = [event for event in await _with_leads(tx, rows[:limit]) if wanted.takes(event)]
    if len(rows) > limit:
        return found, id_of(rows[limit - 1]["id"]), True
    if end is None or end["last_id"] is None:
        return found, after, False
    return found, id_of(end["last_id"]), end["seen"] == look_at


async def find(tx: Transaction, event_id: str) -> Event | None:
    """Returns the event with its leads, or None."""
    found = await _with_leads(tx, await tx.rows(_FIND, id=key_of(event_id)))
    return found[0] if found else None


async def find_all(tx: Transaction, event_ids: Sequence[str]) -> list[Event]:
    """Returns those of the events that are kept, in the order of the feed, with their leads."""
    if not event_ids:
        return []
    return await _with_leads(tx, await tx.rows(_FIND_ALL, ids=[key_of(each) for each in event_ids]))


async def list_groups_to_prune(tx: Transaction, *, before: int, limit: int) -> list[str]:
    """Returns ids of account groups with events that got their places before that time."""
    return [id_of(row["key"]) for row in await tx.rows(_GROUPS_TO_PRUNE, before=before << NUMBER_BITS, limit=limit)]


async def remove_some(tx: Transaction, *, before: int, limit: int) -> int:
    """Removes at most `limit` events of the locked feed that got their places before that time, oldest first, and notes
    in the feed how far they are gone. Returns their number."""
    gone = [row["id"] for row in await tx.rows(_REMOVE_SOME, before=before << NUMBER_BITS, limit=limit)]
    if gone:
        await tx.run(_SET_REMOVED, removed_through=max(gone))
    return len(gone)


async def _with_leads(tx: Transaction, rows: Sequence[Row]) -> list[Event]:
    """Returns the events of the rows. Their leads come from the record of changes, in one statement for all changes in
    one row, and one for each part of an import."""
    with_leads = [row for row in rows if row["first_lead"] is not None]
    inline: dict[int, list[int] | None] = {}
    if with_leads:
        found = await tx.rows(_LEADS, ids=sorted({row["change_id"] for row in with_leads}))
        inline = {row["id"]: from_document(row["lead_ids"]) for row in found}
    events = []
    for row in rows:
        event = _event(row)
        if row["first_lead"] is not None:
            keys = inline.get(row["change_id"])
            if keys is None:
                keys = await _leads_of_parts(tx, row["change_id"], row["first_lead"])
            event = replace(event, data={**event.data, "leadIds": _shown(keys, event.data["leadCount"])})
        events.append(event)
    return events


async def _leads_of_parts(tx: Transaction, change_key: int, first: int) -> list[int]:
    keys: list[int] = []
    for row in await tx.rows(_LEADS_OF_PART, change_id=change_key, first=first, limit=_PARTS_READ):
        # A part with more leads than an event lists is cut, so the next one does not follow directly.
        if row["position"] != first + len(keys) or len(keys) >= MAX_LEADS_PER_EVENT:
            break
        keys += from_document(row["lead_ids"])
    return keys


def _shown(keys: Iterable[int], lead_count: int) -> list[str]:
    """Returns the ids of the leads, without erased ones. After a merge a lead may be there twice."""
    ids = [id_of(key) for key in keys][: min(MAX_LEADS_PER_EVENT, lead_count)]
    return list(dict.fromkeys(id for id in ids if id != ERASED_ID))


def _feed(row: Row) -> Feed:
    return Feed(id_of(row["last_id"]), id_of(row["removed_through"]))


def _row(key: int, event: NewEvent, data: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        key,
        event.type,
        event.occurred_at,
        key_or_none(event.source_audience_id),
        key_or_none(event.target_audience_id),
        key_or_none(event.change_id),
        event.first_lead,
        as_document(data),
    )


def _placed(key: int, event: NewEvent, data: Mapping[str, Any]) -> Event:
    return Event(
        id=id_of(key),
        type=event.type,
        occurred_at=event.occurred_at,
        data=data,
        source_audience_id=event.source_audience_id,
        target_audience_id=event.target_audience_id,
    )


def _event(row: Row) -> Event:
    return Event(
        id=id_of(row["id"]),
        type=EventType(row["type"]),
        occurred_at=row["occurred_at"],
        data=from_document(row["data"]),
        source_audience_id=id_or_none(row["source_audience_id"]),
        target_audience_id=id_or_none(row["target_audience_id"]),
    )
