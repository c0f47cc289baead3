"""The rules for the header: the first record of a file, which names its columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from leadyard.errors import UnreadableFile
from leadyard.files.column_languages import COMPANY_WORDS, EMPLOYMENT_WORDS, OTHER_PEOPLE
from leadyard.files.column_spellings import column_key, column_words

MAX_COLUMNS = 1_000
_FEWEST_GROUPS = 2
_MAX_GROUP = 60
_OF_OTHERS = COMPANY_WORDS | EMPLOYMENT_WORDS | OTHER_PEOPLE


def checked_header(cells: tuple[str, ...], above: Sequence[str] = ()) -> tuple[str, ...]:
    """Returns the trimmed names of the columns. Empty names are allowed: many exports end with a spare delimiter.

    A name that occurs again gets a number: `Email`, `Email (2)`. `above` is the row above, whose cells can be the
    headings of groups of columns. Raises UnreadableFile for more than MAX_COLUMNS, and
    for NULs.
    """
    if len(cells) > MAX_COLUMNS:
        raise UnreadableFile(f"The file has {len(cells):,} columns; at most {MAX_COLUMNS:,} are read: leave some out.")
    if any("\0" in cell for cell in cells):
        raise UnreadableFile(
            "The header contains NUL characters: the file is not text, or it is UTF-16 without a byte order mark; then "
            "save it as UTF-8, or name the encoding utf-16-le (on the command line: --encoding utf-16-le)."
        )
    return numbered(_with_groups([cell.strip() for cell in cells], above))


def _with_groups(names: list[str], above: Sequence[str]) -> list[str]:
    """Returns the names with the headings of groups in the row above, where a name needs one: below `Employer`, where
    `Name` is not the person's, and where two groups have the same name. A heading stands over two columns or more, and
    is in the first of them."""
    starts = [index for index, cell in enumerate(above) if cell.strip()]
    if (
        len(starts) < _FEWEST_GROUPS
        or starts[-1] >= len(names)
        or any(len(above[each]) > _MAX_GROUP for each in starts)
    ):
        return names
    keys = [column_key(name) for name in names]
    result = list(names)
    for start, end in zip(starts, [*starts[1:], len(names)], strict=True):
        label = above[start].strip()
        is_of_others = not _OF_OTHERS.isdisjoint(column_words(label))
        for index in range(start, end if end - start > 1 and not label.endswith(":") else start):
            if names[index] and (is_of_others or keys.count(keys[index]) > 1):
                result[index] = f"{label} - {names[index]}"
    return result


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
