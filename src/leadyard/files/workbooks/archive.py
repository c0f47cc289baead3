"""The parts of a ZIP archive, unpacked in small steps, with an early end for decompression bombs."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeVar

from leadyard.errors import UnreadableFile

MAX_UNPACKED_BYTES = 8 * 1024**3
MAX_RATIO = 100
"""The maximum ratio of an unpacked part to its packed size, as for gzip. Real sheets have 5 to 60."""

_HARMLESS_BYTES = 64 * 1024**2
_CHUNK_BYTES = 64 * 1024
# zipfile reads the whole list of contents at once and keeps an object of half a KiB for each entry. Workbooks with
# hundreds of sheets and pictures need 50 KiB.
_MAX_READ_BYTES = 1024**2
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError,
)  # fmt: skip

T = TypeVar("T")


class Archive:
    """An open ZIP archive. Raises UnreadableFile for one that is damaged, encrypted or a bomb.

    `unpacked_bytes` counts over all parts. It may not exceed MAX_UNPACKED_BYTES, and a part of more than 64 MiB may
    not be more than MAX_RATIO times as large as its packed form.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._zip = _guarded(lambda: zipfile.ZipFile(_SmallReads(file)))
        self._names = {name.lower(): name for name in reversed(self._zip.namelist())}
        self.unpacked_bytes = 0

    def has(self, name: str) -> bool:
        """Returns whether the archive has this part. Case is ignored, because some programs write another one."""
        return name.lower() in self._names

    def size_of(self, name: str) -> int:
        """Returns the unpacked size of a part as the archive announces it. It may be wrong."""
        return self._info(name).file_size

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yields the content of a part, at most 64 KiB at a time."""
        info = self._info(name)
        if info.compress_type not in _METHODS:
            raise UnreadableFile("The workbook is compressed in an unusual way: open it, save it again and send that.")
        with _guarded(lambda: self._zip.open(info)) as part:
            unpacked = 0
            while chunk := _guarded(lambda: part.read(_CHUNK_BYTES)):
                unpacked += len(chunk)
                self.unpacked_bytes += len(chunk)
                self._check(unpacked, info.compress_size)
                yield chunk

    def whole(self, name: str, *, max_bytes: int) -> bytes:
        """Returns a small part. Raises UnreadableFile if it has more than `max_bytes`."""
        content = bytearray()
        for chunk in self.chunks(name):
            content += chunk
            if len(content) > max_bytes:
                raise UnreadableFile(f"The part {name[:60]!r} of the workbook is too large: save it again.")
        return bytes(content)

    def _info(self, name: str) -> zipfile.ZipInfo:
        try:
            return self._zip.getinfo(self._names[name.lower()])
        except KeyError as error:
            raise UnreadableFile(f"The workbook lacks its part {name[:60]!r}: open it and save it again.") from error

    def _check(self, unpacked: int, packed: int) -> None:
        if self.unpacked_bytes > MAX_UNPACKED_BYTES:
            raise UnreadableFile(f"The workbook unpacks to more than {MAX_UNPACKED_BYTES // 1024**3} GiB: split it.")
        if unpacked > _HARMLESS_BYTES and unpacked > MAX_RATIO * packed:
            raise UnreadableFile(
                f"The workbook unpacks to more than {MAX_RATIO} times its size, as a decompression bomb does: save the "
                "sheet as CSV (UTF-8) and send that."
            )


class _SmallReads(io.RawIOBase):
    """The file of an archive, for zipfile. It refuses a read of more than a MiB, which only the list of contents of a
    hostile archive needs. Closing it leaves the file open."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = _MAX_READ_BYTES + 1 if size is None or size < 0 else size
        if wanted > _MAX_READ_BYTES + 1:
            raise zipfile.BadZipFile("the list of contents is too long")
        data = self._file.read(wanted)
        if len(data) > _MAX_READ_BYTES:
            raise zipfile.BadZipFile("the list of contents is too long")
        return data


def _guarded(step: Callable[[], T]) -> T:
    try:
        return step()
    except _DAMAGE as error:
        if "encrypt" in str(error) or "password" in str(error):
            raise UnreadableFile("The workbook is protected by a password: save it without one.") from error
        raise UnreadableFile(
            "The workbook is damaged, or not all of it arrived: open it, save it again and send that."
        ) from error
