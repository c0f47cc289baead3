"""LinkedIn's name for a person or a company, taken out of any spelling of its address. Pure text, no network."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import dropwhile
from urllib.parse import quote, unquote

from leadyard.errors import InvalidProspect
from leadyard.operations.email_address import one_case
from leadyard.operations.profile_text import (
    MAX_IDENTIFIER_LENGTH,
    MAX_URL_LENGTH,
    shown,
    too_long,
    without_invisible_edges,
)

_CANONICAL_START = "https://www.linkedin.com/in/"

# The spelling of nearly every row of an import. Everything below gives the same answer, only slower.
_USUAL = re.compile(r"(?:https?://)?(?:www\.)?linkedin\.com/in/([a-z0-9_-]{1,300})/?", re.IGNORECASE | re.ASCII)

# Hosts: linkedin.com itself, www, a country (de, uk, www.de) and the mobile ones. The host must end at a slash, a
# query, a fragment or the end, so that neither linkedin.com.example.org nor linkedin.com@example.org passes.
_START = re.compile(
    r"(?:(?:https?:)?//)?(?:(?:[a-z]{1,3}|mobile|touch)\.){0,2}linkedin\.com\.?(?::(?:80|443))?(?=[/?#]|\Z)",
    re.IGNORECASE | re.ASCII,
)
_BARE_PATH = re.compile(r"/?(?:in|pub|company|school|showcase)/", re.IGNORECASE | re.ASCII)

# Wrappers that LinkedIn's mobile site and its e-mails put before the path proper.
_WRAPPERS = frozenset({"mwlite", "comm", "m", "profile"})
_COMPANY_KINDS = frozenset({"company", "school", "showcase"})

_NOT_IN_IDENTIFIER = re.compile('[\\s\x00-\x1f\x7f-\x9f\ud800-\udfff/\\\\?#%@:;,&="<>\u200b\u2060\ufeff]')
_UNRESERVED = re.compile(r"[A-Za-z0-9_-]{1,300}")
_HEX_SEGMENT = re.compile(r"[0-9a-f]{1,3}", re.ASCII)

# LinkedIn's obfuscated member ids (ACoAA…, ACwAA…) also stand after /in/. They are base64 and so case-sensitive:
# lower-casing one would name nobody.
_MEMBER_ID = re.compile(r"A[CDE][A-Za-z]AA[A-Za-z0-9_-]{30,40}", re.ASCII)

_MAX_ENCODINGS = 4


def linkedin_public_identifier(url: str) -> str:
    """Returns the normalised public identifier of any spelling of a profile's address.

    Percent-decoded (UTF-8, also when encoded repeatedly), NFC, lower case; member ids (`ACoAA…`) keep their case. What
    follows the name (`/details/…`, a locale, query, fragment) is dropped. An old `/pub/name/1/2a/3b4` gives the
    `name-3b402a1` that LinkedIn itself redirects it to: the groups in reverse, all but the first padded to three.
    Raises InvalidProspect: INVALID_LINKEDIN_URL when it is no profile's address, VALUE_TOO_LONG above 300 characters.
    """
    usual = _USUAL.fullmatch(url)
    if usual:
        return _one_spelling(usual[1])
    return _identifier_of(url, "linkedinUrl")


def normalised_identifier(value: str) -> str:
    """Returns the same for a `publicIdentifier`: the bare name, or a whole address in its place. Raises the same."""
    text = without_invisible_edges(value)
    return _identifier_of(text if "/" in text else f"in/{text}", "publicIdentifier")


def canonical_profile_url(identifier: str) -> str:
    """Returns the one address we keep for a normalised identifier. Raises InvalidProspect VALUE_TOO_LONG when percent-
    encoding makes it longer than a URL may be."""
    url = _CANONICAL_START + (identifier if _UNRESERVED.fullmatch(identifier) else quote(identifier, safe=""))
    if len(url) > MAX_URL_LENGTH:
        raise too_long("linkedinUrl", len(url), MAX_URL_LENGTH)
    return url


@lru_cache(maxsize=1_000)
def company_identifier(url: str) -> str | None:
    """Returns the normalised identifier in a `/company/`, `/school/` or `/showcase/` address, else None."""
    segments = _segments(url)
    if len(segments) < 2 or segments[0].lower() not in _COMPANY_KINDS:
        return None
    identifier = _decoded(segments[1])
    return None if identifier is None or len(identifier) > MAX_IDENTIFIER_LENGTH else identifier


def _identifier_of(address: str, label: str) -> str:
    segments = _segments(address)
    kind = segments[0].lower() if segments else ""
    name = segments[1] if len(segments) > 1 else ""
    identifier = _decoded(name)
    if kind not in {"in", "pub"} or identifier is None or (kind == "pub" and identifier == "dir"):
        raise InvalidProspect("INVALID_LINKEDIN_URL", f"{label} {shown(address)} is not {_what_it_should_be(kind)}")
    if kind == "pub":
        identifier += _old_suffix(segments[2:5])
    if len(identifier) > MAX_IDENTIFIER_LENGTH:
        raise too_long(label, len(identifier), MAX_IDENTIFIER_LENGTH)
    return identifier


def _what_it_should_be(kind: str) -> str:
    if kind == "sales":
        return "a public profile but a Sales Navigator address: use the person's linkedin.com/in/… address instead."
    if kind in _COMPANY_KINDS:
        return "a person's profile but a company's: put it into company.linkedinUrl."
    return "the address of a LinkedIn profile: use one like https://www.linkedin.com/in/name, or leave it empty."


def _segments(address: str) -> list[str]:
    """Returns the path's segments after any wrapper, or nothing when the host is not LinkedIn's."""
    text = without_invisible_edges(address)
    start = _START.match(text)
    if start is None and not _BARE_PATH.match(text):
        return []
    path = re.split("[?#]", text[start.end() if start else 0 :], maxsplit=1)[0]
    segments = (segment for segment in path.split("/") if segment)
    # Only those in front: /in/m is a person called m.
    return list(dropwhile(lambda segment: segment.lower() in _WRAPPERS, segments))


def _decoded(segment: str) -> str | None:
    """Returns the segment decoded, in NFC and lower case, or None when it cannot be an identifier."""
    for _ in range(_MAX_ENCODINGS):
        if "%" not in segment:
            break
        try:
            segment = unquote(segment, errors="strict")
        except UnicodeDecodeError:
            return None
    identifier = _one_spelling(without_invisible_edges(segment))
    # Checked last: NFC can turn a harmless-looking character into one of these (U+037E into a semicolon).
    if not identifier.strip(".") or _NOT_IN_IDENTIFIER.search(identifier):
        return None
    return identifier


def _one_spelling(identifier: str) -> str:
    # The first letter is asked for by itself, because it settles nearly all of them.
    is_member_id = identifier.startswith("A") and _MEMBER_ID.fullmatch(identifier)
    return identifier if is_member_id else one_case(identifier)


def _old_suffix(groups: list[str]) -> str:
    first, second, third = ([group.lower() for group in groups] + ["", "", ""])[:3]
    if not all(_HEX_SEGMENT.fullmatch(group) for group in (first, second, third)):
        return ""
    return f"-{third.zfill(3)}{second.zfill(3)}{first}"
