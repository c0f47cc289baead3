"""Audiences: made, found, listed, changed, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from leadyard.clock import now_ms
from leadyard.errors import AudienceTypeReserved, FolderTypeMismatch, NotFound
from leadyard.ids import new_id
from leadyard.model import HANDMADE_AUDIENCE_TYPES, Audience, AudienceType, Caller, FolderType, Page, Permission
from leadyard.operations.guards import lock_audiences, ready_audience, refuse_if_populating
from leadyard.operations.idempotency import remember_answer
from leadyard.operations.operation import operation, retried, run_again_on_conflict
from leadyard.store import audiences, folders, memberships
from leadyard.store.db import Database

_GROUPS_A_ROUND = 100
_MEMBERSHIPS_A_BATCH = 5_000
_EMPTYING = "empty_deleted_audiences"


@operation(Permission.AUDIENCES_WRITE)
async def create_audience(
    db: Database, caller: Caller, *, name: str, type: AudienceType, description: str | None
) -> Audience:
    """Makes an audience without members and returns it. Raises AudienceTypeReserved for a type that only a
    prospecting job may make."""
    if type not in HANDMADE_AUDIENCE_TYPES:
        raise AudienceTypeReserved
    return await _insert(db, caller, name=name, type=type, description=description)


@operation(Permission.AUDIENCES_READ)
async def list_audiences(db: Database, caller: Caller, *, after: str | None, limit: int) -> Page[Audience]:
    """Returns a page of the audiences, oldest first, without those being populated."""
    async with db.read(caller.account_group_id) as tx:
        found = await audiences.list_ready(tx, after=after or "", limit=limit + 1)
    return Page.of(found, limit, lambda audience: audience.id)


@operation(Permission.AUDIENCES_READ)
async def get_audience(db: Database, caller: Caller, *, audience_id: str) -> Audience:
    """Returns the audience. Raises NotFound, or AudienceNotReady while a job populates it."""
    async with db.read(caller.account_group_id) as tx:
        return await ready_audience(tx, audience_id)


@operation(Permission.AUDIENCES_WRITE)
async def update_audience(db: Database, caller: Caller, *, audience_id: str, changes: Mapping[str, Any]) -> Audience:
    """Changes `name` and `description`, as far as `changes` has them, and returns the audience.

    Raises NotFound, or AudienceNotReady while a job populates it.
    """
    async with db.write(caller.account_group_id) as tx:
        locked = await lock_audiences(tx, [audience_id])
        await refuse_if_populating(tx, locked)
        audience = replace(locked[0].audience, **changes)
        await audiences.update(tx, audience)
    return audience


@operation(Permission.AUDIENCES_WRITE)
async def delete_audience(db: Database, caller: Caller, *, audience_id: str) -> None:
    """Deletes the audience; its leads stay in the account group. Answers at once whatever its size: the audience is
    hidden, and `empty_deleted_audiences` removes the memberships afterwards. Raises NotFound, or AudienceNotReady."""
    async with db.write(caller.account_group_id) as tx:
        locked = await lock_audiences(tx, [audience_id])
        await refuse_if_populating(tx, locked)
        await audiences.mark_deleted(tx, audience_id, now=max(now_ms(), locked[0].changed_at))


@operation(Permission.AUDIENCES_WRITE)
async def move_to_folder(db: Database, caller: Caller, *, audience_id: str, folder_id: str) -> Audience:
    """Puts the audience into the folder, out of any other, and returns it.

    Raises NotFound for the audience or the folder, FolderTypeMismatch, or AudienceNotReady.
    """
    async with db.write(caller.account_group_id) as tx:
        # Folders before audiences, here as in the deletion of a folder, so that the two never wait in a circle.
        folder = {each.id: each for each in await folders.lock_all(tx)}.get(folder_id)
        locked = await lock_audiences(tx, [audience_id])
        if folder is None:
            raise NotFound("folder", folder_id)
        audience = locked[0].audience
        if FolderType.of(audience.type) is not folder.audience_type:
            raise FolderTypeMismatch(audience_type=audience.type, folder_type=folder.audience_type)
        await refuse_if_populating(tx, locked)
        await audiences.put_into_folder(tx, audience_id, folder_id)
        moved = replace(audience, folder_id=folder_id)
        await remember_answer(tx, caller, moved)
    return moved


@operation(Permission.AUDIENCES_WRITE)
async def remove_from_folder(db: Database, caller: Caller, *, audience_id: str) -> Audience:
    """Takes the audience out of its folder, if it is in one, and returns it. Raises NotFound, or AudienceNotReady."""
    async with db.write(caller.account_group_id) as tx:
        locked = await lock_audiences(tx, [audience_id])
        await refuse_if_populating(tx, locked)
        await audiences.put_into_folder(tx, audience_id, None)
        removed = replace(locked[0].audience, folder_id=None)
        await remember_answer(tx, caller, removed)
    return removed


@retried
async def empty_deleted_audiences(db: Database) -> int:
    """Removes a batch of memberships of deleted audiences in every account group that has any; for the housekeeping of
    the service. Returns how many were removed: 0 means there is nothing left to do.

    Each batch is a transaction of one account group, and small, so that moves elsewhere never wait long.
    """
    async with db.read(None) as tx:
        group_ids = await audiences.list_groups_to_empty(tx, limit=_GROUPS_A_ROUND)
    return sum(
        [await run_again_on_conflict(partial(_empty_one, db, group_id), name=_EMPTYING) for group_id in group_ids]
    )


async def _empty_one(db: Database, account_group_id: str) -> int:
    async with db.write(account_group_id) as tx:
        found = await audiences.lock_one_to_empty(tx)
        if found is None:
            return 0
        audience_id, _ = found
        removed = await memberships.remove_some(tx, audience_id, limit=_MEMBERSHIPS_A_BATCH)
        await audiences.count_removed(tx, [audience_id], removed=removed, now=now_ms())
    return removed


@operation(Permission.AUDIENCES_READ)
async def find_audiences_by_name(db: Database, caller: Caller, *, name: str) -> list[Audience]:
    """Returns the audiences of that very name, two at most."""
    async with db.read(caller.account_group_id) as tx:
        return await audiences.find_by_name(tx, name)


@operation(Permission.AUDIENCES_WRITE)
async def create_import_audience(db: Database, caller: Caller, *, name: str) -> Audience:
    """Makes the audience that an import fills and returns it."""
    return await _insert(db, caller, name=name, type=AudienceType.CSV_UPLOAD, description=None)


async def _insert(db: Database, caller: Caller, *, name: str, type: AudienceType, description: str | None) -> Audience:
    audience = Audience(
        id=new_id(),
        name=name,
        type=type,
        description=description,
        folder_id=None,
        prospect_count=0,
        created_at=now_ms(),
    )
    async with db.write(caller.account_group_id) as tx:
        await audiences.insert(tx, audience)
        await remember_answer(tx, caller, audience)
    return audience
