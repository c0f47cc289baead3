"""Statements on folders."""

from __future__ import annotations

from leadyard.database import Transaction
from leadyard.ids import id_of, key_of
from leadyard.model import Folder, FolderType
from leadyard.store.db import Row, Statement

_COLUMNS = "id, name, audience_type, is_pinned, position, created_at, updated_at"
_INSERT = Statement(
    f"""INSERT INTO folders (account_group_id, {_COLUMNS})
    VALUES (:account_group_id, :id, :name, :audience_type, :is_pinned, :position, :created_at, :created_at)"""
)
_LIST = Statement(f"SELECT {_COLUMNS} FROM folders WHERE account_group_id = :account_group_id ORDER BY position, id")
# Locks on the existing folders do not prevent a new one, and two new folders could get the same position. A lock on the
# row of the account group prevents this. NO KEY does not block transactions that only refer to the row.
_LOCK_GROUP = Statement(
    "SELECT id FROM account_groups WHERE id = :account_group_id ORDER BY id FOR NO KEY UPDATE", across_groups=True
)
# All folders of the group, because a new position for one folder shifts others. Ordered by id, like all locks.
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
        id=key_of(folder.id),
        name=folder.name,
        audience_type=folder.audience_type,
        is_pinned=folder.is_pinned,
        position=folder.position,
        created_at=folder.created_at,
    )


async def list_all(tx: Transaction) -> list[Folder]:
    """Returns all folders, by position."""
    return [_folder(row) for row in await tx.rows(_LIST)]


async def lock_all(tx: Transaction) -> list[Folder]:
    """Locks all folders in the order of their ids, blocks new folders, and returns the folders by position."""
    await tx.row(_LOCK_GROUP)
    return sorted((_folder(row) for row in await tx.rows(_LOCK_ALL)), key=lambda folder: (folder.position, folder.id))


async def update(tx: Transaction, folder: Folder) -> None:
    """Writes the name, pin, position and time of a locked folder."""
    await tx.run(
        _UPDATE,
        id=key_of(folder.id),
        name=folder.name,
        is_pinned=folder.is_pinned,
        position=folder.position,
        updated_at=folder.updated_at,
    )


async def delete(tx: Transaction, folder_id: str) -> None:
    """Removes a locked folder, which must not contain an audience."""
    await tx.run(_DELETE, id=key_of(folder_id))


def _folder(row: Row) -> Folder:
    return Folder(
        id=id_of(row["id"]),
        name=row["name"],
        audience_type=FolderType(row["audience_type"]),
        is_pinned=bool(row["is_pinned"]),
        position=row["position"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
