"""Statements on leads whose e-mail is shared: another person had the address before, so that it identifies these only
together with the name (docs/decisions/0044)."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.database import Transaction
from leadyard.model import Lead, OtherIdentity, Profile
from leadyard.people.identity import SHARED_EMAIL_KIND, shared_email_identity
from leadyard.people.person_names import name_key
from leadyard.store import lead_identities
from leadyard.store.db import Statement
from leadyard.store.leads import COLUMNS, COLUMNS_INSIDE, KnownLeads, lead_from

# The mailbox of a big company may have thousands of people. The one of exactly this name is always found.
_OF_OTHER_NAMES = 50
_SHARING = "FROM leads WHERE account_group_id = :account_group_id AND shared_email_name IS NOT NULL"
_MERGED = f"""FROM lead_identities WHERE account_group_id = :account_group_id AND kind = '{SHARED_EMAIL_KIND}'"""
ANY_SHARED = f"EXISTS (SELECT 1 {_SHARING}) OR EXISTS (SELECT 1 {_MERGED})"
"""Whether people of the account group share an address, as a condition. Both parts read one entry of an index."""
_FIND = Statement(
    f"""SELECT {COLUMNS} FROM (
        SELECT x.id FROM :people{{email text, name text}} AS p CROSS JOIN LATERAL (
            SELECT id {_SHARING} AND email = p.email AND shared_email_name = p.name
            ORDER BY id LIMIT {_OF_OTHER_NAMES} OFFSET 0) x
        UNION SELECT x.id FROM unnest(:emails[text]) AS v(value) CROSS JOIN LATERAL (
            SELECT id {_SHARING} AND email = v.value
            ORDER BY shared_email_name, id LIMIT {_OF_OTHER_NAMES} OFFSET 0) x
        UNION SELECT x.lead_id FROM unnest(:identities[text]) AS v(value) CROSS JOIN LATERAL (
            SELECT lead_id {_MERGED} AND value = v.value LIMIT 1 OFFSET 0) x) k
    CROSS JOIN LATERAL (
        SELECT {COLUMNS_INSIDE} FROM leads
        WHERE account_group_id = :account_group_id AND id = k.id LIMIT 1 OFFSET 0) l""",
    sqlite=f"""SELECT {COLUMNS} FROM leads l WHERE l.account_group_id = :account_group_id AND l.id IN (
        SELECT x.id FROM :people{{email text, name text}} AS p CROSS JOIN leads x
        WHERE x.account_group_id = :account_group_id AND x.shared_email_name IS NOT NULL AND x.email = p.email
        AND x.shared_email_name = p.name
        UNION ALL SELECT id FROM (
            SELECT id, row_number() OVER (PARTITION BY email ORDER BY shared_email_name, id) AS place
            {_SHARING} AND email IN :emails[text]) AS ranked WHERE place <= {_OF_OTHER_NAMES}
        UNION ALL SELECT lead_id {_MERGED} AND value IN :identities[text])""",
)


async def find_sharing(tx: Transaction, profiles: Sequence[Profile]) -> KnownLeads:
    """Returns the leads that share the e-mail of one of the profiles: all of the same name, and at most 50 of other
    names for each address. Returns also the identities that these leads have in addition to their profiles."""
    people = {(profile.email, name_key(profile)): profile for profile in profiles if profile.email is not None}
    if not people:
        return KnownLeads([], [])
    rows = await tx.rows(
        _FIND,
        people=[{"email": email, "name": name} for email, name in people],
        emails=sorted({email for email, _ in people}),
        identities=[shared_email_identity(profile) for profile in people.values()],
    )
    found = [lead_from(row) for row in rows]
    return KnownLeads(found, await lead_identities.list_of_leads(tx, [lead.id for lead in found]) if found else [])


def identities_of(leads: Sequence[Lead]) -> list[OtherIdentity]:
    """Returns the shared addresses of the leads, each together with the name, as identities."""
    return [
        OtherIdentity(kind=SHARED_EMAIL_KIND, value=shared_email_identity(lead.profile), lead_id=lead.id)
        for lead in leads
        if lead.shares_email
    ]
