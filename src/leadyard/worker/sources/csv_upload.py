"""`csv_upload`: a file that was uploaded before, read piece by piece out of the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import BinaryIO, cast

from leadyard.intake.columns import ColumnPlan, plan_columns
from leadyard.intake.csv_file import CsvFile
from leadyard.intake.read_ahead import read_ahead
from leadyard.intake.row_batches import ROWS_A_BATCH, prospect_batch, row_batches
from leadyard.intake.upload_stream import UploadStream
from leadyard.model import Batch, ClaimedJob
from leadyard.operations.bringing_in import with_profiles_checked
from leadyard.operations.operation import Database
from leadyard.operations.uploads import read_piece


async def batches(db: Database, claimed: ClaimedJob) -> AsyncIterator[Batch]:
    """Yields the rows of the upload. Raises UnreadableFile, UnknownColumn, or NotFound if the upload is gone.

    The file is unpacked, decoded, taken apart and checked in a thread, one batch ahead of the one that is being saved,
    so that neither the database nor requests nor other jobs wait for it; that thread asks for one piece after the
    other, and never has more than one.
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

    def ready() -> Iterator[Batch]:
        for found in row_batches(file, size=ROWS_A_BATCH, skip=skip):
            yield with_profiles_checked(prospect_batch(found, plan, progress=stream.packed_bytes_read / size))

    async for batch in read_ahead(ready()):
        yield batch
