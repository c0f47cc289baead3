"""Profiles as lines of a CSV file that the importer understands and that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from leadyard.intake.column_spellings import COLUMN_NAMES, FIELDS, custom_column_name
from leadyard.model import Profile

# What a spreadsheet takes for the beginning of a formula; see OWASP's page on CSV injection. An apostrophe in front
# makes it text. A value that begins with one and then such a character gets another, so that they can be told apart.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_QUOTE = "'"


def header_line(custom_field_names: Sequence[str]) -> str:
    """Returns the first line: the profile's columns, then one for each custom field."""
    return _line([*COLUMN_NAMES, *(custom_column_name(name) for name in custom_field_names)])


def profile_lines(profiles: Iterable[Profile], custom_field_names: Sequence[str]) -> str:
    """Returns a line for each profile; unknown values are empty cells."""
    return "".join(_line(_cells(profile, custom_field_names)) for profile in profiles)


def without_formula_quote(cell: str) -> str:
    """Returns what a cell said before it was protected. Cells that were never protected stay as they are."""
    return cell[1:] if cell.startswith(_QUOTE) and _needs_quote(cell[1:]) else cell


def _cells(profile: Profile, custom_field_names: Sequence[str]) -> list[str]:
    known = [getattr(profile, field) or "" for field in FIELDS.values()]
    custom = [profile.custom_fields.get(name, "") for name in custom_field_names]
    return [_protected(value) for value in (*known, *custom)]


def _protected(value: str) -> str:
    return _QUOTE + value if _needs_quote(value) else value


def _needs_quote(value: str) -> bool:
    return value.lstrip(_QUOTE).startswith(_FORMULA_STARTS)


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
