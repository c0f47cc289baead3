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
    FROM audiences a WHERE a.account_group_id = :account_group_id AND a.id = :id"""
)
_FIND_BY_NAME = Statement(
    f"""SELECT {_COLUMNS} FROM audiences a
    WHERE a.account_group_id = :account_group_id AND a.name = :name ORDER BY a.id LIMIT 2"""
)
_LIST_READY = Statement(
    f"""SELECT {_COLUMNS} FROM audiences a
    WHERE a.account_group_id = :account_group_id AND a.id > :after AND NOT EXISTS ({_POPULATING})
    ORDER BY a.id LIMIT :limit"""
)
# FOR UPDATE rather than FOR NO KEY UPDATE: a job row points at its audience, and the foreign key of a job being
# inserted must wait for us (or we for it), whoever inserts it. docs/decisions/0006 has the argument.
_LOCK = Statement(
    f"""SELECT {_COLUMNS} FROM audiences a WHERE a.account_group_id = :account_group_id AND a.id IN :ids[]
    ORDER BY a.id FOR UPDATE"""
)
_COUNT_ADDED = Statement(
    """UPDATE audiences SET prospect_count = prospect_count + CAST(:added AS bigint), changed_at = :now
    WHERE account_group_id = :account_group_id AND id = :id"""
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
    return (_audience(row), row["populating_job_id"]) if row else None


async def find_by_name(tx: Transaction, name: str) -> list[Audience]:
    """Returns the oldest audiences of that very name, two at most: enough to tell none, one and several apart."""
    return [_audience(row) for row in await tx.rows(_FIND_BY_NAME, name=name)]


async def list_ready(tx: Transaction, *, after: str, limit: int) -> list[Audience]:
    """Returns at most `limit` audiences from the first id beyond `after` on, without those being populated."""
    return [_audience(row) for row in await tx.rows(_LIST_READY, after=after, limit=limit)]


async def lock(tx: Transaction, audience_ids: Sequence[str]) -> dict[str, LockedAudience]:
    """Locks the audiences in the order of their ids, so that two transactions never wait for each other in a circle.

    Returns those that exist, as they are now that nobody else can change their members.
    """
    rows = await tx.rows(_LOCK, ids=list(audience_ids))
    return {row["id"]: LockedAudience(_audience(row), row["changed_at"]) for row in rows}


async def count_added(tx: Transaction, audience_id: str, *, added: int, now: int) -> None:
    """Adds `added` to the count of a locked audience."""
    await tx.run(_COUNT_ADDED, id=audience_id, added=added, now=now)


def _audience(row: Row) -> Audience:
    return Audience(
        id=row["id"],
        name=row["name"],
        type=AudienceType(row["type"]),
        description=row["description"],
        folder_id=row["folder_id"],
        prospect_count=row["prospect_count"],
        created_at=row["created_at"],
    )
