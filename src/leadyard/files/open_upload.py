"""Opens an upload, stored in pieces, as a table: for its job, for the start of the job, and for a look before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, cast

from leadyard.files.columns import ColumnPlan, plan_columns
from leadyard.files.pace import Pace
from leadyard.files.random_access import StoredFile
from leadyard.files.table import Table
from leadyard.files.tables import reading_of, table_in
from leadyard.files.upload_stream import UploadStream
from leadyard.model import UPLOAD_PIECE_BYTES, PlannedColumn, RowHeader, UploadedCsv


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """An upload that is open for reading, once. Close it."""

    table: Table
    _stream: UploadStream
    _size_bytes: int

    @property
    def part_read(self) -> float:
        """The part of the upload that was read, from 0 to 1."""
        # A workbook is not read from the beginning to the end of the upload.
        part = self.table.part_read
        return self._stream.packed_bytes_read / self._size_bytes if part is None else part

    def close(self) -> None:
        """Releases what the table holds."""
        self.table.close()


def open_upload(
    wanted: UploadedCsv, piece: Callable[[int], bytes | None], *, size_bytes: int, pace: Pace | None = None
) -> OpenUpload:
    """Returns the upload as a table whose header was read. `piece` returns a piece by its number and may block.

    Raises UnreadableFile, UnknownColumn for a sheet that does not exist, and OutOfTime of the pace.
    """
    stream = UploadStream(piece, size_bytes=size_bytes)

    def whole() -> BinaryIO | None:
        if stream.is_packed:
            return None
        return cast("BinaryIO", StoredFile(piece, size_bytes=size_bytes, piece_bytes=UPLOAD_PIECE_BYTES))

    return OpenUpload(table_in(stream, reading_of(wanted), whole=whole, pace=pace), stream, size_bytes)


def plan_of(table: Table, wanted: UploadedCsv) -> ColumnPlan:
    """Returns the use of the columns of the table. Raises UnknownColumn."""
    return plan_columns(
        table.header, identity_column=wanted.identity_column, mapping=wanted.mapping, sample=table.sample()
    )


def row_header(table: Table, plan: ColumnPlan) -> RowHeader:
    """Returns the names of the columns of a table, and their use."""
    uses = zip(table.header, plan.uses(), strict=True)
    return RowHeader(tuple(table.header), tuple(PlannedColumn(name, *use) for name, use in uses))
