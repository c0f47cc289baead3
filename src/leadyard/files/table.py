"""A table in a file: a header, and rows that fit it or do not."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, Protocol, cast

from leadyard.errors import UnreadableFile


class Row(NamedTuple):
    """A row with exactly one cell for each column. `line_number` is its first line in the file, from 1."""

    line_number: int
    cells: tuple[str, ...]


new_row = cast("Callable[[tuple[int, tuple[str, ...]]], Row]", partial(tuple.__new__, Row))
"""Row, for code that makes millions of them: in a third of the time."""


class BadRow(NamedTuple):
    """A row that does not fit the header: a stable code such as TOO_MANY_CELLS, a sentence, and the row's content."""

    line_number: int
    code: str
    message: str
    cells: tuple[str, ...]


class SkippedRow(NamedTuple):
    """A row that is not a person: it repeats the header, or belongs to the footer of a report. It is only counted."""

    line_number: int


class Table(Protocol):
    """An open table, whose header was read. You can iterate over its rows once, in the order of the file.

    The iteration leaves out blank rows, and raises UnreadableFile if the rest of the file cannot be read.
    """

    format: str
    """`csv`, `xlsx`, `xlsb`, `xls`, `ods` or `vcard`."""
    sheet: str | None
    """The name of the sheet of a workbook."""
    encoding: str | None
    """Of a text."""
    delimiter: str | None
    """Of a CSV file."""
    header_line: int | None
    """The line or row of the header, from 1, None if the file has none."""

    @property
    def header(self) -> tuple[str, ...]:
        """The trimmed names of the columns. Names that are not empty are different from each other."""

    @property
    def bytes_read(self) -> int:
        """The size of the rows so far, as they need it in the file or in memory. It may be a few KiB ahead of them."""

    @property
    def part_read(self) -> float | None:
        """The part of the file that was read, from 0 to 1, None if its size is unknown."""

    def sample(self) -> Sequence[Sequence[str]]:
        """Returns the cells of the first rows, without consuming them. Call it before the iteration."""

    def sheet_names(self) -> Iterator[str]:
        """Yields the names of the sheets of a workbook, hidden ones too. It may read the whole workbook."""

    def close(self) -> None:
        """Releases what the table holds. A stream that was passed in stays open."""

    def __iter__(self) -> Iterator[Row | BadRow | SkippedRow]: ...


SAMPLE_ROWS = 100
SAMPLE_CHARS = 200_000
"""So that the sample of an upload is in its first piece of a MiB, with any encoding."""


class RowsAhead:
    """Rows of which the first can be looked at before they are used."""

    def __init__(self, rows: Iterator[Row | BadRow | SkippedRow]) -> None:
        self._rows = rows
        self._waiting: deque[Row | BadRow | SkippedRow] = deque()
        self._error: UnreadableFile | None = None

    def sample(self) -> list[tuple[str, ...]]:
        """Returns the cells of the first rows that fit the header: at most 100 rows, 200,000 characters and one row.
        If the rest cannot be read, the iteration raises it."""
        chars = 0
        while len(self._waiting) < SAMPLE_ROWS and chars < SAMPLE_CHARS and self._error is None:
            try:
                row = next(self._rows, None)
            except UnreadableFile as error:
                self._error = error
                break
            if row is None:
                break
            self._waiting.append(row)
            chars += 0 if isinstance(row, SkippedRow) else sum(map(len, row.cells)) + len(row.cells)
        return [row.cells for row in self._waiting if isinstance(row, Row)]

    def __iter__(self) -> Iterator[Row | BadRow | SkippedRow]:
        while self._waiting:
            yield self._waiting.popleft()
        if self._error is not None:
            raise self._error
        yield from self._rows
