"""Which column of a file feeds which field of a profile. Every other column is kept as a custom field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadyard.errors import UnknownColumn
from leadyard.intake.column_search import find_column, listed, nearest, row_filter
from leadyard.intake.column_spellings import (
    COLUMN_NAMES,
    CUSTOM_PREFIX,
    FIELDS,
    ONLY_BESIDE,
    SPELLINGS,
    custom_column_name,
    folded,
)
from leadyard.intake.csv_export import reason_columns, without_formula_quote
from leadyard.model import Profile

__all__ = ["COLUMN_NAMES", "MAX_CUSTOM_NAME", "ColumnPlan", "custom_column_name", "plan_columns", "row_filter"]

# The limit that operations put on a custom field's name; a longer header is cut rather than every row refused.
MAX_CUSTOM_NAME = 100

_IDENTIFYING = ("linkedinUrl", "publicIdentifier", "email", "providerId")
_FIELD_OF = {spelling: field for field, spellings in SPELLINGS.items() for spelling in spellings}
_CONTROLS_AND_SPACES = re.compile("[\\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """Where every column goes: `fields` (JSON name → index in the header) and `custom` (custom name → index)."""

    header: tuple[str, ...]
    fields: Mapping[str, int]
    custom: Mapping[str, int]
    _sources: tuple[tuple[str, int], ...]

    def profile(self, cells: Sequence[str]) -> Profile:
        """Returns the profile that a row holds, not normalised; empty cells are None or left out.

        `cells` must have one cell for every column, as a CsvRow has."""
        # Hardly any cell begins with an apostrophe; asking that here spares a call for each of the others.
        known = {
            attribute: without_formula_quote(cell) if cell[0] == "'" else cell
            for attribute, index in self._sources
            if (cell := cells[index])
        }
        custom = {
            name: without_formula_quote(cell) if cell[0] == "'" else cell
            for name, index in self.custom.items()
            if (cell := cells[index])
        }
        return Profile(**known, custom_fields=custom)

    def identifies(self) -> bool:
        """Returns whether any column can identify a person. Without one, importing twice makes everybody twice."""
        return any(field in self.fields for field in _IDENTIFYING)

    def describe(self) -> str:
        """Returns the plan for a person to read: a line for each field, then one with the custom fields."""
        lines = [f"{field} ← {self.header[index][:60]}" for field, index in self.fields.items()]
        custom = f"custom fields ← {listed(tuple(self.custom))}" if self.custom else "no custom fields"
        return "\n".join([*lines, custom])


def plan_columns(
    header: Sequence[str], *, identity_column: str | None = None, mapping: Mapping[str, str] | None = None
) -> ColumnPlan:
    """Returns the plan for a file with this header.

    `mapping` (field → column; fields by their JSON names or customFields.NAME) wins over what is recognised. The
    identity column keeps its meaning when it is an e-mail, LinkedIn or provider id column and feeds providerId
    otherwise. When several columns could feed a field, the most trusted spelling does, then the leftmost; the others
    stay custom, but for the reasons at the beginning of a file of rejected rows. Raises UnknownColumn for a column or
    field that does not exist.
    """
    header = tuple(map(without_formula_quote, header))
    fields: dict[str, int] = {}
    custom: dict[str, int] = {}
    for field, column in (mapping or {}).items():
        known = _known_field(field)
        (fields if known in FIELDS else custom)[known] = find_column(header, column)
    taken = {*fields.values(), *custom.values()}
    if identity_column is not None:
        _place_identity(header, identity_column, fields)
    _place_recognised(header, fields, taken)
    custom = {name.removeprefix(CUSTOM_PREFIX): index for name, index in custom.items()}
    _place_rest(header, {*range(reason_columns(header)), *fields.values(), *taken}, custom)
    ordered = {field: fields[field] for field in FIELDS if field in fields}
    return ColumnPlan(header, ordered, custom, tuple((FIELDS[field], index) for field, index in ordered.items()))


def _known_field(name: str) -> str:
    """Returns the JSON name of a field that somebody wrote, or customFields.NAME with a name that may be kept."""
    text = name.strip()
    if text.startswith(CUSTOM_PREFIX) and (custom := _custom_name(text.removeprefix(CUSTOM_PREFIX))):
        return CUSTOM_PREFIX + custom
    for field in FIELDS:
        if folded(field) == folded(text):
            return field
    raise UnknownColumn(
        f"Use one of: {', '.join(FIELDS)}, customFields.NAME.{nearest(text, COLUMN_NAMES)}",
        message=f"There is no field {text[:60]!r}.",
    )


def _place_identity(header: Sequence[str], column: str, fields: dict[str, int]) -> None:
    index = find_column(header, column)
    meaning = _meaning(header[index], header)
    field = meaning if meaning in _IDENTIFYING else "providerId"
    if fields.setdefault(field, index) != index:
        raise UnknownColumn(
            f"Leave out either the identity column or the mapping of {field}.",
            message=f"{field} cannot be fed by two columns, {column[:60]!r} and {header[fields[field]][:60]!r}.",
        )


def _place_recognised(header: Sequence[str], fields: dict[str, int], taken: set[int]) -> None:
    """Fills in the fields that nobody mapped. The identity column is not taken: it may feed a field besides."""
    places: dict[str, int] = {}
    for index, name in enumerate(header):
        if index not in taken and _meaning(name, header) is not None:
            places.setdefault(folded(name), index)
    for field, spellings in SPELLINGS.items():
        found = next((places[key] for key in spellings if key in places), None)
        if found is not None:
            fields.setdefault(field, found)


def _meaning(name: str, header: Sequence[str]) -> str | None:
    """Returns the field that a column of this name holds in a file with this header, None when it is not known."""
    key = folded(name)
    field = _FIELD_OF.get(key)
    if key in ONLY_BESIDE and not any(folded(other) in ONLY_BESIDE[key] for other in header):
        return None
    return field


def _place_rest(header: Sequence[str], used: set[int], custom: dict[str, int]) -> None:
    for index, name in enumerate(header):
        if index not in used:
            custom[_free_name(_custom_name(name) or f"Column {index + 1}", custom)] = index


def _custom_name(name: str) -> str:
    """Returns a header as a custom field's name: on one line, without our exports' prefix, cut to the limit. A name
    that our export wrote stays as it is, for it was kept that way."""
    exported = name.strip()
    exact = exported.removeprefix(CUSTOM_PREFIX)
    if exact != exported and len(exact) <= MAX_CUSTOM_NAME and exact == exact.strip() and not _CONTROLS.search(exact):
        return exact
    one_line = _CONTROLS_AND_SPACES.sub(" ", name).strip()
    return one_line.removeprefix(CUSTOM_PREFIX).strip()[:MAX_CUSTOM_NAME].strip()


def _free_name(name: str, taken: Mapping[str, int]) -> str:
    """Two long headers can be cut to the same name; neither column may get lost."""
    free, number = name, 1
    while free in taken:
        number += 1
        ending = f" ({number})"
        free = name[: MAX_CUSTOM_NAME - len(ending)] + ending
    return free
