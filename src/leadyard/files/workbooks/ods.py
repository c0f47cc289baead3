"""OpenDocument spreadsheets (.ods), read as a stream (OpenDocument 1.3 part 3, chapter 9).

Formulas are not computed: a cell has the value that the program saved with it. A repeated cell or row is written out,
within the limits of a sheet; blank ones cost nothing. Comments are not part of a cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from leadyard.errors import UnreadableFile
from leadyard.files.workbooks.archive import Archive
from leadyard.files.workbooks.cell_links import NO_LINKS, Links
from leadyard.files.workbooks.cell_text import PLAIN, text_of_number
from leadyard.files.workbooks.excel_parts import whole_number
from leadyard.files.workbooks.workbook import MAX_ROWS, RowInProgress, Sheet, SheetRow
from leadyard.files.workbooks.xml_stream import XmlReader

_CONTENT = "content.xml"
_TABLE, _ROW, _CELL, _COVERED, _PARAGRAPH, _SPACES, _TAB, _LINE, _COMMENT, _STYLE, _LOOK = range(1, 12)
_KINDS = {
    "table": _TABLE, "table-row": _ROW, "table-cell": _CELL, "covered-table-cell": _COVERED, "p": _PARAGRAPH,
    "s": _SPACES, "tab": _TAB, "line-break": _LINE, "annotation": _COMMENT, "style": _STYLE,
    "table-properties": _LOOK,
}  # fmt: skip
_NUMBERS = frozenset({"float", "currency", "percentage"})
_MIDNIGHT = re.compile(r"T00:00:00(?:\.0+)?$|\.0+$")
_TIME = re.compile(r"PT?(\d{1,9})H(\d{1,3})M(\d{1,3})(?:[.,]\d+)?S")


class OdsBook:
    """A Workbook in the OpenDocument format. All sheets are in one part, one after the other."""

    format = "ods"

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._announced = archive.size_of(_CONTENT)
        self._fed = 0

    @property
    def part_read(self) -> float:
        return min(1.0, self._fed / self._announced) if self._announced else 0.0

    def sheets(self) -> Iterator[Sheet]:
        reader = _TableReader(wanted=None)
        for chunk in self._archive.chunks(_CONTENT):
            reader.feed(chunk)
            sheets, reader.sheets = reader.sheets, []
            yield from sheets

    def links(self, sheet: Sheet) -> Links:
        return NO_LINKS

    def rows(self, sheet: Sheet) -> Iterator[SheetRow]:
        reader = _TableReader(wanted=int(sheet.key))
        self._fed = 0
        for chunk in self._archive.chunks(_CONTENT):
            self._fed += len(chunk)
            reader.feed(chunk)
            while reader.rows:
                row, times = reader.rows.pop(0)
                for place in range(times):
                    yield SheetRow(row.number + place, row.cells)
            if reader.is_past:
                return

    def close(self) -> None:
        """Holds nothing."""


class _TableReader(XmlReader):
    """Collects the sheets in `sheets`, and the rows of the one with the number `wanted` in `rows`, each with the number
    of times that it occurs. `is_past` is set after that sheet."""

    def __init__(self, *, wanted: int | None) -> None:
        super().__init__(_KINDS)
        self.sheets: list[Sheet] = []
        self.rows: list[tuple[SheetRow, int]] = []
        self.is_past = False
        self._wanted = wanted
        self._tables = 0
        self._nesting = 0
        self._hidden: set[str] = set()
        self._style = ""
        self._row = RowInProgress()
        self._number = 1
        self._times = 1
        self._column = 0
        self._cell: dict[str, str] = {}
        self._paragraphs: list[str] = []
        self._comments = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.check_depth()
        kind = self.kinds[name]
        if attributes:
            self.note_names(attributes)
        if kind == _TABLE:
            self._begin_table(attributes)
        elif kind == _STYLE:
            self._style = attributes.get("style:name", "")
        elif kind == _LOOK and attributes.get("table:display") == "false" and len(self._hidden) < MAX_ROWS:
            self._hidden.add(self._style)
        elif kind == _COMMENT:
            self._comments += 1
        elif not self._is_read():
            self.text.clear()
        elif kind == _ROW:
            self._begin_row(attributes)
        elif kind in (_CELL, _COVERED):
            self._cell = attributes
            self._paragraphs = []
        elif not self._comments:
            self._begin_text(kind, attributes)

    def end(self, name: str) -> None:
        self.depth -= 1
        kind = self.kinds[name]
        if kind == _TABLE:
            self._nesting -= 1
            self.is_past = self.is_past or (self._nesting == 0 and self._tables - 1 == self._wanted)
        elif kind == _COMMENT:
            self._comments -= 1
        elif not self._is_read() or self._comments:
            self.text.clear()
        elif kind == _PARAGRAPH:
            self._paragraphs.append("".join(self.text))
            self.text.clear()
        elif kind in (_CELL, _COVERED):
            self._put_cell()
        elif kind == _ROW:
            self._put_row()

    def _is_read(self) -> bool:
        # A table inside a cell belongs to no sheet.
        return self._nesting == 1 and self._tables - 1 == self._wanted

    def _begin_table(self, attributes: dict[str, str]) -> None:
        self._nesting += 1
        if self._nesting > 1:
            return
        visible = attributes.get("table:style-name", "") not in self._hidden
        self.sheets.append(Sheet(attributes.get("table:name", ""), visible, str(self._tables)))
        self._tables += 1

    def _begin_row(self, attributes: dict[str, str]) -> None:
        self._times = whole_number(attributes.get("table:number-rows-repeated")) or 1
        self._row.begin(min(self._number, MAX_ROWS))
        self._column = 0

    def _begin_text(self, kind: int, attributes: dict[str, str]) -> None:
        if kind == _PARAGRAPH:
            self.text.clear()
        elif kind == _SPACES:
            self.text.append(" " * min(whole_number(attributes.get("text:c")) or 1, 1_000))
        elif kind in (_TAB, _LINE):
            self.text.append("\t" if kind == _TAB else "\n")

    def _put_cell(self) -> None:
        times = whole_number(self._cell.get("table:number-columns-repeated")) or 1
        text = self._cell_text()
        if text:
            for place in range(times):
                self._row.put(self._column + place, text)
        self._column += times

    def _put_row(self) -> None:
        if self._row.cells:
            if self._number + self._times - 1 > MAX_ROWS:
                raise UnreadableFile(f"The sheet has more than {MAX_ROWS:,} rows: split it.")
            self.rows.append((SheetRow(self._number, self._row.cells), self._times))
        self._number += self._times

    def _cell_text(self) -> str:
        cell = self._cell
        shown = "\n".join(self._paragraphs).strip("\n")
        type = cell.get("calcext:value-type") or cell.get("office:value-type", "")
        if type == "error":
            return ""
        if type in _NUMBERS:
            return _number(cell.get("office:value", ""), shown)
        if type == "date":
            return _MIDNIGHT.sub("", cell.get("office:date-value", shown).removesuffix("Z"))
        if type == "time":
            return _clock(cell.get("office:time-value", ""), shown)
        if type == "boolean":
            return cell.get("office:boolean-value", shown).upper()
        return cell.get("office:string-value") or shown


def _number(value: str, shown: str) -> str:
    plain = text_of_number(value, PLAIN)
    # A zip code or a phone number is shown with the zeros and the plus that its number lacks.
    bare = shown.removeprefix("+")
    return shown if bare.isdigit() and plain.isdigit() and int(bare[:50]) == int(plain[:50]) else plain or shown


def _clock(value: str, shown: str) -> str:
    found = _TIME.fullmatch(value)
    return f"{int(found[1]):02}:{int(found[2]):02}:{int(found[3]):02}" if found else shown
