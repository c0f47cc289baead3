"""Statements on audiences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadyard.model import Audience, AudienceType
from leadyard.store.db import Row, Statement, Transaction

_COLUMNS = "a.id, a.name, a.type, a.description, a.folder_id, a.prospect_count, a.created_at, a.changed_at"
_POPULATING = """SELECT j.id FROM jobs j WHERE j.account_group_id = :account_group_id AND j.audience_id = a.id
    AND j.status IN ('queued', 'running')"""

_INSERT = Statement(
    """INSERT INTO audiences
    (account_group_id, id, name, type, description, folder_id, prospect_count, created_at, changed_at)
    VALUES (:account_group_id, :id, :name, :type, :description, NULL, 0, :created_at, :created_at)"""
)
_FIND = Statement(
    f"""SELECT {_COLUMNS}, ({_POPULATING}) AS populating_job_id
    FROM audiences a WHERE a.account_group_id = :account_group_id AND a.id = :id AND a.deleted_at IS NULL"""
)
_FIND_BY_NAME = Statement(
    f"""SELECT {_COLUMNS} FROM audiences a
    WHERE a.account_group_id = :account_group_id AND a.name = :name AND a.deleted_at IS NULL
    ORDER BY a.id LIMIT 2"""
)
_LIST_READY = Statement(
    f"""SELECT {_COLUMNS} FROM audiences a
    WHERE a.account_group_id = :account_group_id AND a.id > :after AND a.deleted_at IS NULL
    AND NOT EXISTS ({_POPULATING}) ORDER BY a.id LIMIT :limit"""
)
_LIST_ALL_READY = Statement(
    f"""SELECT {_COLUMNS} FROM audiences a WHERE a.account_group_id = :account_group_id AND a.deleted_at IS NULL
    AND NOT EXISTS ({_POPULATING}) ORDER BY a.id"""
)
_LIST_OF_LEAD = Statement(
    f"""SELECT {_COLUMNS} FROM memberships m
    JOIN audiences a ON a.account_group_id = m.account_group_id AND a.id = m.audience_id
    WHERE m.account_group_id = :account_group_id AND m.lead_id = :lead_id AND a.deleted_at IS NULL ORDER BY a.id"""
)
_UPDATE = Statement(
    """UPDATE audiences SET name = :name, description = :description
    WHERE account_group_id = :account_group_id AND id = :id"""
)
_PUT_INTO_FOLDER = Statement(
    "UPDATE audiences SET folder_id = :folder_id WHERE account_group_id = :account_group_id AND id = :id"
)
_UNGROUP = Statement(
    "UPDATE audiences SET folder_id = NULL WHERE account_group_id = :account_group_id AND folder_id = :folder_id"
)
_DELETE = Statement(
    """UPDATE audiences SET deleted_at = :now, changed_at = :now, folder_id = NULL,
    emptied_at = CASE WHEN prospect_count = 0 THEN CAST(:now AS bigint) END
    WHERE account_group_id = :account_group_id AND id = :id"""
)
_GROUPS_TO_EMPTY = Statement(
    """SELECT DISTINCT account_group_id FROM audiences WHERE deleted_at IS NOT NULL AND emptied_at IS NULL
    ORDER BY account_group_id LIMIT :limit""",
    across_groups=True,
)
_LOCK_ONE_TO_EMPTY = Statement(
    """SELECT id, prospect_count FROM audiences WHERE account_group_id = :account_group_id
    AND deleted_at IS NOT NULL AND emptied_at IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"""
)
# FOR UPDATE rather than FOR NO KEY UPDATE: a job row points at its audience, and the foreign key of a job being
# inserted must wait for us (or we for it), whoever inserts it. docs/decisions/0006 has the argument.
_LOCK = Statement(
    f"""SELECT {_COLUMNS} FROM audiences a WHERE a.account_group_id = :account_group_id AND a.id IN :ids[]
    AND a.deleted_at IS NULL ORDER BY a.id FOR UPDATE"""
)
_LOCK_EVEN_DELETED = Statement(
    """SELECT a.id FROM audiences a WHERE a.account_group_id = :account_group_id AND a.id IN :ids[]
    ORDER BY a.id FOR UPDATE"""
)
_LOCK_IN_FOLDER = Statement(
    """SELECT a.id FROM audiences a WHERE a.account_group_id = :account_group_id AND a.folder_id = :folder_id
    ORDER BY a.id FOR UPDATE"""
)
_COUNT_ADDED = Statement(
    """UPDATE audiences SET prospect_count = prospect_count + CAST(:added AS bigint), changed_at = :now
    WHERE account_group_id = :account_group_id AND id = :id"""
)
_COUNT_REMOVED = Statement(
    """UPDATE audiences SET prospect_count = prospect_count - CAST(:removed AS bigint),
    changed_at = CASE WHEN changed_at > CAST(:now AS bigint) THEN changed_at ELSE CAST(:now AS bigint) END,
    emptied_at = CASE WHEN deleted_at IS NOT NULL AND prospect_count = CAST(:removed AS bigint)
        THEN CAST(:now AS bigint) ELSE emptied_at END
    WHERE account_group_id = :account_group_id AND id IN :ids[]"""
)


@dataclass(frozen=True, slots=True)
class LockedAudience:
    """An audience whose members nobody else can change until the transaction ends."""

    audience: Audience
    changed_at: int


async def insert(tx: Transaction, audience: Audience) -> None:
    """Adds an audience without members."""
    await tx.run(
        _INSERT,
        id=audience.id,
        name=audience.name,
        type=audience.type,
        description=audience.description,
        created_at=audience.created_at,
    )


async def find(tx: Transaction, audience_id: str) -> tuple[Audience, str | None] | None:
    """Returns the audience and the id of the job that is populating it, if one is; None if there is no audience."""
    row = await tx.row(_FIND, id=audience_id)
    return (audience_from(row), row["populating_job_id"]) if row else None


async def find_by_name(tx: Transaction, name: str) -> list[Audience]:
    """Returns the oldest audiences of that very name, two at most: enough to tell none, one and several apart."""
    return [audience_from(row) for row in await tx.rows(_FIND_BY_NAME, name=name)]


async def list_ready(tx: Transaction, *, after: str, limit: int) -> list[Audience]:
    """Returns at most `limit` audiences from the first id beyond `after` on, without those being populated."""
    return [audience_from(row) for row in await tx.rows(_LIST_READY, after=after, limit=limit)]


async def list_all_ready(tx: Transaction) -> list[Audience]:
    """Returns every audience, oldest first, without those being populated."""
    return [audience_from(row) for row in await tx.rows(_LIST_ALL_READY)]


async def list_of_lead(tx: Transaction, lead_id: str) -> list[Audience]:
    """Returns the audiences the lead is in, oldest first, also those being populated."""
    return [audience_from(row) for row in await tx.rows(_LIST_OF_LEAD, lead_id=lead_id)]


async def update(tx: Transaction, audience: Audience) -> None:
    """Writes name and description of a locked audience."""
    await tx.run(_UPDATE, id=audience.id, name=audience.name, description=audience.description)


async def put_into_folder(tx: Transaction, audience_id: str, folder_id: str | None) -> None:
    """Puts a locked audience into the folder, or into none."""
    await tx.run(_PUT_INTO_FOLDER, id=audience_id, folder_id=folder_id)


async def ungroup(tx: Transaction, folder_id: str) -> None:
    """Takes every audience out of the folder."""
    await tx.rows(_LOCK_IN_FOLDER, folder_id=folder_id)
    await tx.run(_UNGROUP, folder_id=folder_id)


async def mark_deleted(tx: Transaction, audience_id: str, *, now: int) -> None:
    """Hides a locked audience from everything but the removal of its members."""
    await tx.run(_DELETE, id=audience_id, now=now)


async def list_groups_to_empty(tx: Transaction, *, limit: int) -> list[str]:
    """Returns ids of account groups that have a deleted audience which is not known to be empty."""
    return [row["account_group_id"] for row in await tx.rows(_GROUPS_TO_EMPTY, limit=limit)]


async def lock_one_to_empty(tx: Transaction) -> tuple[str, int] | None:
    """Locks a deleted audience that is not known to be empty and that nobody else is emptying. Returns its id and how
    many members it has, or None."""
    row = await tx.row(_LOCK_ONE_TO_EMPTY)
    return (row["id"], row["prospect_count"]) if row else None


async def lock(tx: Transaction, audience_ids: Sequence[str]) -> dict[str, LockedAudience]:
    """Locks the audiences in the order of their ids, so that two transactions never wait for each other in a circle.

    Returns those that exist, as they are now that nobody else can change their members.
    """
    rows = await tx.rows(_LOCK, ids=list(audience_ids))
    return {row["id"]: LockedAudience(audience_from(row), row["changed_at"]) for row in rows}


async def lock_even_deleted(tx: Transaction, audience_ids: Sequence[str]) -> None:
    """Locks the audiences in the order of their ids, also those that are being emptied."""
    await tx.rows(_LOCK_EVEN_DELETED, ids=list(audience_ids))


async def count_added(tx: Transaction, audience_id: str, *, added: int, now: int) -> None:
    """Adds `added` to the count of a locked audience."""
    await tx.run(_COUNT_ADDED, id=audience_id, added=added, now=now)


async def count_removed(tx: Transaction, audience_ids: Sequence[str], *, removed: int, now: int) -> None:
    """Takes `removed` off the count of each of the locked audiences, changed `now` if that is not in their past."""
    await tx.run(_COUNT_REMOVED, ids=list(audience_ids), removed=removed, now=now)


def audience_from(row: Row) -> Audience:
    """Returns the audience in a row that has its columns."""
    return Audience(
        id=row["id"],
        name=row["name"],
        type=AudienceType(row["type"]),
        description=row["description"],
        folder_id=row["folder_id"],
        prospect_count=row["prospect_count"],
        created_at=row["created_at"],
    )
