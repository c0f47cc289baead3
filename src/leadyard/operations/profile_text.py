"""What a single text of a profile may hold: trimmed, free of control characters, no longer than its limit."""

from __future__ import annotations

import re
from typing import NamedTuple

from leadyard.errors import InvalidProspect

MAX_CUSTOM_NAME_LENGTH = 100
MAX_CUSTOM_VALUE_LENGTH = 5_000
MAX_URL_LENGTH = 2_048
MAX_IDENTIFIER_LENGTH = 300
MAX_EMAIL_LENGTH = 254

_MAX_SHOWN = 60

# C0 and C1 controls and DEL, except tab, newline and carriage return, which some texts may hold; and lone surrogates,
# which no database can store as UTF-8.
_NEVER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
_LINE_CONTROL = re.compile("[\t\n\r]")

# Copying from a browser or a chat drags zero-width and direction marks along; str.strip() alone leaves those.
_WHITE_SPACE = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\ufeff"
_EDGES = _WHITE_SPACE + _INVISIBLE


class TextRule(NamedTuple):
    """What holds for one field: its name in messages, its limit in characters, whether it may hold several lines."""

    label: str
    max_length: int
    several_lines: bool = False


FIELD_RULES: dict[str, TextRule] = {
    "first_name": TextRule("firstName", 200),
    "last_name": TextRule("lastName", 200),
    "name": TextRule("name", 200),
    "headline": TextRule("headline", 500),
    "about": TextRule("about", 10_000, several_lines=True),
    "photo_url": TextRule("photoUrl", MAX_URL_LENGTH),
    "linkedin_url": TextRule("linkedinUrl", MAX_URL_LENGTH),
    # A whole profile URL is accepted here, so the identifier's own limit is checked after it has been taken out.
    "public_identifier": TextRule("publicIdentifier", MAX_URL_LENGTH),
    "title": TextRule("title", 500),
    "email": TextRule("email", MAX_EMAIL_LENGTH),
    "phone": TextRule("phone", 100),
    "location": TextRule("location", 300),
    "company_name": TextRule("company.name", 300),
    "company_linkedin_identifier": TextRule("company.linkedinIdentifier", MAX_IDENTIFIER_LENGTH),
    "company_linkedin_url": TextRule("company.linkedinUrl", MAX_URL_LENGTH),
    "company_industry": TextRule("company.industry", 300),
    "company_website": TextRule("company.website", MAX_URL_LENGTH),
    "provider_id": TextRule("providerId", MAX_IDENTIFIER_LENGTH),
}


def shown(value: str) -> str:
    """Returns the value quoted and escaped for a message, cut so that a hostile value cannot flood a log."""
    quoted = repr(value[:_MAX_SHOWN])
    return quoted if len(value) <= _MAX_SHOWN and len(quoted) <= _MAX_SHOWN + 2 else quoted[:_MAX_SHOWN] + "…'"


def trimmed_text(value: str, label: str, max_length: int, several_lines: bool = False) -> str:
    """Returns the value without white space around it, possibly "". `label` names the field in a refusal.

    Raises InvalidProspect INVALID_CHARACTER or VALUE_TOO_LONG. The limit applies to the trimmed text.
    """
    # Almost every value is printable, and str.isprintable() is many times faster than a search.
    if not value.isprintable():
        _refuse_controls(value, label, several_lines)
    text = value.strip()
    if len(text) > max_length:
        raise too_long(label, len(text), max_length)
    return text


def too_long(label: str, length: int, max_length: int) -> InvalidProspect:
    """Returns the refusal of a text that is longer than its limit, for the caller to raise."""
    return InvalidProspect(
        "VALUE_TOO_LONG", f"{label} has {length:,} characters; shorten it to at most {max_length:,}."
    )


def without_invisible_edges(value: str) -> str:
    """Returns the value without white space and zero-width characters around it: for texts that identify someone."""
    return value.strip(_EDGES)


def storable(text: str) -> str:
    """Returns the text with U+FFFD in place of what PostgreSQL cannot keep in a document: NUL and lone surrogates."""
    return _NOT_STORABLE.sub("\ufffd", text)


def _refuse_controls(value: str, label: str, several_lines: bool) -> None:
    """str.strip() would quietly drop some controls from the edges, so they are looked for before trimming."""
    found = _NEVER.search(value) or (None if several_lines else _LINE_CONTROL.search(value.strip()))
    if found:
        raise InvalidProspect(
            "INVALID_CHARACTER",
            f"{label} holds the character U+{ord(found[0]):04X}, which cannot be kept: remove it from {shown(value)}.",
        )
