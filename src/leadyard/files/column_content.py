"""The field that the cells of a column show, whatever the column is called: profiles, e-mail addresses or phones."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from leadyard.errors import InvalidProspect
from leadyard.files.column_languages import OTHER_PEOPLE
from leadyard.files.column_spellings import column_words
from leadyard.people.email_address import normalised_email
from leadyard.people.linkedin_urls import company_identifier, linkedin_public_identifier
from leadyard.people.placeholders import is_placeholder

SAMPLE_ROWS = 100
_MOST = 0.6
_DISTINCT = 0.8
"""The addresses of a column must differ from row to row: one colleague's address in each row is not the person's."""
_DIGITS = re.compile(r"\d")
_PHONE = re.compile(r"(?:\+|00|\()[\d\s().\-/]{6,24}|[\d]{2,5}(?:[\s().\-/]+\d{2,8}){1,5}")
_NOT_PHONE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}.*|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|[\d]+\.[\d]+|(?:\d{1,3}\.){3}\d{1,3}")
"""Dates, decimal numbers and addresses of hosts."""
_NOT_PHONE_WORDS = frozenset({
    "fax", "date", "datum", "id", "ids", "zip", "code", "plz", "postal", "time", "revenue", "employees", "created",
    "updated", "birthday", "iban", "vat", "tax", "ip", "amount", "size", "range", "score",
})  # fmt: skip


def field_of_content(name: str, cells: Sequence[str]) -> str | None:
    """Returns `linkedinUrl`, `email` or `phone` if most filled cells are that, else None.

    `cells` are those of the first rows. A column whose name speaks of another person, such as an owner, is never
    understood by its content, and neither is one whose addresses are mostly the same.
    """
    words = set(column_words(name))
    if words & OTHER_PEOPLE:
        return None
    kind = content_of(cells)
    if kind == "phone":
        return None if words & _NOT_PHONE_WORDS else kind
    return kind if kind and _is_distinct(_filled(cells)) else None


def content_of(cells: Sequence[str]) -> str | None:
    """Returns `linkedinUrl`, `email` or `phone` if most filled cells are that, whatever the column is called."""
    filled = _filled(cells)
    if not filled:
        return None
    for field, check in (("linkedinUrl", is_profile), ("email", is_email), ("phone", _is_phone)):
        if _is_most(filled, check):
            return field
    return None


def are_companies(cells: Sequence[str]) -> bool:
    """Returns whether most filled cells are pages of companies on LinkedIn."""
    filled = _filled(cells)
    return bool(filled) and _is_most(filled, _is_company)


def _is_company(text: str) -> bool:
    return "linkedin.com/" in text.lower() and company_identifier(text) is not None


def _filled(cells: Sequence[str]) -> list[str]:
    """Returns the cells with a value, so without placeholders such as `#N/A`."""
    texts = (cell.strip() for cell in cells if cell and not cell.isspace())
    return [text for text in texts if not is_placeholder(text, "phone")]


def is_profile(text: str) -> bool:
    """Returns whether the text is the address of a person's LinkedIn profile."""
    if "linkedin.com/" not in text.lower():
        return False
    try:
        return bool(linkedin_public_identifier(text))
    except InvalidProspect:
        return False


def is_email(text: str) -> bool:
    """Returns whether the text is an e-mail address."""
    if "@" not in text:
        return False
    try:
        return bool(normalised_email(text))
    except InvalidProspect:
        return False


def _is_phone(text: str) -> bool:
    if not _PHONE.fullmatch(text) or _NOT_PHONE.fullmatch(text):
        return False
    return 7 <= len(_DIGITS.findall(text)) <= 15


def _is_most(filled: Sequence[str], check: Callable[[str], bool]) -> bool:
    return sum(map(check, filled)) >= _MOST * len(filled)


def _is_distinct(filled: Sequence[str]) -> bool:
    return len(filled) < 3 or len(set(filled)) >= _DISTINCT * len(filled)
