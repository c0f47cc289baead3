"""The bytes of a file in order. The reader can look at the beginning first, and count the bytes that were read."""

from __future__ import annotations

import io
from typing import Protocol

from leadyard.errors import UnreadableFile


class Stream(Protocol):
    """A binary file that returns its next bytes, at most `size` of them, none at the end."""

    def read(self, size: int, /) -> bytes | None: ...

    def close(self) -> None: ...


class ByteSource(io.BufferedIOBase):
    """Reads any binary stream, seekable or not, for a TextIOWrapper. Closing it leaves the stream open.

    `bytes_read` counts the bytes that were read, without those that were only peeked at. Raises UnreadableFile when the
    stream fails.
    """

    name = "input"  # TextIOWrapper passes it on.

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._waiting = b""
        self.bytes_read = 0

    def readable(self) -> bool:
        return True

    def peek(self, size: int) -> bytes:
        """Returns the next `size` bytes without consuming them, fewer only at the end."""
        while len(self._waiting) < size:
            more = self._read_stream(size - len(self._waiting))
            if not more:
                break
            self._waiting += more
        return self._waiting[:size]

    def read1(self, size: int | None = -1, /) -> bytes:
        size = io.DEFAULT_BUFFER_SIZE if size is None or size < 0 else size
        chunk, self._waiting = self._waiting[:size], self._waiting[size:]
        chunk = chunk or self._read_stream(size)
        self.bytes_read += len(chunk)
        return chunk

    def read(self, size: int | None = -1, /) -> bytes:
        return self.read1(size)

    def _read_stream(self, size: int) -> bytes:
        try:
            return self._stream.read(size) or b""
        except OSError as error:
            raise UnreadableFile(f"Reading stopped after {self.bytes_read:,} bytes: {error.strerror}.") from error
