"""`csv_upload`: an uploaded file, read piece by piece from the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing

from leadyard.database import Database
from leadyard.files.columns import ColumnPlan
from leadyard.files.open_upload import OpenUpload, open_upload, plan_of
from leadyard.files.read_ahead import read_ahead
from leadyard.files.row_batches import checked_batches
from leadyard.model import Batch, ClaimedJob, CsvPosition, CsvSource
from leadyard.operations.uploads import read_piece


async def batches(db: Database, claimed: ClaimedJob, source: CsvSource) -> AsyncIterator[Batch]:
    """Yields the rows of the upload. Raises UnreadableFile, UnknownColumn, or NotFound if the upload is gone.

    A thread unpacks, decodes, parses and checks the file, one batch ahead of the batch that is being saved. So the
    database, requests and other jobs do not wait for it. The thread reads piece by piece, and never holds two pieces.
    """
    group_id, wanted = claimed.account_group_id, source.file
    loop = asyncio.get_running_loop()

    async def stored(number: int) -> bytes | None:
        return await read_piece(db, group_id, wanted.upload_id, number)

    def piece(number: int) -> bytes | None:
        return asyncio.run_coroutine_threadsafe(stored(number), loop).result()

    def opened() -> tuple[OpenUpload, ColumnPlan]:
        upload = open_upload(wanted, piece, size_bytes=source.upload_bytes)
        return upload, plan_of(upload.table, wanted)

    upload, plan = await asyncio.to_thread(opened)
    with closing(upload):
        position = claimed.position_as(CsvPosition)
        skip = position.records if position else 0
        ready = checked_batches(upload.table, plan, skip=skip, progress=lambda: upload.part_read)
        async for batch in read_ahead(ready):
            yield batch
