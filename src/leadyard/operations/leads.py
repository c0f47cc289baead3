"""Single leads: finds, edits and erases them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from leadyard.database import Transaction
from leadyard.errors import NotFound, TransactionConflict
from leadyard.ids import ERASED_ID
from leadyard.model import Caller, ChangeKind, Effect, EventType, Lead, LeadWithAudiences, Permission, Profile
from leadyard.operations.changes.leaving import remove_erased
from leadyard.operations.changes.recording import begin, record
from leadyard.operations.edited_identity import with_own_identity
from leadyard.operations.events.recording import record_event, record_person
from leadyard.operations.operation import reads, snapshot, writes
from leadyard.operations.suppressed_people import add_suppressions
from leadyard.people.identity import SHARED_EMAIL_KIND, normalise_profile
from leadyard.people.suppression import identities_of_lead
from leadyard.people.updating import left_behind
from leadyard.store import (
    audiences,
    change_subjects,
    job_rejections,
    lead_identities,
    leads,
    memberships,
    replaced_values,
)

MAX_PROVIDER_ID_MATCHES = 100


@snapshot(Permission.PROSPECTS_READ)
async def get_lead(tx: Transaction, caller: Caller, *, lead_id: str) -> LeadWithAudiences:
    """Returns the lead with the audiences it is in. Raises NotFound."""
    lead = await _found(tx, lead_id)
    return await _with_audiences(tx, lead)


@reads(Permission.PROSPECTS_READ)
async def find_leads_by_provider_id(tx: Transaction, caller: Caller, *, provider_id: str) -> list[Lead]:
    """Returns the leads with the outside id, oldest first, at most 100."""
    return await leads.list_by_provider_id(tx, provider_id.strip(), limit=MAX_PROVIDER_ID_MATCHES)


@writes(Permission.AUDIENCES_WRITE)
async def update_lead(
    tx: Transaction,
    caller: Caller,
    *,
    lead_id: str,
    changes: Mapping[str, str | None],
    custom: Mapping[str, str | None],
) -> LeadWithAudiences:
    """Writes the fields in `changes` and the custom fields in `custom`, where None clears a field. Returns the lead.

    A new LinkedIn URL also sets the public identifier, and the reverse. Raises NotFound, InvalidProspect, and
    IdentityConflict when another lead has the identity that this one would get. The address of a function, such as
    `info@`, may belong to several leads of different names.
    """
    locked = await leads.lock(tx, [lead_id])
    if not locked:
        raise NotFound("prospect", lead_id)
    lead = await with_own_identity(tx, locked[0], _changed(locked[0].profile, changes, custom))
    await leads.update(tx, [lead], before=locked)
    if lead.shares_email and locked[0].shares_email:
        # The source of the person may still have the name of before.
        names = [each for each in left_behind(locked[0], lead) if each.kind == SHARED_EMAIL_KIND]
        await lead_identities.add(tx, names)
    await record_event(tx, EventType.PROSPECT_UPDATED, {"prospectId": lead_id})
    return await _with_audiences(tx, lead)


@writes(Permission.AUDIENCES_WRITE)
async def erase_lead(
    tx: Transaction, caller: Caller, *, lead_id: str, suppress: bool = False, reason: str | None = None
) -> None:
    """Erases the person from the account group: the lead, its memberships (counts stay exact) and its id in the record
    of changes. With `suppress` it keeps hashes of the person's identities, with the reason, and the person cannot come
    back. Raises NotFound, and with `suppress` SecretKeyMissing or SecretKeyDiffers. The cost grows with the number of
    changes of this lead."""
    await _found(tx, lead_id)
    audience_ids = await memberships.list_audience_ids(tx, lead_id)
    leaving = await audiences.lock_leaving(tx, audience_ids)
    locked = await audiences.lock(tx, audience_ids)
    # Locks audiences before leads, like all operations. A transaction that adds the lead to an audience also locks its
    # row, so the lead gets no new memberships after this lock. If it got one before, in an audience
    # that is not locked, the whole operation runs again.
    people = await leads.lock(tx, [lead_id])
    if not people:
        raise NotFound("prospect", lead_id)
    if set(await memberships.list_audience_ids(tx, lead_id)) != set(audience_ids):
        raise TransactionConflict
    change = begin(ChangeKind.ERASE, api_key_id=caller.api_key_id, also=[*locked.values(), *leaving])
    await remove_erased(tx, lead_id, audience_ids, leaving, at=change.changed_at)
    await change_subjects.rename_lead(tx, lead_id, ERASED_ID)
    await job_rejections.forget_lead(tx, lead_id)
    await replaced_values.forget_lead(tx, lead_id)
    if suppress:
        others = await lead_identities.list_of_leads(tx, [lead_id])
        await add_suppressions(tx, identities_of_lead(people[0], others), reason=reason)
    await leads.delete(tx, [lead_id])
    await record(tx, change, Effect(lead_ids=(ERASED_ID,)))
    await record_person(tx, change, lead_id, locked)


async def _with_audiences(tx: Transaction, lead: Lead) -> LeadWithAudiences:
    of_lead = await audiences.list_of_leads(tx, [lead.id])
    return LeadWithAudiences(lead=lead, audiences=tuple(of_lead[lead.id]))


async def _found(tx: Transaction, lead_id: str) -> Lead:
    lead = await leads.find(tx, lead_id)
    if lead is None:
        raise NotFound("prospect", lead_id)
    return lead


def _changed(known: Profile, changes: Mapping[str, str | None], custom: Mapping[str, str | None]) -> Profile:
    values: dict[str, Any] = dict(changes)
    # The two are one identity in two spellings, so a change of either replaces both.
    if "linkedin_url" in values or "public_identifier" in values:
        values = {"linkedin_url": None, "public_identifier": None, **values}
    if "company_linkedin_url" in values:
        values.setdefault("company_linkedin_identifier", None)
    custom_fields = {**known.custom_fields, **custom}
    values["custom_fields"] = {name: value for name, value in custom_fields.items() if value is not None}
    return normalise_profile(replace(known, **values))
