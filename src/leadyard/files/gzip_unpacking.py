"""Unpacks gzip in small steps: with little memory for any input, and an early end for decompression bombs."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from leadyard.errors import UnreadableFile

MAGIC = b"\x1f\x8b"
MAX_UNPACKED_BYTES = 8 * 1024**3
MAX_RATIO = 100
"""The maximum ratio of the unpacked to the packed size of a file. Real tables have 3 to 30."""

# Up to this size a file is harmless, and a small file of one repeated row may have any ratio.
_HARMLESS_BYTES = 64 * 1024**2
# zlib returns the unused part of its input. A small input keeps that copying cheap if members are tiny.
_SLICE_BYTES = 16 * 1024
_MAX_EMPTY_MEMBERS = 1_000
_WITH_GZIP_HEADER = 31


class GzipUnpacking:
    """Reads the bytes that `take` returns (at most the given number, none at the end) as gzip of one or more members.

    Raises UnreadableFile for data that is damaged or ends too early, for more than MAX_UNPACKED_BYTES, and for more
    than 64 MiB if they are more than MAX_RATIO times the packed size.
    """

    def __init__(self, take: Callable[[int], bytes]) -> None:
        self._take = take
        self._packed = b""
        self._member: zlib._Decompress | None = None
        self._members_begun = 0
        self._empty_members = 0
        self._packed_bytes = 0
        self.unpacked_bytes = 0

    def read(self, size: int) -> bytes:
        """Returns the next bytes: at most `size` and at least one, or none at the end."""
        while self._has_packed():
            if self._member is None and not self._begin_member():
                continue
            unpacked = self._unpack(size)
            if unpacked:
                self._count(len(unpacked))
                return unpacked
        if self._member is not None:
            raise UnreadableFile("The gzip data ends in the middle: pack the file again and send all of it.")
        return b""

    def _has_packed(self) -> bool:
        if not self._packed:
            self._packed = self._take(_SLICE_BYTES)
            self._packed_bytes += len(self._packed)
        return bool(self._packed)

    def _begin_member(self) -> bool:
        """Skips zeros after the last member, like gzip, because tape drives and some tools write them."""
        if self._members_begun:
            self._packed = self._packed.lstrip(b"\0")
        if self._packed:
            self._member = zlib.decompressobj(_WITH_GZIP_HEADER)
            self._members_begun += 1
            self._empty_members += 1
        return self._member is not None

    def _unpack(self, size: int) -> bytes:
        assert self._member is not None
        try:
            unpacked = self._member.decompress(self._packed, size)
        except zlib.error as error:
            raise UnreadableFile(
                f"The gzip data is damaged after {self.unpacked_bytes:,} unpacked bytes: pack the file again."
            ) from error
        if self._member.eof:
            self._packed, self._member = self._member.unused_data, None
        else:
            self._packed = self._member.unconsumed_tail
        if unpacked:
            self._empty_members = 0
        elif self._empty_members > _MAX_EMPTY_MEMBERS:
            raise UnreadableFile("The gzip data consists of thousands of empty parts: pack the file again.")
        return unpacked

    def _count(self, size: int) -> None:
        self.unpacked_bytes += size
        if self.unpacked_bytes > MAX_UNPACKED_BYTES:
            raise UnreadableFile(f"The file unpacks to more than {MAX_UNPACKED_BYTES // 1024**3} GiB: split it.")
        packed_bytes = self._packed_bytes - len(self._packed)
        if self.unpacked_bytes > _HARMLESS_BYTES and self.unpacked_bytes > MAX_RATIO * packed_bytes:
            raise UnreadableFile(
                f"The file unpacks to more than {MAX_RATIO} times its size, as a decompression bomb does: send it "
                "uncompressed."
            )
