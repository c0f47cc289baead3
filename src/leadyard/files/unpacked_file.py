"""A file as people have it, such as people.csv or people.csv.gz, as a stream of its text or workbook."""

from __future__ import annotations

from leadyard.files.byte_source import ByteSource, Stream
from leadyard.files.gzip_unpacking import MAGIC, GzipUnpacking


class UnpackedFile:
    """Reads a stream from its beginning, and unpacks gzip. The content decides, not the name of the file.

    Closing it leaves the stream open. Raises UnreadableFile when the stream fails, and the errors of GzipUnpacking.
    """

    def __init__(self, stream: Stream) -> None:
        self._source = ByteSource(stream)
        self._gzip = GzipUnpacking(self._source.read) if self._source.peek(len(MAGIC)) == MAGIC else None

    @property
    def is_packed(self) -> bool:
        """Whether the file is compressed."""
        return self._gzip is not None

    def read(self, size: int, /) -> bytes:
        """Returns the next bytes: at most `size`, none at the end."""
        return self._gzip.read(size) if self._gzip else self._source.read(size)

    def close(self) -> None:
        """Does nothing: the stream belongs to the caller."""
