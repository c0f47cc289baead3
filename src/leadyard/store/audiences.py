"""Statements on audiences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadyard.database import Transaction
from leadyard.ids import id_of, id_or_none, key_of, key_or_none, keys_of, number_of
from leadyard.model import ALL_OR_NOTHING, Audience, AudienceType
from leadyard.store.account_groups import KEY_OF_GROUP
from leadyard.store.db import Row, Statement
from leadyard.store.job_status import ACTIVE_J

_NAMES = ("id", "name", "type", "description", "folder_id", "prospect_count", "created_at", "changed_at")
_COLUMNS = ", ".join(f"a.{name}" for name in _NAMES)
# The same in a sub-query that is called a outside.
_COLUMNS_INSIDE = ", ".join(_NAMES)
_JOB_ON = f"""SELECT j.id FROM jobs j WHERE j.account_group_id = :account_group_id AND {{column}} = a.id
    AND {ACTIVE_J}"""
_FIRST, _SECOND = _JOB_ON.format(column="j.audience_id"), _JOB_ON.format(column="j.second_audience_id")
# The members of their audiences are between two states until the job has ended, so that no answer may show them.
_WHOLE = ", ".join(f"'{kind}'" for kind in sorted(ALL_OR_NOTHING))
_NOT_BETWEEN = f"""NOT EXISTS ({_FIRST} AND j.kind IN ({_WHOLE}))
    AND NOT EXISTS ({_SECOND} AND j.kind IN ({_WHOLE}))"""
_READY = f"a.deleted_at IS NULL AND NOT EXISTS ({_FIRST}) AND NOT EXISTS ({_SECOND})"

_INSERT = Statement(
    """INSERT INTO audiences
    (account_group_id, id, number, name, type, description, folder_id, prospect_count, created_at, changed_at)
    VALUES (:account_group_id, :id, :number, :name, :type, :description, NULL, 0, :created_at, :created_at)"""
)
_FIND = Statement(
    f"""SELECT {_COLUMNS}, ({_FIRST} UNION ALL {_SECOND} LIMIT 1) AS populating_job_id
    FROM audiences a WHERE a.account_group_id = :account_group_id AND a.id = :id AND a.deleted_at IS NULL"""
)
_FIND_BY_NAME = Statement(
    f"""SELECT {_COLUMNS} FROM audiences a
    WHERE a.account_group_id = :account_group_id AND a.name = :name AND a.deleted_at IS NULL
    ORDER BY a.id LIMIT 2"""
)
# Reads the audiences of the account group in order of id: 10,000 in about 1 ms on SQLite, and 3 ms on PostgreSQL. An
# index on the name would be one more place to change with each audience.
_LIST_NAMED = Statement(
    f"""SELECT {_COLUMNS}, ({_FIRST} UNION ALL {_SECOND} LIMIT 1) AS populating_job_id FROM audiences a
    WHERE a.account_group_id = :account_group_id AND a.name = :name AND a.id > :after AND a.deleted_at IS NULL
    ORDER BY a.id LIMIT :limit"""
)
_FIND_IDS = Statement(
    """SELECT id FROM audiences WHERE account_group_id = :account_group_id AND id IN :ids[bigint]
    AND deleted_at IS NULL ORDER BY id"""
)
_LIST_READY = Statement(
    f"""SELECT {_COLUMNS} FROM audiences a
    WHERE a.account_group_id = :account_group_id AND a.id > :after AND {_READY}
    ORDER BY a.id LIMIT :limit"""
)
_LIST_ALL_READY = Statement(
    f"""SELECT {_COLUMNS} FROM audiences a WHERE a.account_group_id = :account_group_id AND {_READY} ORDER BY a.id"""
)
_LIST_OF_LEADS = Statement(
    # One look-up for each lead and for each membership, as docs/decisions/0007 has it.
    f"""SELECT m.lead_id, {_COLUMNS} FROM unnest(:lead_ids[bigint]) AS u(lead_id) CROSS JOIN LATERAL (
        SELECT lead_id, audience_id FROM memberships
        WHERE account_group_id = :account_group_id AND lead_id = u.lead_id OFFSET 0) m
    CROSS JOIN LATERAL (
        SELECT {_COLUMNS_INSIDE} FROM audiences WHERE account_group_id = :account_group_id
        AND number = m.audience_id AND deleted_at IS NULL LIMIT 1 OFFSET 0) a
    WHERE {_NOT_BETWEEN} ORDER BY a.id""",
    # In this order: with a plain JOIN, SQLite walks the audiences, which are in the order of the result already.
    sqlite=f"""SELECT m.lead_id, {_COLUMNS} FROM memberships m CROSS JOIN audiences a
    WHERE m.account_group_id = :account_group_id AND m.lead_id IN :lead_ids[bigint]
    AND a.account_group_id = :account_group_id AND a.number = m.audience_id AND a.deleted_at IS NULL
    AND {_NOT_BETWEEN} ORDER BY a.id""",
)
_UPDATE = Statement(
    """UPDATE audiences SET name = :name, description = :description, changed_at = :now
    WHERE account_group_id = :account_group_id AND id = :id"""
)
_PUT_INTO_FOLDER = Statement(
    """UPDATE audiences SET folder_id = :folder_id, changed_at = :now
    WHERE account_group_id = :account_group_id AND id = :id"""
)
_UNGROUP = Statement(
    """UPDATE audiences SET folder_id = NULL, changed_at = :now
    WHERE account_group_id = :account_group_id AND folder_id = :folder_id"""
)
# The row keeps its folder, so that the audience can come back to it. A folder that is deleted gives up its deleted
# audiences, too.
_DELETE = Statement(
    """UPDATE audiences SET deleted_at = :now, changed_at = :now, deleted_by_change_id = :change_id,
    emptied_at = CASE WHEN prospect_count = 0 THEN CAST(:now AS bigint) END
    WHERE account_group_id = :account_group_id AND id = :id"""
)
_UNDELETE = Statement(
    """UPDATE audiences SET deleted_at = NULL, emptied_at = NULL, deleted_by_change_id = NULL
    WHERE account_group_id = :account_group_id AND id = :id"""
)
_SHOW_WHILE_EMPTIED = Statement(
    """UPDATE audiences SET deleted_at = NULL, emptied_at = NULL
    WHERE account_group_id = :account_group_id AND id = :id"""
)
_GROUPS_TO_EMPTY = Statement(
    f"""SELECT {KEY_OF_GROUP} FROM (SELECT DISTINCT account_group_id FROM audiences
        WHERE deleted_at IS NOT NULL AND emptied_at IS NULL ORDER BY account_group_id LIMIT :limit) AS found""",
    across_groups=True,
)
_LOCK_ONE_TO_EMPTY = Statement(
    """SELECT id, prospect_count, changed_at, deleted_by_change_id FROM audiences
    WHERE account_group_id = :account_group_id AND deleted_at IS NOT NULL AND emptied_at IS NULL
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"""
)
# FOR UPDATE rather than FOR NO KEY UPDATE. A job refers to its audience, so the check of its foreign key must wait for
# us, or we for it, when another transaction inserts a job. docs/decisions/0006 has the argument.
_LOCK = Statement(
    f"""SELECT {_COLUMNS} FROM audiences a WHERE a.account_group_id = :account_group_id AND a.id IN :ids[bigint]
    AND a.deleted_at IS NULL ORDER BY a.id FOR UPDATE"""
)
_LOCK_EVEN_DELETED = Statement(
    """SELECT a.id, a.prospect_count, a.changed_at, a.deleted_by_change_id, a.deleted_at FROM audiences a
    WHERE a.account_group_id = :account_group_id AND a.id IN :ids[bigint] ORDER BY a.id FOR UPDATE"""
)
_FIND_LEAVING = Statement(
    """SELECT id, prospect_count, changed_at, deleted_by_change_id FROM audiences
    WHERE account_group_id = :account_group_id AND id = :id AND deleted_by_change_id IS NOT NULL
    AND emptied_at IS NULL"""
)
_LOCK_IN_FOLDER = Statement(
    f"""SELECT {_COLUMNS}, a.deleted_at FROM audiences a
    WHERE a.account_group_id = :account_group_id AND a.folder_id = :folder_id
    ORDER BY a.id FOR UPDATE"""
)
_COUNT_ADDED = Statement(
    """UPDATE audiences SET prospect_count = prospect_count + CAST(:added AS bigint),
    changed_at = CASE WHEN changed_at > CAST(:now AS bigint) THEN changed_at ELSE CAST(:now AS bigint) END
    WHERE account_group_id = :account_group_id AND id = :id"""
)
_COUNT_REMOVED = Statement(
    """UPDATE audiences SET prospect_count = prospect_count - CAST(:removed AS bigint),
    changed_at = CASE WHEN changed_at > CAST(:now AS bigint) THEN changed_at ELSE CAST(:now AS bigint) END,
    emptied_at = CASE WHEN deleted_at IS NOT NULL AND prospect_count = CAST(:removed AS bigint)
        THEN CAST(:now AS bigint) ELSE emptied_at END
    WHERE account_group_id = :account_group_id AND id IN :ids[bigint]"""
)
_SET_CHANGED_AT = Statement(
    "UPDATE audiences SET changed_at = :now WHERE account_group_id = :account_group_id AND id IN :ids[bigint]"
)


@dataclass(frozen=True, slots=True)
class LockedAudience:
    """An audience whose members no other transaction can change until this one ends."""

    audience: Audience
    changed_at: int


@dataclass(frozen=True, slots=True)
class LeavingAudience:
    """A deleted audience that may still have members. `prospect_count` is their number."""

    id: str
    prospect_count: int
    changed_at: int
    deleted_by_change_id: str | None


async def insert(tx: Transaction, audience: Audience) -> None:
    """Adds an audience without members. Raises TransactionConflict if another one of the account group has the number
    of its id."""
    await tx.run(
        _INSERT,
        id=key_of(audience.id),
        number=number_of(audience.id),
        name=audience.name,
        type=audience.type,
        description=audience.description,
        created_at=audience.created_at,
    )


async def find(tx: Transaction, audience_id: str) -> tuple[Audience, str | None] | None:
    """Returns the audience and the id of the job that is populating it, if any. Returns None without an audience."""
    row = await tx.row(_FIND, id=key_of(audience_id))
    return (audience_from(row), id_or_none(row["populating_job_id"])) if row else None


async def find_by_name(tx: Transaction, name: str) -> list[Audience]:
    """Returns the oldest audiences with exactly this name, at most two: enough to distinguish none, one and several."""
    return [audience_from(row) for row in await tx.rows(_FIND_BY_NAME, name=name)]


async def list_ready(tx: Transaction, *, after: str, limit: int) -> list[Audience]:
    """Returns at most `limit` audiences with ids after `after`, in order of id, without those being populated."""
    return [audience_from(row) for row in await tx.rows(_LIST_READY, after=key_of(after), limit=limit)]


async def list_named(tx: Transaction, name: str, *, after: str, limit: int) -> list[tuple[Audience, str | None]]:
    """Returns at most `limit` audiences with exactly this name and ids after `after`, in order of id, each with the id
    of the job that is populating it, if any."""
    rows = await tx.rows(_LIST_NAMED, name=name, after=key_of(after), limit=limit)
    return [(audience_from(row), id_or_none(row["populating_job_id"])) for row in rows]


async def list_all_ready(tx: Transaction) -> list[Audience]:
    """Returns all audiences, oldest first, without those being populated."""
    return [audience_from(row) for row in await tx.rows(_LIST_ALL_READY)]


async def list_of_leads(tx: Transaction, lead_ids: Sequence[str]) -> dict[str, list[Audience]]:
    """Returns for each lead the audiences that contain it, oldest first, including those being populated, but not those
    of a job that makes one change completely or not at all."""
    found: dict[str, list[Audience]] = {lead_id: [] for lead_id in lead_ids}
    for row in await tx.rows(_LIST_OF_LEADS, lead_ids=keys_of(lead_ids)):
        found[id_of(row["lead_id"])].append(audience_from(row))
    return found


async def update(tx: Transaction, audience: Audience, *, now: int) -> None:
    """Writes the name and the description of a locked audience. `now` is later than its last change."""
    await tx.run(_UPDATE, id=key_of(audience.id), name=audience.name, description=audience.description, now=now)


async def put_into_folder(tx: Transaction, audience_id: str, folder_id: str | None, *, now: int) -> None:
    """Puts a locked audience into the folder, or takes it out of its folder if `folder_id` is None. `now` is later than
    its last change."""
    await tx.run(_PUT_INTO_FOLDER, id=key_of(audience_id), folder_id=key_or_none(folder_id), now=now)


async def lock_in_folder(tx: Transaction, folder_id: str) -> tuple[list[LockedAudience], int]:
    """Locks all audiences of the folder, also deleted ones. Returns those that are not deleted, and a time at or after
    the last change of any of them."""
    rows = await tx.rows(_LOCK_IN_FOLDER, folder_id=key_of(folder_id))
    there = [LockedAudience(audience_from(row), row["changed_at"]) for row in rows if row["deleted_at"] is None]
    return there, max((row["changed_at"] for row in rows), default=0)


async def ungroup(tx: Transaction, folder_id: str, *, now: int) -> None:
    """Takes all audiences, which are locked, out of the folder. `now` is later than their last changes."""
    await tx.run(_UNGROUP, folder_id=key_of(folder_id), now=now)


async def mark_deleted(tx: Transaction, audience_id: str, *, change_id: str, now: int) -> None:
    """Hides a locked audience from everything except the removal of its members, which the change records."""
    await tx.run(_DELETE, id=key_of(audience_id), change_id=key_of(change_id), now=now)


async def mark_not_deleted(tx: Transaction, audience_id: str) -> None:
    """Shows a locked, deleted audience again, in the folder that it had if that is still there."""
    await tx.run(_UNDELETE, id=key_of(audience_id))


async def show_while_emptied(tx: Transaction, audience_id: str) -> None:
    """Takes a locked, deleted audience from the housekeeping, for a job that removes the rest of its members and then
    calls `mark_not_deleted`. Until then its members still belong to the change that deleted it."""
    await tx.run(_SHOW_WHILE_EMPTIED, id=key_of(audience_id))


async def list_groups_to_empty(tx: Transaction, *, limit: int) -> list[str]:
    """Returns ids of account groups with a deleted audience that may still have members."""
    return [id_of(row["key"]) for row in await tx.rows(_GROUPS_TO_EMPTY, limit=limit)]


async def lock_one_to_empty(tx: Transaction) -> LeavingAudience | None:
    """Locks a deleted audience that may still have members and that no other process is emptying, and returns it."""
    row = await tx.row(_LOCK_ONE_TO_EMPTY)
    return _leaving(row) if row else None


async def find_ids(tx: Transaction, audience_ids: Sequence[str]) -> set[str]:
    """Returns those of the ids that audiences have, apart from deleted audiences. Locks nothing."""
    return {id_of(row["id"]) for row in await tx.rows(_FIND_IDS, ids=keys_of(audience_ids))}


async def find_leaving(tx: Transaction, audience_id: str) -> LeavingAudience | None:
    """Returns the audience if its deletion has not recorded all of its members yet, else None. Does not lock it."""
    row = await tx.row(_FIND_LEAVING, id=key_of(audience_id))
    return _leaving(row) if row else None


async def lock(tx: Transaction, audience_ids: Sequence[str]) -> dict[str, LockedAudience]:
    """Locks the audiences in the order of their ids, so that two transactions cannot deadlock.

    Returns those that exist, in their state under the lock.
    """
    rows = await tx.rows(_LOCK, ids=keys_of(audience_ids))
    return {id_of(row["id"]): LockedAudience(audience_from(row), row["changed_at"]) for row in rows}


async def lock_even_deleted(tx: Transaction, audience_ids: Sequence[str]) -> list[LeavingAudience]:
    """Locks the audiences in the order of their ids, and returns the deleted ones among them."""
    rows = await tx.rows(_LOCK_EVEN_DELETED, ids=keys_of(audience_ids))
    return [_leaving(row) for row in rows if row["deleted_at"] is not None]


async def lock_leaving(tx: Transaction, audience_ids: Sequence[str]) -> list[LeavingAudience]:
    """The same, but returns also those that `show_while_emptied` has taken from the housekeeping: all whose deletion
    may still have members to list."""
    rows = await tx.rows(_LOCK_EVEN_DELETED, ids=keys_of(audience_ids))
    leaving = [row for row in rows if row["deleted_at"] is not None or row["deleted_by_change_id"] is not None]
    return list(map(_leaving, leaving))


async def count_added(tx: Transaction, audience_id: str, *, added: int, now: int) -> None:
    """Adds `added` to the count of a locked audience, and sets its time of change to `now` if this is not before the
    last change."""
    await tx.run(_COUNT_ADDED, id=key_of(audience_id), added=added, now=now)


async def count_removed(tx: Transaction, audience_ids: Sequence[str], *, removed: int, now: int) -> None:
    """Subtracts `removed` from the count of each locked audience, and sets its time of change to `now` if this is not
    before the last change."""
    await tx.run(_COUNT_REMOVED, ids=keys_of(audience_ids), removed=removed, now=now)


async def set_changed_at(tx: Transaction, audience_ids: Sequence[str], *, now: int) -> None:
    """Sets the time of the last change of locked audiences. `now` is later than it was."""
    await tx.run(_SET_CHANGED_AT, ids=keys_of(audience_ids), now=now)


def _leaving(row: Row) -> LeavingAudience:
    return LeavingAudience(
        id=id_of(row["id"]),
        prospect_count=row["prospect_count"],
        changed_at=row["changed_at"],
        deleted_by_change_id=id_or_none(row["deleted_by_change_id"]),
    )


def audience_from(row: Row) -> Audience:
    """Returns the audience of a row that contains its columns."""
    return Audience(
        id=id_of(row["id"]),
        name=row["name"],
        type=AudienceType(row["type"]),
        description=row["description"],
        folder_id=id_or_none(row["folder_id"]),
        prospect_count=row["prospect_count"],
        created_at=row["created_at"],
    )
