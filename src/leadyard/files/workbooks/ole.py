"""A stream inside a compound file, the container of old Office documents ([MS-CFB]), for random access."""

from __future__ import annotations

import sys
from array import array
from typing import BinaryIO

from leadyard.errors import UnreadableFile

_HEADER_BYTES = 512
_LAST_SECTOR = 0xFFFFFFFA
"""Above it are marks: the end of a chain, a free sector."""
_ENTRY_BYTES = 128
_IN_HEADER = 109
_MAX_ENTRIES = 10_000
_STREAM, _ROOT = 2, 5


class OleStream:
    """The bytes of the first stream that has one of the names. Raises UnreadableFile if the file is damaged, and
    `missing` if it has no such stream."""

    def __init__(self, file: BinaryIO, names: tuple[str, ...], *, missing: UnreadableFile) -> None:
        self._file = file
        header = self._bytes_at(0, _HEADER_BYTES)
        shift = _number(header, 30, 2)
        if shift not in (9, 12):
            raise damaged()
        self._sector_bytes = 1 << shift
        self._next = self._table_of_sectors(header)
        entry, root = self._find(_number(header, 48, 4), names, missing)
        self.size = _number(entry, 120, 4)
        self._is_small = self.size < _number(header, 56, 4)
        start = _number(entry, 116, 4)
        if self._is_small:
            # Streams of less than 4 KiB share one stream, in sectors of 64 bytes.
            self._container = self._chain(_number(root, 116, 4))
            self._sectors = self._small_chain(header, start)
        else:
            self._sectors = self._chain(start)

    def read_at(self, at: int, size: int) -> bytes:
        """Returns the bytes at a place of the stream, fewer only at its end."""
        size = max(0, min(size, self.size - at))
        found = bytearray()
        unit = 64 if self._is_small else self._sector_bytes
        while size:
            number, offset = divmod(at, unit)
            if number >= len(self._sectors):
                raise damaged()
            count = min(size, self._length_of_run(number, offset + size, unit) - offset)
            part = self._bytes_at(self._place(self._sectors[number], offset), count)
            if len(part) < count:
                raise damaged()
            found += part
            at += count
            size -= count
        return bytes(found)

    def _length_of_run(self, number: int, wanted: int, unit: int) -> int:
        """Returns the length of the sectors from this one on that follow each other in the file, at least `wanted` if
        there are as many."""
        length = unit
        sectors = self._sectors
        while not self._is_small and length < wanted and number + 1 < len(sectors):
            if sectors[number + 1] != sectors[number] + 1:
                break
            number += 1
            length += unit
        return length

    def _place(self, sector: int, offset: int) -> int:
        if not self._is_small:
            return (sector + 1) * self._sector_bytes + offset
        index, inside = divmod(sector * 64 + offset, self._sector_bytes)
        if index >= len(self._container):
            raise damaged()
        return (self._container[index] + 1) * self._sector_bytes + inside

    def _bytes_at(self, at: int, size: int) -> bytes:
        self._file.seek(at)
        return self._file.read(size)

    def _sector(self, number: int) -> bytes:
        data = self._bytes_at((number + 1) * self._sector_bytes, self._sector_bytes)
        if len(data) < self._sector_bytes:
            # The last sector of a file may be cut off.
            data += b"\xff" * (self._sector_bytes - len(data))
        return data

    def _table_of_sectors(self, header: bytes) -> array[int]:
        """Returns the number of the next sector for each sector."""
        self._file.seek(0, 2)
        most = self._file.tell() // self._sector_bytes + 1
        places = [number for number in _numbers(header[76:]) if number <= _LAST_SECTOR]
        more = _number(header, 68, 4)
        seen = 0
        while more <= _LAST_SECTOR and seen * (self._sector_bytes // 4) < most:
            listed = _numbers(self._sector(more))
            places += [number for number in listed[:-1] if number <= _LAST_SECTOR]
            more = listed[-1]
            seen += 1
        table: array[int] = array("I")
        for place in places[: most * 4 // self._sector_bytes + _IN_HEADER]:
            table.extend(_numbers(self._sector(place)))
        return table

    def _chain(self, first: int) -> array[int]:
        chain: array[int] = array("I")
        sector = first
        while sector <= _LAST_SECTOR:
            if sector >= len(self._next) or len(chain) > len(self._next):
                raise damaged()
            chain.append(sector)
            sector = self._next[sector]
        return chain

    def _small_chain(self, header: bytes, first: int) -> array[int]:
        table: array[int] = array("I")
        for sector in self._chain(_number(header, 60, 4)):
            table.extend(_numbers(self._sector(sector)))
        chain: array[int] = array("I")
        while first <= _LAST_SECTOR:
            if first >= len(table) or len(chain) > len(table):
                raise damaged()
            chain.append(first)
            first = table[first]
        return chain

    def _find(self, first: int, names: tuple[str, ...], missing: UnreadableFile) -> tuple[bytes, bytes]:
        found: dict[str, bytes] = {}
        root = b""
        entries = 0
        for sector in self._chain(first):
            data = self._sector(sector)
            for at in range(0, self._sector_bytes, _ENTRY_BYTES):
                entry = data[at : at + _ENTRY_BYTES]
                length = min(64, _number(entry, 64, 2))
                name = entry[: max(0, length - 2)].decode("utf-16-le", "replace").lower()
                if entry[66] == _ROOT:
                    root = entry
                elif entry[66] == _STREAM:
                    found.setdefault(name, entry)
                entries += 1
            if entries > _MAX_ENTRIES:
                raise damaged()
        chosen = next((found[name] for name in names if name in found), None)
        if chosen is None or not root:
            raise missing
        return chosen, root


def _number(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise damaged()
    return int.from_bytes(data[at : at + size], "little")


def _numbers(data: bytes) -> array[int]:
    numbers = array("I", data[: len(data) // 4 * 4])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def damaged() -> UnreadableFile:
    """Returns the refusal of a damaged old workbook, for the caller to raise."""
    return UnreadableFile("The old Excel workbook is damaged: open it, save it as .xlsx and send that.")
