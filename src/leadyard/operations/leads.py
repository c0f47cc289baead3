"""Single leads: looked up, edited, erased."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from leadyard.clock import now_ms
from leadyard.errors import IdentityConflict, NotFound, TransactionConflict
from leadyard.model import Caller, Lead, LeadWithAudiences, Permission, Profile
from leadyard.operations.identity import normalise_profile
from leadyard.operations.operation import operation
from leadyard.store import audiences, leads, memberships, moves
from leadyard.store.db import Database, Transaction

MAX_PROVIDER_ID_MATCHES = 100


@operation(Permission.PROSPECTS_READ)
async def get_lead(db: Database, caller: Caller, *, lead_id: str) -> LeadWithAudiences:
    """Returns the lead with the audiences it is in. Raises NotFound."""
    async with db.snapshot(caller.account_group_id) as tx:
        lead = await _found(tx, lead_id)
        return LeadWithAudiences(lead=lead, audiences=tuple(await audiences.list_of_lead(tx, lead_id)))


@operation(Permission.PROSPECTS_READ)
async def find_leads_by_provider_id(db: Database, caller: Caller, *, provider_id: str) -> list[Lead]:
    """Returns the leads that bear the outside id, oldest first, at most 100."""
    async with db.read(caller.account_group_id) as tx:
        return await leads.list_by_provider_id(tx, provider_id.strip(), limit=MAX_PROVIDER_ID_MATCHES)


@operation(Permission.AUDIENCES_WRITE)
async def update_lead(
    db: Database, caller: Caller, *, lead_id: str, changes: Mapping[str, str | None], custom: Mapping[str, str | None]
) -> LeadWithAudiences:
    """Writes the fields in `changes` and the custom fields in `custom`; None clears one. Returns the lead.

    A new LinkedIn URL brings its own identifier, and the other way round. Raises NotFound, InvalidProspect, and
    IdentityConflict when another lead has the identity that this one would get.
    """
    async with db.write(caller.account_group_id) as tx:
        locked = await leads.lock(tx, [lead_id])
        if not locked:
            raise NotFound("prospect", lead_id)
        lead = replace(locked[0], profile=_changed(locked[0].profile, changes, custom))
        await _refuse_identity_of_another(tx, lead)
        await leads.update(tx, [lead])
        return LeadWithAudiences(lead=lead, audiences=tuple(await audiences.list_of_lead(tx, lead_id)))


@operation(Permission.AUDIENCES_WRITE)
async def erase_lead(db: Database, caller: Caller, *, lead_id: str) -> None:
    """Erases the person from the account group: the lead, its memberships (counts stay exact) and its id in the record
    of moves. Raises NotFound. The cost grows with the number of recorded moves, which are all searched."""
    async with db.write(caller.account_group_id) as tx:
        await _found(tx, lead_id)
        audience_ids = await memberships.list_audience_ids(tx, lead_id)
        await audiences.lock_even_deleted(tx, audience_ids)
        # Audiences first and leads after them, as everywhere. Whoever is adding the lead elsewhere holds its row by the
        # foreign key, so from here on there are no new memberships; any that came meanwhile are in an audience that is
        # not locked, and then everything is done again.
        if not await leads.lock(tx, [lead_id]):
            raise NotFound("prospect", lead_id)
        if set(await memberships.list_audience_ids(tx, lead_id)) != set(audience_ids):
            raise TransactionConflict
        await memberships.remove_lead(tx, lead_id)
        await audiences.count_removed(tx, audience_ids, removed=1, now=now_ms())
        await moves.forget_lead(tx, lead_id)
        await leads.delete(tx, lead_id)


async def _found(tx: Transaction, lead_id: str) -> Lead:
    lead = await leads.find(tx, lead_id)
    if lead is None:
        raise NotFound("prospect", lead_id)
    return lead


def _changed(known: Profile, changes: Mapping[str, str | None], custom: Mapping[str, str | None]) -> Profile:
    values: dict[str, Any] = dict(changes)
    # The two are one identity in two spellings: naming one of them replaces both.
    if "linkedin_url" in values or "public_identifier" in values:
        values = {"linkedin_url": None, "public_identifier": None, **values}
    if "company_linkedin_url" in values:
        values.setdefault("company_linkedin_identifier", None)
    custom_fields = {**known.custom_fields, **custom}
    values["custom_fields"] = {name: value for name, value in custom_fields.items() if value is not None}
    return normalise_profile(replace(known, **values))


async def _refuse_identity_of_another(tx: Transaction, lead: Lead) -> None:
    profile = lead.profile
    alone = not (profile.public_identifier or profile.email)
    bearers = await leads.find_known(
        tx,
        public_identifiers=[profile.public_identifier] if profile.public_identifier else [],
        emails=[profile.email] if profile.email else [],
        provider_ids=[profile.provider_id] if profile.provider_id and alone else [],
        lone_provider_ids=[],
    )
    for bearer in bearers:
        if bearer.id != lead.id:
            raise IdentityConflict(bearer.id)
