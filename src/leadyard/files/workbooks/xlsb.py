"""Binary Excel workbooks (.xlsb): the records of [MS-XLSB], read as a stream.

The same rules as for .xlsx apply: saved values of formulas, no links, cells with errors are empty.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from leadyard.errors import UnreadableFile
from leadyard.files.workbooks.cell_links import NO_LINKS, Links
from leadyard.files.workbooks.cell_text import PLAIN, Look, look_of, text_of_float
from leadyard.files.workbooks.excel_archive import MAX_STYLES, ExcelArchive
from leadyard.files.workbooks.excel_parts import Parts
from leadyard.files.workbooks.shared_texts import MAX_TEXT_CHARS
from leadyard.files.workbooks.workbook import RowInProgress, Sheet, SheetRow

# [MS-XLSB] 2.3.2, by number.
_ROW, _RK, _ERROR, _BOOL, _REAL, _STRING, _SHARED = 0, 2, 3, 4, 5, 6, 7
_FORMULA_STRING, _FORMULA_NUMBER, _FORMULA_BOOL, _FORMULA_ERROR = 8, 9, 10, 11
_LAST_SHORT, _SHORTER = 18, 11
_ITEM, _FORMAT, _STYLE, _RICH_STRING = 19, 44, 47, 62
_END_OF_ROWS, _BOOK_SETTINGS, _SHEET = 146, 153, 156
_BEGIN_CELL_STYLES, _END_CELL_STYLES = 617, 618
_TEXTS = {_STRING: 8, _FORMULA_STRING: 8, _RICH_STRING: 9}
_NUMBERS = frozenset({_REAL, _FORMULA_NUMBER})
_BOOLS = frozenset({_BOOL, _FORMULA_BOOL})
_MAX_RECORD_BYTES = 1024**2
_U32 = struct.Struct("<I")
_F64 = struct.Struct("<d")
_CELL = struct.Struct("<II")


class XlsbBook(ExcelArchive):
    """A Workbook in the binary format of Excel."""

    format = "xlsb"

    def links(self, sheet: Sheet) -> Links:
        return NO_LINKS

    def rows(self, sheet: Sheet) -> Iterator[SheetRow]:
        row = RowInProgress()
        column = -1
        for kind, data in _records(self._chunks_of(sheet)):
            if kind in (_ROW, _END_OF_ROWS):
                if row.cells:
                    yield SheetRow(row.number, row.cells)
                if kind == _END_OF_ROWS:
                    return
                row.begin(_u32(data, 0) + 1)
                column = -1
            elif kind <= _FORMULA_ERROR or kind == _RICH_STRING:
                column, style = _cell(data)
                row.put(column, self._cell_text(kind, data, style & 0xFFFFFF))
            elif kind <= _LAST_SHORT:
                # A short cell is the next one in its row, and leaves out its column.
                column += 1
                row.put(column, self._cell_text(kind - _SHORTER, b"\0\0\0\0" + data, _style(data)))

    def _read_structure(self, parts: Parts) -> None:
        for kind, data in _records(self._archive.chunks(parts.workbook)):
            if kind == _BOOK_SETTINGS:
                self._since_1904 = bool(data[:1] and data[0] & 1)
            elif kind == _SHEET:
                relation, end = _text_at(data, 8)
                name, _ = _text_at(data, end)
                if relation in parts.sheets:
                    self._sheets.append(Sheet(name, _u32(data, 0) == 0, parts.sheets[relation]))

    def _read_looks(self, part: str) -> list[Look]:
        codes: dict[int, str] = {}
        ids: list[int] = []
        is_cell_style = False
        for kind, data in _records(self._archive.chunks(part)):
            if kind == _FORMAT:
                codes[int.from_bytes(data[:2], "little")] = _text_at(data, 2)[0]
            elif kind in (_BEGIN_CELL_STYLES, _END_CELL_STYLES):
                is_cell_style = kind == _BEGIN_CELL_STYLES
            elif kind == _STYLE and is_cell_style and len(ids) < MAX_STYLES:
                ids.append(int.from_bytes(data[2:4], "little"))
        return [look_of(format_id, codes) for format_id in ids]

    def _read_texts(self, part: str) -> Iterator[str]:
        for kind, data in _records(self._archive.chunks(part)):
            if kind == _ITEM:
                yield _text_at(data, 1)[0]

    def _cell_text(self, kind: int, data: bytes, style: int) -> str:
        if kind == _SHARED:
            return self._texts[_u32(data, 8)]
        if kind in _TEXTS:
            return _text_at(data, _TEXTS[kind])[0]
        if kind in _BOOLS:
            return "TRUE" if data[8:9] == b"\1" else "FALSE"
        if kind == _RK:
            return self._number(number_of_rk(_u32(data, 8)), style)
        if kind in _NUMBERS:
            return self._number(_f64(data, 8), style)
        return ""

    def _number(self, number: float, style: int) -> str:
        look = self._looks[style] if style < len(self._looks) else PLAIN
        return text_of_float(number, look, since_1904=self._since_1904)


def number_of_rk(packed: int) -> float:
    """Returns the number of an RK value ([MS-XLS] 2.5.217): an integer of 30 bits or the upper half of a float, and
    perhaps a hundredth of it."""
    if packed & 2:
        whole = packed >> 2
        number = float(whole - (1 << 30) if whole & (1 << 29) else whole)
    else:
        number = float(_F64.unpack(b"\0\0\0\0" + _U32.pack(packed & 0xFFFFFFFC))[0])
    return number / 100 if packed & 1 else number


def _records(chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yields number and content of each record. Raises UnreadableFile if the last one is cut off, or one is longer
    than any cell."""
    waiting, at = b"", 0
    for chunk in chunks:
        waiting, at = waiting[at:] + chunk, 0
        while (head := _head(waiting, at)) is not None:
            kind, begin, size = head
            if size > _MAX_RECORD_BYTES:
                raise _damaged()
            if begin + size > len(waiting):
                break
            yield kind, waiting[begin : begin + size]
            at = begin + size
    if at < len(waiting):
        raise _damaged()


