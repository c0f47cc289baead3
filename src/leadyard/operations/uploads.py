"""Uploads: files sent for prospecting jobs, kept in pieces until the jobs that read them have ended."""

from __future__ import annotations

from functools import partial

from leadyard.clock import now_ms
from leadyard.errors import NotFound
from leadyard.ids import new_id
from leadyard.model import Caller, Permission, Upload
from leadyard.operations.idempotency import remember_answer
from leadyard.operations.operation import operation, retried, run_again_on_conflict
from leadyard.store import uploads
from leadyard.store.db import Database

KEPT_MS = 24 * 3_600_000
"""How long a complete upload waits for a job."""
PATIENCE_MS = 3_600_000
"""How long an upload that is still arriving waits for its next piece."""

_GROUPS_A_ROUND = 100
_PIECES_A_BATCH = 16
_PRUNING = "prune_uploads"


@operation(Permission.PROSPECTING_WRITE)
async def start_upload(db: Database, caller: Caller) -> str:
    """Begins an upload and returns its id. Nobody can use it before `finish_upload`."""
    upload_id, now = new_id(), now_ms()
    async with db.write(caller.account_group_id) as tx:
        await uploads.insert(tx, upload_id, created_at=now, expires_at=now + PATIENCE_MS)
    return upload_id


@operation(Permission.PROSPECTING_WRITE)
async def add_piece(db: Database, caller: Caller, *, upload_id: str, number: int, content: bytes) -> None:
    """Stores a piece, counted from 0; all but the last are UPLOAD_PIECE_BYTES long. Raises NotFound when the upload is
    not, or no longer, arriving."""
    now = now_ms()
    async with db.write(caller.account_group_id) as tx:
        if not await uploads.extend(tx, upload_id, now=now, expires_at=now + PATIENCE_MS):
            raise NotFound("upload", upload_id)
        await uploads.insert_piece(tx, upload_id, number=number, content=content)


@operation(Permission.PROSPECTING_WRITE)
async def finish_upload(db: Database, caller: Caller, *, upload_id: str, size_bytes: int, sha256: str) -> Upload:
    """Makes the upload, all of whose pieces are stored, one that jobs can read, and returns it. Raises NotFound when it
    is not, or no longer, arriving."""
    now = now_ms()
    async with db.write(caller.account_group_id) as tx:
        upload = await uploads.complete(
            tx, upload_id, size_bytes=size_bytes, sha256=sha256, now=now, expires_at=now + KEPT_MS
        )
        if upload is None:
            raise NotFound("upload", upload_id)
        await remember_answer(tx, caller, upload)
    return upload


@operation(Permission.PROSPECTING_WRITE)
async def discard_upload(db: Database, caller: Caller, *, upload_id: str) -> None:
    """Gives up an upload that is still arriving: nobody can use it, and `prune_uploads` removes it. One that is
    complete, or that is not there, is left alone: when the connection was lost in the commit of `finish_upload`, its
    answer is kept under the idempotency key, and must name something that can be used."""
    async with db.write(caller.account_group_id) as tx:
        await uploads.give_up(tx, upload_id)


@operation(Permission.PROSPECTING_WRITE)
async def get_upload(db: Database, caller: Caller, *, upload_id: str) -> Upload:
    """Returns the upload. Raises NotFound unless it is complete and has not expired.

    Whoever starts a job on it asks `guards.usable_upload` instead, in the transaction that inserts the job.
    """
    async with db.read(caller.account_group_id) as tx:
        upload = await uploads.find(tx, upload_id, now=now_ms())
    if upload is None:
        raise NotFound("upload", upload_id)
    return upload


@retried
async def read_piece(db: Database, account_group_id: str, upload_id: str, number: int) -> bytes | None:
    """Returns a piece, counted from 0, None behind the last; for the worker that runs a job on the upload."""
    async with db.read(account_group_id) as tx:
        return await uploads.read_piece(tx, upload_id, number)


@retried
async def prune_uploads(db: Database) -> int:
    """Removes a batch of pieces of an expired upload that no active job reads, in every account group that has one; for
    the housekeeping of the service. Returns how many were removed: 0 means there is nothing left to do."""
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
