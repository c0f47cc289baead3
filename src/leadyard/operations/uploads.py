"""Uploads: files for prospecting jobs, stored in pieces until the jobs that read them have ended."""

from __future__ import annotations

from functools import partial

from leadyard.clock import now_ms
from leadyard.database import Database, Transaction
from leadyard.errors import NotFound
from leadyard.ids import new_id
from leadyard.model import Caller, Permission, Upload
from leadyard.operations.operation import retried, run_again_on_conflict, writes
from leadyard.store import uploads

KEPT_MS = 24 * 3_600_000
"""The time that a complete upload waits for a job."""
PATIENCE_MS = 3_600_000
"""The time that an unfinished upload waits for its next piece."""

_GROUPS_A_ROUND = 100
_PIECES_A_BATCH = 16
_PRUNING = "prune_uploads"


@writes(Permission.PROSPECTING_WRITE)
async def start_upload(tx: Transaction, caller: Caller, *, charset: str | None) -> str:
    """Begins an upload and returns its id. No job can use it before `finish_upload`. `charset` is the encoding that the
    sender names."""
    upload_id, now = new_id(), now_ms()
    await uploads.insert(tx, upload_id, charset=charset, created_at=now, expires_at=now + PATIENCE_MS)
    return upload_id


@writes(Permission.PROSPECTING_WRITE)
async def add_piece(tx: Transaction, caller: Caller, *, upload_id: str, number: int, content: bytes) -> None:
    """Stores a piece. Pieces are counted from 0, and all but the last are UPLOAD_PIECE_BYTES long. Raises NotFound if
    the upload does not exist, is complete, or was given up."""
    now = now_ms()
    if not await uploads.extend(tx, upload_id, now=now, expires_at=now + PATIENCE_MS):
        raise NotFound("upload", upload_id)
    await uploads.insert_piece(tx, upload_id, number=number, content=content)


@writes(Permission.PROSPECTING_WRITE)
async def finish_upload(tx: Transaction, caller: Caller, *, upload_id: str, size_bytes: int, sha256: str) -> Upload:
    """Completes an upload whose pieces are all stored, so that jobs can read it, and returns it. Raises NotFound if the
    upload does not exist, is complete, or was given up."""
    now = now_ms()
    upload = await uploads.complete(
        tx, upload_id, size_bytes=size_bytes, sha256=sha256, now=now, expires_at=now + KEPT_MS
    )
    if upload is None:
        raise NotFound("upload", upload_id)
    return upload


@writes(Permission.PROSPECTING_WRITE)
async def discard_upload(tx: Transaction, caller: Caller, *, upload_id: str) -> None:
    """Gives up an unfinished upload: no job can use it, and `prune_uploads` removes it. Does nothing if the upload is
    complete or does not exist. If the connection was lost in the commit of `finish_upload`, the answer is stored for
    the idempotency key, and its upload must stay usable."""
    await uploads.give_up(tx, upload_id)


@retried
async def read_piece(db: Database, account_group_id: str, upload_id: str, number: int) -> bytes | None:
    """Returns a piece, counted from 0, or None after the last. For the worker that runs a job on the upload."""
    async with db.read(account_group_id) as tx:
        return await uploads.read_piece(tx, upload_id, number)


@retried
async def find_upload(db: Database, account_group_id: str, upload_id: str) -> Upload | None:
    """Returns the upload, or None if a job cannot use it now. For the check of a file before a job starts."""
    async with db.read(account_group_id) as tx:
        return await uploads.find(tx, upload_id, now=now_ms())


@retried
async def prune_uploads(db: Database) -> int:
    """Removes a batch of pieces of an expired upload that no active job reads, in every account group that has one.
    Returns the number of removed pieces: 0 means that there is nothing left to do. For the housekeeping of the
    service."""
    async with db.read(None) as tx:
        group_ids = await uploads.list_groups_to_prune(tx, now=now_ms(), limit=_GROUPS_A_ROUND)
    return sum(
        [await run_again_on_conflict(partial(_prune_one, db, group_id), name=_PRUNING) for group_id in group_ids]
    )


async def _prune_one(db: Database, account_group_id: str) -> int:
    async with db.write(account_group_id) as tx:
        upload_id = await uploads.lock_one_to_prune(tx, now=now_ms())
        if upload_id is None or await uploads.is_being_read(tx, upload_id):
            return 0
        removed = await uploads.remove_some_pieces(tx, upload_id, limit=_PIECES_A_BATCH)
        if removed == 0:
            await uploads.remove(tx, upload_id)
            return 1
        await uploads.expire(tx, upload_id)
    return removed
