"""A file of vCards as a table: one card a row, under names that the import knows.

A card can have any number of addresses, so the most trusted ones have columns and the rest is in `Other properties`.
Pictures inside a card are left out there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from leadyard.errors import UnreadableFile
from leadyard.files.byte_source import ByteSource, Stream
from leadyard.files.encodings import encoding_of
from leadyard.files.table import BadRow, Row, RowsAhead, SkippedRow
from leadyard.files.text_lines import TextLines
from leadyard.files.vcard_lines import Card, Property, cards_in, parts

_MANY = 4
_EMAILS = ("E-mail", *(f"E-mail {number}" for number in range(2, _MANY + 1)))
_PHONES = ("Phone", *(f"Phone {number}" for number in range(2, _MANY + 1)))
HEADER = (
    "Full Name", "First Name", "Last Name", "Middle Name", "Name Prefix", "Name Suffix", "Nickname", "Company",
    "Department", "Job Title", "Role", *_EMAILS, *_PHONES, "LinkedIn URL", "Photo URL", "Street", "City", "State",
    "Postal Code", "Country", "Web Page", "Birthday", "Categories", "Note", "Other properties",
)  # fmt: skip
_NAME_PARTS = ("Last Name", "First Name", "Middle Name", "Name Prefix", "Name Suffix")
_ADDRESS_PARTS = ("", "", "Street", "City", "State", "Postal Code", "Country")
_TEXTS = {
    "fn": "Full Name", "nickname": "Nickname", "title": "Job Title", "role": "Role", "bday": "Birthday",
    "categories": "Categories", "note": "Note", "photo": "Photo URL",
}  # fmt: skip
_LEFT_OUT = frozenset({"version", "prodid", "rev", "x-ablabel", "begin", "end"})
_KINDS = frozenset({"kind", "x-addressbookserver-kind"})
_NO_PHONE = frozenset({"fax", "pager", "modem", "bbs"})
_LINKEDIN = frozenset({"x-socialprofile", "socialprofile", "x-linkedin", "url", "x-linkedin-url", "impp"})
_NAME_OF_PROFILE = re.compile(r"[\w-]{3,100}")
# In the order of trust of contract section 21.
_EMAIL_CLASSES = ("pref", "work", "", "home")
_PHONE_CLASSES = ("pref", "cell", "work", "", "home")


class VcardTable:
    """A Table of vCards. The `line_number` of a row is the first line of its card."""

    format = "vcard"
    sheet: str | None = None
    delimiter: str | None = None
    header_line: int | None = None
    header = HEADER

    def __init__(
        self,
        stream: Stream,
        *,
        encoding: str | None = None,
        default_encoding: str | None = None,
        size_bytes: int | None = None,
    ) -> None:
        self._source = ByteSource(stream)
        self._size_bytes = size_bytes
        name = encoding_of(self._source.peek(64), encoding, default_encoding)
        self.encoding: str | None = name
        lines = TextLines(self._source, name, encoding_was_given=(encoding or default_encoding) is not None)
        self._ahead = RowsAhead(_rows(lines))

    @property
    def bytes_read(self) -> int:
        """The number of bytes of the file that were decoded so far."""
        return self._source.bytes_read

    @property
    def part_read(self) -> float | None:
        """The part of the file that was decoded."""
        return self._source.bytes_read / self._size_bytes if self._size_bytes else None

    def sample(self) -> Sequence[Sequence[str]]:
        """Returns the cells of the first rows."""
        return self._ahead.sample()

    def sheet_names(self) -> Iterator[str]:
        """Yields nothing."""
        return iter(())

    def close(self) -> None:
        """Holds nothing. The stream stays open."""

    def __iter__(self) -> Iterator[Row | BadRow | SkippedRow]:
        return iter(self._ahead)


def is_vcard(start: bytes) -> bool:
    """Returns whether a file that begins like this contains vCards."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if start.startswith(mark):
            start = start[:200].decode(encoding, "replace").encode("utf-8", "replace")
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:11].lower() == b"begin:vcard"


