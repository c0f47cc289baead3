"""A CSV file as a stream of rows: at most one record in memory, and an odd row is told apart from a bad file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from leadyard.errors import UnreadableFile
from leadyard.intake.byte_source import ByteSource, Stream
from leadyard.intake.csv_header import checked_header
from leadyard.intake.csv_layout import SAMPLE_BYTES, encoding_of, layout_of
from leadyard.intake.text_lines import TextLines

# More than the sheet of any spreadsheet has, for some export all the rest of it. A file of nothing else keeps a worker
# busy for hours without a row to show for it.
MAX_BLANK_ROWS = 2_000_000


class CsvRow(NamedTuple):
    """A row with exactly one cell for every column. `line_number` is where it begins in the file, from 1."""

    line_number: int
    cells: tuple[str, ...]


class BadRow(NamedTuple):
    """A row that does not fit the header: TOO_MANY_CELLS, INVALID_CHARACTER or MALFORMED_QUOTES, and a sentence.

    `cells` is what it held; with MALFORMED_QUOTES the whole text as one cell, for its cells cannot be told apart.
    """

    line_number: int
    code: str
    message: str
    cells: tuple[str, ...]


class CsvFile:
    """An open table: `header`, then one pass over its rows.

    Blank rows are skipped, missing cells at the end of a row are empty. Iterating raises UnreadableFile where the file
    cannot be read on. `size_bytes` is None when unknown; `bytes_read` runs ahead of the rows by a few KiB.
    """

    def __init__(
        self,
        stream: Stream,
        *,
        encoding: str | None = None,
        delimiter: str | None = None,
        size_bytes: int | None = None,
        closes_stream: bool = False,
    ) -> None:
        self._stream = stream
        self._closes_stream = closes_stream
        self._source = ByteSource(stream)
        self.size_bytes = size_bytes
        sample = self._source.peek(SAMPLE_BYTES)
        self.encoding = encoding_of(sample, encoding)
        layout = layout_of(sample, self.encoding, delimiter)
        self.delimiter = layout.delimiter
        self._lines = TextLines(self._source, self.encoding, encoding_was_given=encoding is not None)
        for _ in range(layout.lines_before_header):
            next(self._lines, None)
        self._records = csv.reader(self._lines, delimiter=self.delimiter, skipinitialspace=True, strict=True)
        self.header = self._read_header()

    @property
    def bytes_read(self) -> int:
        """How many bytes of the file were decoded so far."""
        return self._source.bytes_read

    def __enter__(self) -> CsvFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file if `open_csv` opened it; a stream that was handed in stays open."""
        if self._closes_stream:
            self._stream.close()

    def __iter__(self) -> Iterator[CsvRow | BadRow]:
        width = len(self.header)
        while (record := self._next_record()) is not None:
            if isinstance(record, BadRow):
                yield record
                continue
            line_number, cells = record
            if len(cells) == width and not self._holds_nul():
                yield CsvRow(line_number, tuple(cells))
            else:
                yield self._fitted(line_number, cells)

    def _read_header(self) -> tuple[str, ...]:
        record = self._next_record()
        if record is None:
            raise UnreadableFile("The file holds only blank lines: it needs a line with the names of the columns.")
        if isinstance(record, BadRow):
            raise UnreadableFile(f"The names of the columns cannot be read. {record.message}")
        return checked_header(record.cells)

    def _next_record(self) -> CsvRow | BadRow | None:
        """Returns the next record that is not blank, as wide as it happens to be, None at the end."""
        for _ in range(MAX_BLANK_ROWS):
            self._lines.begin_record()
            try:
                cells = next(self._records, None)
            except csv.Error as error:
                return self._unparsable(error)
            if cells is None:
                return None
            if any(map(str.strip, cells)):
                return CsvRow(self._first_line(), tuple(cells))
        raise UnreadableFile(
            f"There are more than {MAX_BLANK_ROWS:,} blank rows before line {self._lines.line_number:,}: remove them."
        )

    def _first_line(self) -> int:
        return self._lines.line_number - len(self._lines.record) + 1

    def _holds_nul(self) -> bool:
        return any("\0" in line for line in self._lines.record)

    def _fitted(self, line_number: int, cells: tuple[str, ...]) -> CsvRow | BadRow:
        width = len(self.header)
        if self._holds_nul():
            message = f"Line {line_number:,} holds NUL characters: save the file as plain text again."
            return BadRow(line_number, "INVALID_CHARACTER", message, cells)
        if any(map(str.strip, cells[width:])):
            message = (
                f"Line {line_number:,} has {len(cells):,} cells but the header names {width:,} columns: put cells that "
                f"contain {self.delimiter!r} in double quotes."
            )
            return BadRow(line_number, "TOO_MANY_CELLS", message, cells)
        return CsvRow(line_number, cells[:width] + ("",) * (width - len(cells)))

    def _unparsable(self, error: csv.Error) -> BadRow:
        """Returns the bad row when reading can go on with the next line.

        Raises UnreadableFile after a quote that is never closed, or a cell above the csv module's limit (131,072
        characters, nearly always the same mistake): what follows would be taken apart at the wrong places.
        """
        first = self._first_line()
        if self._lines.exhausted or self._lines.record_chars >= csv.field_size_limit():
            raise UnreadableFile(
                f"The record that begins on line {first:,} has a quote that is never closed, or a cell longer than "
                f"{csv.field_size_limit():,} characters. Correct that line."
            ) from error
        message = f"Line {first:,} has text after a closing quote: write quotes inside a quoted cell twice."
        return BadRow(first, "MALFORMED_QUOTES", message, ("".join(self._lines.record).rstrip("\r\n"),))


def open_csv(path: Path, *, encoding: str | None = None, delimiter: str | None = None) -> CsvFile:
    """Returns the file, opened and with its header read; use it in a `with`. The path `-` is standard input.

    `encoding` and `delimiter` force what is otherwise found out. Raises UnreadableFile, also for a path that is no
    file.
    """
    if str(path) == "-":
        # Without Python's own buffer: a thread may be waiting in it when the process is interrupted, and Python aborts
        # when it cannot lock that buffer at its end.
        return CsvFile(io.FileIO(0, closefd=False), encoding=encoding, delimiter=delimiter)
    stream, size_bytes = _opened(path)
    try:
        return CsvFile(stream, encoding=encoding, delimiter=delimiter, size_bytes=size_bytes, closes_stream=True)
    except BaseException:
        stream.close()
        raise


def _opened(path: Path) -> tuple[BinaryIO, int | None]:
    shown = repr(str(path))
    try:
        if path.is_dir():
            raise UnreadableFile(f"{shown} is a directory: name a CSV file in it.")
        size_bytes = path.stat().st_size if path.is_file() else None
        return path.open("rb"), size_bytes
    except FileNotFoundError as error:
        raise UnreadableFile(f"There is no file {shown}: check the path.") from error
    except PermissionError as error:
        raise UnreadableFile(f"The file {shown} may not be read by this user: change its permissions.") from error
    except (OSError, ValueError) as error:
        raise UnreadableFile(f"The file {shown} cannot be opened: {error}.") from error
