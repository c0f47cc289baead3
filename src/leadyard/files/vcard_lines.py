"""The properties of vCards, one card at a time: versions 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350)."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from typing import NamedTuple

from leadyard.errors import UnreadableFile
from leadyard.files.text_lines import MAX_RECORD_CHARS, TextLines

_EMBEDDED = frozenset({"photo", "logo", "sound", "key"})
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PARAMETER = re.compile(r';([^=;:"]*)(?:=((?:"[^"]*"|[^;:"])*))?')
_NAME = re.compile(r"(?:([\w-]+)\.)?([\w-]+)", re.ASCII)
_MAX_PROPERTIES = 2_000


class Property(NamedTuple):
    """A line of a card: `group` (`item1`), `name` and `types` (`work`, `pref`, and the service of a social profile) in
    lower case, and the value as it is written, still escaped. `preference` is 1 for the most preferred one, up to 100.
    """

    group: str
    name: str
    types: frozenset[str]
    value: str
    preference: int = 100

    @property
    def text(self) -> str:
        """The value without escapes."""
        return plain(self.value)


class Card(NamedTuple):
    """The properties of a card, and its first line in the file."""

    line_number: int
    properties: list[Property]


def cards_in(lines: TextLines) -> Iterator[Card]:
    """Yields the cards. A card inside another one is left out, and a missing END:VCARD is forgiven.

    Raises UnreadableFile for a card of more than MAX_RECORD_CHARS without its pictures.
    """
    card: Card | None = None
    inner = chars = 0
    for number, line in _unfolded(lines):
        mark = line.strip().lower()
        if mark == "begin:vcard":
            if card is None:
                card, chars = Card(number, []), 0
            else:
                inner += 1
        elif mark == "end:vcard":
            if inner:
                inner -= 1
            elif card is not None:
                yield card
                card = None
        elif card is not None and not inner and (found := _property(line)) is not None:
            card.properties.append(found)
            chars += len(found.value)
            if chars > MAX_RECORD_CHARS or len(card.properties) > _MAX_PROPERTIES:
                raise UnreadableFile(f"The card that begins on line {card.line_number:,} is too long: shorten it.")
    if card is not None and card.properties:
        yield card


def plain(value: str) -> str:
    """Returns a value without its escapes."""
    if "\\" not in value:
        return value.strip()
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value).strip()


def parts(value: str) -> list[str]:
    """Returns the parts of a structured value, such as family and given name, without escapes."""
    found, begin, at = [], 0, 0
    while at < len(value):
        if value[at] == "\\":
            at += 1
        elif value[at] == ";":
            found.append(plain(value[begin:at]))
            begin = at + 1
        at += 1
    return [*found, plain(value[begin:])]


def _unfolded(lines: TextLines) -> Iterator[tuple[int, str]]:
    """Yields the logical lines with their first line's number: continued by white space, or by `=` at the end of a
    quoted-printable one."""
    waiting: list[str] = []
    number = 0
    is_quoted = is_embedded = False
    while True:
        lines.begin_record()
        raw = next(lines, None)
        line = None if raw is None else raw.rstrip("\r\n")
        if line is not None and waiting and is_quoted and waiting[-1].endswith("="):
            waiting[-1] = waiting[-1][:-1]
            waiting.append(line)
        elif line is not None and waiting and line[:1] in (" ", "\t") and line.strip():
            if not is_embedded:
                waiting.append(line[1:])
        else:
            if waiting:
                yield number, "".join(waiting)
            if line is None:
                return
            head = line.partition(":")[0].lower()
            waiting, number = [line] if line.strip() else [], lines.line_number
            is_quoted = "quoted-printable" in head
            name = _NAME.match(head)
            is_embedded = name is not None and name[2] in _EMBEDDED
        if sum(map(len, waiting[-2:])) > MAX_RECORD_CHARS or len(waiting) > 65_536:
            raise UnreadableFile(f"The line {number:,} of the vCard is too long: shorten it.")


def _property(line: str) -> Property | None:
    found = _NAME.match(line)
    if found is None:
        return None
    at = found.end()
    names: dict[str, str] = {}
    while parameter := _PARAMETER.match(line, at):
        key, value = parameter[1].strip().lower(), parameter[2]
        # 2.1 writes `TEL;WORK;VOICE` for `TEL;TYPE=WORK,VOICE`.
        key, value = (key, value) if value is not None else ("type", key)
        names[key] = f"{names[key]},{value}" if key in names else value
        at = parameter.end()
    if line[at : at + 1] != ":":
        return None
    types = frozenset(filter(None, re.split(r"[,\s]+", names.get("type", "").replace('"', "").lower())))
    preference = names.get("pref", "")
    if "pref" in names:
        types |= {"pref"}
    for key in ("service-type", "x-service-type"):
        types |= {names.get(key, "").strip('"').lower()} - {""}
    value = line[at + 1 :]
    encoding = names.get("encoding", "").lower() or ("quoted-printable" if "quoted-printable" in types else "")
    if encoding == "quoted-printable":
        value = _from_quoted_printable(value, names.get("charset", "utf-8"))
    elif found[2].lower() in _EMBEDDED and (
        encoding in {"b", "base64"} or "base64" in types or value.startswith("data:")
    ):
        value = "(embedded)"
    rank = int(preference) if preference.isascii() and preference.isdigit() and len(preference) < 4 else 100
    return Property((found[1] or "").lower(), found[2].lower(), types, value, rank)


def _from_quoted_printable(value: str, charset: str) -> str:
    encoded = quopri.decodestring(value.encode("utf-8"))
    for name in (charset.strip('" '), "utf-8", "cp1252"):
        try:
            return encoded.decode(name)
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
    return encoded.decode("latin-1")
