"""The identity of a lead after an edit, inside the caller's transaction: no other lead may have it."""

from __future__ import annotations

from dataclasses import replace

from leadyard.database import Transaction
from leadyard.errors import IdentityConflict
from leadyard.model import Lead, Profile
from leadyard.people.identity import shared_email_identity
from leadyard.people.placeholders import is_shared_mailbox
from leadyard.people.roster import is_of_another
from leadyard.store import leads, shared_emails


async def with_own_identity(tx: Transaction, before: Lead, profile: Profile) -> Lead:
    """Returns the locked lead with the edited profile. Raises IdentityConflict if another lead has an identity of it.

    An address that the lead shares stays shared. Another address becomes shared if it is a mailbox of a function, such
    as `info@`, and the lead that has it is another person by name.
    """
    await _refuse_profile_or_id_of_another(tx, before, profile)
    shares_email = before.shares_email
    if profile.email != before.profile.email:
        shares_email = profile.email is not None and await _has_other_owner(tx, before, profile, profile.email)
    lead = replace(before, profile=profile, shares_email=shares_email)
    if shares_email:
        await _refuse_shared_identity_of_another(tx, lead)
    return lead


async def _refuse_profile_or_id_of_another(tx: Transaction, before: Lead, profile: Profile) -> None:
    identifier, provider_id = profile.public_identifier, profile.provider_id
    alone = identifier is None and profile.email is None
    known = await leads.find_known(
        tx,
        public_identifiers=[identifier] if identifier else (),
        emails=(),
        provider_ids=[provider_id] if provider_id and alone else (),
        lone_provider_ids=(),
    )
    for bearer in known.leads:
        if bearer.id != before.id:
            raise IdentityConflict(bearer.id)


async def _has_other_owner(tx: Transaction, before: Lead, profile: Profile, email: str) -> bool:
    """Returns whether another lead has the address, and the lead may share it. Raises IdentityConflict if not."""
    known = await leads.find_known(tx, public_identifiers=(), emails=[email], provider_ids=(), lone_provider_ids=())
    others = [lead for lead in known.leads if lead.id != before.id]
    for owner in others:
        if not (is_shared_mailbox(email) and is_of_another(owner.profile, profile)):
            raise IdentityConflict(owner.id)
    return bool(others)


async def _refuse_shared_identity_of_another(tx: Transaction, lead: Lead) -> None:
    """Raises IdentityConflict if another lead has the address together with the same name, and only that."""
    if lead.profile.public_identifier is not None:
        return
    identity = shared_email_identity(lead.profile)
    for other in (await shared_emails.find_sharing(tx, [lead.profile])).leads:
        is_same = shared_email_identity(other.profile) == identity and other.profile.public_identifier is None
        if other.id != lead.id and other.shares_email and is_same:
            raise IdentityConflict(other.id)
