"""The header of an uploaded file and the use of its columns, read when a prospecting job starts. Loads the readers of
all formats."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial

from leadyard import model
from leadyard.database import Database
from leadyard.errors import LeadyardError
from leadyard.files.open_upload import open_upload, plan_of, row_header
from leadyard.files.pace import Pace
from leadyard.files.table import Table
from leadyard.files.tables import needs_random_access, reading_of, table_in
from leadyard.files.upload_stream import head_of_upload
from leadyard.files.usable_columns import check_columns, check_has_row
from leadyard.http.v1.upload_reading import Piece, read_upload
from leadyard.operations import uploads


async def file_header_reader(
    db: Database, who: model.Caller, people: model.UploadedCsv
) -> Callable[[], model.RowHeader]:
    """Returns the function that returns the header of the uploaded file, and the use of its columns."""
    # Does not check whether a job can use the upload. The operation checks it after locking the upload.
    first = await uploads.read_piece(db, who.account_group_id, people.upload_id, 0) or b""
    upload = await uploads.find_upload(db, who.account_group_id, people.upload_id)
    if upload is None:
        return lambda: model.RowHeader(())
    people = replace(people, default_encoding=upload.charset)
    if not _is_workbook(first):
        return partial(_header_of_text, people, first)

    def read(piece: Piece, pace: Pace) -> model.RowHeader:
        with closing(open_upload(people, piece, size_bytes=upload.size_bytes, pace=pace)) as opened:
            return _header(people, opened.table, size=0)

    # A workbook has its contents at its end, so it is read here, before the transaction, in a thread.
    try:
        header = await read_upload(db, who, people.upload_id, read)
    except LeadyardError as refused:
        # The operation calls this after its own checks, so that their refusals come first.
        return partial(_raise, refused)
    return lambda: header


def _is_workbook(first: bytes) -> bool:
    try:
        return needs_random_access(head_of_upload(first))
    except LeadyardError:
        # Reading the header reports it.
        return False


def _header_of_text(wanted: model.UploadedCsv, first: bytes) -> model.RowHeader:
    """Returns the names of the columns of the file. Raises UnreadableFile, UnknownColumn or NobodyIdentified for an
    error in the file or the mapping, so that the client gets it now and not after the job has started."""
    head = head_of_upload(first)
    with closing(table_in(io.BytesIO(head), reading_of(wanted))) as table:
        # If this piece is not the whole upload, the job finds out whether there are rows.
        return _header(wanted, table, size=len(head) if _is_whole(first) else None)


def _header(wanted: model.UploadedCsv, table: Table, *, size: int | None) -> model.RowHeader:
    plan = plan_of(table, wanted)
    check_columns(plan)
    if size is not None:
        check_has_row(table, size)
    return row_header(table, plan)


def _is_whole(first: bytes) -> bool:
    return len(first) < model.UPLOAD_PIECE_BYTES


def _raise(refused: LeadyardError) -> model.RowHeader:
    raise refused
