"""Finds the lead of a prospect, in memory, among the leads that share one of its identities.

The order is LinkedIn, e-mail, outside id (contract section 4; docs/decisions/0002). If two profiles could be one person
or two, the service reports it and does not guess. Two people with one address are two leads, and the name decides which
of them is meant (docs/decisions/0044).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from leadyard.errors import InvalidProspect
from leadyard.ids import new_id
from leadyard.model import Lead, Note, OnKnown, OtherIdentity, Profile, Rejection, ReplacedValue, new_lead
from leadyard.people.linkedin_urls import is_member_id
from leadyard.people.roster import Roster
from leadyard.people.text_rules import shown
from leadyard.people.updating import differs, fills, met, replaced_values

NO_MEMBERS: Mapping[int, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """The distinct leads of the prospects, with the new ones to insert, and the known ones whose profile has changed.

    `before` are the changed ones as they were, in the same order. `filled_count` of them got values for empty fields.
    `differing_count` counts the matched prospects with a value other than the known one. `left_behind` are identities
    that a changed one no longer has in its profile, and by which it must still be found.
    """

    lead_ids: tuple[str, ...]
    created: tuple[Lead, ...]
    changed: tuple[Lead, ...]
    before: tuple[Lead, ...]
    filled_count: int
    matched_count: int
    differing_count: int
    replaced: tuple[ReplacedValue, ...]
    left_behind: tuple[OtherIdentity, ...]
    rejections: tuple[Rejection, ...]
    notes: tuple[Note, ...]
    lead_of: Mapping[int, str]
    """The lead of each prospect by its index."""


def match_prospects(
    profiles: Sequence[tuple[int, Profile]],
    known: Iterable[Lead],
    others: Iterable[OtherIdentity] = (),
    *,
    members: Mapping[int, str] = NO_MEMBERS,
    now: int,
    on_known: OnKnown = OnKnown.FILL,
) -> Matches:
    """Returns the lead of every (index, normalised profile), given all leads that have one of the identities, and the
    identities that these have in addition to those in their profiles.

    A prospect may also match a lead that an earlier one of the same call created or changed. `on_known` applies to
    these too, so that the result does not depend on how a source is divided into calls. `members` has the member ids
    that the source gives beside public profiles: from then on both lead to one lead.
    """
    roster, has_members = Roster(known, others), bool(members)
    before = dict(roster.leads)
    lead_ids: dict[str, None] = {}
    created: dict[str, Lead] = {}
    matched_count = differing_count = 0
    rejections: list[Rejection] = []
    notes: list[Note] = []
    also: list[OtherIdentity] = []
    lead_of: dict[int, str] = {}
    for index, profile in profiles:
        try:
            member = members.get(index) if has_members else None
            lead, is_shared = roster.find(profile, member)
        except InvalidProspect as reason:
            rejections.append(Rejection(index=index, code=reason.reason_code, message=reason.details))
            continue
        if lead is None:
            lead = new_lead(new_id(), profile, now, is_shared)
            roster.enter(lead)
            created[lead.id] = lead
        else:
            matched_count += 1
            # Nearly every row of a file that is imported again.
            if lead.profile != profile:
                differing_count += differs(lead.profile, profile)
                also += _meet(roster, lead, profile, on_known, is_shared=is_shared, member=member)
            # Where nothing is filled, the next import finds the same names.
            if on_known is not OnKnown.SKIP:
                also += roster.remember_name(lead.id, profile)
        if is_shared and roster.leads[lead.id].profile.email == profile.email:
            notes.append(_note_on_shared_email(index, profile.email or ""))
        if member is not None:
            also += roster.name_also(lead.id, (profile.public_identifier, member))
        lead_of[index] = lead.id
        lead_ids[lead.id] = None
    changed = [
        (before[lead_id], roster.leads[lead_id])
        for lead_id in lead_ids
        if lead_id in before and roster.leads[lead_id] is not before[lead_id]
    ]
    changed = [(old, new) for old, new in changed if old != new]
    return Matches(
        lead_ids=tuple(lead_ids),
        created=tuple(map(roster.leads.__getitem__, created)),
        changed=tuple(new for _, new in changed),
        before=tuple(old for old, _ in changed),
        filled_count=sum(fills(old.profile, new.profile) for old, new in changed),
        matched_count=matched_count,
        differing_count=differing_count,
        replaced=tuple(value for old, new in changed for value in replaced_values(new.id, old.profile, new.profile)),
        left_behind=tuple(each for each in dict.fromkeys(also) if not _is_own(each, roster.leads[each.lead_id])),
        rejections=tuple(rejections),
        notes=tuple(notes),
        lead_of=lead_of,
    )


def _meet(
    roster: Roster, lead: Lead, profile: Profile, on_known: OnKnown, *, is_shared: bool, member: str | None
) -> Iterable[OtherIdentity]:
    """Writes into the roster what becomes of the lead. An address that it gets here is shared if `is_shared`. A lead
    that is known by its member id gets the public profile instead, which anyone can open. Returns the identities that
    the lead leaves behind."""
    after = met(lead.profile, profile, on_known, is_shared=is_shared)
    own = after.public_identifier
    if member is not None and own is not None and on_known is not OnKnown.SKIP and is_member_id(own):
        after = replace(after, public_identifier=profile.public_identifier, linkedin_url=profile.linkedin_url)
    if after is lead.profile:
        return ()
    shares_email = lead.shares_email if after.email == lead.profile.email else is_shared
    return roster.replace(lead, new_lead(lead.id, after, lead.created_at, shares_email))


def _is_own(identity: OtherIdentity, lead: Lead) -> bool:
    """Returns whether the lead has the e-mail or the outside id again, after another one in between."""
    return identity.kind in ("email", "provider_id") and getattr(lead.profile, identity.kind) == identity.value


def _note_on_shared_email(index: int, address: str) -> Note:
    message = (
        f"email {shown(address)} is also the address of another person: it was stored, and does not identify this "
        "person without the name."
    )
    return Note(index=index, code="SHARED_EMAIL", message=message)
