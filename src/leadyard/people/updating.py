"""The known person who is in a source again: filled, updated, or left as the person is.

All functions work on normalised profiles, and return the known profile itself if nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from leadyard.model import Lead, OnKnown, OtherIdentity, Profile, ReplacedValue
from leadyard.people.fields import ATTRIBUTES, MAX_CUSTOM_FIELDS, TEXT_FIELDS
from leadyard.people.identity import SHARED_EMAIL_KIND, fill_empty, shared_email_identity
from leadyard.people.linkedin_urls import identifier_key
from leadyard.people.person_names import name_contradicts, name_key
from leadyard.people.placeholders import is_shared_mailbox

CUSTOM_FIELD_PREFIX = "customFields."
# The LinkedIn profile, which identifies the person. Two of these are never one person, so an update has nothing to
# replace there.
_KEPT = ("linkedin_url", "public_identifier")
_REPLACED = tuple(field.attribute for field in TEXT_FIELDS if field.attribute not in _KEPT)
_values_of = attrgetter(*_REPLACED)
_texts_of = attrgetter(*ATTRIBUTES)
_JSON_NAMES = {field.attribute: field.json_name for field in TEXT_FIELDS}
_ATTRIBUTES = {name: attribute for attribute, name in _JSON_NAMES.items()}


def differs(known: Profile, incoming: Profile) -> bool:
    """Returns whether the source has another value for something that is known."""
    pairs = zip(_values_of(known), _values_of(incoming), strict=True)
    if any(new is not None and old is not None and old != new for old, new in pairs):
        return True
    return any(known.custom_fields.get(name, value) != value for name, value in incoming.custom_fields.items())


def fills(old: Profile, new: Profile) -> bool:
    """Returns whether something is known now that was not known before."""
    pairs = zip(_texts_of(old), _texts_of(new), strict=True)
    return any(before is None and after is not None for before, after in pairs) or any(
        name not in old.custom_fields for name in new.custom_fields
    )


def left_behind(old: Lead, new: Lead) -> Iterator[OtherIdentity]:
    """Returns the identities of the old state of a lead that its new state no longer has."""
    if old is new:
        return
    before, after = old.profile, new.profile
    one, other = before.public_identifier, after.public_identifier
    if one and other and identifier_key(one) != identifier_key(other):
        yield OtherIdentity(kind="public_identifier", value=one, lead_id=new.id)
    if before.email and old.shares_email:
        # Of the leads with this pair, it leads to the one without a LinkedIn profile.
        has_got_profile = before.public_identifier is None and after.public_identifier is not None
        identity = shared_email_identity(before)
        if has_got_profile or not new.shares_email or identity != shared_email_identity(after):
            yield OtherIdentity(kind=SHARED_EMAIL_KIND, value=identity, lead_id=new.id)
    elif before.email and before.email != after.email:
        yield OtherIdentity(kind="email", value=before.email, lead_id=new.id)
    elif before.email and is_shared_mailbox(before.email) and not name_key(before) and name_key(after):
        # With a name, the owner of `info@` is no longer the person of rows without one.
        yield OtherIdentity(kind=SHARED_EMAIL_KIND, value=shared_email_identity(before), lead_id=new.id)
    if before.provider_id and before.provider_id != after.provider_id:
        yield OtherIdentity(kind="provider_id", value=before.provider_id, lead_id=new.id)


def met(known: Profile, incoming: Profile, on_known: OnKnown, *, is_shared: bool) -> Profile:
    """Returns what is known after a source has named the person again. `is_shared` if several people have the e-mail
    of the source: it fills an empty field, but never replaces an address."""
    if on_known is OnKnown.SKIP:
        return known
    if on_known is OnKnown.FILL:
        return fill_empty(known, incoming)
    return _updated(known, replace(incoming, email=None) if is_shared and known.email else incoming)


def replaced_values(lead_id: str, old: Profile, new: Profile) -> Iterator[ReplacedValue]:
    """Returns the values that are no longer there, in the order of the fields."""
    for attribute, before, after in zip(_REPLACED, _values_of(old), _values_of(new), strict=True):
        if before is not None and before != after:
            yield ReplacedValue(lead_id=lead_id, field=_JSON_NAMES[attribute], old=before, new=after)
    for name, value in old.custom_fields.items():
        if new.custom_fields.get(name) != value:
            field = f"{CUSTOM_FIELD_PREFIX}{name}"
            yield ReplacedValue(lead_id=lead_id, field=field, old=value, new=new.custom_fields.get(name))


def put_back(profile: Profile, replaced: ReplacedValue) -> Profile | None:
    """Returns the profile with the old value instead of the new one, None if it no longer has the new one."""
    if replaced.field.startswith(CUSTOM_FIELD_PREFIX):
        name = replaced.field.removeprefix(CUSTOM_FIELD_PREFIX)
        fields = dict(profile.custom_fields)
        if fields.get(name) != replaced.new or (name not in fields and len(fields) >= MAX_CUSTOM_FIELDS):
            return None
        if replaced.old is None:
            fields.pop(name, None)
        else:
            fields[name] = replaced.old
        return replace(profile, custom_fields=MappingProxyType(fields))
    # A field that a later version has removed stays away.
    attribute = _ATTRIBUTES.get(replaced.field)
    if attribute is None or attribute in _KEPT or getattr(profile, attribute) != replaced.new:
        return None
    values: dict[str, Any] = {attribute: replaced.old}
    return replace(profile, **values)


def _updated(known: Profile, incoming: Profile) -> Profile:
    changes: dict[str, Any] = {
        attribute: new
        for attribute, old, new in zip(_REPLACED, _values_of(known), _values_of(incoming), strict=True)
        if new is not None and new != old
    }
    if "company_linkedin_url" in changes:
        # The identifier of the company follows from its address.
        changes["company_linkedin_identifier"] = incoming.company_linkedin_identifier
    changes |= _without_contradicting_names(known, incoming, changes)
    custom = {**known.custom_fields}
    for name, value in incoming.custom_fields.items():
        if name in custom or len(custom) < MAX_CUSTOM_FIELDS:
            custom[name] = value
    if custom != dict(known.custom_fields):
        changes["custom_fields"] = MappingProxyType(custom)
    updated = replace(known, **changes) if changes else known
    # The LinkedIn profile, which is filled and never replaced, and the better spelling of a member id.
    return fill_empty(updated, incoming)


def _without_contradicting_names(known: Profile, incoming: Profile, changes: dict[str, Any]) -> dict[str, None]:
    """Returns the known names to remove: a whole name that contradicts the first or last name of the source, which does
    not give the whole name, and the reverse."""
    merged = replace(known, **changes)
    if not (merged.name and merged.first_name and merged.last_name):
        return {}
    if not name_contradicts(merged.name, merged.first_name, merged.last_name):
        return {}
    gives_parts = incoming.first_name is not None or incoming.last_name is not None
    if gives_parts and incoming.name is None:
        return {"name": None}
    if incoming.name is not None and not gives_parts:
        return {"first_name": None, "last_name": None}
    return {}
