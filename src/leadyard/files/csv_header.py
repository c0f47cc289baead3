"""The rules for the header: the first record of a file, which names its columns."""

from __future__ import annotations

from collections.abc import Iterable

from leadyard.errors import UnreadableFile

MAX_COLUMNS = 1_000


def checked_header(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the trimmed names of the columns. Empty names are allowed: many exports end with a spare delimiter.

    A name that occurs again gets a number: `Email`, `Email (2)`. Raises UnreadableFile for more than MAX_COLUMNS, and
    for NULs.
    """
    if len(cells) > MAX_COLUMNS:
        raise UnreadableFile(f"The file has {len(cells):,} columns; at most {MAX_COLUMNS:,} are read: leave some out.")
    if any("\0" in cell for cell in cells):
        raise UnreadableFile(
            "The header contains NUL characters: the file is not text, or it is UTF-16 without a byte order mark; then "
            "save it as UTF-8, or name the encoding utf-16-le (on the command line: --encoding utf-16-le)."
        )
    return numbered(cell.strip() for cell in cells)


def numbered(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the names, each different from the others unless it is empty."""
    found: dict[str, None] = {}
    result: list[str] = []
    for name in names:
        free, number = name, 1
        while name and free in found:
            number += 1
            free = f"{name} ({number})"
        found[free] = None
        result.append(free)
    return tuple(result)
