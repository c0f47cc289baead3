"""The interface of every reader of a workbook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from leadyard.errors import UnreadableFile
from leadyard.files.text_lines import MAX_RECORD_CHARS
from leadyard.files.workbooks.cell_links import Links

MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384
"""The limits of Excel since 2007. LibreOffice writes at most as many."""


class Sheet(NamedTuple):
    """A sheet with cells. `key` is for the reader that returned it."""

    name: str
    is_visible: bool
    key: str


class SheetRow(NamedTuple):
    """A row that has a cell with text, and its number in the sheet, from 1. The cells end with the last one that has
    text."""

    number: int
    cells: list[str]


class Workbook(Protocol):
    """An open workbook. Its methods raise UnreadableFile for one that is damaged or hostile."""

    format: str

    def sheets(self) -> Iterator[Sheet]:
        """Yields the sheets with cells, in the order of the workbook."""

    def rows(self, sheet: Sheet) -> Iterator[SheetRow]:
        """Yields the rows of the sheet that are not blank, from the beginning."""

    def links(self, sheet: Sheet) -> Links:
        """Returns the addresses behind the cells of the sheet, as far as the reader knows them."""

    @property
    def part_read(self) -> float:
        """The part of the sheet that was read, from 0 to 1."""

    def close(self) -> None:
        """Releases what the reader holds. The file stays open."""


class RowInProgress:
    """Collects the cells of a row, within the limits of a sheet. Raises UnreadableFile above them."""

    def __init__(self) -> None:
        self.number = 0
        self.cells: list[str] = []
        self._chars = 0

    def begin(self, number: int) -> None:
        """Begins the row with this number, from 1."""
        if not 0 < number <= MAX_ROWS:
            raise UnreadableFile(f"The sheet has a row {number:,}; at most {MAX_ROWS:,} rows are read: split it.")
        self.number = number
        self.cells = []
        self._chars = 0

    def put(self, column: int, text: str) -> None:
        """Writes the text of a cell, counted from 0. A cell without text is left out."""
        if not text:
            return
        if not 0 <= column < MAX_COLUMNS:
            raise UnreadableFile(f"The sheet has more than {MAX_COLUMNS:,} columns: leave some out.")
        self._chars += len(text)
        if self._chars > MAX_RECORD_CHARS:
            raise UnreadableFile(f"Row {self.number:,} is longer than {MAX_RECORD_CHARS:,} characters: shorten it.")
        cells = self.cells
        missing = column - len(cells)
        if missing < 0:
            cells[column] = text
            return
        if missing:
            cells.extend([""] * missing)
        cells.append(text)
