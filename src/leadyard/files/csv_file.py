"""A CSV file as a stream of rows, with at most one record in memory. A bad row does not make the file unreadable."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import chain

from leadyard.counted import counted
from leadyard.errors import UnreadableFile
from leadyard.files.byte_source import ByteSource, Stream
from leadyard.files.csv_header import checked_header
from leadyard.files.csv_layout import SAMPLE_BYTES, as_one_cell, layout_of, unwrapped
from leadyard.files.encodings import encoding_of
from leadyard.files.heading import made_up_header
from leadyard.files.table import BadRow, Row, RowsAhead, SkippedRow, new_row
from leadyard.files.table_rows import PeopleRows
from leadyard.files.text_lines import TextLines

# More than the sheet of any spreadsheet has, because some exports contain the rest of the sheet as blank rows. A file
# of blank rows only would keep a worker busy for hours without a result.
MAX_BLANK_ROWS = 2_000_000
_MAX_REPAIRED_CHARS = 65_536
_MAX_GROUPS_CHARS = 10_000


class CsvFile:
    """A Table in a CSV file.

    Missing cells at the end of a row are empty. The codes of a BadRow are TOO_MANY_CELLS, INVALID_CHARACTER and
    MALFORMED_QUOTES; the last has the whole text as one cell, because it cannot be split into cells.
    """

    format = "csv"
    sheet: str | None = None

    def __init__(
        self,
        stream: Stream,
        *,
        encoding: str | None = None,
        default_encoding: str | None = None,
        delimiter: str | None = None,
        wanted: Collection[str] = (),
        size_bytes: int | None = None,
    ) -> None:
        self._source = ByteSource(stream)
        self.size_bytes = size_bytes
        sample = self._source.peek(SAMPLE_BYTES)
        name = encoding_of(sample, encoding, default_encoding)
        layout = layout_of(sample, name, delimiter, wanted)
        self.encoding: str | None = name
        self.delimiter: str | None = layout.delimiter
        self._lines = TextLines(self._source, name, encoding_was_given=(encoding or default_encoding) is not None)
        above = ""
        for _ in range(layout.lines_before_header):
            # The title and the notes of a file are not one record.
            self._lines.begin_record()
            above = next(self._lines, "")
        lines: Iterator[str] = map(unwrapped, self._lines) if layout.is_wrapped else self._lines
        if layout.has_receivers:
            # A line can have several of them, and the lines before the second one were read with the first.
            lines = chain.from_iterable(map(as_one_cell, self._lines))
        self._records = csv.reader(lines, delimiter=layout.delimiter, skipinitialspace=True, strict=True)
        self._first: Row | None = None
        self.header_line: int | None = None
        self.header, written = self._read_header(_cells_of(above, layout.delimiter), has_one=layout.has_header)
        self._ahead = RowsAhead(PeopleRows(self.header, written=written).sorted_out(self._rows()))

    @property
    def bytes_read(self) -> int:
        """The number of bytes of the file that were decoded so far."""
        return self._source.bytes_read

    @property
    def part_read(self) -> float | None:
        """The part of the file that was decoded."""
        return self._source.bytes_read / self.size_bytes if self.size_bytes else None

    def sample(self) -> list[tuple[str, ...]]:
        """Returns the cells of the first rows."""
        return self._ahead.sample()

    def __enter__(self) -> CsvFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def sheet_names(self) -> Iterator[str]:
        """Yields nothing."""
        return iter(())

    def close(self) -> None:
        """Holds nothing. The stream stays open."""

    def __iter__(self) -> Iterator[Row | BadRow | SkippedRow]:
        return iter(self._ahead)

    def _rows(self) -> Iterator[Row | BadRow]:
        width = len(self.header)
        if self._first is not None:
            yield self._fitted(*self._first)
        while (record := self._next_record()) is not None:
            if isinstance(record, BadRow) or (len(record.cells) == width and not self._holds_nul()):
                yield record
            else:
                yield self._fitted(record.line_number, record.cells)

    def _read_header(self, above: Sequence[str], *, has_one: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Returns the names of the columns, and the ones that stand in the file. `above` is the line above them."""
        record = self._next_record()
        if record is None:
            raise UnreadableFile("The file contains only blank lines: it needs a line with the names of the columns.")
        if isinstance(record, BadRow):
            raise UnreadableFile(f"The names of the columns cannot be read. {record.message}")
        if has_one:
            self.header_line = record.line_number
            return checked_header(record.cells, above), checked_header(record.cells)
        self._first = record
        names = made_up_header(checked_header(record.cells), len(record.cells))
        return names, names

    def _next_record(self) -> Row | BadRow | None:
        """Returns the next record that is not blank, with any number of cells, or None at the end."""
        for _ in range(MAX_BLANK_ROWS):
            self._lines.begin_record()
            try:
                cells = next(self._records, None)
            except csv.Error as error:
                repaired = self._repaired()
                if repaired is None:
                    return self._unparsable(error)
                cells = repaired
            if cells is None:
                return None
            if any(map(str.strip, cells)):
                return new_row((self._first_line(), tuple(cells)))
        raise UnreadableFile(
            f"There are more than {MAX_BLANK_ROWS:,} blank rows before line {self._lines.line_number:,}: remove them."
        )

    def _repaired(self) -> list[str] | None:
        """Returns the cells of a record such as `"Ada" , "Vint"`, or `"Ada \\"Ace\\" Vint"` with the quotes of MySQL.
        Returns None if something else is wrong with it."""
        if self._lines.exhausted or self._lines.record_chars > _MAX_REPAIRED_CHARS:
            return None
        delimiter = self.delimiter or ","
        written = "".join(self._lines.record)
        spaces = rf'(?<=["])[ \t]+(?={re.escape(delimiter)}|[\r\n]*\Z)'
        for text in (re.sub(spaces, "", written), re.sub(r'\\"(?!\s*(?:[\r\n]|\Z))', '""', written)):
            try:
                records = list(csv.reader([text], delimiter=delimiter, skipinitialspace=True, strict=True))
            except csv.Error:
                continue
            if len(records) == 1:
                return records[0]
        return None

    def _first_line(self) -> int:
        return self._lines.line_number - max(1, len(self._lines.record)) + 1

    def _holds_nul(self) -> bool:
        return "\0" in "".join(self._lines.record)

    def _fitted(self, line_number: int, cells: tuple[str, ...]) -> Row | BadRow:
        width = len(self.header)
        if self._holds_nul():
            message = f"Line {line_number:,} contains NUL characters: save the file as plain text again."
            return BadRow(line_number, "INVALID_CHARACTER", message, cells)
        if any(map(str.strip, cells[width:])):
            message = (
                f"Line {line_number:,} has {len(cells):,} cells but the header names {counted(width, 'column')}: put "
                f"cells that contain {self.delimiter!r} in double quotes."
            )
            return BadRow(line_number, "TOO_MANY_CELLS", message, cells)
        return Row(line_number, cells[:width] + ("",) * (width - len(cells)))

    def _unparsable(self, error: csv.Error) -> BadRow:
        """Returns the bad row if reading can continue with the next line.

        Raises UnreadableFile after a quote that is never closed, or a cell above the csv module's limit (131,072
        characters, nearly always the same mistake), because the rest of the file would be split at the wrong places.
        """
        first = self._first_line()
        if self._lines.exhausted or self._lines.record_chars >= csv.field_size_limit():
            raise UnreadableFile(
                f"The record that begins on line {first:,} has a quote that is never closed, or a cell longer than "
                f"{csv.field_size_limit():,} characters. Correct that line."
            ) from error
        message = f"Line {first:,} has text after a closing quote: write quotes inside a quoted cell twice."
        return BadRow(first, "MALFORMED_QUOTES", message, ("".join(self._lines.record).rstrip("\r\n"),))


def _cells_of(line: str, delimiter: str) -> list[str]:
    """Returns the cells of a line that is not part of the table."""
    if not line.strip() or len(line) > _MAX_GROUPS_CHARS or "\0" in line:
        return []
    return next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter, skipinitialspace=True), [])
