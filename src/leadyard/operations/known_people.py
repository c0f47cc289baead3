"""Looks for the leads that have one of the identities of given people, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from leadyard.database import Transaction
from leadyard.model import Profile
from leadyard.store import leads, shared_emails
from leadyard.store.leads import KnownLeads


async def find_known_people(
    tx: Transaction, profiles: Sequence[Profile], *, any_shared: bool, members: Iterable[str] = ()
) -> KnownLeads:
    """Returns the leads that have an identity of one of the people, also those that share an address with others if
    `any_shared`, or one of the member ids of LinkedIn, and the identities that these leads have in addition to their
    profiles."""
    if not profiles:
        return KnownLeads([], [])
    found = await _find_by_own_identity(tx, profiles, members)
    if not any_shared:
        return found
    sharing = await shared_emails.find_sharing(tx, profiles)
    by_id = {lead.id: lead for lead in (*found.leads, *sharing.leads)}
    return KnownLeads(list(by_id.values()), list(dict.fromkeys([*found.others, *sharing.others])))


async def _find_by_own_identity(tx: Transaction, profiles: Sequence[Profile], members: Iterable[str]) -> KnownLeads:
    public_identifiers: set[str] = set(members)
    emails: set[str] = set()
    provider_ids: set[str] = set()
    lone_provider_ids: set[str] = set()
    for profile in profiles:
        if profile.public_identifier:
            public_identifiers.add(profile.public_identifier)
        if profile.email:
            emails.add(profile.email)
        if profile.provider_id:
            alone = not (profile.public_identifier or profile.email)
            (lone_provider_ids if alone else provider_ids).add(profile.provider_id)
    return await leads.find_known(
        tx,
        public_identifiers=public_identifiers,
        emails=emails,
        provider_ids=provider_ids,
        lone_provider_ids=lone_provider_ids,
    )
