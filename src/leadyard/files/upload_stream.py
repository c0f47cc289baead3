"""An upload, stored in pieces and perhaps compressed, as a stream of the original file."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from leadyard.errors import UnreadableFile
from leadyard.files.gzip_unpacking import MAGIC, GzipUnpacking
from leadyard.files.text_lines import MAX_RECORD_CHARS

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

HEAD_BYTES = MAX_RECORD_CHARS
"""The longest possible header: a longer record is refused anyway, unless its characters are not ASCII."""


class UploadStream(io.RawIOBase):
    """A binary file to read from the beginning, for a CsvFile in its own thread. It unpacks gzip.

    `read_piece` returns a piece by its number, counted from 0, or None after the last. It may block. All pieces but the
    last have at least two bytes. At most one piece is in memory. Raises UnreadableFile if fewer than `size_bytes` are
    stored, and the errors of GzipUnpacking.
    """

    def __init__(self, read_piece: Callable[[int], bytes | None], *, size_bytes: int) -> None:
        self._pieces = _Pieces(read_piece, size_bytes)
        self._gzip: GzipUnpacking | None = None
        self._is_open_for_reading = False

    @property
    def packed_bytes_read(self) -> int:
        """The number of stored bytes that were read. Divided by `size_bytes`, it is the progress."""
        return self._pieces.bytes_taken

    @property
    def is_packed(self) -> bool:
        """Whether the stored file is compressed with gzip. It is known after the first read."""
        return self._gzip is not None

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
                # Otherwise a part of the file would count as the whole file.
                raise UnreadableFile(
                    f"Only {self.bytes_taken:,} of {self._size_bytes:,} bytes are stored: upload the file again."
                )
            self._number += 1
            self._piece = memoryview(piece)
        return bool(self._piece)


def head_of_upload(first_piece: bytes) -> bytes:
    """Returns the beginning of the file whose upload has this first piece, at most HEAD_BYTES, which is enough to read
    the header. Raises UnreadableFile if not even the beginning can be read."""
    if not first_piece.startswith(MAGIC):
        return first_piece[:HEAD_BYTES]
    stored = io.BytesIO(first_piece)
    gzip, head = GzipUnpacking(stored.read), bytearray()
    try:
        while len(head) < HEAD_BYTES and (unpacked := gzip.read(HEAD_BYTES - len(head))):
            head += unpacked
    except UnreadableFile:
        # Gzip data that continues in the next piece looks cut off at the end of this one. If nothing was unpacked, the
        # file is invalid. Otherwise it may be valid, and the job will find out when it reads the rest.
        if not head:
            raise
    return bytes(head)
