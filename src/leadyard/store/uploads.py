"""Statements on uploads and their pieces."""

from __future__ import annotations

from leadyard.model import Upload
from leadyard.store.db import Row, Statement, Transaction

_INSERT = Statement(
    """INSERT INTO uploads (account_group_id, id, created_at, expires_at)
    VALUES (:account_group_id, :id, :created_at, :expires_at)"""
)
_EXTEND = Statement(
    """UPDATE uploads SET expires_at = :expires_at
    WHERE account_group_id = :account_group_id AND id = :id AND size_bytes IS NULL AND expires_at > :now"""
)
_INSERT_PIECE = Statement(
    """INSERT INTO upload_pieces (account_group_id, upload_id, number, content)
    VALUES (:account_group_id, :upload_id, :number, :content)"""
)
_COMPLETE = Statement(
    """UPDATE uploads SET size_bytes = :size_bytes, sha256 = :sha256, expires_at = :expires_at
    WHERE account_group_id = :account_group_id AND id = :id AND size_bytes IS NULL AND expires_at > :now
    RETURNING id, size_bytes, sha256, created_at, expires_at"""
)
_USABLE = """SELECT id, size_bytes, sha256, created_at, expires_at FROM uploads
    WHERE account_group_id = :account_group_id AND id = :id AND size_bytes IS NOT NULL AND expires_at > :now"""
_FIND = Statement(_USABLE)
_LOCK = Statement(f"{_USABLE} ORDER BY id FOR UPDATE")
_READ_PIECE = Statement(
    """SELECT content FROM upload_pieces
    WHERE account_group_id = :account_group_id AND upload_id = :upload_id AND number = :number"""
)
# Unusable from here on, whatever the clock of another machine says.
_EXPIRE = Statement(
    """UPDATE uploads SET size_bytes = NULL, sha256 = NULL, expires_at = 0
    WHERE account_group_id = :account_group_id AND id = :id"""
)
_GIVE_UP = Statement(
    """UPDATE uploads SET expires_at = 0
    WHERE account_group_id = :account_group_id AND id = :id AND size_bytes IS NULL"""
)
_GROUPS_TO_PRUNE = Statement(
    """SELECT DISTINCT account_group_id FROM uploads WHERE expires_at <= :now
    AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.account_group_id = uploads.account_group_id
        AND j.upload_id = uploads.id AND j.status IN ('queued', 'running'))
    ORDER BY account_group_id LIMIT :limit""",
    across_groups=True,
)
_LOCK_ONE_TO_PRUNE = Statement(
    """SELECT id FROM uploads WHERE account_group_id = :account_group_id AND expires_at <= :now
    AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.account_group_id = :account_group_id
        AND j.upload_id = uploads.id AND j.status IN ('queued', 'running'))
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"""
)
_ACTIVE_JOB = Statement(
    """SELECT id FROM jobs WHERE account_group_id = :account_group_id AND upload_id = :upload_id
    AND status IN ('queued', 'running') ORDER BY id LIMIT 1"""
)
_REMOVE_SOME_PIECES = Statement(
    """DELETE FROM upload_pieces WHERE account_group_id = :account_group_id AND upload_id = :upload_id
    AND number < (SELECT MIN(p.number) + CAST(:limit AS integer) FROM upload_pieces p
        WHERE p.account_group_id = :account_group_id AND p.upload_id = :upload_id)"""
)
_REMOVE = Statement("DELETE FROM uploads WHERE account_group_id = :account_group_id AND id = :id")


async def insert(tx: Transaction, upload_id: str, *, created_at: int, expires_at: int) -> None:
    """Adds an upload that has no pieces yet."""
    await tx.run(_INSERT, id=upload_id, created_at=created_at, expires_at=expires_at)


async def extend(tx: Transaction, upload_id: str, *, now: int, expires_at: int) -> bool:
    """Locks an upload that is still arriving and gives it time. Returns False if there is none, or none any more."""
    return await tx.run(_EXTEND, id=upload_id, now=now, expires_at=expires_at) == 1


async def insert_piece(tx: Transaction, upload_id: str, *, number: int, content: bytes) -> None:
    """Adds a piece."""
    await tx.run(_INSERT_PIECE, upload_id=upload_id, number=number, content=content)


async def complete(
    tx: Transaction, upload_id: str, *, size_bytes: int, sha256: str, now: int, expires_at: int
) -> Upload | None:
    """Makes the upload one that can be used and returns it; None if it is not arriving, or not any more."""
    row = await tx.row(_COMPLETE, id=upload_id, size_bytes=size_bytes, sha256=sha256, now=now, expires_at=expires_at)
    return _upload(row) if row else None


async def find(tx: Transaction, upload_id: str, *, now: int) -> Upload | None:
    """Returns the upload, None unless it can be used."""
    row = await tx.row(_FIND, id=upload_id, now=now)
    return _upload(row) if row else None


async def lock(tx: Transaction, upload_id: str, *, now: int) -> Upload | None:
    """Keeps the upload from being pruned until the transaction ends and returns it; None unless it can be used."""
    row = await tx.row(_LOCK, id=upload_id, now=now)
    return _upload(row) if row else None


async def read_piece(tx: Transaction, upload_id: str, number: int) -> bytes | None:
    """Returns a piece, counted from 0, None behind the last."""
    row = await tx.row(_READ_PIECE, upload_id=upload_id, number=number)
    return bytes(row["content"]) if row else None


async def give_up(tx: Transaction, upload_id: str) -> None:
    """Makes an upload that is still arriving one that has expired."""
    await tx.run(_GIVE_UP, id=upload_id)


async def expire(tx: Transaction, upload_id: str) -> None:
    """Makes the upload one that nobody can use and that is due to be pruned."""
    await tx.run(_EXPIRE, id=upload_id)


async def list_groups_to_prune(tx: Transaction, *, now: int, limit: int) -> list[str]:
    """Returns ids of account groups with an expired upload that no active job reads."""
    return [row["account_group_id"] for row in await tx.rows(_GROUPS_TO_PRUNE, now=now, limit=limit)]


async def lock_one_to_prune(tx: Transaction, *, now: int) -> str | None:
    """Locks an expired upload that no active job reads and nobody else is pruning. Returns its id, or None."""
    row = await tx.row(_LOCK_ONE_TO_PRUNE, now=now)
    return row["id"] if row else None


async def is_being_read(tx: Transaction, upload_id: str) -> bool:
    """Tells whether an active job reads the locked upload. `lock_one_to_prune` has looked already, but perhaps before a
    job was committed whose transaction held the lock."""
    return await tx.row(_ACTIVE_JOB, upload_id=upload_id) is not None


async def remove_some_pieces(tx: Transaction, upload_id: str, *, limit: int) -> int:
    """Removes the first `limit` pieces. Returns how many there were."""
    return await tx.run(_REMOVE_SOME_PIECES, upload_id=upload_id, limit=limit)


async def remove(tx: Transaction, upload_id: str) -> None:
    """Removes an upload that has no pieces any more."""
    await tx.run(_REMOVE, id=upload_id)


def _upload(row: Row) -> Upload:
    return Upload(
        id=row["id"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )
