"""Merges two leads that are one person."""

from __future__ import annotations

from dataclasses import replace

from leadyard.database import Transaction
from leadyard.errors import AudienceNotReady, NotFound, SameProspect, TransactionConflict
from leadyard.model import Caller, ChangeKind, Effect, Lead, MergeResult, OtherIdentity, Permission
from leadyard.operations.changes.recording import begin, record
from leadyard.operations.changes.uniting import unite
from leadyard.operations.events.recording import record_person
from leadyard.operations.guards import refuse_if_populating
from leadyard.operations.operation import writes
from leadyard.people.identity import IDENTITIES, fill_empty
from leadyard.store import (
    audiences,
    change_subjects,
    changes,
    job_rejections,
    lead_identities,
    leads,
    memberships,
    planned_parts,
    replaced_values,
    shared_emails,
)


@writes(Permission.AUDIENCES_WRITE)
async def merge_leads(tx: Transaction, caller: Caller, *, lead_id: str, other_id: str) -> MergeResult:
    """Makes the two leads one. The first keeps its id and its values, and gets the values of the other one for its
    empty fields. It is then in all audiences of both, in each since the earlier of the two times. It is found by the
    identities of both, and the record of changes names it in place of the other one, which is gone.

    Custom fields are united up to 200; the first lead's come first. The merge is recorded and cannot be undone. Raises,
    in this order, NotFound, SameProspect, and AudienceNotReady while a job populates an audience of either lead, or has
    taken one of them out of an audience and is not finished. The cost grows with the number of changes and of audiences
    of both.
    """
    for each in (lead_id, other_id):
        if await leads.find(tx, each) is None:
            raise NotFound("prospect", each)
    if lead_id == other_id:
        raise SameProspect
    audience_ids = await _audience_ids(tx, lead_id, other_id)
    leaving = await audiences.lock_leaving(tx, audience_ids)
    locked = await audiences.lock(tx, audience_ids)
    await refuse_if_populating(tx, list(locked.values()))
    await _refuse_if_taken_out(tx, lead_id, other_id)
    kept, other = await _lock(tx, lead_id, other_id)
    # As in erase_lead: if one of them has got another audience in the meantime, this audience is not locked.
    if await _audience_ids(tx, lead_id, other_id) != audience_ids:
        raise TransactionConflict
    begun = begin(ChangeKind.MERGE, api_key_id=caller.api_key_id, also=[*locked.values(), *leaving])
    added_at = await unite(tx, lead_id, other_id, audience_ids, leaving, at=begun.changed_at)
    merged = await _merge_profiles(tx, kept, other)
    await change_subjects.rename_lead(tx, other_id, lead_id)
    # A merge cannot be undone, so the values that changes have replaced in the other one cannot come back.
    await replaced_values.forget_lead(tx, other_id)
    await job_rejections.rename_lead(tx, other_id, lead_id)
    change = await record(tx, begun, Effect(lead_ids=(lead_id,)))
    await changes.insert_merged(tx, change, lead_id, added_at)
    await record_person(tx, change, lead_id, locked, merged_id=other_id)
    return MergeResult(lead=merged, audience_count=len(locked), change_id=change.id)


async def _refuse_if_taken_out(tx: Transaction, *lead_ids: str) -> None:
    """Raises AudienceNotReady while a job that makes one change completely or not at all has taken one of the leads out
    of an audience. If it takes that back, the lead returns to the audience, and the merge would not have united its
    time there."""
    found = await planned_parts.find_taken_out(tx, lead_ids)
    if found is not None:
        raise AudienceNotReady(audience_id=found[0], job_id=found[1])


async def _audience_ids(tx: Transaction, *lead_ids: str) -> list[str]:
    found = [await memberships.list_audience_ids(tx, lead_id) for lead_id in lead_ids]
    return sorted({audience_id for ids in found for audience_id in ids})


async def _lock(tx: Transaction, lead_id: str, other_id: str) -> tuple[Lead, Lead]:
    locked = {lead.id: lead for lead in await leads.lock(tx, [lead_id, other_id])}
    for each in (lead_id, other_id):
        if each not in locked:
            raise NotFound("prospect", each)
    return locked[lead_id], locked[other_id]


async def _merge_profiles(tx: Transaction, kept: Lead, other: Lead) -> Lead:
    """Writes the profile of both into the first, with the identities for which it has no room, and removes the other.
    Returns the first."""
    merged = _united(kept, other)
    inherited = await lead_identities.list_of_leads(tx, [other.id])
    # First, because no two leads may have the same identity.
    await leads.delete(tx, [other.id])
    if merged != kept:
        await leads.update(tx, [merged], before=[kept])
    left_over = [
        OtherIdentity(kind=kind, value=value, lead_id=kept.id)
        for kind, value in (_identities(other) - _identities(merged)) | (_identities(kept) - _identities(merged))
    ]
    await lead_identities.add(tx, [*left_over, *(replace(each, lead_id=kept.id) for each in inherited)])
    return merged


def _united(kept: Lead, other: Lead) -> Lead:
    """Returns the first lead with the values of both. The address that both have is shared only if neither owns it."""
    profile = fill_empty(kept.profile, other.profile)
    shares_email = kept.shares_email
    if profile.email == other.profile.email:
        had_it = kept.profile.email == other.profile.email
        shares_email = other.shares_email and (kept.shares_email or not had_it)
    return replace(kept, profile=profile, shares_email=shares_email)


def _identities(lead: Lead) -> set[tuple[str, str]]:
    """Returns the identities of the lead, by their kinds. An address that several people have is one with the name."""
    values = {(kind, getattr(lead.profile, kind)) for kind in IDENTITIES if kind != "email" or not lead.shares_email}
    found = {(kind, value) for kind, value in values if value is not None}
    return found | {(each.kind, each.value) for each in shared_emails.identities_of([lead])}
