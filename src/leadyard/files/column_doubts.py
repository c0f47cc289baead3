"""Columns whose name means one thing in one file and another in the next: their cells decide."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from leadyard.files.column_languages import COMPANY_WORDS, LINKING_WORDS, NOW_WORDS, PERSON_WORDS
from leadyard.files.column_spellings import column_key, column_words
from leadyard.files.usable_cells import is_form_of_address
from leadyard.people.placeholders import is_placeholder

_TITLES = frozenset({"titel", "titre", "titolo", "titulo"})
"""The job in one list, and `Dr.` in the next."""
_SITES = frozenset({"site", "sito", "web", "homepage", "internet"})
_NUMBERS = frozenset({"no", "nr", "num", "number", "nummer", "numero", "details", "info"})
_ROLES = frozenset({"geschaftsfuhrer", "inhaber", "gerant", "dirigeant", "founder", "ceo", "direktor", "director"})
_NOUNS = PERSON_WORDS | _ROLES | {"maker", "referent", "referente"}
_PEOPLE = (
    PERSON_WORDS | _ROLES | NOW_WORDS | LINKING_WORDS | {"decision", "maker", "key", "referent", "referente", "main"}
)
_NAMES = ("firstName", "lastName", "name")
_MOST = 0.6
_NAME = re.compile(r"[^\W\d_][^\d@/:;_]{2,99}")
_WORDS_OF_NAMES = range(2, 7)
_PHONE = re.compile(r"\+?[\d\s().\-/]{7,24}")
_HOST = re.compile(r"(?:https?://)?(?:[\w-]+\.)+[^\W\d_]{2,24}(?:[/?#]\S*)?", re.IGNORECASE)


def field_in_doubt(name: str, cells: Sequence[str], fields: Set[str]) -> str | None:
    """Returns the field of a column of this name with these cells, None for a name without doubt or other cells.

    `fields` are those that the names of the other columns mean. `Contact` is the name of the person only in a file
    without another one, and `Site` is the company's only in a file that names the company.
    """
    filled = [text for cell in cells if (text := cell.strip()) and not is_placeholder(text, "title")]
    key, words = column_key(name), set(column_words(name))
    if not filled or not words:
        return None
    if key in _TITLES:
        return None if any(map(is_form_of_address, filled)) else "title"
    if key in _SITES:
        return "company.website" if "company.name" in fields and _are(filled, _HOST) else None
    if words & PERSON_WORDS and words - PERSON_WORDS and words <= PERSON_WORDS | _NUMBERS:
        return "phone" if _are(filled, _PHONE) else None
    if words & _NOUNS and words <= _PEOPLE - COMPANY_WORDS and fields.isdisjoint(_NAMES):
        names = [text for text in filled if len(text[:100].split()) in _WORDS_OF_NAMES]
        return "name" if len(names) >= _MOST * len(filled) and _are(names, _NAME) else None
    return None


def _are(filled: Sequence[str], pattern: re.Pattern[str]) -> bool:
    return sum(1 for text in filled if pattern.fullmatch(text)) >= _MOST * len(filled)
