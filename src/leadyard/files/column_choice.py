"""Chooses the value of a field, row by row, where several columns could have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from leadyard.files.column_content import are_contact_details, identity_in
from leadyard.files.column_sources import Sources
from leadyard.files.custom_names import custom_name, free_name
from leadyard.files.export import without_formula_quote
from leadyard.files.usable_cells import RANKS, UNUSABLE, rank_of_profile, stands_for_nothing
from leadyard.people.cells import emails_in
from leadyard.people.fields import FIELD_OF_NAME
from leadyard.people.linkedin_urls import is_member_id

_PROFILES = ("linkedin_url", "public_identifier")


def _any(_: str) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Choice:
    """The columns of one field in order of trust."""

    attribute: str
    indexes: tuple[int, ...]
    rank: Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Chooser:
    """The fields that are chosen row by row. `kept` names the custom field of each column whose cell can lose."""

    choices: tuple[Choice, ...]
    places: tuple[tuple[int, ...], ...]
    member_ids: tuple[int, ...]
    links: tuple[int, ...]
    contacts: frozenset[int]
    kept: Mapping[int, str]

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes that are chosen here."""
        return frozenset(choice.attribute for choice in self.choices)

    @classmethod
    def for_columns(
        cls, header: Sequence[str], fields: Mapping[str, tuple[int, ...]], sources: Sources, custom: Mapping[str, int]
    ) -> Chooser | None:
        """Returns the chooser for these columns, None if each field has one column and nothing can lose."""
        choices = tuple(
            Choice(FIELD_OF_NAME[name].attribute, indexes, RANKS.get(FIELD_OF_NAME[name].attribute, _any))
            for name, indexes in fields.items()
            if len(indexes) > 1
        )
        places = sources.places()
        if not (choices or places or sources.member_ids or sources.links):
            return None
        losing = [index for choice in choices for index in choice.indexes]
        losing += fields.get("linkedinUrl", ()) if sources.member_ids else ()
        taken = set(custom)
        kept: dict[int, str] = {}
        for index in dict.fromkeys(losing):
            kept[index] = free_name(custom_name(header[index]) or f"Column {index + 1}", taken)
            taken.add(kept[index])
        names = fields.get("name", ())
        contacts = sources.contacts | {
            index for index in sources.links if index in names or are_contact_details(header[index])
        }
        return cls(choices, places, sources.member_ids, sources.links, contacts, kept)

    def choose(self, cells: Sequence[str], known: dict[str, str], custom: dict[str, str]) -> None:
        """Adds the chosen values to the attributes in `known`, and the cells that lost to the custom fields."""
        for choice in self.choices:
            self._choose_one(choice, cells, known, custom)
        if self.member_ids:
            self._settle_member(cells, known, custom)
        if self.links and not any(_is_usable(known, attribute) for attribute in _PROFILES):
            self._find_identity(cells, known, custom)
        if self.places and "location" not in known and (place := _place(self.places, cells)):
            known["location"] = place

    def _choose_one(self, choice: Choice, cells: Sequence[str], known: dict[str, str], custom: dict[str, str]) -> None:
        filled = [(index, cell) for index in choice.indexes if (cell := cells[index]) and not cell.isspace()]
        if len(filled) > 1:
            filled = [(index, cell) for index, cell in filled if not stands_for_nothing(cell, choice.attribute)]
        if not filled:
            return
        if len(filled) == 1:
            known[choice.attribute] = without_formula_quote(filled[0][1])
            return
        ranked = [(choice.rank(without_formula_quote(cell)), index, cell) for index, cell in filled]
        best = min(ranked, key=lambda each: each[0])
        known[choice.attribute] = without_formula_quote(best[2])
        for _, index, cell in ranked:
            if index != best[1] and cell != best[2]:
                custom[self.kept[index]] = without_formula_quote(cell)

    def _find_identity(self, cells: Sequence[str], known: dict[str, str], custom: dict[str, str]) -> None:
        """Uses a profile among other links, or an address where nothing else identifies the person. The cell stays a
        custom field, because of what else can be in it."""
        for index in self.links:
            cell = cells[index]
            text, is_profile = (identity_in(cell, is_contact=index in self.contacts) if cell else None) or ("", False)
            if is_profile:
                known["linkedin_url"] = text
                if known.get("company_website") == cell:
                    del known["company_website"]
                return
            if text and not ("email" in known and emails_in(known["email"]).values):
                if _is_usable(known, "email"):
                    # Exchange has a path where the address should be.
                    custom.setdefault("email (2)", known["email"])
                known["email"] = text
                if known.get("name") == cell:
                    # The name before the address comes back when the address is tidied.
                    del known["name"]

    def _settle_member(self, cells: Sequence[str], known: dict[str, str], custom: dict[str, str]) -> None:
        """Uses LinkedIn's id of the person where no address of the profile can be used."""
        found = next((cells[index].strip() for index in self.member_ids if is_member_id(cells[index].strip())), None)
        url = known.get("linkedin_url", "")
        if found is None or "public_identifier" in known or (url and rank_of_profile(url) != UNUSABLE):
            return
        known["public_identifier"] = found
        if url:
            del known["linkedin_url"]
            index = next(index for index in self.kept if cells[index] and without_formula_quote(cells[index]) == url)
            custom[self.kept[index]] = url


def _is_usable(known: Mapping[str, str], attribute: str) -> bool:
    return attribute in known and not stands_for_nothing(known[attribute], attribute)


def _place(places: tuple[tuple[int, ...], ...], cells: Sequence[str]) -> str:
    parts: list[str] = []
    for indexes in places:
        text = next((cell.strip() for index in indexes if (cell := cells[index]).strip()), "")
        if text and text not in parts:
            parts.append(text)
    return ", ".join(parts)