def _head(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Returns number, place and size of the record at `at`, None if even these are not there yet ([MS-XLSB] 2.1.4)."""
    if at + 6 > len(data) and not _has_head(data, at):
        return None
    kind = data[at]
    at += 1
    if kind & 0x80:
        kind = kind & 0x7F | (data[at] & 0x7F) << 7
        at += 1
    size = 0
    for shift in (0, 7, 14, 21):
        byte = data[at]
        at += 1
        size |= (byte & 0x7F) << shift
        if not byte & 0x80:
            break
    return kind, at, size


def _has_head(data: bytes, at: int) -> bool:
    if at >= len(data):
        return False
    at += 2 if data[at] & 0x80 else 1
    return any(place < len(data) and not data[place] & 0x80 for place in range(at, at + 4))


def _cell(data: bytes) -> tuple[int, int]:
    if len(data) < 8:
        raise _damaged()
    column, style = _CELL.unpack_from(data)
    return column, style


def _style(data: bytes) -> int:
    return int.from_bytes(data[:3], "little")


def _u32(data: bytes, at: int) -> int:
    if at + 4 > len(data):
        raise _damaged()
    return int(_U32.unpack_from(data, at)[0])


def _f64(data: bytes, at: int) -> float:
    if at + 8 > len(data):
        raise _damaged()
    return float(_F64.unpack_from(data, at)[0])


def _text_at(data: bytes, at: int) -> tuple[str, int]:
    """Returns the text at `at`, and the place behind it. A text that is null is empty."""
    length = _u32(data, at)
    if length == 0xFFFFFFFF:
        return "", at + 4
    end = at + 4 + 2 * length
    if end > len(data) or length > MAX_TEXT_CHARS:
        raise _damaged()
    return data[at + 4 : end].decode("utf-16-le", "replace").replace("\0", ""), end


def _damaged() -> UnreadableFile:
    return UnreadableFile("The workbook is damaged: open it, save it again and send that.")
