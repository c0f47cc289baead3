"""Files on their way to the service: read in pieces, and compared with the checksum of the answer."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, TypeAlias

PIECE = 64 * 1024

UploadSource: TypeAlias = "str | os.PathLike[str] | bytes | IO[bytes] | Iterable[bytes]"
"""A path, the content itself, a file that is open for reading bytes, or an iterable of bytes."""


class Upload:
    """The body of an upload. It never has more than 64 KiB of a file in memory.

    A path, bytes and a file that can seek are sent again after a broken connection. Another stream is sent once.
    Raises OSError if a path cannot be read, and TypeError for a file that is open as text.
    """

    def __init__(self, source: UploadSource) -> None:
        self._source = source
        self._start = 0
        self.sha256: str | None = None
        """The checksum, in hex, of the last attempt; None until it has sent everything."""
        self.size: int | None = None
        self.can_restart = True
        if isinstance(source, bytes):
            self.size = len(source)
        elif isinstance(source, str | os.PathLike):
            self.size = Path(source).stat().st_size
        elif (file := _as_file(source)) is not None:
            self.can_restart = file.seekable()
            if self.can_restart:
                self._start = file.tell()
                self.size = file.seek(0, os.SEEK_END) - self._start
                file.seek(self._start)
        else:
            self.can_restart = isinstance(source, list | tuple)

    def pieces(self) -> Iterator[bytes]:
        """Yields the content from its start. Raises OSError if it cannot be read."""
        self.sha256 = None
        sum_so_far = hashlib.sha256()
        for piece in self._read():
            sum_so_far.update(piece)
            yield piece
        self.sha256 = sum_so_far.hexdigest()

    async def async_pieces(self) -> AsyncIterator[bytes]:
        """Yields the same, and reads in a thread, so that a slow disk does not stop the event loop."""
        pieces = self.pieces()
        while piece := await asyncio.to_thread(next, pieces, b""):
            yield piece

    def _read(self) -> Iterator[bytes]:
        source = self._source
        if isinstance(source, bytes):
            yield from (source[at : at + PIECE] for at in range(0, len(source), PIECE))
        elif isinstance(source, str | os.PathLike):
            with Path(source).open("rb") as opened:
                yield from _pieces_of(opened, self.size)
        elif (file := _as_file(source)) is not None:
            if self.can_restart:
                file.seek(self._start)
            yield from _pieces_of(file, self.size)
        elif not hasattr(source, "read"):
            yield from (piece for piece in source if piece)


def _as_file(source: Any) -> IO[bytes] | None:
    """Returns the source if it is an open file. The classes of files have no common base."""
    return source if hasattr(source, "read") else None


def _pieces_of(file: IO[bytes], size: int | None) -> Iterator[bytes]:
    """Yields the file. With `size`, at most that many bytes, because a log may grow while it is sent."""
    left = size
    while piece := file.read(PIECE if left is None else min(PIECE, left)):
        if not isinstance(piece, bytes):
            raise TypeError("The file is open as text. Open it with the mode 'rb'.")
        left = None if left is None else left - len(piece)
        yield piece
