"""`csv_upload`: a file that was uploaded before, read piece by piece out of the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import BinaryIO, cast

from leadyard.intake.columns import ColumnPlan, plan_columns
from leadyard.intake.csv_file import CsvFile
from leadyard.intake.row_batches import RowBatch, prospect_batch, row_batches
from leadyard.intake.upload_stream import UploadStream
from leadyard.model import MAX_PROSPECTS_PER_ADD, Batch, ClaimedJob
from leadyard.operations.operation import Database
from leadyard.operations.uploads import read_piece


async def batches(db: Database, claimed: ClaimedJob) -> AsyncIterator[Batch]:
    """Yields the rows of the upload. Raises UnreadableFile, UnknownColumn, or NotFound if the upload is gone.

    The file is unpacked, decoded and taken apart in a thread, so that neither requests nor other jobs wait for it; that
    thread asks for one piece after the other, and never has more than one.
    """
    source = claimed.job.source
    group_id, upload_id = claimed.account_group_id, source["uploadId"]
    size: int = source["uploadBytes"]
    loop = asyncio.get_running_loop()

    async def stored(number: int) -> bytes | None:
        return await read_piece(db, group_id, upload_id, number)

    def piece(number: int) -> bytes | None:
        return asyncio.run_coroutine_threadsafe(stored(number), loop).result()

    def opened() -> tuple[CsvFile, ColumnPlan]:
        file = CsvFile(cast("BinaryIO", stream), encoding=source.get("encoding"), delimiter=source.get("delimiter"))
        return file, plan_columns(
            file.header, identity_column=source.get("identityColumn"), mapping=source.get("mapping")
        )

    stream = UploadStream(piece, size_bytes=size)
    file, plan = await asyncio.to_thread(opened)
    skip = claimed.position["records"] if claimed.position else 0
    found: Iterator[RowBatch] = row_batches(file, size=MAX_PROSPECTS_PER_ADD, skip=skip)
    while (rows := await asyncio.to_thread(next, found, None)) is not None:
        yield prospect_batch(rows, plan, progress=stream.packed_bytes_read / size)
