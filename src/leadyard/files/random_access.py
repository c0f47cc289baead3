"""An upload, stored in pieces, as a file for random access. A workbook needs it: its list of contents is at the end."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable

from leadyard.errors import UnreadableFile

_PIECES_KEPT = 4
"""A workbook is read in two places at once, the sheet and the shared texts."""


class StoredFile(io.RawIOBase):
    """The stored bytes. `read_piece` returns a piece by its number, counted from 0, and may block. All pieces but the
    last have `piece_bytes`. At most four pieces are in memory. Raises UnreadableFile for a piece that is missing."""

    def __init__(self, read_piece: Callable[[int], bytes | None], *, size_bytes: int, piece_bytes: int) -> None:
        self._read_piece = read_piece
        self._size_bytes = size_bytes
        self._piece_bytes = piece_bytes
        self._pieces: OrderedDict[int, bytes] = OrderedDict()
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size_bytes}[whence]
        if base + offset < 0:
            raise OSError(22, "Invalid argument")
        self._at = base + offset
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        end = self._size_bytes if size is None or size < 0 else min(self._size_bytes, self._at + size)
        found = bytearray()
        while self._at < end:
            number, place = divmod(self._at, self._piece_bytes)
            part = self._piece(number)[place : place + end - self._at]
            if not part:
                raise UnreadableFile(f"Only a part of the {self._size_bytes:,} bytes is stored: upload the file again.")
            found += part
            self._at += len(part)
        return bytes(found)

    def _piece(self, number: int) -> bytes:
        if number not in self._pieces:
            self._pieces[number] = self._read_piece(number) or b""
            if len(self._pieces) > _PIECES_KEPT:
                self._pieces.popitem(last=False)
        self._pieces.move_to_end(number)
        return self._pieces[number]
