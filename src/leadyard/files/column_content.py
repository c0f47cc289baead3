"""The field that the cells of a column show, whatever the column is called: profiles, e-mail addresses or phones."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from leadyard.errors import InvalidProspect
from leadyard.files.column_languages import COMPANY_WORDS, CONTACT_WORDS, EMAIL_WORDS, NOTE_WORDS, OTHER_PEOPLE
from leadyard.files.column_spellings import column_words
from leadyard.people.cells import emails_in, profiles_in
from leadyard.people.email_address import normalised_email
from leadyard.people.linkedin_urls import company_identifier, linkedin_public_identifier
from leadyard.people.placeholders import is_placeholder

SAMPLE_ROWS = 100
_MOST = 0.6
_DISTINCT = 0.8
"""The addresses of a column must differ from row to row: one colleague's address in each row is not the person's."""
# `Ann Bly <ann@bly.example>`, and several addresses. A sentence with an address in it is not one.
_DRESSED_EMAIL = re.compile(
    r"""(?:"[^"@<>]{0,100}"|[^"@<>,;]{0,100})\s*<\s*[^\s@<>]+@[^\s@<>]+\s*>[;,]?"""
    r"""|[^@<>();]{0,100}\(\s*[^\s@<>()]+@[^\s@<>()]+\s*\)"""
    r"""|(?:mailto:)?[^\s@<>;,|/]+@[^\s@<>;,|/]+(?:\s*(?:[;,|/]|:::)\s*[^\s@<>;,|/]+@[^\s@<>;,|/]+)*[;,.]?""",
    re.IGNORECASE,
)
_DRESSED_PROFILE = re.compile(r"=\s*HYPERLINK\(|\[[^\[\]]{0,100}\]\(|<", re.IGNORECASE)
_BETWEEN_LINKS = re.compile(r"""[\s,;|\[\]"'<>]+|:::""")
_MAX_LINKS_CHARS = 2_000
_MAX_CONTACT_CHARS = 200
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
    in_order = column_words(name)
    # `From` is the sender, but `mailFromDropcontact` is where the tool has it from.
    words = {word for place, word in enumerate(in_order) if word != "from" or not place}
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


def has_identities(name: str, cells: Sequence[str], *, of_names: bool = False) -> bool:
    """Returns whether some cells of a column identify the person: links to profiles among others, such as in `Social
    media`, or e-mail addresses among phones, such as in `Contact details`. `of_names` is true for a column of names.

    A column of another person or of the company, and a text with a link in it, is not."""
    words = set(column_words(name))
    if words & (OTHER_PEOPLE | COMPANY_WORDS):
        return False
    is_contact = of_names or are_contact_details(name)
    found = [
        text
        for cell in cells
        if cell and (text := identity_in(cell, is_contact=is_contact)) and (text[1] or is_contact)
    ]
    return bool(found) and _is_distinct([text for text, _ in found])


def are_mostly_contacts(name: str, cells: Sequence[str]) -> bool:
    """Returns whether most filled cells of a column have one address among other words. Notes can mention anyone."""
    filled = _filled(cells)
    if not filled or set(column_words(name)) & NOTE_WORDS or not has_identities(name, cells, of_names=True):
        return False
    return _is_most(filled, lambda cell: identity_in(cell, is_contact=True) is not None)


def are_contact_details(name: str) -> bool:
    """Returns whether a column of this name contains how to reach the person, so also an address among other words."""
    return bool(set(column_words(name)) & (CONTACT_WORDS | EMAIL_WORDS))


def identity_in(cell: str, *, is_contact: bool = False) -> tuple[str, bool] | None:
    """Returns the profile among the links in a cell and true, or the address in it and false. In a cell of contact
    details the address can stand among other words: `Ada Vint, CEO, ada@vint.example`."""
    if "linkedin." in cell.lower() and (profile := profile_among_links(cell)):
        return profile, True
    if is_email(cell.strip()):
        return cell, False
    is_one = is_contact and "@" in cell and len(cell) <= _MAX_CONTACT_CHARS and len(emails_in(cell).values) == 1
    return (cell, False) if is_one else None


def profile_among_links(cell: str) -> str | None:
    """Returns the profile in a cell that consists of links, such as the addresses of a site and of a profile."""
    links = _BETWEEN_LINKS.split(cell[: _MAX_LINKS_CHARS + 1].strip())
    if len(cell) > _MAX_LINKS_CHARS or not all("." in link and "@" not in link for link in links if link):
        return None
    return next((link for link in links if is_profile(link)), None)


def _is_company(text: str) -> bool:
    return "linkedin.com/" in text.lower() and company_identifier(text) is not None


def _filled(cells: Sequence[str]) -> list[str]:
    """Returns the cells with a value, so without placeholders such as `#N/A`."""
    texts = (cell.strip() for cell in cells if cell and not cell.isspace())
    return [text for text in texts if not is_placeholder(text, "phone")]


def is_profile(text: str) -> bool:
    """Returns whether the text is the address of a person's LinkedIn profile, perhaps as a link."""
    if "linkedin.com/" not in text.lower():
        return False
    try:
        return bool(linkedin_public_identifier(text))
    except InvalidProspect:
        return _DRESSED_PROFILE.match(text) is not None and bool(profiles_in(text).values)


def is_email(text: str) -> bool:
    """Returns whether the text is an e-mail address, or consists of addresses, perhaps behind the name."""
    if "@" not in text:
        return False
    try:
        return bool(normalised_email(text))
    except InvalidProspect:
        return _DRESSED_EMAIL.fullmatch(text[:1_000]) is not None and bool(emails_in(text).values)


def _is_phone(text: str) -> bool:
    if not _PHONE.fullmatch(text) or _NOT_PHONE.fullmatch(text):
        return False
    return 7 <= len(_DIGITS.findall(text)) <= 15


def _is_most(filled: Sequence[str], check: Callable[[str], bool]) -> bool:
    return sum(map(check, filled)) >= _MOST * len(filled)


def _is_distinct(filled: Sequence[str]) -> bool:
    return len(filled) < 3 or len(set(filled)) >= _DISTINCT * len(filled)
