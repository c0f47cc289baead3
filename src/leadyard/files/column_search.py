"""Finds a column by its name, or reports the existing names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from leadyard.errors import UnknownColumn
from leadyard.files.column_spellings import column_key
from leadyard.files.export import without_formula_quote

_MAX_LISTED = 20
_MAX_SHOWN = 60


def find_column(header: Sequence[str], name: str) -> int:
    """Returns the index of the column with exactly that name, or else of the only one that differs just in spelling.

    Raises UnknownColumn with the nearest names and the columns of the file.
    """
    wanted = name.strip()
    if wanted and wanted in header:
        return header.index(wanted)
    key = column_key(wanted)
    alike = [index for index, column in enumerate(header) if key and column_key(column) == key]
    if len(alike) == 1:
        return alike[0]
    raise UnknownColumn(
        f"There is no column {wanted[:_MAX_SHOWN]!r}.{nearest(wanted, header)} The file has: {listed(header)}."
    )


def row_filter(
    header: Sequence[str], conditions: Sequence[tuple[str, str]]
) -> Callable[[Sequence[str]], bool]:  # fmt: skip
    """Returns a function that checks whether a row's cells satisfy all conditions (COLUMN, VALUE).

    Values are compared exactly, apart from white space around them and from the apostrophe that protects a cell of our
    own files from spreadsheets. Without conditions every row passes. Raises UnknownColumn.
    """
    names = tuple(map(without_formula_quote, header))
    wanted = [(find_column(names, column), value.strip()) for column, value in conditions]
    return lambda cells: all(
        value in (cells[index].strip(), without_formula_quote(cells[index]).strip()) for index, value in wanted
    )


def nearest(wanted: str, names: Sequence[str]) -> str:
    """Returns " Did you mean …?" with the names most like the wanted one, "" if there are none."""
    # difflib takes time proportional to the product of the lengths, and a header may come from anywhere.
    by_key = {column_key(name)[:_MAX_SHOWN]: name for name in names if name}
    close = get_close_matches(column_key(wanted)[:_MAX_SHOWN], by_key, n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(repr(by_key[key][:_MAX_SHOWN]) for key in close)}?" if close else ""


def listed(names: Sequence[str]) -> str:
    """Returns the names for a message, the first 20 of them."""
    named = [name[:_MAX_SHOWN] for name in names if name]
    more = f" and {len(named) - _MAX_LISTED:,} more" if len(named) > _MAX_LISTED else ""
    return ", ".join(named[:_MAX_LISTED]) + more
