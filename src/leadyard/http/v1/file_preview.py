"""The look at an uploaded file, for a preview. Loads the readers of all formats."""

from __future__ import annotations

from contextlib import closing

from leadyard.database import Database
from leadyard.files.open_upload import open_upload, plan_of
from leadyard.files.pace import Pace
from leadyard.files.previews import preview_of
from leadyard.http.v1.upload_reading import Piece, read_upload
from leadyard.model import Caller, FilePreview, UploadedCsv


async def look_at_upload(db: Database, who: Caller, wanted: UploadedCsv, *, size_bytes: int) -> FilePreview:
    """Returns the look at the upload. Raises UnreadableFile and UnknownColumn."""

    def look(piece: Piece, pace: Pace) -> FilePreview:
        with closing(open_upload(wanted, piece, size_bytes=size_bytes, pace=pace)) as opened:
            return preview_of(opened.table, plan_of(opened.table, wanted), pace=pace)

    return await read_upload(db, who, wanted.upload_id, look)
