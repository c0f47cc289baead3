"""A sheet of a workbook as a table: the one that the caller names, else the first visible one with header and rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain, islice

from leadyard.counted import counted
from leadyard.errors import UnknownColumn, UnreadableFile
from leadyard.files.column_search import listed
from leadyard.files.csv_header import MAX_COLUMNS, checked_header
from leadyard.files.heading import header_place, made_up_header, score
from leadyard.files.table import SAMPLE_CHARS, SAMPLE_ROWS, BadRow, Row, RowsAhead, SkippedRow
from leadyard.files.table_rows import PeopleRows
from leadyard.files.workbooks.cell_links import Links
from leadyard.files.workbooks.workbook import Sheet, SheetRow, Workbook

_MAX_TRIED = 50
_MOST_LINKED = 20
_CELL_BYTES = 8


class SheetTable:
    """A Table in a workbook. `line_number` of its rows is the number of the row in the sheet.

    A column without a name, in which one of the first rows has a cell, is read as well. The code of a BadRow is
    TOO_MANY_CELLS, for a row that is wider than the first ones.
    """

    encoding: str | None = None
    delimiter: str | None = None

    def __init__(
        self,
        book: Workbook,
        *,
        sheet: str | None = None,
        wanted: Collection[str] = (),
        closes: Callable[[], None] = lambda: None,
    ) -> None:
        self._book = book
        self._closes = closes
        self.format = book.format
        self.bytes_read = 0
        chosen, rows = _named(book, sheet) if sheet is not None else _first_with_people(book)
        self.sheet: str | None = chosen.name
        first = _beginning(rows)
        if not first:
            raise UnreadableFile(
                f"The sheet {chosen.name[:60]!r} is empty: it needs a row with the names of the columns."
            )
        place = header_place([row.cells for row in first], wanted)
        self.header_line: int | None = None if place is None else first[place].number
        header, written = _header(first, place)
        below = first if place is None else first[place + 1 :]
        self._width, self._links = len(header), book.links(chosen)
        self._linked = _linked_columns(self._links, below, self._width)
        # A column of the addresses behind the texts, such as `Profile link` beside `Profile`.
        self.header = checked_header((*header, *(f"{header[column]} link".strip() for column in self._linked)))
        self._written = (*written, *self.header[len(written) :])
        people = PeopleRows(self.header, written=self._written)
        self._ahead = RowsAhead(people.sorted_out(self._fitted(chain(below, rows))))

    @property
    def part_read(self) -> float | None:
        """The part of the sheet that was read."""
        return self._book.part_read

    def sample(self) -> Sequence[Sequence[str]]:
        """Returns the cells of the first rows."""
        return self._ahead.sample()

    def sheet_names(self) -> Iterator[str]:
        """Yields the names of the sheets with cells. It may read the whole workbook."""
        return (sheet.name for sheet in self._book.sheets())

    def close(self) -> None:
        """Releases the workbook, and the file if this table opened it."""
        self._book.close()
        self._closes()

    def __enter__(self) -> SheetTable:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Row | BadRow | SkippedRow]:
        return iter(self._ahead)

    def _fitted(self, rows: Iterator[SheetRow]) -> Iterator[Row | BadRow]:
        width = self._width
        for number, cells in rows:
            self.bytes_read += sum(map(len, cells)) + _CELL_BYTES * len(cells)
            missing = width - len(cells)
            if missing >= 0:
                row = (*cells, *[""] * missing)
                yield Row(number, row + self._links_of(number, row) if self._linked else row)
                continue
            message = (
                f"Row {number:,} has {len(cells):,} cells but the first rows have {counted(width, 'column')}: give the "
                "columns names, or move these cells."
            )
            yield BadRow(number, "TOO_MANY_CELLS", message, tuple(cells))

    def _links_of(self, number: int, cells: tuple[str, ...]) -> tuple[str, ...]:
        if cells == self._written[: self._width]:
            # The header again.
            return self.header[self._width :]
        links = self._links.get(number, {})
        return tuple(links.get(column, "") for column in self._linked)


def _linked_columns(links: Links, rows: Sequence[SheetRow], width: int) -> list[int]:
    """Returns the columns whose cells are links to other addresses than their texts in one of the first rows."""
    found = {
        column
        for number, cells in rows
        for column, address in links.get(number, {}).items()
        if column < width and address.removeprefix("mailto:") not in "".join(cells[column : column + 1])
    }
    return sorted(found)[: max(0, min(_MOST_LINKED, MAX_COLUMNS - width))]


def _named(book: Workbook, name: str) -> tuple[Sheet, Iterator[SheetRow]]:
    """Returns the sheet of this name, whether it is visible or not. Raises UnknownColumn, with the existing names."""
    names: list[str] = []
    for sheet in book.sheets():
        if sheet.name == name or sheet.name.strip().casefold() == name.strip().casefold():
            return sheet, book.rows(sheet)
        names.append(sheet.name)
    raise UnknownColumn(f"The workbook has: {listed(names)}.", message=f"The workbook has no sheet {name[:60]!r}.")


def _first_with_people(book: Workbook) -> tuple[Sheet, Iterator[SheetRow]]:
    """Returns the first visible sheet with known names of columns and a row below, else the first with two rows, else
    the first with one."""
    best: tuple[int, Sheet] | None = None
    for sheet in islice((sheet for sheet in book.sheets() if sheet.is_visible), _MAX_TRIED):
        rows = book.rows(sheet)
        first = _beginning(rows)
        grade = _grade(first)
        if grade == 3:
            return sheet, chain(first, rows)
        if grade and (best is None or grade > best[0]):
            best = (grade, sheet)
    if best is None:
        raise UnreadableFile("The workbook has no visible sheet with rows: name the sheet to read, or fill one.")
    return best[1], book.rows(best[1])


def _grade(rows: Sequence[SheetRow]) -> int:
    if len(rows) < 2:
        return len(rows)
    place = header_place([row.cells for row in rows])
    if place is None:
        return 3
    return 3 if place + 1 < len(rows) and score(rows[place].cells) else 2


def _beginning(rows: Iterator[SheetRow]) -> list[SheetRow]:
    """Takes the first rows: those of a sample, and the ones above the header."""
    first: list[SheetRow] = []
    chars = 0
    while len(first) < SAMPLE_ROWS and chars < SAMPLE_CHARS and (row := next(rows, None)) is not None:
        first.append(row)
        chars += sum(map(len, row.cells)) + len(row.cells)
    return first


def _header(first: Sequence[SheetRow], place: int | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the names of the columns, as many as the first rows have, and the ones that stand in the sheet."""
    start = 0 if place is None else place
    names = first[start].cells
    width = max(len(names), min(MAX_COLUMNS, max(len(row.cells) for row in first[start:])))
    if place is None:
        checked_header(tuple(names))
        made_up = made_up_header(names, width)
        return made_up, made_up
    named = (*names, *[""] * (width - len(names)))
    above = first[place - 1].cells if place and first[place - 1].number == first[place].number - 1 else ()
    return checked_header(named, above), checked_header(named)
