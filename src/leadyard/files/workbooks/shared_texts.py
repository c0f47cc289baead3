"""The table of texts that the cells of a workbook share, read as far as needed and kept on disk if it is long."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from sys import getsizeof

from leadyard.errors import UnreadableFile

MAX_TEXT_CHARS = 262_144
"""Excel writes at most 32,767 characters into a cell, other programs more."""
_SHIFT = 6
_PER_BLOCK = 1 << _SHIFT
_BYTES_IN_MEMORY = 24 * 1024**2
"""For the first texts, and again for the blocks that were read last."""


class SharedTexts:
    """The texts by their numbers, from 0. `source` yields them in order.

    The first 24 MiB stay in memory. The others are in a temporary file, in blocks of 64 texts, because
    cells that are near each other usually have texts that are near each other. Raises UnreadableFile for a number
    without a text, and what `source` raises.
    """

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self._blocks: list[list[str] | tuple[int, int]] = []
        self._last: list[str] = []
        self._recent: OrderedDict[int, tuple[list[str], int]] = OrderedDict()
        self._recent_bytes = 0
        self._bytes = 0
        # `close` closes it.
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        self._file_bytes = 0

    def __getitem__(self, number: int) -> str:
        block, place = number >> _SHIFT, number & (_PER_BLOCK - 1)
        if 0 <= block < len(self._blocks):
            known = self._blocks[block]
            if type(known) is list:
                return known[place]
        while not 0 <= block <= len(self._blocks) or (block == len(self._blocks) and place >= len(self._last)):
            if block < 0 or not self._read_block():
                raise UnreadableFile("The workbook is damaged: a cell has a text that is missing. Save it again.")
        if block == len(self._blocks):
            return self._last[place]
        texts = self._blocks[block]
        return texts[place] if isinstance(texts, list) else self._from_file(block, texts)[place]

    def close(self) -> None:
        """Removes the temporary file."""
        self._file.close()

    def _read_block(self) -> bool:
        """Reads the texts up to the end of the next block. Returns whether there was another one."""
        before = len(self._last)
        self._last.extend(islice(self._source, _PER_BLOCK - before))
        has_more = len(self._last) > before
        if len(self._last) == _PER_BLOCK:
            self._keep(self._last)
            self._last = []
        return has_more

    def _keep(self, texts: list[str]) -> None:
        size = _size(texts)
        if self._bytes + size <= _BYTES_IN_MEMORY:
            self._bytes += size
            self._blocks.append(texts)
            return
        # No text contains NUL: XML does not allow it, and the readers leave it out.
        packed = "\0".join(texts).encode("utf-8", "surrogatepass")
        self._file.seek(self._file_bytes)
        self._file.write(packed)
        self._blocks.append((self._file_bytes, len(packed)))
        self._file_bytes += len(packed)

    def _from_file(self, block: int, place: tuple[int, int]) -> list[str]:
        if block in self._recent:
            self._recent.move_to_end(block)
            return self._recent[block][0]
        offset, length = place
        self._file.seek(offset)
        texts = self._file.read(length).decode("utf-8", "surrogatepass").split("\0")
        size = _size(texts)
        self._recent[block] = (texts, size)
        self._recent_bytes += size
        while self._recent_bytes > _BYTES_IN_MEMORY and len(self._recent) > 1:
            self._recent_bytes -= self._recent.popitem(last=False)[1][1]
        return texts


def _size(texts: list[str]) -> int:
    return sum(map(getsizeof, texts))
