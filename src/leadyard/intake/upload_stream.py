"""An upload, stored in pieces and perhaps compressed, as the one file that it was before it was sent."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from leadyard.errors import UnreadableFile
from leadyard.intake.gzip_unpacking import MAGIC, GzipUnpacking
from leadyard.intake.text_lines import MAX_RECORD_CHARS

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

HEAD_BYTES = MAX_RECORD_CHARS
"""As much as a header can have: a longer record is refused anyway, unless its characters are not ASCII."""


class UploadStream(io.RawIOBase):
    """A binary file to read from the beginning, for a CsvFile in a thread of its own; what is gzip is unpacked.

    `read_piece` returns a piece by its number, counted from 0, None behind the last, and may block; all but the last
    have two bytes or more. At most one piece is in memory. Raises UnreadableFile when fewer than `size_bytes` are
    stored, and as GzipUnpacking does.
    """

    def __init__(self, read_piece: Callable[[int], bytes | None], *, size_bytes: int) -> None:
        self._pieces = _Pieces(read_piece, size_bytes)
        self._gzip: GzipUnpacking | None = None
        self._is_open_for_reading = False

    @property
    def packed_bytes_read(self) -> int:
        """How much of the upload was consumed, as it is stored: this over `size_bytes` is how far reading has come."""
        return self._pieces.bytes_taken

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        chunk = self._read_some(len(view)) if len(view) else b""
        view[: len(chunk)] = chunk
        return len(chunk)

    def _read_some(self, size: int) -> bytes:
        if not self._is_open_for_reading:
            self._is_open_for_reading = True
            if self._pieces.begin_with(MAGIC):
                self._gzip = GzipUnpacking(self._pieces.take)
        return self._gzip.read(size) if self._gzip else self._pieces.take(size)


class _Pieces:
    """The stored bytes one after the other."""

    def __init__(self, read_piece: Callable[[int], bytes | None], size_bytes: int) -> None:
        self._read_piece = read_piece
        self._size_bytes = size_bytes
        self._number = 0
        self._piece = memoryview(b"")
        self.bytes_taken = 0

    def begin_with(self, start: bytes) -> bool:
        return self._has_more() and bytes(self._piece[: len(start)]) == start

    def take(self, size: int) -> bytes:
        """Returns at most `size` bytes, none at the end."""
        if not self._has_more():
            return b""
        chunk = bytes(self._piece[:size])
        self._piece = self._piece[size:]
        self.bytes_taken += len(chunk)
        return chunk

    def _has_more(self) -> bool:
        if not self._piece and self.bytes_taken < self._size_bytes:
            piece = self._read_piece(self._number)
            if not piece:
                # Read on, a part of the file would pass for the whole.
                raise UnreadableFile(
                    f"Of {self._size_bytes:,} bytes only {self.bytes_taken:,} are stored: upload the file again."
                )
            self._number += 1
            self._piece = memoryview(piece)
        return bool(self._piece)


def head_of_upload(first_piece: bytes) -> bytes:
    """Returns the beginning of the file that an upload with this first piece is, HEAD_BYTES at most: enough to read the
    header. Raises UnreadableFile when nothing of it can be read."""
    if not first_piece.startswith(MAGIC):
        return first_piece[:HEAD_BYTES]
    stored = io.BytesIO(first_piece)
    gzip, head = GzipUnpacking(stored.read), bytearray()
    try:
        while len(head) < HEAD_BYTES and (unpacked := gzip.read(HEAD_BYTES - len(head))):
            head += unpacked
    except UnreadableFile:
        # Where the piece ends, gzip data that goes on in the next one looks cut off. With nothing to show for it the
        # file is wrong; else it may be right, and who reads all of it will say so.
        if not head:
            raise
    return bytes(head)
