"""The columns of a file that feed the fields of a profile. Every other column becomes a custom field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from leadyard.errors import UnknownColumn
from leadyard.files.column_candidates import Candidate, candidates_in
from leadyard.files.column_choice import Chooser
from leadyard.files.column_search import find_column, nearest
from leadyard.files.column_sources import Sources, recognised_columns
from leadyard.files.column_spellings import CUSTOM_PREFIX, column_key
from leadyard.files.custom_names import custom_name, free_name
from leadyard.files.export import reason_columns, without_formula_quote
from leadyard.people.fields import COLUMN_NAMES, FIELD_OF_NAME, Profile

How = Literal["mapped", "spelling", "parts", "content", "custom", "ignored"]
"""How a column was understood: by the caller, by its name, by a part of its name, or by its cells. `custom` columns
are kept under their own names, and `ignored` ones are the reasons in our own files of rejected rows."""

_NAME_OF_KEY = {column_key(name): name for name in COLUMN_NAMES}


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """The use of every column.

    `fields` has the columns of each field in order of trust (JSON name → indexes in the header), `custom` the others
    (custom name → index), `how` the way in which each column was understood, and `places` the columns whose texts make
    a location where the file has none. `candidates` are the columns that could identify people, whatever they feed now.
    """

    header: tuple[str, ...]
    fields: Mapping[str, tuple[int, ...]]
    custom: Mapping[str, int]
    how: tuple[How, ...]
    places: tuple[tuple[int, ...], ...]
    candidates: tuple[Candidate, ...]
    _single: tuple[tuple[str, int], ...]
    _chooser: Chooser | None = field(compare=False)

    @property
    def identifies(self) -> bool:
        """Whether a column can identify people."""
        by_field = any(FIELD_OF_NAME[name].identifies for name in self.fields)
        return by_field or (self._chooser is not None and bool(self._chooser.member_ids or self._chooser.links))

    @property
    def identity_hint(self) -> str:
        """The columns that the user could name as the identity of people without another one. "" if there is none."""
        names = [repr(each.name[:60]) for each in self.candidates if each.field == "providerId"]
        if not names or "providerId" in self.fields:
            return ""
        return f" Or name {' or '.join(names[:3])} as identityColumn (on the command line: --identity-column)."

    def uses(self) -> tuple[tuple[str | None, How], ...]:
        """Returns the field of each column by its JSON name, or customFields.NAME for one that the caller has named so,
        else None; and how the column was understood."""
        fields: dict[int, str] = {}
        for name, indexes in self.fields.items():
            for index in indexes:
                # An identity column may feed another field as well.
                if name == "providerId" or index not in fields:
                    fields[index] = name
        fields |= {
            index: CUSTOM_PREFIX + name for name, index in self.custom.items() if self.how[index] == "mapped"
        } | fields
        members = self._chooser.member_ids if self._chooser else ()
        return tuple(
            ("publicIdentifier", "spelling") if index in members and index not in fields else (fields.get(index), how)
            for index, how in enumerate(self.how)
        )

    @property
    def several_profiles(self) -> tuple[int, ...]:
        """The columns that can name a person on LinkedIn, if there are several. () for one or none."""
        columns = (*self.fields.get("linkedinUrl", ()), *(self._chooser.member_ids if self._chooser else ()))
        return columns if len(columns) > 1 else ()

    def profile(self, cells: Sequence[str]) -> Profile:
        """Returns the profile in a row, not normalised; empty cells are None or left out."""
        texts, custom = self.values(cells)
        return Profile(**texts, custom_fields=custom)

    def values(self, cells: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
        """Returns the texts of the fields in a row, by attribute, and its custom fields. Leaves out empty cells.

        `cells` must have one cell for every column, as a Row has. If several columns feed a field, the first cell that
        can be used is its value, and the others are custom fields."""
        # Hardly any cell begins with an apostrophe or as a formula. This condition saves a call for each of the others.
        known = {
            attribute: without_formula_quote(cell) if cell[0] in "'=" else cell
            for attribute, index in self._single
            if (cell := cells[index])
        }
        custom = {
            name: without_formula_quote(cell) if cell[0] in "'=" else cell
            for name, index in self.custom.items()
            if (cell := cells[index])
        }
        if self._chooser is not None:
            self._chooser.choose(cells, known, custom)
        return known, custom


def plan_columns(
    header: Sequence[str],
    *,
    identity_column: str | None = None,
    mapping: Mapping[str, str | Sequence[str]] | None = None,
    sample: Sequence[Sequence[str]] = (),
) -> ColumnPlan:
    """Returns the plan for a file with this header, whose first rows are `sample`.

    `mapping` (field → column or columns in order, with fields by their JSON names or customFields.NAME) overrides the
    recognised columns. The identity column keeps its meaning if it is an e-mail, LinkedIn or provider id column, and
    feeds providerId otherwise. A column that no rule knows stays custom. Raises UnknownColumn for an unknown column or
    field.
    """
    header = tuple(map(without_formula_quote, header))
    sources = Sources(header, sample, ignored=reason_columns(header))
    custom: dict[str, int] = {}
    _place_mapped(header, mapping or {}, sources, custom)
    if identity_column is not None:
        _place_identity(header, identity_column, sources)
    recognised_columns(sources, taken=set(custom.values()))
    used = {*range(reason_columns(header)), *sources.used(), *custom.values()}
    for index, name in enumerate(header):
        if index not in used:
            custom[free_name(custom_name(name) or f"Column {index + 1}", custom)] = index
    fields = {name: tuple(sources.fields[name]) for name in COLUMN_NAMES if name in sources.fields}
    chooser = Chooser.for_columns(header, fields, sources, custom)
    apart = chooser.attributes if chooser else frozenset()
    single = tuple(
        (FIELD_OF_NAME[name].attribute, indexes[0])
        for name, indexes in fields.items()
        if FIELD_OF_NAME[name].attribute not in apart
    )
    how = tuple(_how(index, sources, header) for index in range(len(header)))
    candidates = candidates_in(header, sample, ignored=sources.ignored)
    return ColumnPlan(header, fields, custom, how, sources.places(), candidates, single, chooser)


def _how(index: int, sources: Sources, header: Sequence[str]) -> How:
    if index < reason_columns(header):
        return "ignored"
    return sources.how.get(index, "custom")


def _place_mapped(
    header: Sequence[str], mapping: Mapping[str, str | Sequence[str]], sources: Sources, custom: dict[str, int]
) -> None:
    for wanted, columns in mapping.items():
        known = _known_field(wanted)
        indexes = [find_column(header, column) for column in ([columns] if isinstance(columns, str) else columns)]
        if known in FIELD_OF_NAME:
            sources.fields[known] = list(dict.fromkeys(indexes))
        elif len(indexes) == 1:
            custom[known.removeprefix(CUSTOM_PREFIX)] = indexes[0]
        else:
            raise UnknownColumn(
                "Name one column for each custom field, or leave it out: every column is kept under its own name.",
                message=f"{wanted[:60]!r} cannot have {len(indexes)} columns.",
            )
        sources.how.update(dict.fromkeys(indexes, "mapped"))


def _known_field(name: str) -> str:
    """Returns the JSON name of the field in a mapping, or customFields.NAME with an allowed name."""
    text = name.strip()
    if text.startswith(CUSTOM_PREFIX) and (custom := custom_name(text.removeprefix(CUSTOM_PREFIX))):
        return CUSTOM_PREFIX + custom
    known = _NAME_OF_KEY.get(column_key(text))
    if known is not None:
        return known
    raise UnknownColumn(
        f"Use one of: {', '.join(COLUMN_NAMES)}, customFields.NAME.{nearest(text, COLUMN_NAMES)}",
        message=f"There is no field {text[:60]!r}.",
    )


def _place_identity(header: Sequence[str], column: str, sources: Sources) -> None:
    """Makes the column the identity. It is not used up by that: it may also feed another field."""
    index = find_column(header, column)
    meaning = sources.named.get(index)
    wanted = meaning.field if meaning and meaning.field in FIELD_OF_NAME else ""
    name = wanted if wanted and FIELD_OF_NAME[wanted].identifies else "providerId"
    if name not in sources.fields:
        sources.fields[name] = [index]
        sources.first[name] = index
        sources.how.setdefault(index, "mapped")
    elif index not in sources.fields[name]:
        raise UnknownColumn(
            f"Leave out either the identity column or the mapping of {name}.",
            message=f"{name} cannot be fed by two columns, {column[:60]!r} and "
            f"{header[sources.fields[name][0]][:60]!r}.",
        )
