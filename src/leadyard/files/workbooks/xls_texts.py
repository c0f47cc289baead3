"""The texts of an old Excel workbook ([MS-XLS] 2.5.293 and 2.5.296)."""

from __future__ import annotations

from collections.abc import Iterator

from leadyard.files.workbooks.ole import damaged

_CONTINUED = 60
_WIDE, _PHONETIC, _RICH = 1, 4, 8


def short_text(data: bytes, at: int) -> str:
    """Returns a text whose length is one byte."""
    return _characters(data, at + 2, data[at], data[at + 1])


def text_in(data: bytes, at: int) -> str:
    """Returns a text whose length is two bytes, and whose characters are in one record."""
    if at + 3 > len(data):
        return ""
    length, flags = int.from_bytes(data[at : at + 2], "little"), data[at + 2]
    begin = at + 3 + (2 if flags & _RICH else 0) + (4 if flags & _PHONETIC else 0)
    return _characters(data, begin, length, flags)


def _characters(data: bytes, at: int, length: int, flags: int) -> str:
    size = length * 2 if flags & _WIDE else length
    return data[at : at + size].decode("utf-16-le" if flags & _WIDE else "latin-1", "replace").replace("\0", "")


class Texts:
    """The table of texts, which continues over several records. A text may be cut anywhere; where its characters are
    cut, the next record says again whether they are wide."""

    def __init__(self, records: Iterator[tuple[int, int, bytes]]) -> None:
        self._records = records
        first = next(records, None)
        self._data = first[2] if first else b""
        self._at = 8

    def __iter__(self) -> Iterator[str]:
        count = int.from_bytes(self._data[4:8], "little")
        for _ in range(count):
            if self._at >= len(self._data) and not self._continue():
                return
            length, flags = int.from_bytes(self._take(2), "little"), self._take(1)[0]
            runs = int.from_bytes(self._take(2), "little") if flags & _RICH else 0
            extra = int.from_bytes(self._take(4), "little") if flags & _PHONETIC else 0
            yield self._text(length, flags)
            self._skip(4 * runs + extra)

    def _text(self, length: int, flags: int) -> str:
        found: list[str] = []
        while length:
            if self._at >= len(self._data):
                if not self._continue():
                    raise damaged()
                flags = self._take(1)[0]
            width = 2 if flags & _WIDE else 1
            count = min(length, (len(self._data) - self._at) // width)
            if not count:
                raise damaged()
            found.append(_characters(self._data, self._at, count, flags))
            self._at += count * width
            length -= count
        return "".join(found)

    def _take(self, size: int) -> bytes:
        if self._at >= len(self._data) and not self._continue():
            raise damaged()
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise damaged()
        self._at += size
        return taken

    def _skip(self, size: int) -> None:
        while size:
            if self._at >= len(self._data) and not self._continue():
                return
            step = min(size, len(self._data) - self._at)
            self._at += step
            size -= step

    def _continue(self) -> bool:
        record = next(self._records, None)
        if record is None or record[1] != _CONTINUED:
            return False
        self._data, self._at = record[2], 0
        return True
