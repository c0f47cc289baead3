"""Makes the best of a row of a file: keeps the person, and reports each value that cannot be kept as it is.

A value is in its field, in a custom field, or named in a note. What a cell contains beside the value of its field is
kept in custom fields `email (2)`, `email (3)` and so on. A placeholder such as `N/A` is an empty cell, and no note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from leadyard.errors import InvalidProspect
from leadyard.people.cells import FoundValues, emails_in, member_number, phones_in, profiles_in, text_before_address
from leadyard.people.fields import (
    MAX_CUSTOM_FIELDS,
    MAX_CUSTOM_NAME_LENGTH,
    MAX_CUSTOM_VALUE_LENGTH,
    TEXT_FIELDS,
    Profile,
)
from leadyard.people.identity import RowTexts, normalised, numbered_name
from leadyard.people.linkedin_urls import canonical_profile_url, identifier_key, is_member_id
from leadyard.people.person_names import name_contradicts, name_words
from leadyard.people.placeholders import SUSPICIOUS, is_honorific, is_locked_email, is_of_no_person, is_placeholder
from leadyard.people.text_rules import repaired, shown

_FIELD = {text_field.attribute: text_field for text_field in TEXT_FIELDS}
_LINKEDIN = ("linkedin_url", "public_identifier")
_READ_BY_CONTENT = frozenset({"email", "phone", *_LINKEDIN})
# A part of a URL or of an id leads to another place or to another person.
_USELESS_IF_CUT = frozenset(
    {"provider_id", "photo_url", "company_linkedin_identifier", "company_linkedin_url", "company_website", "phone"}
)
# Nothing but a number: at least three digits, of which the first that is not zero comes early.
_PLAIN_PHONE = re.compile(r"[+(0 ]{0,4}[1-9][+ ()-]*\d[+ ()-]*\d[+\d ()-]*(?:\.[\d ()-]{2,})*", re.ASCII)
# Behind the address of a profile there can be another one, or a remark.
_BEHIND_URL = re.compile(r"""[\s,;|<>"]""")
_NAMES_A_NOTE = 250
_NAMES = ("first_name", "last_name", "name")


class Problem(NamedTuple):
    """Why a value is not in the field as it was written: a stable code and a sentence."""

    code: str
    message: str


class TidyRow(NamedTuple):
    """A normalised profile, and the problems of the row that it was made from."""

    profile: Profile
    problems: tuple[Problem, ...]


def needs_tidying(linkedin_cell: str | None, known: Mapping[str, str], custom: Mapping[str, str] | None) -> bool:
    """Returns whether a row that is valid as it is could still contain a value in the wrong place.

    `known` and `custom` are its normalised values, and `linkedin_cell` is the text that `linkedin_url` was made from.
    Nearly all rows of an import end here.
    """
    if not SUSPICIOUS.isdisjoint(known.values()) or (custom and not SUSPICIOUS.isdisjoint(custom.values())):
        return True
    if "email" in known and (is_of_no_person(known["email"]) or not known["email"].isascii()):
        return True
    is_longer = linkedin_cell is not None and len(linkedin_cell) > len(known.get("linkedin_url", "")) + 1
    if is_longer and _BEHIND_URL.search(linkedin_cell or ""):
        return True
    if "phone" in known and _PLAIN_PHONE.fullmatch(known["phone"]) is None:
        return True
    return "name" in known and _contradicts_itself(known)


def without_placeholders(texts: Mapping[str, str], custom: Mapping[str, str]) -> RowTexts:
    """Returns a row without the values that stand for an empty cell. Most of such rows then do not need `tidied`."""
    known = {attribute: text for attribute, text in texts.items() if not is_placeholder(text.strip(), attribute)}
    if "email" in known and is_locked_email(known["email"].strip().lower()):
        del known["email"]
    return known, {name: value for name, value in custom.items() if not is_placeholder(value.strip())}


