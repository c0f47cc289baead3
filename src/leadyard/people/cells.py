"""Reads cells that contain several values, or a value with something around it, as people and programs write them.

`a; b`, `a, b`, `a ::: b`, `Name <a@b>`, `mailto:`, quotes, a full stop at the end, full-width characters, line breaks,
`=HYPERLINK("…","…")` and `[text](address)` of Markdown. Nothing in here raises, whatever the text is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from leadyard.errors import InvalidProspect
from leadyard.people.email_address import normalised_email
from leadyard.people.linkedin_urls import is_member_id, linkedin_public_identifier, normalised_identifier
from leadyard.people.placeholders import is_locked_email, is_no_reply, is_placeholder
from leadyard.people.text_rules import shown, without_invisible_edges

MAX_VALUES_A_CELL = 20
MAX_CELL_LENGTH = 5_000
"""More than people write into such a cell. The rest of it stays one text, so that no cell keeps an import busy."""

_FULL_WIDTH = re.compile("[\uff01-\uff5e\ufe6b]")
# Access writes an address as `text#mailto:address#`.
_BETWEEN_EMAILS = re.compile(r'(?:[\s<>()\[\]{},;:"|\\“”„«»]|#(?=mailto:|\Z|[\s;,]))+', re.IGNORECASE)
# `ada @ vint.example`, and the line break of a program's text, as in `ada@vint.example\\nbob@vint.example`.
_SPACE_AROUND_AT = re.compile(r"(?<=[\w.+-])[ \t]*@[ \t]*(?=\w[\w-]*\.)")
_WRITTEN_BREAK = re.compile(r"(@[^\s\\@]+)\\[nrt]")
_BEFORE_ADDRESS = re.compile(r"([^<>()\[\]@]+)[<(\[]\s*(?:mailto:)?[^\s<>()\[\]@]+@", re.IGNORECASE)
_NAME_BEFORE_ADDRESS = re.compile(
    r"\s*([^\W\d_][^\s\d@,;:|<>()]*(?: [^\s\d@,;:|<>()\-–—]+){1,3})\s*[,;:|–—-]\s*[^\s@]+@"
)
_LINK = re.compile(
    r"<a\s[^<>]{0,200}?href\s*=\s*[\"']?([^\"'<>\s]{1,2000})[\"']?[^<>]{0,200}>([^<>]{0,200})</a>", re.IGNORECASE
)
_AROUND_EMAIL = "'`´‘’.…*•·/&="
_SYNTAX = frozenset({"mailto", "email", "e-mail", "mail", "and", "or", "und", "et", "=hyperlink", "hyperlink", "smtp"})

# Neither part of another host's name nor of another host's path or query.
_LINKEDIN_ADDRESS = re.compile(
    r"(?<![\w.@/%=-])(?:https?://|(?<!:)(?://)?)(?:(?:[a-z]{1,3}|mobile|touch)\.){0,2}linkedin\.c(?:om|n)\.?/[^\s\"'<>()\[\]{},;|]+",
    re.ASCII | re.IGNORECASE,
)
# What people and joined texts put before the host: `https:/`, `https//`, `wwww.`, and the beginning of an address
# twice.
_MISTYPED = re.compile(
    r"\A(?:(?:https?://)?(?:www\.)?linkedin\.com/in/(?=https?:/))?(?:h?ttps?[:;]?/{0,3}){1,2}(?=(?:\w{1,3}\.|w{4}\.)?linkedin\.)"
    r"(?:w{4}\.)?",
    re.IGNORECASE,
)
_MEMBER = re.compile(r"urn:li:member:\d{1,19}", re.ASCII)
_LABELS = frozenset(
    {
        "",
        "profile",
        "linkedin",
        "linkedin profile",
        "link",
        "view",
        "view profile",
        "url",
        "and",
        "linkedin:",
        "li:",
        "profile:",
        "url:",
    }
)
_MARKUP = re.compile(r'=\s*HYPERLINK|[\s"\'<>()\[\]{},;|]+', re.IGNORECASE)
_HANDLE = re.compile(r"[^\W_][\w-]{2,99}")

_BETWEEN_PHONES = re.compile(r"[;|\r\n]|\s:::\s|,|\s/\s|\s(?:or|and|oder|und|ou|et|o|e|of|en)\s", re.IGNORECASE)
_LABEL_OF_PHONE = re.compile(
    r"\A(?:tel|telefon|telefono|t[eé]l[eé]phone|telefone|phone|ph|fon|p|t|m|w|h|d|o|c|mob|mobile?|handy|cell|office|work|home|"
    r"direct|number|nr)\.?\s*[:=]\s*(?=[+(\d])",
    re.IGNORECASE,
)
_PHONES_OF_JSON = re.compile(r""":\s*"(\+?\(?\d[\d\s().\-/]{4,30})\"""")
_FEWEST_DIGITS = 3
_LOST_PHONE = re.compile(r"[+-]?\d(?:[.,]\d+)?E\+?\d{1,2}", re.ASCII | re.IGNORECASE)
_FLOAT_PHONE = re.compile(r"(\+?\d{7,})[.,]0", re.ASCII)


