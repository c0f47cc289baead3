"""LinkedIn's name for a person or a company, read from any spelling of its URL. Works on text, not on the network.

A person has two kinds of names. The public identifier is the name after `/in/`, `/pub/`, `/comm/in/` and `/mwlite/in/`;
its case does not matter. The member id (`ACoAA…`, `ACwAA…`) is the name in Sales Navigator's addresses, in `urn:li:…`
and often after `/in/` too. Recruiter's ids, `urn:li:person:…`, `/profile/view?id=…` and lnkd.in name a person only
inside another program, so they are not accepted.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import dropwhile
from urllib.parse import quote, unquote, urlsplit

from leadyard.errors import InvalidProspect
from leadyard.people.email_address import one_case
from leadyard.people.fields import MAX_IDENTIFIER_LENGTH, MAX_URL_LENGTH
from leadyard.people.text_rules import shown, too_long, without_invisible_edges, without_stray_marks

_CANONICAL_START = "https://www.linkedin.com/in/"

# The spelling in nearly all rows of an import. The code below returns the same for it, only slower.
_USUAL = re.compile(r"(?:https?://)?(?:www\.)?linkedin\.com/in/([a-z0-9_-]{1,300})/?", re.IGNORECASE | re.ASCII)

# Hosts: linkedin.com itself, www, a country (de, uk, www.de) and the mobile ones, and linkedin.cn, which showed the
# same members. The host must end at a slash, a query, a fragment or the end, so that neither linkedin.com.example.org
# nor linkedin.com@example.org passes.
_START = re.compile(
    r"(?:(?:https?:)?//)?(?:(?:[a-z]{1,3}|mobile|touch)\.){0,2}linkedin\.(?:com|cn)\.?(?::(?:80|443))?(?=[/?#]|\Z)",
    re.IGNORECASE | re.ASCII,
)
_BARE_PATH = re.compile(r"/?(?:in|pub|company|school|showcase)/", re.IGNORECASE | re.ASCII)

# Wrappers that LinkedIn's mobile site and its e-mails put before the path proper.
_WRAPPERS = frozenset({"mwlite", "comm", "m", "profile", "public-profile", "incareer"})
_COMPANY_KINDS = frozenset({"company", "school", "showcase"})

_NOT_IN_IDENTIFIER = re.compile('[\\s\x00-\x1f\x7f-\x9f\ud800-\udfff/\\\\?#%@:;,&="<>\u200b\u2060\ufeff]')
_UNRESERVED = re.compile(r"[A-Za-z0-9_-]{1,300}")
_HEX_SEGMENT = re.compile(r"[0-9a-f]{1,3}", re.ASCII)

# LinkedIn's obfuscated member ids (ACoAA…, ACwAA…) also follow /in/. They are base64, which is case-sensitive, so in
# lower case they would be wrong.
_MEMBER_ID_PATTERN = r"A[CDE][A-Za-z]AA[A-Za-z0-9_-]{30,40}"
_MEMBER_ID = re.compile(_MEMBER_ID_PATTERN, re.ASCII)
# Other tools have lower-cased some of them. Such an address does not open the profile, but it still names one person.
_MEMBER_ID_IN_ANY_CASE = re.compile(_MEMBER_ID_PATTERN, re.ASCII | re.IGNORECASE)
# urn:li:fsd_profile:ACoAA…, urn:li:fs_miniProfile:ACoAA…, urn:li:fs_salesProfile:(ACwAA…,NAME_SEARCH,VAKJ)
_URN = re.compile(rf"urn:li:[a-z_]{{0,30}}profile:\(?({_MEMBER_ID_PATTERN})(?:,[^()]{{0,100}})?\)?", re.ASCII | re.I)
_URN_STARTS = ("urn:", "urn%")
_SALES_PAGES = (["lead"], ["people"])

# Pages that send the browser on: LinkedIn's sign-in, the results of a search engine, the safe links of a mail server.
_ON_ITS_WAY = frozenset({"q", "url", "u", "to", "target", "redirect", "session_redirect", "sessionredirect"})

_MAX_ENCODINGS = 4


def linkedin_public_identifier(url: str) -> str:
    """Returns the normalised public identifier of any spelling of a profile's address.

    Percent-decoded (UTF-8, also when encoded repeatedly), NFC, lower case; member ids (`ACoAA…`) keep their case. The
    rest of the URL (`/details/…`, a locale, query, fragment) is dropped. An old `/pub/name/1/2a/3b4` gives the
    `name-3b402a1` that LinkedIn itself redirects it to: the groups in reverse, all but the first padded to three.
    Sales Navigator's `/sales/lead/ID,NAME_SEARCH,XXXX` and `/sales/people/…`, and `urn:li:…profile:ID`, give the member
    id: the part after the comma names the search in which the person was found, not the person.
    Raises InvalidProspect: INVALID_LINKEDIN_URL if it is not the URL of a profile, VALUE_TOO_LONG above 300 characters.
    """
    usual = _USUAL.fullmatch(url)
    if usual:
        return _one_spelling(usual[1])
    return _identifier_of(url, "linkedinUrl")


def normalised_identifier(value: str) -> str:
    """Returns the same for a `publicIdentifier`, which is the bare name or a whole address. Raises the same."""
    text = without_stray_marks(value)
    is_address = "/" in text or text[:4].lower() in _URN_STARTS
    return _identifier_of(text if is_address else f"in/{text}", "publicIdentifier")


def is_member_id(identifier: str) -> bool:
    """Returns whether a normalised identifier is a member id, also if another tool has lower-cased it."""
    return _MEMBER_ID_IN_ANY_CASE.fullmatch(identifier) is not None


def member_id_in(cell: str) -> str | None:
    """Returns the member id that a cell names, bare or in an address, None if it names no member."""
    text = cell.strip()
    if not text:
        return None
    try:
        identifier = normalised_identifier(text)
    except InvalidProspect:
        return None
    return identifier if is_member_id(identifier) else None


def identifier_key(identifier: str) -> str:
    """Returns the text by which two normalised identifiers are compared: member ids without their case.

    Two ids that differ in case alone would belong to two members. But with more than 30 random characters this does
    not happen, while tools that lower-case addresses are frequent.
    """
    # Only member ids have capital letters, and they begin with one.
    return identifier.lower() if identifier.startswith("A") else identifier


def better_spelling(known: str, incoming: str) -> str:
    """Returns the spelling to keep of two that have the same `identifier_key`: one with its case, else the known."""
    return incoming if known.islower() else known


def is_page_on_linkedin(url: str) -> bool:
    """Returns whether the URL is a page of linkedin.com or of a subdomain, over HTTP(S) on the usual port.

    The URL may not contain a user, and may not be the front page.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_plain = parts.username is None and parts.port in (None, 80, 443)
    except ValueError:
        return False
    is_host_of_linkedin = host == "linkedin.com" or host.endswith(".linkedin.com")
    return is_host_of_linkedin and is_plain and parts.scheme in ("http", "https") and parts.path.strip("/") != ""


