"""Statements that read the record of changes and the memberships piece by piece. record_replay.py compares the two.

No statement returns more than a few thousand rows or about fifty thousand leads, however big the account group is. So
each stays far below the timeout for statements, and the memory is bounded.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from leadyard.database import Transaction
from leadyard.store.db import Row, Statement, from_document

_ROWS = 2_000
_LEADS = 50_000
_MEMBERS = 20_000

_CHANGE = """SELECT c.id, c.source_audience_id, c.target_audience_id, c.lead_count AS counted, c.state = 'complete' AS
    is_complete, c.lead_ids IS NULL AS is_in_parts, COALESCE({length}(c.lead_ids), 0) AS listed FROM changes c
    WHERE c.account_group_id = :account_group_id AND c.id > :after ORDER BY c.id LIMIT :limit"""
_CHANGES = Statement(_CHANGE.format(length="cardinality"), sqlite=_CHANGE.format(length="json_array_length"))
_PART = """SELECT p.change_id, p.position, p.target_audience_id, {length}(p.lead_ids) AS listed FROM change_parts p
    WHERE p.account_group_id = :account_group_id AND (p.change_id, p.position) > (:change_id, :position)
    AND p.change_id <= :last AND NOT p.is_planned ORDER BY p.change_id, p.position LIMIT :limit"""
_PARTS = Statement(_PART.format(length="cardinality"), sqlite=_PART.format(length="json_array_length"))
_LISTS = Statement(
    """SELECT c.id AS change_id, -1 AS position, c.changed_at, c.lead_ids, c.left_at, c.entered_at FROM changes c
    WHERE c.account_group_id = :account_group_id AND c.id IN :ids[bigint]"""
)
_LISTS_OF_PARTS = Statement(
    """SELECT p.change_id, p.position, p.changed_at, p.lead_ids, p.left_at, p.entered_at
    FROM :places{change_id bigint, position bigint} AS r CROSS JOIN LATERAL (
        SELECT change_id, position, changed_at, lead_ids, left_at, entered_at FROM change_parts
        WHERE account_group_id = :account_group_id AND change_id = r.change_id AND position = r.position
        LIMIT 1 OFFSET 0) p""",
    sqlite="""SELECT p.change_id, p.position, p.changed_at, p.lead_ids, p.left_at, p.entered_at
    FROM :places{change_id bigint, position bigint} AS r CROSS JOIN change_parts p
        ON p.account_group_id = :account_group_id AND p.change_id = r.change_id AND p.position = r.position""",
)
_LIST_MEMBERS = Statement(
    """SELECT m.audience_id AS number, m.lead_id, m.added_at FROM memberships m
    WHERE m.account_group_id = :account_group_id AND (m.audience_id, m.lead_id) > (:number, :lead_id)
    ORDER BY m.audience_id, m.lead_id LIMIT :limit"""
)
_AUDIENCES = Statement(
    """SELECT a.number, a.id FROM audiences a WHERE a.account_group_id = :account_group_id
    AND a.number IN :numbers[bigint]"""
)
_NOT_RECORDED_YET = Statement(
    """SELECT a.prospect_count FROM audiences a WHERE a.account_group_id = :account_group_id AND a.id = :audience_id
    AND a.deleted_by_change_id = :change_id"""
)
_EXPLAINED_FROM = Statement(
    "SELECT changes_expired_before FROM account_groups WHERE id = :account_group_id", across_groups=True
)
Place = tuple[int, int]
"""The number of an audience and the key of a lead, or the key of a change and the position of a part of it."""


class ListedChange(NamedTuple):
    """A change without its lists: how many leads it counts, and how many it lists, in its row or in its parts."""

    key: int
    source_key: int | None
    target_key: int | None
    counted: int
    is_complete: bool
    is_in_parts: bool
    listed: int


class ListedPart(NamedTuple):
    """A part of a change without its lists."""

    change_key: int
    position: int
    target_key: int | None
    listed: int


class Lists(NamedTuple):
    """The lists of a change or of a part of it, whose position is -1 for the row of the change. See store/tables.py."""

    change_key: int
    position: int
    changed_at: int
    lead_keys: list[int]
    left_at: list[int | None] | None
    entered_at: list[int | None] | None


async def list_changes(tx: Transaction) -> AsyncIterator[list[ListedChange]]:
    """Yields all changes in the order of their keys, some at a time."""
    after = 0
    while rows := await tx.rows(_CHANGES, after=after, limit=_ROWS):
        after = rows[-1]["id"]
        yield [ListedChange(*row.values()) for row in rows]


async def list_parts(tx: Transaction, *, first: int, last: int) -> AsyncIterator[list[ListedPart]]:
    """Yields the parts of the changes with these keys and those in between, in order, some at a time."""
    place: Place = (first, -1)
    while rows := await tx.rows(_PARTS, change_id=place[0], position=place[1], last=last, limit=_ROWS):
        place = (rows[-1]["change_id"], rows[-1]["position"])
        yield [ListedPart(*row.values()) for row in rows]


async def read_lists(tx: Transaction, places: Sequence[tuple[Place, int]]) -> AsyncIterator[list[Lists]]:
    """Yields the lists at these places, a few at a time. Each place comes with the number of leads there."""
    chosen: list[Place] = []
    leads = 0
    for place, listed in places:
        if chosen and leads + listed > _LEADS:
            yield await _read_together(tx, chosen)
            chosen, leads = [], 0
        chosen.append(place)
        leads += listed
    if chosen:
        yield await _read_together(tx, chosen)


async def list_members(tx: Transaction, *, after: Place) -> AsyncIterator[list[tuple[int, int, int]]]:
    """Yields all memberships in the order of their places, some at a time: the number of the audience, the key of the
    lead, and since when."""
    while rows := await tx.rows(_LIST_MEMBERS, number=after[0], lead_id=after[1], limit=_MEMBERS):
        after = (rows[-1]["number"], rows[-1]["lead_id"])
        yield [(row["number"], row["lead_id"], row["added_at"]) for row in rows]


async def find_audiences(tx: Transaction, numbers: Sequence[int]) -> dict[int, int]:
    """Returns the keys of the audiences by their numbers."""
    return {row["number"]: row["id"] for row in await tx.rows(_AUDIENCES, numbers=list(numbers))}


async def count_not_recorded(tx: Transaction, change: ListedChange) -> int:
    """Returns how many members the audience still has that the change deletes. It lists them later."""
    row = await tx.row(_NOT_RECORDED_YET, audience_id=change.source_key, change_id=change.key)
    return row["prospect_count"] if row else 0


async def find_explained_from(tx: Transaction) -> int:
    """Returns the key from which on the changes have their leads. Older ones have expired."""
    row = await tx.row(_EXPLAINED_FROM)
    return row["changes_expired_before"] if row else 0


async def _read_together(tx: Transaction, places: Sequence[Place]) -> list[Lists]:
    of_changes = [key for key, position in places if position < 0]
    of_parts = [{"change_id": key, "position": position} for key, position in places if position >= 0]
    rows: list[Row] = []
    if of_changes:
        rows += await tx.rows(_LISTS, ids=of_changes)
    if of_parts:
        rows += await tx.rows(_LISTS_OF_PARTS, places=of_parts)
    return [
        Lists(
            row["change_id"],
            row["position"],
            row["changed_at"],
            from_document(row["lead_ids"]) or [],
            from_document(row["left_at"]),
            from_document(row["entered_at"]),
        )
        for row in rows
    ]
