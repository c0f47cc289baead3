"""Profiles as lines of a CSV file that the importer understands and that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from leadyard.intake.column_spellings import COLUMN_NAMES, FIELDS, custom_column_name
from leadyard.model import Profile, RejectedRow

# What a spreadsheet takes for the beginning of a formula; see OWASP's page on CSV injection. An apostrophe in front
# makes it text. A value that begins with one and then such a character gets another, so that they can be told apart.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_QUOTE = "'"
_REASONS = ("reject_line", "reject_code", "reject_reason")


def header_line(custom_field_names: Sequence[str]) -> str:
    """Returns the first line: the profile's columns, then one for each custom field."""
    return _line([*COLUMN_NAMES, *(custom_column_name(name) for name in custom_field_names)])


def profile_lines(profiles: Iterable[Profile], custom_field_names: Sequence[str]) -> str:
    """Returns a line for each profile; unknown values are empty cells."""
    return "".join(_line(_cells(profile, custom_field_names)) for profile in profiles)


def rejects_header_line(header: Sequence[str]) -> str:
    """Returns the first line of a file of rejected rows. What we say of a row comes first, so that a row with too many
    cells cannot shift it."""
    return _line([*_REASONS, *map(_written, header[reason_columns(header) :])])


def rejected_lines(rows: Iterable[RejectedRow], header: Sequence[str]) -> str:
    """Returns a line for each rejected row of a file with that header: where it was, why, and its cells."""
    return "".join(_rejected_line(row, reason_columns(header)) for row in rows)


def reason_columns(header: Sequence[str]) -> int:
    """Returns how many columns at the beginning are what we said of rejected rows: three in a file of those, else none.

    Whoever has mended such a file imports it again; then they are neither people's data nor to be written twice.
    """
    return len(_REASONS) if tuple(header[: len(_REASONS)]) == _REASONS else 0


def without_formula_quote(cell: str) -> str:
    """Returns what a cell said before it was protected. Cells that were never protected stay as they are."""
    return cell[1:] if cell.startswith(_QUOTE) and _needs_quote(cell[1:]) else cell


def _cells(profile: Profile, custom_field_names: Sequence[str]) -> list[str]:
    known = [getattr(profile, field) or "" for field in FIELDS.values()]
    custom = [profile.custom_fields.get(name, "") for name in custom_field_names]
    return [_protected(value) for value in (*known, *custom)]


def _protected(value: str) -> str:
    return _QUOTE + value if _needs_quote(value) else value


def _rejected_line(row: RejectedRow, old_reasons: int) -> str:
    # A row whose quotes do not match is a single cell, with everything in it.
    cells = row.cells[old_reasons:] if len(row.cells) > old_reasons else row.cells
    return _line([str(row.line or ""), row.code, row.message, *map(_written, cells)])


def _written(cell: str) -> str:
    # What could not be decoded is written as a question mark rather than losing the row. What is protected already, in
    # a file of ours that is rejected again, must not get one quote more each time.
    return _protected(without_formula_quote(cell).encode("utf-8", "replace").decode())


def _needs_quote(value: str) -> bool:
    return value.lstrip(_QUOTE).startswith(_FORMULA_STARTS)


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