def tidied(texts: Mapping[str, str], custom: Mapping[str, str]) -> TidyRow:
    """Returns the person in a row as a normalised profile, with a problem for each value that was dropped, cut or
    repaired. Tidying a tidy profile again changes nothing.

    Raises InvalidProspect EMPTY_PROSPECT if there is nothing to keep, or with the first problem of the row if that is
    the reason.
    """
    row = _Row()
    for attribute, text in texts.items():
        if attribute not in _READ_BY_CONTENT:
            row.take(attribute, text)
    for name, value in custom.items():
        row.take_custom(name, value)
    _settle_names(row)
    _settle_title(row)
    _settle_email(row, texts.get("email"))
    _settle_phone(row, texts.get("phone"))
    _settle_linkedin(row, {name: texts[name] for name in _LINKEDIN if name in texts})
    row.report_left_out()
    try:
        profile = normalised(row.known, row.custom)
    except InvalidProspect as refusal:
        if refusal.reason_code == "EMPTY_PROSPECT" and row.problems:
            raise InvalidProspect.again(*row.problems[0]) from refusal
        raise
    return TidyRow(profile, tuple(row.problems))


@dataclass(slots=True)
class _Row:
    known: dict[str, str] = field(default_factory=dict)
    custom: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """The names of custom fields for which there is no room, as they are shown."""

    def name_words(self) -> frozenset[str]:
        return frozenset().union(*(name_words(self.known[name]) for name in _NAMES if name in self.known))

    def report(self, code: str, message: str) -> None:
        self.problems.append(Problem(code, message))

    def take(self, attribute: str, value: str) -> None:
        """Puts a text into its field, repaired and cut to the limit, unless it stands for an empty cell."""
        rules = _FIELD[attribute]
        text = self._repaired(rules.json_name, value, rules.several_lines)
        if not text or is_placeholder(text, attribute):
            return
        if attribute == "provider_id" and text != value.strip():
            self.report("INVALID_CHARACTER", f"providerId {shown(value)} contains a character that is not allowed.")
        elif len(text) > rules.max_length and attribute in _USELESS_IF_CUT:
            self._report_length(rules.json_name, text, rules.max_length, "it was left out")
        else:
            self.known[attribute] = self._cut(rules.json_name, text, rules.max_length)

    def take_custom(self, name: str, value: str) -> None:
        """Puts a text into the custom field of this name. Reports a name or a number of fields that is not allowed."""
        label = f"customFields.{name.strip()[:MAX_CUSTOM_NAME_LENGTH]}"
        text = self._repaired(label, value, True)
        if not text or is_placeholder(text):
            return
        key = repaired(name, several_lines=False)
        if not key or len(key) > MAX_CUSTOM_NAME_LENGTH or key in self.custom:
            message = f"The custom field {shown(name)} was left out: its name is empty, too long or there twice."
            self.report("INVALID_CUSTOM_FIELD_NAME", message)
        elif len(self.custom) >= MAX_CUSTOM_FIELDS:
            self.left_out.append(shown(key))
        else:
            self.custom[key] = self._cut(label, text, MAX_CUSTOM_VALUE_LENGTH)

    def keep(self, attribute: str, values: Iterable[str]) -> None:
        """Keeps what is no value of the field in custom fields `NAME (2)`, `NAME (3)` …, each text once."""
        for value in values:
            text = repaired(value, several_lines=True)[:MAX_CUSTOM_VALUE_LENGTH].rstrip()
            name = numbered_name(_FIELD[attribute].json_name, text, self.custom)
            if name not in self.custom:
                self.take_custom(name, value)

    def report_left_out(self) -> None:
        """Reports the custom fields for which there was no room: several in a note, because a row can have hundreds."""
        while self.left_out:
            chars = count = 0
            for name in self.left_out:
                chars += len(name) + 2
                if count and chars > _NAMES_A_NOTE:
                    break
                count += 1
            names, self.left_out = self.left_out[:count], self.left_out[count:]
            verb = "custom field was" if count == 1 else "custom fields were"
            message = f"The {verb} left out, because at most {MAX_CUSTOM_FIELDS} are allowed: {', '.join(names)}."
            self.report("TOO_MANY_CUSTOM_FIELDS", message)

    def _repaired(self, label: str, value: str, several_lines: bool) -> str:
        text = repaired(value, several_lines=several_lines)
        if text != value.strip():
            message = f"{label} {shown(value)} contained a line break or a control character, which was replaced."
            self.report("INVALID_CHARACTER", message)
        return text

    def _cut(self, label: str, text: str, max_length: int) -> str:
        if len(text) <= max_length:
            return text
        self._report_length(label, text, max_length, "the rest was cut off")
        return text[:max_length].rstrip()

    def _report_length(self, label: str, text: str, max_length: int, consequence: str) -> None:
        message = f"{label} {shown(text)} has {len(text):,} characters, at most {max_length:,} fit: {consequence}."
        self.report("VALUE_TOO_LONG", message)


