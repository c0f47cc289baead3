"""Puts the values back that an addition with `update` has replaced, when its change is undone.

A value comes back only where the one that the change wrote is still there: a later edit wins. Fields that the change
filled stay filled, because they were empty before (docs/decisions/0044).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

from leadyard.database import Transaction
from leadyard.model import Lead, Profile, ReplacedValue
from leadyard.operations.known_people import find_known_people
from leadyard.people.identity import SHARED_EMAIL_KIND, shared_email_identity
from leadyard.people.updating import put_back
from leadyard.store import lead_identities, leads, replaced_values

_IDENTITIES = ("email", "providerId")


async def put_values_back(
    tx: Transaction, replaced: Sequence[ReplacedValue], among: Collection[str], *, undo_id: str
) -> set[str]:
    """Writes the old values into those leads of `among` that still have the new ones, and records that as part of the
    undo. Returns the leads of `replaced` that keep at least one new value. Lock the leads first."""
    by_lead: defaultdict[str, list[ReplacedValue]] = defaultdict(list)
    for each in replaced:
        by_lead[each.lead_id].append(each)
    found = await leads.lock(tx, sorted(set(by_lead) & set(among)))
    old: list[Lead] = []
    changed: list[Lead] = []
    done: list[ReplacedValue] = []
    for lead in found:
        after = lead
        for each in by_lead[lead.id]:
            before, after = after, await _with_old_value(tx, after, each)
            if after is not before:
                done.append(replace(each, old=each.new, new=each.old))
        if after is not lead:
            old.append(lead)
            changed.append(after)
    if changed:
        await leads.update(tx, changed, before=old)
        await replaced_values.add(tx, undo_id, done)
    kept = {(each.lead_id, each.field) for each in replaced} - {(each.lead_id, each.field) for each in done}
    return {lead_id for lead_id, _ in kept}


async def _with_old_value(tx: Transaction, lead: Lead, replaced: ReplacedValue) -> Lead:
    """Returns the lead with the old value, or the lead itself if that has to stay as it is."""
    profile = put_back(lead.profile, replaced)
    if profile is None:
        return lead
    if replaced.field not in _IDENTITIES:
        return replace(lead, profile=profile)
    if replaced.field == "email":
        return await _with_email(tx, lead, profile)
    # Without a stronger identity the id would have to be unique.
    return replace(lead, profile=profile) if profile.public_identifier or profile.email else lead


async def _with_email(tx: Transaction, lead: Lead, profile: Profile) -> Lead:
    """Returns the lead with the profile, unless another lead has got the address in the meantime. If the address was
    shared before, it is shared again."""
    if profile.email is None:
        return replace(lead, profile=profile, shares_email=False)
    alone = Profile(email=profile.email)
    known = await find_known_people(tx, [alone], any_shared=False)
    is_taken = any(each.id != lead.id for each in known.leads)
    if not is_taken:
        return replace(lead, profile=profile, shares_email=False)
    own = await lead_identities.list_of_leads(tx, [lead.id])
    shared = shared_email_identity(profile)
    if any(each.kind == SHARED_EMAIL_KIND and each.value == shared for each in own):
        return replace(lead, profile=profile, shares_email=True)
    return lead
