"""An import, undone and made again: the people that it created, and that nothing else needs, go and come back.

They go out of the account group, and the undo keeps what was known about them. So an undo of the undo brings them back
with their ids, as long as no other person has got one of their identities.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from leadyard.database import Transaction
from leadyard.model import Change, ChangeKind, Lead, OtherIdentity
from leadyard.operations.known_people import find_known_people
from leadyard.operations.suppressed_people import find_suppressed_leads
from leadyard.people.identity import SHARED_EMAIL_KIND, identity_key, shared_email_identity
from leadyard.people.linkedin_urls import identifier_key
from leadyard.store import lead_identities, leads, withdrawn_leads

# The names here of the identities that a lead has from people who were merged into it.
_KINDS = {
    "public_identifier": "linkedin",
    "email": "email",
    "provider_id": "provider_id",
    SHARED_EMAIL_KIND: SHARED_EMAIL_KIND,
}


def takes_back_import(chain: Sequence[Change]) -> bool:
    """Returns whether undoing the first of these changes, each of which undoes the next, takes back an import."""
    return chain[-1].kind is ChangeKind.IMPORT and len(chain) % 2 == 1


async def withdraw(tx: Transaction, undo: Change, chain: Sequence[Change], lead_ids: Collection[str]) -> None:
    """Takes those of the locked leads out of the account group that the import created, and that are in no audience and
    in no change but the import and its undos."""
    chosen = await withdrawn_leads.find_created(tx, chain[-1].id) & set(lead_ids)
    await withdraw_unused(tx, undo.id, chosen, apart_from=[undo.id, *(each.id for each in chain)])


async def withdraw_unused(
    tx: Transaction, undo_id: str, lead_ids: Collection[str], *, apart_from: Sequence[str]
) -> None:
    """Takes those of the leads out of the account group that are in no audience, and in no change but these. The undo
    keeps them."""
    # Locked before they are looked up. Another transaction that is adding one of them to an audience has locked it, and
    # its membership can only be seen after its commit.
    locked = await leads.lock(tx, sorted(set(lead_ids)))
    used = await withdrawn_leads.list_used(tx, [lead.id for lead in locked], apart_from=apart_from)
    gone = [lead for lead in locked if lead.id not in used]
    if gone:
        ids = [lead.id for lead in gone]
        await withdrawn_leads.add(tx, undo_id, gone, await lead_identities.list_of_leads(tx, ids))
        await leads.delete(tx, ids)


async def bring_back_people(tx: Transaction, change: Change, withdrawn: Sequence[Lead]) -> set[str]:
    """Brings the people back that the change, an undo, has withdrawn. Returns those that stay away, because another
    lead has got one of their identities since, or because they are suppressed now."""
    away = await insert_people(tx, change.id, withdrawn)
    if withdrawn:
        await withdrawn_leads.delete_of(tx, change.id)
    return away


async def insert_people(tx: Transaction, undo_id: str, withdrawn: Sequence[Lead]) -> set[str]:
    """Adds the people whom the undo has withdrawn to the account group again. Returns those that stay away."""
    if not withdrawn:
        return set()
    taken = await _find_taken(tx, withdrawn)
    suppressed = await find_suppressed_leads(tx, withdrawn)
    back = [lead for lead in withdrawn if not taken & _identities(lead) and lead.id not in suppressed]
    # In the order that an import uses, so that the two wait for each other, without deadlock.
    if back:
        await leads.insert(tx, sorted(back, key=lambda lead: identity_key(lead.profile) or ("", lead.id)))
        await _give_back_others(tx, undo_id, [lead.id for lead in back])
    return {lead.id for lead in withdrawn} - {lead.id for lead in back}


async def _give_back_others(tx: Transaction, undo_id: str, lead_ids: Sequence[str]) -> None:
    """Gives the people the identities again that they had in addition to their profiles, such as an address that the
    import has replaced, apart from those that another lead has got since."""
    others = await withdrawn_leads.find_others(tx, undo_id, lead_ids)
    if not others:
        return
    values = {kind: [each.value for each in others if each.kind == kind] for kind in ("public_identifier", "email")}
    known = await leads.find_known(
        tx,
        public_identifiers=values["public_identifier"],
        emails=values["email"],
        provider_ids=(),
        lone_provider_ids=(),
    )
    own = set(lead_ids)
    taken = set().union(*(_identities(lead) for lead in known.leads if lead.id not in own))
    taken |= {(_KINDS[each.kind], each.value) for each in known.others if each.lead_id not in own}
    free = [each for each in others if (_KINDS[each.kind], _compared(each)) not in taken]
    await lead_identities.add(tx, free)


def _compared(identity: OtherIdentity) -> str:
    return identifier_key(identity.value) if identity.kind == "public_identifier" else identity.value


async def _find_taken(tx: Transaction, people: Sequence[Lead]) -> set[tuple[str, str]]:
    known = await find_known_people(tx, [lead.profile for lead in people], any_shared=True)
    of_others = {(_KINDS[other.kind], other.value) for other in known.others}
    return of_others.union(*map(_identities, known.leads))


def _identities(lead: Lead) -> set[tuple[str, str]]:
    """Returns the identities that only one lead can have. The provider id is one if there is no other."""
    profile = lead.profile
    found = {("linkedin", identifier_key(profile.public_identifier))} if profile.public_identifier else set()
    if profile.email and not lead.shares_email:
        found.add(("email", profile.email))
    elif profile.email and not profile.public_identifier:
        found.add((SHARED_EMAIL_KIND, shared_email_identity(profile)))
    if not found and profile.provider_id is not None:
        return {("provider_id", profile.provider_id)}
    return found