def canonical_profile_url(identifier: str) -> str:
    """Returns the canonical address of a normalised identifier. Raises InvalidProspect VALUE_TOO_LONG if it is too long
    for a URL after percent-encoding."""
    if identifier.isascii() and identifier.replace("-", "").isalnum() and len(identifier) <= MAX_IDENTIFIER_LENGTH:
        return _CANONICAL_START + identifier
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
    # A comma, also %2C, separates a member id from the context of a search.
    if kind not in {"in", "pub"} or "," in name or "%2" in name:
        member_id = _member_id_in(segments) if kind else _member_id_without_address(address)
        if member_id is not None:
            return member_id
    identifier = _decoded(name)
    if kind not in {"in", "pub"} and (inner := _inside(address, is_on_linkedin=bool(segments))) is not None:
        return _identifier_of(inner, label)
    if kind not in {"in", "pub"} or identifier is None or (kind == "pub" and identifier == "dir"):
        raise InvalidProspect("INVALID_LINKEDIN_URL", f"{label} {shown(address)} is not {_what_it_should_be(kind)}")
    if kind == "pub":
        identifier += _old_suffix(segments[2:5])
    if len(identifier) > MAX_IDENTIFIER_LENGTH:
        raise too_long(label, len(identifier), MAX_IDENTIFIER_LENGTH)
    return identifier


def _inside(address: str, *, is_on_linkedin: bool) -> str | None:
    """Returns the address of a profile in the query of an address that leads there, and the member id of LinkedIn's old
    `/profile/view?id=ACoAA…`, as an address."""
    _, mark, query = address.partition("?")
    if not mark or len(address) > MAX_URL_LENGTH:
        return None
    for pair in query.partition("#")[0].split("&"):
        name, _, value = pair.partition("=")
        value = unquote(value)
        if is_on_linkedin and name == "id" and _MEMBER_ID.fullmatch(value):
            return f"in/{value}"
        if name.lower() in _ON_ITS_WAY and (_START.match(value) or (is_on_linkedin and value.startswith("/in/"))):
            return value
    return None


def _member_id_in(segments: list[str]) -> str | None:
    """Returns the member id in a path of Sales Navigator, or before the context of a search."""
    page = [segment.lower() for segment in segments[:2]]
    is_sales = page[0] == "sales" and page[1:] in _SALES_PAGES
    names = segments[2:3] if is_sales else segments[1:2]
    name = unquote(names[0]).partition(",")[0] if names and (is_sales or page[0] == "in") else ""
    return _one_spelling(name) if _MEMBER_ID_IN_ANY_CASE.fullmatch(name) else None


def _member_id_without_address(text: str) -> str | None:
    """Returns the member id in a URN, or a text that is one."""
    text = without_invisible_edges(text)
    urn = _URN.fullmatch(unquote(text)) if text[:4].lower() in _URN_STARTS else None
    if urn is not None:
        return _one_spelling(urn[1])
    return text if _MEMBER_ID.fullmatch(text) else None


def _what_it_should_be(kind: str) -> str:
    if kind == "sales":
        return "a person's page in Sales Navigator: use the person's linkedin.com/in/… address instead."
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
    # Only at the beginning, because /in/m is a person called m.
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
    # A custom URL never ends with a full stop, but a sentence that contains one does.
    identifier = _one_spelling(without_stray_marks(segment, also_behind="."))
    # Checked last: NFC can turn a harmless-looking character into one of these (U+037E into a semicolon).
    if not identifier or _NOT_IN_IDENTIFIER.search(identifier):
        return None
    return identifier


def _one_spelling(identifier: str) -> str:
    # The first letter is compared first, because it settles nearly all cases.
    is_member_id = identifier.startswith("A") and _MEMBER_ID.fullmatch(identifier)
    return identifier if is_member_id else one_case(identifier)


def _old_suffix(groups: list[str]) -> str:
    first, second, third = ([group.lower() for group in groups] + ["", "", ""])[:3]
    if not all(_HEX_SEGMENT.fullmatch(group) for group in (first, second, third)):
        return ""
    return f"-{third.zfill(3)}{second.zfill(3)}{first}"
