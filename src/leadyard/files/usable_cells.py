"""Which of several cells of a row is the value of a field: the first one that can be used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from leadyard.errors import InvalidProspect
from leadyard.files.column_spellings import column_key
from leadyard.people.cells import emails_in, phones_in, profiles_in
from leadyard.people.linkedin_urls import is_member_id, linkedin_public_identifier
from leadyard.people.placeholders import is_honorific, is_locked_email, is_placeholder

UNUSABLE = 9
"""A cell of this rank is the value only if there is no better one."""
# More than `is_honorific` has, because some of these are also names.
_HONORIFICS = frozenset({
    "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "madam", "mister", "rev", "hon", "herr", "frau", "fraulein",
    "drmed", "profdr", "diplingdr", "herrn", "herrdr", "fraudr", "m", "mme", "mlle", "monsieur", "madame",
    "mademoiselle", "sr", "sra", "srta", "senor", "senora", "don", "dona", "sig", "sigra", "signor", "signora", "dott",
    "dottssa", "senhor", "senhora", "dhr", "mevr", "mw", "heer", "mevrouw", "drs", "ir", "ing", "mrdr", "msdr",
})  # fmt: skip
_DIGIT = re.compile(r"\d")
_FEWEST_DIGITS = 5


def stands_for_nothing(cell: str, attribute: str) -> bool:
    """Returns whether a cell of the field is as good as empty: a placeholder, or a locked e-mail."""
    text = cell.strip()
    return is_placeholder(text, attribute) or (attribute == "email" and is_locked_email(text.lower()))


def rank_of_profile(text: str) -> int:
    """Returns 0 for a public name, 1 for a member id, 2 for an address of Sales Navigator, 3 for a cell that contains
    more than that or only a name, and UNUSABLE for anything else."""
    try:
        is_member = is_member_id(linkedin_public_identifier(text))
    except InvalidProspect:
        return 3 if profiles_in(text).values else UNUSABLE
    return (2 if "/sales/" in text else 1) if is_member else 0


def _rank_of_email(text: str) -> int:
    return 0 if emails_in(text).values else UNUSABLE


def _rank_of_phone(text: str) -> int:
    is_usable = len(_DIGIT.findall(text)) >= _FEWEST_DIGITS and phones_in(text).values
    return 0 if is_usable else UNUSABLE


def is_form_of_address(text: str) -> bool:
    """Returns whether a cell of a column named like `Title` has no job in it but `Mr.`, `Sig.ra` or `Prof. Dr.`."""
    return is_honorific(text) or (len(text) <= 20 and column_key(text) in _HONORIFICS)


def _rank_of_title(text: str) -> int:
    return UNUSABLE if is_form_of_address(text) else 0


RANKS: Mapping[str, Callable[[str], int]] = MappingProxyType(
    {
        "linkedin_url": rank_of_profile,
        "email": _rank_of_email,
        "phone": _rank_of_phone,
        "title": _rank_of_title,
    }
)
"""The rank of a cell by the attribute of its field: the lowest wins, then the most trusted column. Cells of other
fields can all be used. The rules are those by which `people` tidies the chosen cell later."""
