"""Which identities stand for a suppressed person, and their keyed hashes. Works in memory.

An address of a function, such as `info@`, and an address of two people stand for a person only together with the name.
Otherwise the erasure of one person would keep away all others who read the same mailbox. A list that names such an
address suppresses the address itself, though.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator

from leadyard.model import Lead, OtherIdentity, Profile
from leadyard.people.identity import SHARED_EMAIL_KIND, shared_email_identity
from leadyard.people.linkedin_urls import identifier_key
from leadyard.people.placeholders import is_shared_mailbox

PURPOSE = "suppression"
"""The purpose for which the key of the hashes is derived from the secret key."""
Identity = tuple[str, str]
"""The kind of an identity, an attribute of Profile or SHARED_EMAIL_KIND, and its value in the form that is compared."""


def hash_of(key: bytes, group: int, identity: Identity) -> str:
    """Returns the hash of the identity in the account group with this number, 64 hexadecimal digits. It differs from
    one account group to another, so it does not show whether two groups have suppressed the same person."""
    kind, value = identity
    return hmac.digest(key, f"{group}\0{kind}\0{value}".encode(), "sha256").hex()


def identities_of_lead(lead: Lead, others: Iterable[OtherIdentity]) -> list[Identity]:
    """Returns the identities by which an erased person would be recognised, strongest first. An outside id is one only
    without a stronger identity, because two systems may use the same id."""
    profile = lead.profile
    found = [*_strong(profile, shares_email=lead.shares_email)]
    for other in others:
        if other.kind == "public_identifier":
            found.append((other.kind, identifier_key(other.value)))
        elif other.kind != "provider_id":
            found.append((other.kind, other.value))
    if not found:
        ids = [profile.provider_id, *(other.value for other in others if other.kind == "provider_id")]
        found = [("provider_id", value) for value in ids if value]
    return list(dict.fromkeys(found))


def identities_of_list(profile: Profile) -> list[Identity]:
    """Returns the identities of a person in a list of people to suppress: profile and address, each by itself."""
    found: list[Identity] = []
    if profile.public_identifier:
        found.append(("public_identifier", identifier_key(profile.public_identifier)))
    if profile.email:
        found.append(("email", profile.email))
    return found


def identities_brought_in(profile: Profile) -> Iterator[Identity]:
    """Returns the identities of a person in a source, any of which may be suppressed."""
    yield from identities_of_list(profile)
    if profile.email:
        yield SHARED_EMAIL_KIND, shared_email_identity(profile)
    elif profile.provider_id and not profile.public_identifier:
        yield "provider_id", profile.provider_id


def _strong(profile: Profile, *, shares_email: bool) -> Iterator[Identity]:
    if profile.public_identifier:
        yield "public_identifier", identifier_key(profile.public_identifier)
    if profile.email and (shares_email or is_shared_mailbox(profile.email)):
        yield SHARED_EMAIL_KIND, shared_email_identity(profile)
    elif profile.email:
        yield "email", profile.email