class FoundValues(NamedTuple):
    """The values of a cell, best first, the rest of its text, and why there is no value or less than there was.

    `problem` is a code and a sentence, or None. `rest` is "" if the cell contains nothing beside the values.
    """

    values: tuple[str, ...]
    rest: tuple[str, ...] = ()
    problem: tuple[str, str] | None = None


def emails_in(cell: str) -> FoundValues:
    """Returns the normalised addresses in a cell. The address of no person, such as `noreply@`, is in the rest."""
    text = _FULL_WIDTH.sub(_half_width, _without_tags(cell[:MAX_CELL_LENGTH]))
    other: list[str] = []
    problem = None
    try:
        found = [normalised_email(text)]
    except InvalidProspect as refusal:
        problem = refusal.reason_code, refusal.details
        found, other = _emails_within(_WRITTEN_BREAK.sub(r"\1 ", text))
        if not found and _SPACE_AROUND_AT.search(text):
            found, other = _emails_within(_SPACE_AROUND_AT.sub("@", text))
    other.extend(_tail(cell))
    locked = [address for address in found if is_locked_email(address)]
    values = [address for address in found if not (is_locked_email(address) or is_no_reply(address))]
    rest = [address for address in found if is_no_reply(address)] + other
    return FoundValues(tuple(values), tuple(rest), None if found or locked else problem)


def text_before_address(cell: str) -> str:
    """Returns the text before an address in brackets, such as the name in `"Vint, Ada" <ada@vint.example>`."""
    text = cell[:MAX_CELL_LENGTH]
    if (found := _BEFORE_ADDRESS.match(text)) is not None:
        return found[1].strip(" \t\"'“”„«»")
    # Two to four words, of which the first and the last begin with a capital letter, or have a script without them.
    found = _NAME_BEFORE_ADDRESS.match(text)
    ends = [] if found is None else [found[1].split()[0], found[1].split()[-1]]
    return found[1] if found and all(word[0].isalpha() and not word[0].islower() for word in ends) else ""


def phones_in(cell: str) -> FoundValues:
    """Returns the phone numbers in a cell as they are written. A number that a spreadsheet has rounded is left out."""
    text = _FULL_WIDTH.sub(_half_width, _without_quotes(cell[:MAX_CELL_LENGTH]))
    # A spreadsheet takes a number behind an apostrophe for a text.
    text = text.lstrip("'‘’`")
    if text[:4].lower() == "tel:":
        text = text[4:]
    if text[:1] in ("[", "{") and (numbers := _PHONES_OF_JSON.findall(text)):
        text = ";".join(numbers)
    # Behind `;` of an address like `tel:+1-555-0100;ext=5` is no other number.
    parts = [_without_quotes(part.strip("[] ")) for part in _BETWEEN_PHONES.split(text, MAX_VALUES_A_CELL)]
    parts = [part for part in parts if part and not is_placeholder(part, "phone")]
    if len(parts) > 1 and not all(_is_whole_phone(part) for part in parts):
        # `030 / 1234567` and `555 0101, ext 3` are one number.
        parts = [" ".join(text.split())]
    lost = [part for part in parts if _LOST_PHONE.fullmatch(part)]
    values = [_without_label(_without_fraction(part)) for part in parts if part not in lost and _has_digits(part)]
    rest = (*(part for part in parts if not _has_digits(part)), *_tail(cell))
    if not lost:
        return FoundValues(tuple(dict.fromkeys(values)), rest)
    sentence = f"phone {shown(lost[0])} was rounded by a spreadsheet: format the column as text and enter the number."
    return FoundValues(tuple(dict.fromkeys(values)), rest, ("INVALID_PHONE", sentence))


def profiles_in(cell: str, *, is_name: bool = False, person: Callable[[], frozenset[str]] = frozenset) -> FoundValues:
    """Returns the normalised identifiers of the LinkedIn profiles in a cell: public ones before member ids.

    `is_name` is true in a column of identifiers. Elsewhere a text without an address is a profile's name only if it has
    a digit or hyphen in it, or contains one of the words that `person` returns. Otherwise `Profile` or `Connected`
    would be the same profile in all rows. Other addresses, and one that also names a search, are in the rest.
    """
    text = _without_tags(_without_quotes(cell[:MAX_CELL_LENGTH]))
    text = _MISTYPED.sub("https://", _with_slashes(text.rstrip(".,;")))
    found: list[str] = []
    problem = None
    try:
        found.append(normalised_identifier(text) if is_name else linkedin_public_identifier(text))
    except InvalidProspect as refusal:
        problem = refusal.reason_code, refusal.details
    addresses = _LINKEDIN_ADDRESS.findall(text)
    if found and len(addresses) < 2:
        return FoundValues(tuple(found), _sales_address(text, found[0]) + _tail(cell))
    if not addresses and (handle := _handle(text, person)) is not None:
        return FoundValues((handle,))
    several, unusable = _identifiers(addresses)
    found = several or found
    if not found:
        return FoundValues((), (cell,), problem)
    values = sorted(dict.fromkeys(found), key=is_member_id)
    return FoundValues(tuple(values), (*unusable, *_text_beside(text), *_tail(cell)))