def _rows(lines: TextLines) -> Iterator[Row | SkippedRow]:
    has_card = False
    for card in cards_in(lines):
        has_card = True
        # A list of members is not a person.
        is_group = any(each.name in _KINDS and each.text.lower() == "group" for each in card.properties)
        yield SkippedRow(card.line_number) if is_group else Row(card.line_number, _cells(card))
    if not has_card:
        raise UnreadableFile("The file has no complete vCard: export the contacts again.")


def _cells(card: Card) -> tuple[str, ...]:
    found: dict[str, str] = {}
    other: list[str] = []
    emails = _sorted(card, "email", _EMAIL_CLASSES)
    phones = [phone for phone in _sorted(card, "tel", _PHONE_CLASSES) if not phone.types & _NO_PHONE]
    _fill(found, other, _EMAILS, emails)
    _fill(found, other, _PHONES, phones)
    labels = {each.group: each.text for each in card.properties if each.name == "x-ablabel"}
    for each in card.properties:
        if each.name not in _LEFT_OUT and each not in emails and each not in phones:
            _place(each, found, other, labels)
    found["Other properties"] = "\n".join(other)
    return tuple(found.get(name, "") for name in HEADER)


def _sorted(card: Card, name: str, classes: Sequence[str]) -> list[Property]:
    def trust(each: Property) -> tuple[int, int]:
        place = next((place for place, kind in enumerate(classes) if kind in each.types), classes.index(""))
        return place, each.preference

    return sorted((each for each in card.properties if each.name == name and each.text), key=trust)


def _fill(found: dict[str, str], other: list[str], names: Sequence[str], values: Sequence[Property]) -> None:
    texts = list(dict.fromkeys(each.text.removeprefix("tel:").removeprefix("mailto:") for each in values))
    found.update(zip(names, texts, strict=False))
    other.extend(f"{values[0].name.upper()}: {text}" for text in texts[len(names) :])


def _place(each: Property, found: dict[str, str], other: list[str], labels: dict[str, str]) -> None:
    if each.name == "n":
        _put_parts(each, _NAME_PARTS, found, other)
    elif each.name == "adr" and not found.keys() & set(_ADDRESS_PARTS):
        _put_parts(each, _ADDRESS_PARTS, found, other)
    elif each.name == "org" and "Company" not in found:
        company, *units = parts(each.value)
        found["Company"], found["Department"] = company, ", ".join(filter(None, units))
    elif each.name in _LINKEDIN and "linkedin.com/" in each.text.lower() and "LinkedIn URL" not in found:
        found["LinkedIn URL"] = each.text
    elif each.name in _LINKEDIN and "linkedin" in each.types and "LinkedIn URL" not in found and _handle(each.text):
        found["LinkedIn URL"] = f"linkedin.com/in/{_handle(each.text)}"
    elif each.name == "url" and "Web Page" not in found:
        found["Web Page"] = each.text
    elif (name := _TEXTS.get(each.name)) and name not in found and each.text != "(embedded)":
        found[name] = each.text
    elif each.text.strip("; "):
        label = labels.get(each.group, "").strip("_$!<>")
        other.append(f"{each.name.upper()}{f' ({label})' if label else ''}: {each.text}")


def _handle(text: str) -> str:
    """Returns the name of a profile without its address, as phones write it: `x-apple:ada-king`."""
    name = text.rpartition(":")[2].strip().removeprefix("@")
    return name if _NAME_OF_PROFILE.fullmatch(name) else ""


def _put_parts(each: Property, names: Sequence[str], found: dict[str, str], other: list[str]) -> None:
    """Puts the parts of a structured value into their columns. A second name or address goes to the others."""
    values = parts(each.value)
    for name, value in zip(names, values, strict=False):
        if value and name and name not in found:
            found[name] = value
        elif value:
            other.append(f"{each.name.upper()}: {value}")
    other.extend(f"{each.name.upper()}: {value}" for value in values[len(names) :] if value)
