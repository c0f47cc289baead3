"""The addresses behind the cells of an .xlsx sheet: a cell with the text `LinkedIn` can be a link to a profile.

A sheet lists its links behind its rows, so a sheet that has links to profiles or e-mail addresses is read twice.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from html import unescape
from posixpath import dirname, join, split

from leadyard.files.workbooks.archive import Archive
from leadyard.files.workbooks.xml_stream import for_each_element

_MAX_LINKS = 70_000
"""Excel writes at most 65,530 in a sheet."""
_MAX_SHEET_BYTES = 512 * 1024**2
"""Of the unpacked sheet. The search in a larger one would delay the start of a job and a preview by seconds."""
_MAX_TAG_BYTES = 4_096
_MAX_ADDRESS_CHARS = 2_048
# In the text of a cell, `<` is written as an entity. So this is a tag, whatever the prefix of its names is.
_LINK = re.compile(rb"<(?:\w+:)?hyperlink\s[^<>]{1,4000}>")
_ATTRIBUTE = re.compile(r"""(?:^|[\s:])(ref|id)=["']([^"']*)["']""")
_PLACE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})")

_FORMULA = re.compile(r'\s*HYPERLINK\s*\(\s*"((?:[^"]|"")*)"', re.IGNORECASE)
_LABELS = frozenset({
    "", "0", "profile", "profil", "perfil", "profilo", "profiel", "link", "linkedin", "linkedin profile",
    "linkedin-profil", "profil linkedin", "perfil de linkedin", "view", "view profile", "open", "here", "url", "e-mail",
    "email", "mail",
})  # fmt: skip

Links = Mapping[int, Mapping[int, str]]
"""The addresses by the number of the row, from 1, and of the column, from 0."""
NO_LINKS: Links = {}


def links_in(archive: Archive, part: str) -> Links:
    """Returns the links of the cells of a sheet to profiles on LinkedIn and to e-mail addresses. It leaves out links of
    several cells. Raises UnreadableFile like the reading of rows."""
    addresses = _addresses(archive, join(dirname(part), "_rels", f"{split(part)[1]}.rels"))
    if not addresses or archive.size_of(part) > _MAX_SHEET_BYTES:
        return NO_LINKS
    found: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for tag in _tags(archive.chunks(part)):
        values = dict(_ATTRIBUTE.findall(tag.decode("utf-8", "replace")))
        place = _PLACE.fullmatch(values.get("ref", ""))
        address = addresses.get(unescape(values.get("id", "")))
        if place and address:
            found[int(place[2])][_column(place[1])] = address
    return found


def shown_or_linked(text: str, formula: str) -> str:
    """Returns the text of a cell with the formula `HYPERLINK("address","text")`, or the address, if it leads to a
    profile or is an e-mail address and the text is only a label."""
    found = _FORMULA.match(formula)
    if found is None or text.strip().casefold() not in _LABELS or len(found[1]) > _MAX_ADDRESS_CHARS:
        return text
    address = found[1].replace('""', '"')
    return address if _is_wanted(address) else text


def _is_wanted(address: str) -> bool:
    return "linkedin." in address.lower() or address[:7].lower() == "mailto:"


def _addresses(archive: Archive, part: str) -> dict[str, str]:
    """Returns the addresses by the id of their relation."""
    found: dict[str, str] = {}

    def handle(_: str, name: str, attributes: dict[str, str]) -> None:
        target = attributes.get("Target", "")
        kind = attributes.get("Type", "").rpartition("/")[2]
        if name == "Relationship" and kind == "hyperlink" and _is_wanted(target) and len(found) < _MAX_LINKS:
            found[attributes.get("Id", "")] = target[:_MAX_ADDRESS_CHARS]

    if archive.has(part):
        for_each_element(archive.chunks(part), handle)
    return found


def _tags(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        text = rest + chunk
        # The search for the word is many times as fast as the one for the tag.
        if b"hyperlink" in text:
            for found in _LINK.finditer(text):
                yield found[0]
        last = text.rfind(b"<")
        rest = text[last:] if last >= 0 and len(text) - last < _MAX_TAG_BYTES and b">" not in text[last:] else b""


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
