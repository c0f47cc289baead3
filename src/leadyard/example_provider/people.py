"""The people of a CSV file as a provider has them, and the lists that a client can request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadyard.errors import InvalidProspect, UnreadableFile
from leadyard.files.columns import plan_columns
from leadyard.files.table import Row
from leadyard.files.tables import open_table
from leadyard.people.fields import TEXT_FIELDS, Profile
from leadyard.people.linkedin_urls import linkedin_public_identifier, normalised_identifier

MAX_PEOPLE = 100_000

Prospect = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedList:
    """A lead list or a saved search, with the places of its members in the file."""

    id: str
    name: str
    members: range


class People:
    """The people of the file, in its order, without the rows that cannot be read."""

    def __init__(self, prospects: Sequence[Prospect], *, name: str) -> None:
        self.prospects = list(prospects)
        count = len(self.prospects)
        everybody, first, second = range(count), range(count // 2), range(count // 2, count)
        self.lead_lists = (
            NamedList(id=f"{name}-all", name=f"{name}: everybody", members=everybody),
            NamedList(id=f"{name}-first-half", name=f"{name}: first half", members=first),
            NamedList(id=f"{name}-second-half", name=f"{name}: second half", members=second),
        )
        self.saved_searches = (
            NamedList(id=f"{name}-every-second", name=f"{name}: every second person", members=everybody[::2]),
            NamedList(id=f"{name}-first-ten", name=f"{name}: the first ten", members=everybody[:10]),
        )
        self._by_identity: dict[str, Prospect] = {}
        for prospect in self.prospects:
            for identity in _identities(prospect):
                self._by_identity.setdefault(identity, prospect)

    def find(self, asked: Prospect) -> Prospect | None:
        """Returns the person with that id of ours, or with that LinkedIn profile."""
        return next(filter(None, map(self._by_identity.get, _identities(asked))), None)


def _identities(prospect: Prospect) -> list[str]:
    """Returns the identities of a person here: our id, and the LinkedIn profile in any spelling."""
    ids = [f"id:{prospect['providerId']}"] if prospect.get("providerId") else []
    return [*ids, *_linkedin(prospect, "publicIdentifier"), *_linkedin(prospect, "linkedinUrl")]


def _linkedin(prospect: Prospect, key: str) -> list[str]:
    text = prospect.get(key)
    if not isinstance(text, str) or not text:
        return []
    try:
        return [f"linkedin:{_IDENTIFIER_IN[key](text)}"]
    except InvalidProspect:
        return []


_IDENTIFIER_IN = {"publicIdentifier": normalised_identifier, "linkedinUrl": linkedin_public_identifier}


def read_people(file: Path) -> People:
    """Returns the people of the file. Raises UnreadableFile, also for more than 100,000 people, because they are kept
    in memory."""
    name = file.stem or "people"
    with open_table(file) as source:
        plan = plan_columns(source.header, sample=source.sample())
        prospects: list[Prospect] = []
        for row in source:
            if isinstance(row, Row):
                prospects.append(_prospect(plan.profile(row.cells), f"{name}-{len(prospects) + 1}"))
            if len(prospects) > MAX_PEOPLE:
                raise UnreadableFile(f"The example provider serves at most {MAX_PEOPLE:,} people. Use a shorter file.")
    return People(prospects, name=name)


def _prospect(profile: Profile, own_id: str) -> Prospect:
    """Returns the profile as the protocol writes it. Like any provider this one has its own id for each person."""
    prospect: Prospect = {"company": {}}
    for field in TEXT_FIELDS:
        (prospect["company"] if field.in_company else prospect)[field.json_key] = getattr(profile, field.attribute)
    if prospect["name"] is None:
        prospect["name"] = " ".join(filter(None, (profile.first_name, profile.last_name))) or None
    prospect["providerId"] = profile.provider_id or own_id
    prospect["customFields"] = dict(profile.custom_fields)
    return prospect
