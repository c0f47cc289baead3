"""Tables that have a column for each person: `Name`, `Email` and `Phone` are in the first cells of the rows.

Only small tables are like that, so the rows are in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from leadyard.files.column_content import is_email, is_profile
from leadyard.files.column_meaning import meaning_of
from leadyard.files.csv_header import checked_header
from leadyard.files.heading import score
from leadyard.files.table import SAMPLE_CHARS, SAMPLE_ROWS, BadRow, Row, SkippedRow, Table

_FEWEST_NAMES = 3
_IDENTITIES = frozenset({"email", "linkedinUrl", "publicIdentifier"})


class TurnedTable:
    """A Table whose rows are the columns of another one. The `line_number` of a person is the number of that column."""

    def __init__(self, table: Table, lines: Sequence[Sequence[str]]) -> None:
        self._table = table
        self.header = checked_header(tuple(line[0] for line in lines))
        self.format = table.format
        self.sheet = table.sheet
        self.encoding = table.encoding
        self.delimiter = table.delimiter
        self.header_line: int | None = None
        # The lines are read as soon as they are known to be of such a table.
        people = zip(*lines, strict=True)
        self._rows = [Row(number, cells) for number, cells in enumerate(people, 1) if any(map(str.strip, cells))][1:]

    @property
    def bytes_read(self) -> int:
        """The size of the table."""
        return self._table.bytes_read

    @property
    def part_read(self) -> float | None:
        """The part of the file that was read."""
        return self._table.part_read

    def sample(self) -> Sequence[Sequence[str]]:
        """Returns the cells of the first people."""
        return [row.cells for row in self._rows[:SAMPLE_ROWS]]

    def sheet_names(self) -> Iterator[str]:
        """Yields the names of the sheets."""
        return self._table.sheet_names()

    def close(self) -> None:
        """Closes the table."""
        self._table.close()

    def __iter__(self) -> Iterator[Row | BadRow | SkippedRow]:
        yield from self._rows
        # Lines that were not turned, because they do not fit the others.
        yield from (row for row in self._table if not isinstance(row, Row))


def upright(table: Table) -> Table:
    """Returns the table, turned if it has a column for each person."""
    sample = table.sample()
    if len(table.header) < 2 or not _FEWEST_NAMES <= len(sample) + 1 < SAMPLE_ROWS:
        return table
    lines = [_as_written(table.header), *sample]
    labels = [line[0] for line in lines]
    names = score(labels)
    if names < _FEWEST_NAMES or score(table.header) > 1 or 2 * names < len([each for each in labels if each.strip()]):
        return table
    is_small = sum(len(cell) for line in lines for cell in line) < SAMPLE_CHARS // 2
    return TurnedTable(table, lines) if is_small and any(map(_identifies, lines)) else table


def _as_written(header: Sequence[str]) -> tuple[str, ...]:
    """Returns the first line without the numbers that tell equal names apart."""
    bases = [name.rpartition(" (")[0] for name in header]
    return tuple(
        base if base and base in header[:index] else name
        for index, (base, name) in enumerate(zip(bases, header, strict=True))
    )


def _identifies(line: Sequence[str]) -> bool:
    """Returns whether the line has the e-mail addresses or the profiles of the people."""
    meaning = meaning_of(line[0])
    is_known = meaning is not None and meaning.field in _IDENTITIES
    return is_known and any(is_email(cell.strip()) or is_profile(cell.strip()) for cell in line[1:])
