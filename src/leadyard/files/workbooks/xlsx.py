"""Excel workbooks (.xlsx, .xlsm): the XML of ECMA-376, read as a stream.

Formulas are not computed: a cell has the value that Excel saved with it. Links to other files are not followed. A cell
with an error (`#N/A`) is empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from leadyard.errors import UnreadableFile
from leadyard.files.workbooks.cell_links import Links, links_in, shown_or_linked
from leadyard.files.workbooks.cell_text import PLAIN, Look, look_of, text_of_number
from leadyard.files.workbooks.excel_archive import MAX_STYLES, ExcelArchive
from leadyard.files.workbooks.excel_parts import Parts, whole_number
from leadyard.files.workbooks.shared_texts import MAX_TEXT_CHARS, SharedTexts
from leadyard.files.workbooks.workbook import RowInProgress, Sheet, SheetRow
from leadyard.files.workbooks.xml_stream import MAX_DEPTH, XmlReader, for_each_element

_ROW, _CELL, _VALUE, _TEXT, _PHONETIC, _ITEM, _FORMULA = range(1, 8)
_SHEET_KINDS = {"row": _ROW, "c": _CELL, "v": _VALUE, "t": _TEXT, "rPh": _PHONETIC, "f": _FORMULA}
_TEXT_ELEMENTS = frozenset({_VALUE, _TEXT, _FORMULA})
_TEXT_KINDS = {"si": _ITEM, "t": _TEXT, "rPh": _PHONETIC}
_CELL_ATTRIBUTES = frozenset({"r", "s", "t", "cm", "vm", "ph"})
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_DIGITS = "0123456789"


class XlsxBook(ExcelArchive):
    """A Workbook in the XML format of Excel."""

    format = "xlsx"

    def rows(self, sheet: Sheet) -> Iterator[SheetRow]:
        reader = _SheetReader(self._texts, self._looks, since_1904=self._since_1904)
        for chunk in self._chunks_of(sheet):
            reader.feed(chunk)
            if reader.rows:
                rows, reader.rows = reader.rows, []
                yield from rows

    def links(self, sheet: Sheet) -> Links:
        return links_in(self._archive, sheet.key)

    def _read_structure(self, parts: Parts) -> None:
        def handle(parent: str, name: str, attributes: dict[str, str]) -> None:
            if name == "workbookPr":
                self._since_1904 = attributes.get("date1904", "0").lower() in {"1", "true", "on"}
            target = parts.sheets.get(attributes.get("id", "")) if name == "sheet" and parent == "sheets" else None
            if target:
                visible = attributes.get("state", "visible") == "visible"
                self._sheets.append(Sheet(attributes.get("name", ""), visible, target))

        for_each_element(self._archive.chunks(parts.workbook), handle)

    def _read_looks(self, part: str) -> list[Look]:
        codes: dict[int, str] = {}
        ids: list[int] = []

        def handle(parent: str, name: str, attributes: dict[str, str]) -> None:
            if name == "numFmt":
                codes[whole_number(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
            elif name == "xf" and parent == "cellXfs" and len(ids) < MAX_STYLES:
                ids.append(whole_number(attributes.get("numFmtId")))

        for_each_element(self._archive.chunks(part), handle)
        return [look_of(format_id, codes) for format_id in ids]

    def _read_texts(self, part: str) -> Iterator[str]:
        reader = _TextReader()
        for chunk in self._archive.chunks(part):
            reader.feed(chunk)
            texts, reader.texts = reader.texts, []
            yield from texts


def unescaped(text: str) -> str:
    """Returns a text of a workbook with the characters that XML cannot contain. Excel writes U+000D as `_x000D_`
    (ECMA-376 part 1, 22.4.2.4). NUL is left out, because no database stores it."""
    if "_x" not in text:
        return text
    plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text).replace("\0", "")
    # Two escapes can be the halves of one character.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class _TextReader(XmlReader):
    """Collects the shared texts. Guides to pronunciation are not part of a text."""

    def __init__(self) -> None:
        super().__init__(_TEXT_KINDS)
        self.texts: list[str] = []
        self._parts: list[str] = []
        self._is_phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        kind = self.kinds[name]
        if kind == _TEXT or kind == 0:
            self.text.clear()
        if kind == _PHONETIC:
            self._is_phonetic = True
        if attributes and kind == 0:
            self.note_names(attributes)

    def end(self, name: str) -> None:
        self.depth -= 1
        kind = self.kinds[name]
        if kind == _TEXT:
            if not self._is_phonetic:
                self._parts.append("".join(self.text))
            self.text.clear()
        elif kind == _ITEM:
            whole = unescaped("".join(self._parts))
            if len(whole) > MAX_TEXT_CHARS:
                raise UnreadableFile(f"A cell has more than {MAX_TEXT_CHARS:,} characters: shorten it.")
            self.texts.append(whole)
            self._parts.clear()
        elif kind == _PHONETIC:
            self._is_phonetic = False


class _SheetReader(XmlReader):
    """Collects the rows of a sheet in `rows`."""

    def __init__(self, texts: SharedTexts, looks: list[Look], *, since_1904: bool) -> None:
        super().__init__(_SHEET_KINDS)
        self.rows: list[SheetRow] = []
        self._shared = texts
        self._looks = looks
        self._since_1904 = since_1904
        self._row = RowInProgress()
        self._columns: dict[str, int] = {}
        self._number = 0
        self._column = -1
        self._type = ""
        self._style = ""
        self._value = ""
        self._formula = ""
        self._is_phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.check_depth()
        kind = self.kinds[name]
        if kind in _TEXT_ELEMENTS:
            self.text.clear()
            if attributes:
                self.note_names(attributes)
        elif kind == _CELL:
            self.text.clear()
            place = attributes.get("r")
            self._column = self._column_of(place) if place else self._column + 1
            self._type = attributes.get("t", "")
            self._style = attributes.get("s", "")
            self._value = ""
            if not attributes.keys() <= _CELL_ATTRIBUTES:
                self.note_names(attributes)
        elif kind == _ROW:
            self._number = whole_number(attributes.get("r")) or self._number + 1
            self._row.begin(self._number)
            self._column = -1
            self.note_names(attributes)
        else:
            self._is_phonetic = self._is_phonetic or kind == _PHONETIC
            self.text.clear()
            if attributes:
                self.note_names(attributes)

    def end(self, name: str) -> None:
        self.depth -= 1
        kind = self.kinds[name]
        if kind == _VALUE:
            self._value = "".join(self.text)
            self.text.clear()
        elif kind == _CELL:
            if self._formula:
                self._row.put(self._column, shown_or_linked(self._cell_text() if self._value else "", self._formula))
                self._formula = ""
            elif self._value:
                self._row.put(self._column, self._cell_text())
        elif kind == _TEXT:
            if not self._is_phonetic:
                self._value += "".join(self.text)
            self.text.clear()
        elif kind == _ROW:
            if self._row.cells:
                self.rows.append(SheetRow(self._number, self._row.cells))
                self._row.cells = []
        elif kind == _FORMULA:
            self._formula = "".join(self.text)
            self.text.clear()
        elif kind == _PHONETIC:
            self._is_phonetic = False

    def _cell_text(self) -> str:
        value, type = self._value, self._type
        if type == "s":
            return self._shared[int(value)] if value.isdigit() and len(value) < 10 else ""
        if not type or type == "n":
            style = self._style
            if not style and value.isdigit():
                return value
            return text_of_number(value, self._look(style), since_1904=self._since_1904)
        if type == "e":
            return ""
        if type == "b":
            return "TRUE" if value.strip() == "1" else "FALSE"
        return unescaped(value)

    def _look(self, style: str) -> Look:
        number = whole_number(style)
        return self._looks[number] if number < len(self._looks) else PLAIN

    def _column_of(self, place: str) -> int:
        letters = place.rstrip(_DIGITS)
        column = self._columns.get(letters)
        if column is None:
            column = 0
            for letter in letters[:4].upper():
                column = column * 26 + ord(letter) - 64
            column -= 1
            if len(self._columns) < 20_000:
                self._columns[letters] = column
        return column