def _without_tags(text: str) -> str:
    """Returns the address and the text of a link of HTML."""
    return _LINK.sub(r"\1 \2", text) if "<" in text and "href" in text.lower() else text


def _with_slashes(text: str) -> str:
    """Returns an address with its slashes: JSON has `\\/` for one, and people type a backslash."""
    return text.replace("\\/", "/").replace("\\", "/") if "\\" in text and "linkedin." in text.lower() else text


def member_number(cell: str) -> str | None:
    """Returns a cell of the form `urn:li:member:122138853`, which names a person but no address of LinkedIn."""
    text = without_invisible_edges(cell).lower()
    return text if _MEMBER.fullmatch(text) else None


def _emails_within(text: str) -> tuple[list[str], list[str]]:
    """Returns the addresses among the words of a text, and the other words as one text."""
    found: dict[str, None] = {}
    words: list[str] = []
    for word in _BETWEEN_EMAILS.split(text):
        for part in word.split("/") if word.count("@") > 1 else [word]:
            address = _email_or_none(part) if len(found) < MAX_VALUES_A_CELL else None
            if address is not None:
                found[address] = None
            elif part.lower() not in _SYNTAX and not is_placeholder(part):
                words.append(part.strip(_AROUND_EMAIL))
    beside = " ".join(filter(None, words))
    return list(found), [beside] if beside else []


def _email_or_none(word: str) -> str | None:
    local, at, domain = word.rpartition("@")
    if not at:
        return None
    try:
        # Behind the address of a link can be a subject.
        return normalised_email(f"{local}@{domain.partition('?')[0]}".strip(_AROUND_EMAIL))
    except InvalidProspect:
        return None


def _half_width(char: re.Match[str]) -> str:
    return "@" if char[0] == "\ufe6b" else chr(ord(char[0]) - 0xFEE0)


def _without_fraction(part: str) -> str:
    number = _FLOAT_PHONE.fullmatch(part)
    return number[1] if number else part


def _without_label(part: str) -> str:
    """Returns a number without the word for its kind before it: `M: +44 …`."""
    number = _LABEL_OF_PHONE.sub("", part)
    return number if _has_digits(number) else part


def _has_digits(part: str) -> bool:
    return sum(map(str.isdigit, part)) >= _FEWEST_DIGITS


def _is_whole_phone(part: str) -> bool:
    return sum(map(str.isdigit, part)) >= 7 or _LOST_PHONE.fullmatch(part) is not None


def _identifiers(addresses: list[str]) -> tuple[list[str], list[str]]:
    """Returns the identifiers in the addresses, and the addresses without one, such as a company's."""
    found: list[str] = []
    unusable: list[str] = []
    for address in addresses[:MAX_VALUES_A_CELL]:
        try:
            identifier = linkedin_public_identifier(address.rstrip("."))
        except InvalidProspect:
            unusable.append(address)
        else:
            found.append(identifier)
            unusable.extend(_sales_address(address, identifier))
    return found, unusable + addresses[MAX_VALUES_A_CELL:]


def _sales_address(address: str, identifier: str) -> tuple[str, ...]:
    """Returns the address if it names a search beside the person."""
    return (address,) if is_member_id(identifier) and "," in address and "/sales/" in address.lower() else ()


def _text_beside(text: str) -> list[str]:
    """Returns what a cell contains beside addresses, without quotes, brackets and the usual labels of links."""
    words = _MARKUP.sub(" ", _LINKEDIN_ADDRESS.sub(" ", text)).strip()
    return [] if words.lower() in _LABELS else [words]


def _handle(text: str, person: Callable[[], frozenset[str]]) -> str | None:
    handle = text.removeprefix("@")
    if not _HANDLE.fullmatch(handle) or not any(map(str.isalpha, handle)):
        return None
    is_typical = len(handle) >= 5 and ("-" in handle or any(map(str.isdigit, handle)))
    name = handle.casefold()
    if not is_typical and not any(len(word) > 2 and word in name for word in person()):
        return None
    try:
        return normalised_identifier(handle)
    except InvalidProspect:
        return None


def _tail(cell: str) -> tuple[str, ...]:
    return (cell[MAX_CELL_LENGTH:],) if len(cell) > MAX_CELL_LENGTH else ()


def _without_quotes(cell: str) -> str:
    """Returns the text without white space and quotes around it, as often as they alternate."""
    text = without_invisible_edges(cell)
    while len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`":
        text = without_invisible_edges(text[1:-1])
    return text
