"""Other uses of the columns of a file: the fields that a column could feed with a mapping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from leadyard.files.column_content import content_of
from leadyard.files.column_languages import COMPANY_WORDS, OTHER_PEOPLE
from leadyard.files.column_meaning import CITY, COUNTRY, STATE, meaning_of
from leadyard.files.column_spellings import column_words
from leadyard.people.fields import FIELD_OF_NAME, MAX_IDENTIFIER_LENGTH

_ID_WORDS = frozenset({
    "id", "ids", "uid", "uuid", "guid", "key", "nr", "no", "num", "number", "nummer", "numero", "ref", "reference",
    "code", "kundennummer", "kundennr", "mitgliedsnummer", "personalnummer", "matricule", "identifiant",
    "identificador", "identificativo", "codice", "codigo", "kenmerk",
})  # fmt: skip
_NO_IDS = COMPANY_WORDS | OTHER_PEOPLE | {"phone", "tel", "zip", "postal", "fax", "mobile", "vat", "house", "source"}
_FILLED = 0.8
_MAX_NAMED = 10


class Candidate(NamedTuple):
    """A column that could identify people, by its name, and the field that it would feed."""

    name: str
    field: str


def candidates_in(header: Sequence[str], sample: Sequence[Sequence[str]], *, ignored: int) -> tuple[Candidate, ...]:
    """Returns the columns that could identify people, best first: addresses, profiles, ids, and then phones, which are
    an id only if the user chooses them."""
    found: list[tuple[int, Candidate]] = []
    for index, name in enumerate(header):
        if index < ignored or not name:
            continue
        cells = [row[index] for row in sample]
        kind = content_of(cells) if _are_distinct(cells) else None
        if kind in ("email", "linkedinUrl"):
            found.append((0, Candidate(name, kind)))
        elif _is_of_ids(name, cells):
            found.append((1, Candidate(name, "providerId")))
        elif kind == "phone":
            found.append((2, Candidate(name, "providerId")))
    return tuple(candidate for _, candidate in sorted(found, key=lambda each: each[0])[:_MAX_NAMED])


def alternatives_of(name: str, cells: Sequence[str], field: str | None) -> tuple[str, ...]:
    """Returns the fields that a column of this name and content could feed instead of `field`."""
    found: dict[str, None] = {}
    if (kind := content_of(cells)) is not None:
        found[kind] = None
    meaning = meaning_of(name)
    if meaning is not None:
        found["location" if meaning.field in (CITY, STATE, COUNTRY) else meaning.field] = None
    if _is_of_ids(name, cells):
        found["providerId"] = None
    return tuple(each for each in found if each in FIELD_OF_NAME and each != field)


def _is_of_ids(name: str, cells: Sequence[str]) -> bool:
    words = set(column_words(name))
    if not words & _ID_WORDS or words & _NO_IDS or not _are_distinct(cells):
        return False
    return all(len(cell) <= MAX_IDENTIFIER_LENGTH and "\n" not in cell for cell in cells)


def _are_distinct(cells: Sequence[str]) -> bool:
    filled = [cell.strip() for cell in cells if cell and not cell.isspace()]
    return bool(filled) and len(filled) >= _FILLED * len(cells) and len(set(filled)) == len(filled)
