"""Profiles as lines of a CSV file that the import can read again, and in which spreadsheets find no formulas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from operator import attrgetter

from leadyard.files.column_spellings import custom_column_name
from leadyard.model import RejectedRow
from leadyard.people.fields import ATTRIBUTES, COLUMN_NAMES, Profile

# A spreadsheet runs a cell that begins with one of these as a formula: see OWASP's page on CSV injection. An apostrophe
# before it makes it text. A value that already begins with an apostrophe and such a character gets another apostrophe,
# so that an import restores both values.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_QUOTE = "'"
_TEXT_FORMULA = re.compile(r'="((?:[^"]|"")*)"\s*')
_texts_of = attrgetter(*ATTRIBUTES)
_REASONS = ("reject_line", "reject_code", "reject_reason")


def header_line(custom_field_names: Sequence[str]) -> str:
    """Returns the first line: the profile's columns, then one for each custom field."""
    return _line([*COLUMN_NAMES, *(custom_column_name(name) for name in custom_field_names)])


def profile_lines(profiles: Iterable[Profile], custom_field_names: Sequence[str]) -> str:
    """Returns a line for each profile. Unknown values are empty cells."""
    return "".join(_line(_cells(profile, custom_field_names)) for profile in profiles)


def rejects_header_line(header: Sequence[str]) -> str:
    """Returns the first line of a file of rejected rows. The reasons come first, so that a row with too many cells does
    not shift them."""
    return _line([*_REASONS, *map(_written, header[reason_columns(header) :])])


def rejected_lines(rows: Iterable[RejectedRow], header: Sequence[str]) -> str:
    """Returns a line for each rejected row of a file with that header: its line, code, reason and cells."""
    return "".join(_rejected_line(row, reason_columns(header)) for row in rows)


def reason_columns(header: Sequence[str]) -> int:
    """Returns the number of columns at the beginning that contain our reasons: 3 in a file of rejected rows, else 0.

    A user fixes such a file and imports it again. Then these columns are not people's data, and are not written twice.
    """
    return len(_REASONS) if tuple(header[: len(_REASONS)]) == _REASONS else 0


def is_own_export(header: Sequence[str]) -> bool:
    """Returns whether a file has the header of our export, perhaps behind the reasons of a file of rejected rows."""
    behind = reason_columns(header)
    return tuple(header[behind : behind + len(COLUMN_NAMES)]) == COLUMN_NAMES


def without_formula_quote(cell: str) -> str:
    """Returns the text of a cell before it was protected. A cell that was never protected stays as it is.

    Other programs protect the zeros of a number as a formula: `="007"`.
    """
    if cell.startswith('="') and (found := _TEXT_FORMULA.fullmatch(cell)):
        return found[1].replace('""', '"')
    return cell[1:] if cell.startswith(_QUOTE) and _needs_quote(cell[1:]) else cell


def _cells(profile: Profile, custom_field_names: Sequence[str]) -> list[str]:
    known = [text or "" for text in _texts_of(profile)]
    custom = [profile.custom_fields.get(name, "") for name in custom_field_names]
    return [_protected(value) for value in (*known, *custom)]


def _protected(value: str) -> str:
    return _QUOTE + value if _needs_quote(value) else value


def _rejected_line(row: RejectedRow, old_reasons: int) -> str:
    # A row with unmatched quotes is a single cell, with everything in it.
    cells = row.cells[old_reasons:] if len(row.cells) > old_reasons else row.cells
    return _line([str(row.line or ""), row.code, row.message, *map(_written, cells)])


def _written(cell: str) -> str:
    # Text that could not be decoded becomes question marks, so that the row is not lost. A cell that is already
    # protected, because its row was rejected before, must not get another apostrophe each time.
    return _protected(without_formula_quote(cell).encode("utf-8", "replace").decode())


def _needs_quote(value: str) -> bool:
    return value.lstrip(_QUOTE).startswith(_FORMULA_STARTS)


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
