"""Folders: creates, renames, pins, orders and deletes them, and returns the data to draw them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from leadyard.clock import now_ms
from leadyard.database import Transaction
from leadyard.errors import NotFound
from leadyard.ids import new_id
from leadyard.model import Audience, Caller, EventType, Folder, FolderType, Navigation, Permission
from leadyard.operations.events.recording import record_audience
from leadyard.operations.operation import snapshot, writes
from leadyard.store import audiences, folders


@writes(Permission.AUDIENCES_WRITE)
async def create_folder(tx: Transaction, caller: Caller, *, name: str, audience_type: FolderType) -> Folder:
    """Creates an empty folder after the others and returns it."""
    others = await folders.lock_all(tx)
    now = now_ms()
    folder = Folder(
        id=new_id(),
        name=name,
        audience_type=audience_type,
        is_pinned=False,
        position=len(others),
        created_at=now,
        updated_at=now,
    )
    await folders.insert(tx, folder)
    return folder


@writes(Permission.AUDIENCES_WRITE)
async def update_folder(
    tx: Transaction, caller: Caller, *, folder_id: str, name: str | None, is_pinned: bool | None, position: int | None
) -> Folder:
    """Changes each value that is not None and returns the folder. `position` moves it there and shifts the others, and
    a position beyond the end means the end. Raises NotFound."""
    every = await folders.lock_all(tx)
    folder = _find(every, folder_id)
    changed = replace(
        folder,
        name=folder.name if name is None else name,
        is_pinned=folder.is_pinned if is_pinned is None else is_pinned,
        updated_at=max(now_ms(), folder.updated_at),
    )
    order = [each for each in every if each.id != folder_id]
    order.insert(folder.position if position is None else position, changed)
    for place, each in enumerate(order):
        if each is changed:
            changed = replace(each, position=place)
            await folders.update(tx, changed)
        elif each.position != place:
            await folders.update(tx, replace(each, position=place))
    return changed


@writes(Permission.AUDIENCES_WRITE)
async def delete_folder(tx: Transaction, caller: Caller, *, folder_id: str) -> None:
    """Deletes the folder, whose audiences become ungrouped. Raises NotFound."""
    every = await folders.lock_all(tx)
    _find(every, folder_id)
    ungrouped, last_change = await audiences.lock_in_folder(tx, folder_id)
    now = max(now_ms(), last_change + 1)
    await audiences.ungroup(tx, folder_id, now=now)
    for locked in ungrouped:
        audience = replace(locked.audience, folder_id=None)
        await record_audience(tx, EventType.AUDIENCE_UPDATED, audience, at=now, changed=["folderId"])
    await folders.delete(tx, folder_id)
    for place, each in enumerate(each for each in every if each.id != folder_id):
        if each.position != place:
            await folders.update(tx, replace(each, position=place))


@snapshot(Permission.AUDIENCES_READ)
async def get_navigation(tx: Transaction, caller: Caller) -> Navigation:
    """Returns the folders, pinned ones first and then by position, with their audiences, and the ungrouped audiences.

    It leaves out audiences that are being populated. It reads one snapshot, so no audience is in two places.
    """
    every = await folders.list_all(tx)
    ready = await audiences.list_all_ready(tx)
    in_folder: defaultdict[str | None, list[Audience]] = defaultdict(list)
    for audience in ready:
        in_folder[audience.folder_id].append(audience)
    in_order = sorted(every, key=lambda folder: not folder.is_pinned)
    return Navigation(
        folders=tuple((folder, tuple(in_folder[folder.id])) for folder in in_order), ungrouped=tuple(in_folder[None])
    )


def _find(every: Sequence[Folder], folder_id: str) -> Folder:
    for folder in every:
        if folder.id == folder_id:
            return folder
    raise NotFound("folder", folder_id)