def _settle_names(row: _Row) -> None:
    if _contradicts_itself(row.known):
        row.keep("name", [row.known.pop("name")])


def _contradicts_itself(known: Mapping[str, str | None]) -> bool:
    first, last, name = map(known.get, _NAMES)
    if first is None or last is None or name is None or name == f"{first} {last}":
        return False
    return name_contradicts(name, first, last)


def _settle_title(row: _Row) -> None:
    title = row.known.get("title")
    if title and is_honorific(title):
        row.keep("title", [row.known.pop("title")])


def _settle_email(row: _Row, cell: str | None) -> None:
    if cell is None or not _means_something(cell, "email"):
        return
    found = emails_in(cell)
    _settle(row, "email", found)
    # The text beside an address is nearly always the name of the person.
    names = row.name_words() if found.rest else frozenset()
    beside = [text for text in found.rest if not name_words(text) <= names]
    before = text_before_address(cell) if found.values and beside and not names else ""
    if before or (found.values and beside and not names and "<" in cell):
        # With its comma: `"Vint, Ada" <ada@vint.example>`. Behind it can be other people.
        name = before if before and name_words(before) <= name_words(beside[0]) else beside[0]
        row.take("name", name)
        if name_words(name) == name_words(beside[0]):
            beside.pop(0)
    if not found.problem:
        row.keep("email", beside)


def _settle_phone(row: _Row, cell: str | None) -> None:
    if cell is None or not _means_something(cell, "phone"):
        return
    found = phones_in(cell)
    if found.problem:
        row.report(*found.problem)
    if found.values:
        row.take("phone", found.values[0])
    row.keep("phone", [*found.values[1:], *found.rest])


def _settle_linkedin(row: _Row, cells: Mapping[str, str]) -> None:
    """Chooses the public identifier before the member id. Two public ones in two columns are not decided."""
    found = {
        attribute: _profiles(row, attribute, cell)
        for attribute, cell in cells.items()
        if _means_something(cell, attribute)
    }
    values = [value for one in found.values() for value in one.values]
    public = [[value for value in one.values if not is_member_id(value)] for one in found.values()]
    if len(public) == 2 and public[0] and public[1] and not {*public[0]} & {*public[1]}:
        row.report(
            "CONTRADICTING_IDENTITY",
            f"linkedinUrl names {shown(public[0][0])} but publicIdentifier names {shown(public[1][0])}: "
            "keep the right one only.",
        )
    elif values:
        values.sort(key=is_member_id)
        row.known["public_identifier"] = values.pop(0)
    chosen = row.known.get("public_identifier", "")
    row.keep("linkedin_url", _addresses_of_others(values, chosen))
    for attribute, values_found in found.items():
        row.keep(attribute, values_found.rest)


def _means_something(cell: str, attribute: str) -> bool:
    text = cell.strip()
    return text != "" and not is_placeholder(text, attribute)


def _profiles(row: _Row, attribute: str, cell: str) -> FoundValues:
    """Returns the identifiers in a cell whose address fits into the field. A member's number becomes the outside id."""
    number = member_number(cell)
    if number is not None and row.known.setdefault("provider_id", number) == number:
        return FoundValues(())
    found = profiles_in(cell, is_name=attribute == "public_identifier", person=row.name_words)
    fitting = []
    for value in found.values:
        try:
            canonical_profile_url(value)
        except InvalidProspect as refusal:
            row.report(refusal.reason_code, refusal.details)
        else:
            fitting.append(value)
    if found.problem:
        row.report(*found.problem)
    return FoundValues(tuple(fitting), found.rest, found.problem)


def _addresses_of_others(values: Iterable[str], chosen: str) -> list[str]:
    others = {identifier_key(value): value for value in values if identifier_key(value) != identifier_key(chosen)}
    return [canonical_profile_url(value) for value in others.values()]


def _settle(row: _Row, attribute: str, found: FoundValues) -> None:
    """Puts the first value into the field and keeps the other values."""
    if found.problem:
        row.report(*found.problem)
    if found.values:
        row.known[attribute] = found.values[0]
    row.keep(attribute, found.values[1:])
