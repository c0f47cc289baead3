"""Which lead a prospect is: decided in memory, against the leads that bear one of its identities.

The order is LinkedIn, e-mail, outside id (contract section 4; docs/decisions/0002). Two profiles that could be one
person or two are reported, never guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leadyard.errors import InvalidProspect
from leadyard.ids import new_id
from leadyard.model import Lead, Profile, Rejection
from leadyard.operations.identity import fill_empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """The leads the prospects are, without repetition: new ones to insert, known ones whose profile was filled in."""

    lead_ids: tuple[str, ...]
    created: tuple[Lead, ...]
    filled: tuple[Lead, ...]
    matched_count: int
    rejections: tuple[Rejection, ...]


def match_prospects(profiles: Sequence[tuple[int, Profile]], known: Iterable[Lead], *, now: int) -> Matches:
    """Returns the lead of every (index, normalised profile), given all leads that bear one of the identities.

    A prospect may also match a lead that an earlier one of the same call created or filled.
    """
    roster = _Roster(known)
    created: dict[str, None] = {}
    filled: dict[str, None] = {}
    lead_ids: dict[str, None] = {}
    matched_count = 0
    rejections: list[Rejection] = []
    for index, profile in profiles:
        try:
            lead = roster.find(profile)
        except InvalidProspect as reason:
            rejections.append(Rejection(index=index, code=reason.reason_code, message=reason.details))
            continue
        if lead is None:
            lead = Lead(id=new_id(), profile=profile, created_at=now)
            roster.enter(lead)
            created[lead.id] = None
        else:
            matched_count += 1
            if roster.fill(lead, profile) and lead.id not in created:
                filled[lead.id] = None
        lead_ids[lead.id] = None
    return Matches(
        lead_ids=tuple(lead_ids),
        created=tuple(roster.leads[lead_id] for lead_id in created),
        filled=tuple(roster.leads[lead_id] for lead_id in filled),
        matched_count=matched_count,
        rejections=tuple(rejections),
    )


class _Roster:
    """Leads by each of their identities."""

    def __init__(self, known: Iterable[Lead]) -> None:
        self.leads: dict[str, Lead] = {}
        self._by_public_identifier: dict[str, str] = {}
        self._by_email: dict[str, str] = {}
        self._by_provider_id: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for lead in known:
            self.enter(lead)

    def enter(self, lead: Lead) -> None:
        self.leads[lead.id] = lead
        profile = lead.profile
        if profile.public_identifier:
            self._by_public_identifier[profile.public_identifier] = lead.id
        if profile.email:
            self._by_email[profile.email] = lead.id
        if profile.provider_id:
            self._by_provider_id[profile.provider_id][lead.id] = None

    def fill(self, lead: Lead, profile: Profile) -> bool:
        filled = fill_empty(lead.profile, profile)
        if filled is lead.profile:
            return False
        self.enter(Lead(id=lead.id, profile=filled, created_at=lead.created_at))
        return True

    def find(self, profile: Profile) -> Lead | None:
        by_linkedin = self._get(self._by_public_identifier, profile.public_identifier)
        by_email = self._get(self._by_email, profile.email)
        if by_linkedin and by_email and by_linkedin.id != by_email.id:
            raise InvalidProspect(
                "IDENTITY_CONFLICT",
                f"The LinkedIn profile is that of lead {by_linkedin.id} but the e-mail that of lead {by_email.id}: "
                "correct one of them or leave it out.",
            )
        if by_linkedin:
            return by_linkedin
        if by_email:
            # The row knows a LinkedIn profile that no lead has; the lead may lack one, but must not have another.
            if profile.public_identifier and by_email.profile.public_identifier:
                raise InvalidProspect(
                    "IDENTITY_CONFLICT",
                    f"The e-mail is that of lead {by_email.id}, who has another LinkedIn profile: correct one of the "
                    "two or leave it out.",
                )
            return by_email
        return self._find_by_provider_id(profile)

    def _find_by_provider_id(self, profile: Profile) -> Lead | None:
        bearers = [self.leads[lead_id] for lead_id in self._by_provider_id.get(profile.provider_id or "", ())]
        if profile.public_identifier or profile.email:
            # Whoever has a stronger identity is only taken for a lead that is known by nothing but this outside id.
            return next((lead for lead in bearers if _is_known_by_provider_id_only(lead)), None)
        if len(bearers) > 1:
            raise InvalidProspect(
                "AMBIGUOUS_PROVIDER_ID",
                f"Several leads have this provider id, among them {bearers[0].id} and {bearers[1].id}: add an "
                "e-mail or a LinkedIn profile.",
            )
        return bearers[0] if bearers else None

    def _get(self, index: dict[str, str], key: str | None) -> Lead | None:
        return self.leads[index[key]] if key is not None and key in index else None


def _is_known_by_provider_id_only(lead: Lead) -> bool:
    return lead.profile.public_identifier is None and lead.profile.email is None
