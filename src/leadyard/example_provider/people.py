"""The people of a CSV file as a provider knows them, and the lists one can ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadyard.errors import UnreadableFile
from leadyard.intake.column_spellings import FIELDS
from leadyard.intake.columns import plan_columns
from leadyard.intake.csv_file import CsvRow, open_csv
from leadyard.model import Profile

MAX_PEOPLE = 100_000

Prospect = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedList:
    """A lead list or a saved search: who is in it, as places in the file."""

    id: str
    name: str
    members: range


class People:
    """Everybody in the file, in its order; rows that cannot be read are left out."""

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
        """Returns the person that is meant, by our id for them or by their LinkedIn profile."""
        return next(filter(None, map(self._by_identity.get, _identities(asked))), None)


def _identities(prospect: Prospect) -> list[str]:
    """Returns what a person is known by. The URL of a profile is compared by its last part, for it has many
    spellings."""
    slugs = [prospect.get("publicIdentifier"), str(prospect.get("linkedinUrl") or "").partition("/in/")[2]]
    known = [f"linkedin:{slug.strip('/').lower()}" for slug in slugs if isinstance(slug, str) and slug]
    return [f"id:{prospect['providerId']}", *known] if prospect.get("providerId") else known


def read_people(file: Path) -> People:
    """Returns the people of the file. Raises UnreadableFile, also for more than 100,000 of them: they are kept in
    memory."""
    name = file.stem or "people"
    with open_csv(file) as source:
        plan = plan_columns(source.header)
        prospects: list[Prospect] = []
        for row in source:
            if isinstance(row, CsvRow):
                prospects.append(_prospect(plan.profile(row.cells), f"{name}-{len(prospects) + 1}"))
            if len(prospects) > MAX_PEOPLE:
                raise UnreadableFile(f"The example provider serves at most {MAX_PEOPLE:,} people: leave some out.")
    return People(prospects, name=name)


def _prospect(profile: Profile, own_id: str) -> Prospect:
    """Returns the profile as the protocol writes it. Like any provider this one has an id of its own for everybody."""
    prospect: Prospect = {"company": {}}
    for field, attribute in FIELDS.items():
        value = getattr(profile, attribute)
        if field.startswith("company."):
            prospect["company"][field.removeprefix("company.")] = value
        else:
            prospect[field] = value
    if prospect["name"] is None:
        prospect["name"] = " ".join(filter(None, (profile.first_name, profile.last_name))) or None
    prospect["providerId"] = profile.provider_id or own_id
    prospect["customFields"] = dict(profile.custom_fields)
    return prospect
