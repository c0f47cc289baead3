"""Names of columns, in addition to the spellings in the table of fields: the rules to compare and to combine them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from leadyard.files.column_languages import NAMES
from leadyard.people.fields import FIELD_OF_NAME

CUSTOM_PREFIX = "customFields."

# Some names mean a field only beside another column. In LinkedIn's own export of connections `URL` is the profile,
# elsewhere it is any web page. A website is the company's only if the file names the company as well.
COMPANY = frozenset({*FIELD_OF_NAME["company.name"].spellings, *NAMES["company.name"]})
ONLY_BESIDE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "url": frozenset({"connectedon"}),
        "website": COMPANY,
        "websiteurl": COMPANY,
        "domain": COMPANY,
        "domainname": COMPANY,
        "www": COMPANY,
    }
)

_MAX_CHARS = 200
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)")
_TWO_WORDS = re.compile(r"\b(e|linked)[ _-](?=mail|in\b)")
_B2B = re.compile(r"\bb2b\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=8_192)
def column_key(name: str) -> str:
    """Returns the part of a column's name that is compared: its letters and digits, without case, accents, width or
    ligatures.

    So `First Name`, `first_name`, `firstName` and `FIRST-NAME` are the same, and `Prénom` and `prenom`. Only the first
    200 characters count.
    """
    return "".join(filter(str.isalnum, _folded(name[:_MAX_CHARS])))


@lru_cache(maxsize=8_192)
def column_words(name: str) -> tuple[str, ...]:
    """Returns the words of a column's name, without case and accents. A number is a word: `email2` has two."""
    spaced = _HUMPS.sub(" ", _B2B.sub("business", unicodedata.normalize("NFKC", name[:_MAX_CHARS])))
    return tuple(_WORD.findall(_TWO_WORDS.sub(r"\1", _folded(spaced))))


def custom_column_name(custom_field: str) -> str:
    """Returns the header that an export writes for a custom field, by which an import recognises it again."""
    return CUSTOM_PREFIX + custom_field


def _folded(text: str) -> str:
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))
