"""Finds the header among the first rows of a table: below titles and notes, or nowhere in a bare list."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from leadyard.files.column_content import is_email, is_profile
from leadyard.files.column_meaning import meaning_of
from leadyard.files.column_spellings import column_key

MAX_ROWS_ABOVE = 30
_MAX_NAME_CHARS = 100
_LIKE_BEST = 0.6
_TITLES_OF_LISTS = 3
_MADE_UP = {"linkedinUrl": "LinkedIn URL", "email": "Email", "phone": "Phone"}


def header_place(rows: Sequence[Sequence[str]], wanted: Collection[str] = ()) -> int | None:
    """Returns the index of the row that names the columns, None if the rows are a list without such a row.

    `rows` are the first rows that are not blank. It is the first row with most of the known names, or with the names in
    `wanted`, which the caller uses. Without any known name it is the first row that is filled like the others.
    """
    rows = rows[:MAX_ROWS_ABOVE]
    keys = {column_key(name) for name in wanted}
    scores = [score(row, keys) for row in rows]
    best = max(scores, default=0)
    if best >= 2:
        return next(index for index, each in enumerate(scores) if each >= max(2, _LIKE_BEST * best))
    if not rows or scores[0]:
        return 0
    if _is_a_person(rows[0]):
        return None
    place = _first_full_row(rows, scores)
    return 0 if _is_a_person(rows[place]) else place


def score(cells: Sequence[str], wanted: Collection[str] = ()) -> int:
    """Returns the number of different fields that the cells name, and of names that are wanted."""
    found = set()
    for cell in cells:
        if cell and len(cell) <= _MAX_NAME_CHARS:
            meaning = meaning_of(cell)
            if meaning is not None:
                found.add(meaning.field)
            elif wanted and (key := column_key(cell)) in wanted:
                found.add(key)
    return len(found)


def made_up_header(row: Sequence[str], width: int) -> tuple[str, ...]:
    """Returns names for the columns of a list without a header: by their content in its first row, else by number."""
    names: list[str] = []
    for index in range(width):
        cell = row[index].strip() if index < len(row) else ""
        field = "linkedinUrl" if is_profile(cell) else "email" if is_email(cell) else ""
        name = _MADE_UP.get(field, f"Column {index + 1}")
        names.append(name if name not in names else f"Column {index + 1}")
    return tuple(names)


def _first_full_row(rows: Sequence[Sequence[str]], scores: Sequence[int]) -> int:
    """Returns the first row with several cells, because titles and notes fill one. In a table of one column it is the
    first row with a known name, if that is near the beginning."""
    several = next((index for index, row in enumerate(rows) if sum(1 for cell in row if cell.strip()) > 1), None)
    if several is not None:
        return several
    return next((index for index, each in enumerate(scores[:_TITLES_OF_LISTS]) if each), 0)


def _is_a_person(row: Sequence[str]) -> bool:
    return any(is_profile(cell.strip()) or is_email(cell.strip()) for cell in row)
