"""Audiences: creates, finds, lists, changes and deletes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from leadyard.database import Database, Transaction
from leadyard.errors import AudienceNotReady, AudienceTypeReserved, FolderTypeMismatch, NotFound
from leadyard.model import (
    HANDMADE_AUDIENCE_TYPES,
    Audience,
    AudienceType,
    Caller,
    Change,
    ChangeKind,
    EventType,
    FolderType,
    Page,
    Permission,
)
from leadyard.operations.changes.leaving import empty_some
from leadyard.operations.changes.recording import begin, moment_after, record_in_parts
from leadyard.operations.events.placing import place_before
from leadyard.operations.events.recording import record_audience, record_deletion
from leadyard.operations.guards import lock_audiences, ready_audience, refuse_if_populating
from leadyard.operations.new_audience import add_audience
from leadyard.operations.operation import reads, retried, run_again_on_conflict, writes
from leadyard.store import audiences, folders
from leadyard.store.audiences import LockedAudience

_GROUPS_A_ROUND = 100
_MEMBERSHIPS_A_BATCH = 5_000
_EMPTYING = "empty_deleted_audiences"


@writes(Permission.AUDIENCES_WRITE)
async def create_audience(
    tx: Transaction, caller: Caller, *, name: str, type: AudienceType, description: str | None
) -> Audience:
    """Creates an audience without members and returns it. Raises AudienceTypeReserved for a type that is reserved for
    prospecting jobs."""
    if type not in HANDMADE_AUDIENCE_TYPES:
        raise AudienceTypeReserved
    return await add_audience(tx, name=name, type=type, description=description)


@reads(Permission.AUDIENCES_READ)
async def list_audiences(
    tx: Transaction, caller: Caller, *, name: str | None = None, after: str | None, limit: int
) -> Page[Audience]:
    """Returns a page of the audiences, oldest first. It leaves out audiences that are being populated.

    With `name` it lists only audiences with exactly this name. It then raises AudienceNotReady for one that is being
    populated, because without it the caller would take the name for free, or for that of another audience.
    """
    if name is None:
        found = await audiences.list_ready(tx, after=after or "", limit=limit + 1)
    else:
        found = _all_ready(await audiences.list_named(tx, name, after=after or "", limit=limit + 1))
    return Page.of(found, limit, lambda audience: audience.id)


def _all_ready(found: Sequence[tuple[Audience, str | None]]) -> list[Audience]:
    for audience, job_id in found:
        if job_id is not None:
            raise AudienceNotReady(audience_id=audience.id, job_id=job_id)
    return [audience for audience, _ in found]


@reads(Permission.AUDIENCES_READ)
async def get_audience(tx: Transaction, caller: Caller, *, audience_id: str) -> Audience:
    """Returns the audience. Raises NotFound, or AudienceNotReady while a job populates it."""
    return await ready_audience(tx, audience_id)


@writes(Permission.AUDIENCES_WRITE)
async def update_audience(tx: Transaction, caller: Caller, *, audience_id: str, changes: Mapping[str, Any]) -> Audience:
    """Changes `name` and `description` if `changes` contains them, and returns the audience.

    Raises NotFound, or AudienceNotReady while a job populates it.
    """
    locked = await lock_audiences(tx, [audience_id])
    await refuse_if_populating(tx, locked)
    before, audience = locked[0].audience, replace(locked[0].audience, **changes)
    at = moment_after(locked[0])
    if audience.name != before.name:
        # The events of its earlier changes get the name that it had.
        await place_before(tx)
    await audiences.update(tx, audience, now=at)
    await record_audience(tx, EventType.AUDIENCE_UPDATED, audience, at=at, changed=list(changes))
    return audience


@writes(Permission.AUDIENCES_WRITE)
async def delete_audience(tx: Transaction, caller: Caller, *, audience_id: str) -> Change:
    """Deletes the audience, keeps its leads in the account group, and returns the change. Takes the same time for an
    audience of any size: it hides the audience, and `empty_deleted_audiences` later removes the memberships. Raises
    NotFound, or AudienceNotReady."""
    locked = await lock_audiences(tx, [audience_id])
    await refuse_if_populating(tx, locked)
    begun = begin(ChangeKind.DELETE_AUDIENCE, source=locked[0], api_key_id=caller.api_key_id)
    change = await record_in_parts(tx, replace(begun, lead_count=locked[0].audience.prospect_count))
    await audiences.mark_deleted(tx, audience_id, change_id=change.id, now=change.changed_at)
    await record_deletion(tx, locked[0].audience, at=change.changed_at, change_id=change.id, key_id=change.id)
    return change


@writes(Permission.AUDIENCES_WRITE)
async def move_to_folder(tx: Transaction, caller: Caller, *, audience_id: str, folder_id: str) -> Audience:
    """Puts the audience into the folder, removes it from any other folder, and returns it.

    Raises NotFound for the audience or the folder, FolderTypeMismatch, or AudienceNotReady.
    """
    # Locks folders before audiences, like the deletion of a folder, so that the two cannot deadlock.
    folder = {each.id: each for each in await folders.lock_all(tx)}.get(folder_id)
    locked = await lock_audiences(tx, [audience_id])
    if folder is None:
        raise NotFound("folder", folder_id)
    audience = locked[0].audience
    if FolderType.of(audience.type) is not folder.audience_type:
        raise FolderTypeMismatch(audience_type=audience.type, folder_type=folder.audience_type)
    await refuse_if_populating(tx, locked)
    return await _put_into_folder(tx, locked[0], folder_id)


@writes(Permission.AUDIENCES_WRITE)
async def remove_from_folder(tx: Transaction, caller: Caller, *, audience_id: str) -> Audience:
    """Removes the audience from its folder, if it has one, and returns it. Raises NotFound, or AudienceNotReady."""
    locked = await lock_audiences(tx, [audience_id])
    await refuse_if_populating(tx, locked)
    return await _put_into_folder(tx, locked[0], None)


async def _put_into_folder(tx: Transaction, locked: LockedAudience, folder_id: str | None) -> Audience:
    at = moment_after(locked)
    await audiences.put_into_folder(tx, locked.audience.id, folder_id, now=at)
    audience = replace(locked.audience, folder_id=folder_id)
    await record_audience(tx, EventType.AUDIENCE_UPDATED, audience, at=at, changed=["folderId"])
    return audience


@retried
async def empty_deleted_audiences(db: Database) -> int:
    """Removes a batch of memberships of deleted audiences in every account group that has any. Returns the number of
    removed memberships: 0 means that there is nothing left to do. For the housekeeping of the service.

    Each batch is a small transaction of one account group, so that moves of other audiences never wait long.
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
        return await empty_some(tx, found, limit=_MEMBERSHIPS_A_BATCH)


@reads(Permission.AUDIENCES_READ)
async def find_audiences_by_name(tx: Transaction, caller: Caller, *, name: str) -> list[Audience]:
    """Returns the audiences with exactly this name, at most two."""
    return await audiences.find_by_name(tx, name)


@writes(Permission.AUDIENCES_WRITE)
async def create_import_audience(tx: Transaction, caller: Caller, *, name: str) -> Audience:
    """Creates an audience for an import to fill, and returns it."""
    return await add_audience(tx, name=name, type=AudienceType.CSV_UPLOAD)
