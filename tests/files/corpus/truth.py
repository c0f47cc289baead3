"""The people that an importer must find in a file, from the rules of docs/importing.md and not from its code.

The fields follow from the sources of the columns. A text that has no place in a field is in a custom field: under the
name of its column, or, if it lost against another column, under any name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.files.corpus.cells import LOCKED, cell, source_of
from tests.files.corpus.people import Person

_FIELD = {
    "first": "firstName", "last": "lastName", "full": "name", "title": "title", "headline": "headline",
    "about": "about", "photo": "photoUrl", "company": "company.name", "company_page": "company.linkedinUrl",
    "website": "company.website", "domain": "company.website", "industry": "company.industry", "place": "location",
}  # fmt: skip
_EMAIL = {
    "email": 0, "email_locked": 0, "emails_comma": 0, "emails_semicolon": 0, "emails_google": 0, "email_work": 1,
    "email_direct": 2, "email_other": 3, "email_home": 4, "email_second": 5,
}  # fmt: skip
_PHONE = {
    "phone": 0, "phone_direct": 1, "phone_direct_quoted": 1, "phone_mobile": 2, "phone_work": 3, "phone_company": 4,
    "phone_home": 5, "phone_other": 6,
}  # fmt: skip
_PROFILE = {
    "profile": 0,
    "profile_http": 0,
    "profile_bare": 0,
    "member_url": 1,
    "member_bare": 1,
    "sales_plain": 2,
    "sales_url": 2,
}
_PLACES = ("city", "state", "country")


@dataclass(slots=True)
class Expected:
    """A person in a file. `kept` are texts that are in custom fields of any name. Without identity the row is
    rejected."""

    fields: dict[str, str] = field(default_factory=dict)
    custom: dict[str, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)

    @property
    def is_identified(self) -> bool:
        return "linkedinUrl" in self.fields or "email" in self.fields


def expected(person: Person, columns: Sequence[tuple[str, str]]) -> Expected:
    """Returns what an importer must make of the person in a file with these columns."""
    found = Expected()
    cells = [(name, *source_of(column), cell(person, column)) for name, column in columns]
    for name, source, _, text in cells:
        if text and not _is_contact(source):
            _put(found, name, source, text)
    _choose(found, "email", [each for each in cells if each[1] in _EMAIL], _EMAIL)
    _choose(found, "phone", [each for each in cells if each[1] in _PHONE], _PHONE)
    _choose_profile(found, person, cells)
    sources = {source for _, source, _, _ in cells}
    if "place" not in sources and sources & {"city", "country"}:
        parts = [text for part in _PLACES for _, source, _, text in cells if source == part and text]
        place = ", ".join(dict.fromkeys(parts))
        if place:
            found.fields["location"] = place
    return found


def _is_contact(source: str) -> bool:
    return source in _EMAIL or source in _PHONE or source in _PROFILE or source in ("vanity", "talent_url")


def _put(found: Expected, name: str, source: str, text: str) -> None:
    known = _FIELD.get(source)
    if known is None:
        if text != "0/0/00" or name:
            found.custom[name] = text
    elif known not in found.fields:
        found.fields[known] = text
    elif found.fields[known] != text:
        found.kept.append(text)


def _choose(found: Expected, known: str, cells: list[tuple[str, str, int | None, str]], trust: dict[str, int]) -> None:
    ranked = sorted(cells, key=lambda each: trust[each[1]] if each[2] is None else each[2])
    values = [value for _, source, _, text in ranked for value in _values(source, text) if value and value != LOCKED]
    if values:
        first, *others = dict.fromkeys(values)
        found.fields[known] = first
        found.kept += others


def _values(source: str, text: str) -> list[str]:
    between = {"emails_comma": ", ", "emails_semicolon": ";", "emails_google": " ::: "}.get(source)
    if between is not None:
        return text.split(between)
    return [text.removeprefix("'")]


def _choose_profile(found: Expected, person: Person, cells: list[tuple[str, str, int | None, str]]) -> None:
    sources = {source for _, source, _, text in cells if text}
    by_name = sources & {"profile", "profile_http", "profile_bare", "vanity"}
    by_member = sources & {"member_url", "member_bare", "sales_plain", "sales_url", "member"}
    chosen = person.vanity if by_name else person.member if by_member else ""
    if chosen:
        found.fields["publicIdentifier"] = chosen
        found.fields["linkedinUrl"] = f"https://www.linkedin.com/in/{chosen}"
    for _, source, _, text in cells:
        # An address of Sales Navigator also names the search, so it is kept even where it is the identity.
        better = by_name | (sources & {"member_url", "member_bare"} if source == "sales_plain" else set())
        is_lost = source == "sales_url" or (better and source in ("member_url", "member_bare", "sales_plain"))
        if text and (is_lost or source == "talent_url"):
            found.kept.append(text)
