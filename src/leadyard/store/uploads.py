"""Statements on uploads and their pieces."""

from __future__ import annotations

from leadyard.database import Transaction
from leadyard.ids import id_of, key_of
from leadyard.model import Upload
from leadyard.store.account_groups import KEY_OF_GROUP
from leadyard.store.db import Row, Statement
from leadyard.store.job_status import ACTIVE, ACTIVE_J

_INSERT = Statement(
    """INSERT INTO uploads (account_group_id, id, charset, created_at, expires_at)
    VALUES (:account_group_id, :id, :charset, :created_at, :expires_at)"""
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
    RETURNING id, size_bytes, sha256, charset, created_at, expires_at"""
)
_USABLE = """SELECT id, size_bytes, sha256, charset, created_at, expires_at FROM uploads
    WHERE account_group_id = :account_group_id AND id = :id AND size_bytes IS NOT NULL AND expires_at > :now"""
_LOCK = Statement(f"{_USABLE} ORDER BY id FOR UPDATE")
_FIND = Statement(_USABLE)
_READ_PIECE = Statement(
    """SELECT content FROM upload_pieces
    WHERE account_group_id = :account_group_id AND upload_id = :upload_id AND number = :number"""
)
# Unusable from now on, independent of the clock of any other machine.
_EXPIRE = Statement(
    """UPDATE uploads SET size_bytes = NULL, sha256 = NULL, expires_at = 0
    WHERE account_group_id = :account_group_id AND id = :id"""
)
_KEEP = Statement(
    """UPDATE uploads SET expires_at = :expires_at
    WHERE account_group_id = :account_group_id AND id = :id AND size_bytes IS NOT NULL AND expires_at < :expires_at"""
)
_GIVE_UP = Statement(
    """UPDATE uploads SET expires_at = 0
    WHERE account_group_id = :account_group_id AND id = :id AND size_bytes IS NULL"""
)
_GROUPS_TO_PRUNE = Statement(
    f"""SELECT {KEY_OF_GROUP} FROM (SELECT DISTINCT account_group_id FROM uploads
        WHERE expires_at <= :now AND NOT EXISTS (SELECT 1 FROM jobs j
            WHERE j.account_group_id = uploads.account_group_id AND j.upload_id = uploads.id AND {ACTIVE_J})
        ORDER BY account_group_id LIMIT :limit) AS found""",
    across_groups=True,
)
_LOCK_ONE_TO_PRUNE = Statement(
    f"""SELECT id FROM uploads WHERE account_group_id = :account_group_id AND expires_at <= :now
    AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.account_group_id = :account_group_id
        AND j.upload_id = uploads.id AND {ACTIVE_J})
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"""
)
_ACTIVE_JOB = Statement(
    f"""SELECT id FROM jobs WHERE account_group_id = :account_group_id AND upload_id = :upload_id
    AND {ACTIVE} ORDER BY id LIMIT 1"""
)
_REMOVE_SOME_PIECES = Statement(
    """DELETE FROM upload_pieces WHERE account_group_id = :account_group_id AND upload_id = :upload_id
    AND number < (SELECT MIN(p.number) + CAST(:limit AS integer) FROM upload_pieces p
        WHERE p.account_group_id = :account_group_id AND p.upload_id = :upload_id)"""
)
_REMOVE = Statement("DELETE FROM uploads WHERE account_group_id = :account_group_id AND id = :id")


async def insert(tx: Transaction, upload_id: str, *, charset: str | None, created_at: int, expires_at: int) -> None:
    """Adds an upload that has no pieces yet."""
    await tx.run(_INSERT, id=key_of(upload_id), charset=charset, created_at=created_at, expires_at=expires_at)


async def extend(tx: Transaction, upload_id: str, *, now: int, expires_at: int) -> bool:
    """Locks an upload that is still arriving and extends its time. Returns False if it is no longer arriving."""
    return await tx.run(_EXTEND, id=key_of(upload_id), now=now, expires_at=expires_at) == 1


async def insert_piece(tx: Transaction, upload_id: str, *, number: int, content: bytes) -> None:
    """Adds a piece."""
    await tx.run(_INSERT_PIECE, upload_id=key_of(upload_id), number=number, content=content)


async def complete(
    tx: Transaction, upload_id: str, *, size_bytes: int, sha256: str, now: int, expires_at: int
) -> Upload | None:
    """Makes the upload usable and returns it. Returns None if it is no longer arriving."""
    row = await tx.row(
        _COMPLETE, id=key_of(upload_id), size_bytes=size_bytes, sha256=sha256, now=now, expires_at=expires_at
    )
    return _upload(row) if row else None


async def lock(tx: Transaction, upload_id: str, *, now: int) -> Upload | None:
    """Returns the upload and protects it from pruning until the transaction ends. Returns None if it is not usable."""
    row = await tx.row(_LOCK, id=key_of(upload_id), now=now)
    return _upload(row) if row else None


async def find(tx: Transaction, upload_id: str, *, now: int) -> Upload | None:
    """Returns the upload, None if it is not usable."""
    row = await tx.row(_FIND, id=key_of(upload_id), now=now)
    return _upload(row) if row else None


async def read_piece(tx: Transaction, upload_id: str, number: int) -> bytes | None:
    """Returns a piece, counted from 0, or None after the last one."""
    row = await tx.row(_READ_PIECE, upload_id=key_of(upload_id), number=number)
    return bytes(row["content"]) if row else None


async def give_up(tx: Transaction, upload_id: str) -> None:
    """Makes an upload expire if it is still arriving."""
    await tx.run(_GIVE_UP, id=key_of(upload_id))


async def keep(tx: Transaction, upload_id: str, *, expires_at: int) -> None:
    """Lets a complete upload live until that time, or longer if it does already."""
    await tx.run(_KEEP, id=key_of(upload_id), expires_at=expires_at)


async def expire(tx: Transaction, upload_id: str) -> None:
    """Makes the upload unusable and due to be pruned."""
    await tx.run(_EXPIRE, id=key_of(upload_id))


async def list_groups_to_prune(tx: Transaction, *, now: int, limit: int) -> list[str]:
    """Returns ids of account groups with an expired upload that no active job reads."""
    return [id_of(row["key"]) for row in await tx.rows(_GROUPS_TO_PRUNE, now=now, limit=limit)]


async def lock_one_to_prune(tx: Transaction, *, now: int) -> str | None:
    """Locks an expired upload that no active job reads and no other process is pruning. Returns its id, or None."""
    row = await tx.row(_LOCK_ONE_TO_PRUNE, now=now)
    return id_of(row["id"]) if row else None


async def is_being_read(tx: Transaction, upload_id: str) -> bool:
    """Returns whether an active job reads the locked upload. `lock_one_to_prune` has checked this, but possibly before
    the transaction that held the lock committed a job."""
    return await tx.row(_ACTIVE_JOB, upload_id=key_of(upload_id)) is not None


async def remove_some_pieces(tx: Transaction, upload_id: str, *, limit: int) -> int:
    """Removes the first `limit` pieces. Returns the number removed."""
    return await tx.run(_REMOVE_SOME_PIECES, upload_id=key_of(upload_id), limit=limit)


async def remove(tx: Transaction, upload_id: str) -> None:
    """Removes an upload, which must not have pieces any more."""
    await tx.run(_REMOVE, id=key_of(upload_id))


def _upload(row: Row) -> Upload:
    return Upload(
        id=id_of(row["id"]),
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        charset=row["charset"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )
