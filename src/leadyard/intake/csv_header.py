"""What the first record of a CSV file must be to name its columns."""

from __future__ import annotations

from leadyard.errors import UnreadableFile

MAX_COLUMNS = 1_000


def checked_header(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the trimmed names of the columns. Empty names are allowed, for many exports end with a spare delimiter.

    Raises UnreadableFile for more than MAX_COLUMNS, for NULs, and for a name that occurs twice.
    """
    if len(cells) > MAX_COLUMNS:
        raise UnreadableFile(f"The file has {len(cells):,} columns; at most {MAX_COLUMNS:,} are read: leave some out.")
    if any("\0" in cell for cell in cells):
        raise UnreadableFile(
            "The header holds NUL characters: the file is not text, or it is UTF-16 without a byte order mark; then "
            "save it as UTF-8, or name the encoding utf-16-le (on the command line: --encoding utf-16-le)."
        )
    names = tuple(cell.strip() for cell in cells)
    named = [name for name in names if name]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise UnreadableFile(f"Two columns are named {twice[:60]!r}: give every column a name of its own.")
    return names
