"""Statements on folders."""

from __future__ import annotations

from leadyard.model import Folder, FolderType
from leadyard.store.db import Row, Statement, Transaction

_COLUMNS = "id, name, audience_type, is_pinned, position, created_at, updated_at"
_INSERT = Statement(
    f"""INSERT INTO folders (account_group_id, {_COLUMNS})
    VALUES (:account_group_id, :id, :name, :audience_type, :is_pinned, :position, :created_at, :created_at)"""
)
_LIST = Statement(f"SELECT {_COLUMNS} FROM folders WHERE account_group_id = :account_group_id ORDER BY position, id")
# The folders there are cannot be locked against one more, whose position would be that of another new one. The row of
# the account group can, and NO KEY lets everybody pass who only points at it.
_LOCK_GROUP = Statement(
    "SELECT id FROM account_groups WHERE id = :account_group_id ORDER BY id FOR NO KEY UPDATE", across_groups=True
)
# All folders of the group, because a new position for one shifts others. Ordered by id like every lock.
_LOCK_ALL = Statement(
    f"SELECT {_COLUMNS} FROM folders WHERE account_group_id = :account_group_id ORDER BY id FOR UPDATE"
)
_UPDATE = Statement(
    """UPDATE folders SET name = :name, is_pinned = :is_pinned, position = :position, updated_at = :updated_at
    WHERE account_group_id = :account_group_id AND id = :id"""
)
_DELETE = Statement("DELETE FROM folders WHERE account_group_id = :account_group_id AND id = :id")


async def insert(tx: Transaction, folder: Folder) -> None:
    """Adds the folder."""
    await tx.run(
        _INSERT,
        id=folder.id,
        name=folder.name,
        audience_type=folder.audience_type,
        is_pinned=folder.is_pinned,
        position=folder.position,
        created_at=folder.created_at,
    )


async def list_all(tx: Transaction) -> list[Folder]:
    """Returns every folder by position."""
    return [_folder(row) for row in await tx.rows(_LIST)]


async def lock_all(tx: Transaction) -> list[Folder]:
    """Locks every folder in the order of their ids, and the making of more, and returns them by position."""
    await tx.row(_LOCK_GROUP)
    return sorted((_folder(row) for row in await tx.rows(_LOCK_ALL)), key=lambda folder: (folder.position, folder.id))


async def update(tx: Transaction, folder: Folder) -> None:
    """Writes name, pin, position and time of a locked folder."""
    await tx.run(
        _UPDATE,
        id=folder.id,
        name=folder.name,
        is_pinned=folder.is_pinned,
        position=folder.position,
        updated_at=folder.updated_at,
    )


async def delete(tx: Transaction, folder_id: str) -> None:
    """Removes a locked folder that no audience is in."""
    await tx.run(_DELETE, id=folder_id)


def _folder(row: Row) -> Folder:
    return Folder(
        id=row["id"],
        name=row["name"],
        audience_type=FolderType(row["audience_type"]),
        is_pinned=bool(row["is_pinned"]),
        position=row["position"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
