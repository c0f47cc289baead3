"""Old Excel workbooks (.xls): the records of Excel 97 to 2003 ([MS-XLS]), read as a stream.

The same rules as for .xlsx apply: saved values of formulas, no links, cells with errors are empty. Workbooks of Excel
95 and older are refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from leadyard.errors import UnreadableFile
from leadyard.files.workbooks.cell_links import NO_LINKS, Links
from leadyard.files.workbooks.cell_text import PLAIN, Look, look_of, text_of_float
from leadyard.files.workbooks.ole import OleStream, damaged
from leadyard.files.workbooks.shared_texts import SharedTexts
from leadyard.files.workbooks.workbook import RowInProgress, Sheet, SheetRow
from leadyard.files.workbooks.xls_texts import Texts, short_text, text_in
from leadyard.files.workbooks.xlsb import number_of_rk

# [MS-XLS] 2.3, by number.
_END, _DATE_MODE, _PASSWORD, _SHEET, _STYLE, _SHARED_TEXTS, _FORMAT, _BEGIN = 10, 34, 47, 133, 224, 252, 1054, 2057
_FORMULAS = frozenset({6, 518, 1030})
_MANY_RK, _RICH_TEXT, _SHARED, _NUMBER, _TEXT, _BOOL_OR_ERROR, _FORMULA_TEXT, _RK = (
    189,
    214,
    253,
    515,
    516,
    517,
    519,
    638,
)
_EXCEL_97 = 0x0600
_SHEET_WITH_CELLS = 0
_MAX_STYLES = 70_000
_CHUNK_BYTES = 256 * 1024
_F64 = struct.Struct("<d")
_CELL = struct.Struct("<HHH")


class XlsBook:
    """A Workbook in the binary format of Excel 97."""

    format = "xls"

    def __init__(self, file: BinaryIO) -> None:
        self._stream = OleStream(file, ("workbook", "book"), missing=_not_a_workbook())
        self._since_1904 = False
        self._sheets: list[Sheet] = []
        self._looks: list[Look] = []
        self._texts = SharedTexts(iter(()))
        self._begin = self._at = 0
        self._read_structure()

    @property
    def part_read(self) -> float:
        return min(1.0, (self._at - self._begin) / max(1, self._stream.size - self._begin))

    def sheets(self) -> Iterator[Sheet]:
        yield from self._sheets

    def links(self, sheet: Sheet) -> Links:
        return NO_LINKS

    def rows(self, sheet: Sheet) -> Iterator[SheetRow]:
        self._begin = int(sheet.key)
        row = RowInProgress()
        waiting: tuple[int, int] | None = None
        records = records_of(self._stream, self._begin)
        next(records, None)
        for at, kind, data in records:
            self._at = at
            if kind == _END:
                break
            if kind == _FORMULA_TEXT and waiting is not None:
                row.put(waiting[1], text_in(data, 0))
            elif kind in _CELL_KINDS:
                number, column, style = _cell(data)
                if number + 1 != row.number:
                    if row.cells:
                        yield SheetRow(row.number, row.cells)
                    if number + 1 < row.number:
                        raise damaged()
                    row.begin(number + 1)
                waiting = (number, column)
                for place, text in enumerate(self._texts_of_cells(kind, data, style)):
                    row.put(column + place, text)
        if row.cells:
            yield SheetRow(row.number, row.cells)

    def close(self) -> None:
        self._texts.close()

    def _read_structure(self) -> None:
        codes: dict[int, str] = {}
        ids: list[int] = []
        for number, (at, kind, data) in enumerate(records_of(self._stream, 0)):
            if number == 0 and (kind != _BEGIN or int.from_bytes(data[:2], "little") != _EXCEL_97):
                raise UnreadableFile("The workbook is of Excel 95 or older: save it as .xlsx and send that.")
            if kind == _PASSWORD:
                raise UnreadableFile("The workbook is protected by a password: save it without one.")
            if kind == _END:
                break
            if kind == _DATE_MODE:
                self._since_1904 = data[:1] == b"\1"
            elif kind == _SHEET and len(data) > 8 and data[5] == _SHEET_WITH_CELLS:
                place = int.from_bytes(data[:4], "little")
                self._sheets.append(Sheet(short_text(data, 6), data[4] & 3 == 0, str(place)))
            elif kind == _FORMAT:
                codes[int.from_bytes(data[:2], "little")] = text_in(data, 2)
            elif kind == _STYLE and len(ids) < _MAX_STYLES:
                ids.append(int.from_bytes(data[2:4], "little"))
            elif kind == _SHARED_TEXTS:
                self._texts.close()
                self._texts = SharedTexts(iter(Texts(records_of(self._stream, at))))
        self._looks = [look_of(format_id, codes) for format_id in ids]

    def _texts_of_cells(self, kind: int, data: bytes, style: int) -> Iterator[str]:
        if kind == _SHARED:
            yield self._texts[int.from_bytes(data[6:10], "little")]
        elif kind == _RK:
            yield self._number(_rk(data, 6), style)
        elif kind == _MANY_RK:
            for at in range(4, len(data) - 7, 6):
                yield self._number(_rk(data, at + 2), int.from_bytes(data[at : at + 2], "little"))
        elif kind == _NUMBER:
            yield self._number(_f64(data, 6), style)
        elif kind in _FORMULAS:
            yield self._result(data, style)
        elif kind == _BOOL_OR_ERROR:
            yield "" if data[7:8] != b"\0" else "TRUE" if data[6:7] == b"\1" else "FALSE"
        else:
            yield text_in(data, 6)

    def _result(self, data: bytes, style: int) -> str:
        """Returns the saved value of a formula. A text follows in a record of its own ([MS-XLS] 2.5.133)."""
        if data[12:14] != b"\xff\xff":
            return self._number(_f64(data, 6), style)
        return ("TRUE" if data[8:9] == b"\1" else "FALSE") if data[6:7] == b"\1" else ""

    def _number(self, number: float, style: int) -> str:
        look = self._looks[style] if style < len(self._looks) else PLAIN
        return text_of_float(number, look, since_1904=self._since_1904)


_CELL_KINDS = _FORMULAS | {_MANY_RK, _RICH_TEXT, _SHARED, _NUMBER, _TEXT, _BOOL_OR_ERROR, _RK}


def records_of(stream: OleStream, at: int) -> Iterator[tuple[int, int, bytes]]:
    """Yields place, number and content of each record from `at` on."""
    data, begin = b"", at
    while True:
        offset = at - begin
        if offset + 4 > len(data) or offset + 4 + int.from_bytes(data[offset + 2 : offset + 4], "little") > len(data):
            begin, offset = at, 0
            data = stream.read_at(at, _CHUNK_BYTES)
            if len(data) < 4:
                return
        kind = int.from_bytes(data[offset : offset + 2], "little")
        size = int.from_bytes(data[offset + 2 : offset + 4], "little")
        if offset + 4 + size > len(data):
            raise damaged()
        yield at, kind, data[offset + 4 : offset + 4 + size]
        at += 4 + size


def _cell(data: bytes) -> tuple[int, int, int]:
    if len(data) < 6:
        raise damaged()
    number, column, style = _CELL.unpack_from(data)
    return number, column, style


def _rk(data: bytes, at: int) -> float:
    return number_of_rk(int.from_bytes(data[at : at + 4], "little"))


def _f64(data: bytes, at: int) -> float:
    if at + 8 > len(data):
        raise damaged()
    return float(_F64.unpack_from(data, at)[0])


def _not_a_workbook() -> UnreadableFile:
    return UnreadableFile(
        "The file is protected by a password, or is another document of Office: save the sheet without a password, as "
        ".xlsx or CSV."
    )
