"""Who a prospect is: one spelling for every profile, the key it is known by, and how two accounts of it are joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Literal

from leadyard.errors import InvalidProspect
from leadyard.model import MAX_CUSTOM_FIELDS, NO_CUSTOM_FIELDS, Profile
from leadyard.operations.email_address import normalised_email
from leadyard.operations.linkedin_urls import (
    canonical_profile_url,
    company_identifier,
    linkedin_public_identifier,
    normalised_identifier,
)
from leadyard.operations.profile_text import (
    FIELD_RULES,
    MAX_CUSTOM_NAME_LENGTH,
    MAX_CUSTOM_VALUE_LENGTH,
    shown,
    trimmed_text,
)

__all__ = ["IdentityKind", "fill_empty", "identity_key", "identity_keys", "linkedin_public_identifier",
           "normalise_profile"]  # fmt: skip

IdentityKind = Literal["linkedin", "email", "provider_id"]

_FIELDS = tuple(FIELD_RULES)
_RULES = tuple((field, *rule) for field, rule in FIELD_RULES.items())
_field_values = attrgetter(*_FIELDS)


def normalise_profile(raw: Profile) -> Profile:
    """Returns the profile in its one spelling: trimmed, empty as None, e-mail and LinkedIn in canonical form.

    Raises InvalidProspect with reason_code INVALID_CHARACTER, VALUE_TOO_LONG, TOO_MANY_CUSTOM_FIELDS,
    INVALID_CUSTOM_FIELD_NAME, INVALID_EMAIL, INVALID_LINKEDIN_URL, CONTRADICTING_IDENTITY or EMPTY_PROSPECT, and
    nothing else. Doing it again changes nothing. Limits: `profile_text.FIELD_RULES` and model.MAX_CUSTOM_FIELDS.
    """
    known: dict[str, Any] = {}
    for (field, label, max_length, several_lines), value in zip(_RULES, _field_values(raw), strict=True):
        if value and (text := trimmed_text(value, label, max_length, several_lines)):
            known[field] = text
    _settle_linkedin(known)
    _settle_company(known)
    if "email" in known:
        known["email"] = normalised_email(known["email"])
    if raw.custom_fields:
        known["custom_fields"] = _normalised_custom_fields(raw.custom_fields)
    if not any(known.values()):
        raise InvalidProspect("EMPTY_PROSPECT", "Nothing is known of this prospect: fill in at least one field.")
    return Profile(**known)


def identity_keys(profile: Profile) -> tuple[tuple[IdentityKind, str], ...]:
    """Returns every key that a normalised profile is known by, strongest first: LinkedIn, e-mail, provider id.

    Two leads that answer to different keys of one profile are one person (contract section 4)."""
    keys: tuple[tuple[IdentityKind, str | None], ...] = (
        ("linkedin", profile.public_identifier),
        ("email", profile.email),
        ("provider_id", profile.provider_id),
    )
    return tuple((kind, value) for kind, value in keys if value is not None)


def identity_key(profile: Profile) -> tuple[IdentityKind, str] | None:
    """Returns the strongest key of a normalised profile, None when nothing identifies the person."""
    # Not the first of identity_keys: making all three takes most of the time, twice for every row of an import.
    if profile.public_identifier is not None:
        return "linkedin", profile.public_identifier
    if profile.email is not None:
        return "email", profile.email
    return ("provider_id", profile.provider_id) if profile.provider_id is not None else None


def fill_empty(known: Profile, incoming: Profile) -> Profile:
    """Returns `known` with its empty fields filled from `incoming`; both must be normalised.

    Nothing known is overwritten or cleared. Custom fields are joined the same way, up to MAX_CUSTOM_FIELDS; those
    beyond are left out. Returns `known` itself when there is nothing to fill.
    """
    changes: dict[str, Any] = {
        field: new
        for field, old, new in zip(_FIELDS, _field_values(known), _field_values(incoming), strict=True)
        if old is None and new is not None
    }
    added = [item for item in incoming.custom_fields.items() if item[0] not in known.custom_fields]
    room = max(0, MAX_CUSTOM_FIELDS - len(known.custom_fields))
    if added[:room]:
        changes["custom_fields"] = MappingProxyType({**known.custom_fields, **dict(added[:room])})
    return replace(known, **changes) if changes else known


def _settle_linkedin(known: dict[str, Any]) -> None:
    """Makes linkedin_url and public_identifier say the same, filling one from the other."""
    url, name = known.get("linkedin_url"), known.get("public_identifier")
    if url is None and name is None:
        return
    by_url = linkedin_public_identifier(url) if url else None
    by_name = normalised_identifier(name) if name else None
    if by_url and by_name and by_url != by_name:
        raise InvalidProspect(
            "CONTRADICTING_IDENTITY",
            f"linkedinUrl names {shown(by_url)} but publicIdentifier names {shown(by_name)}: keep the right one only.",
        )
    identifier = by_url or by_name or ""
    known["public_identifier"] = identifier
    known["linkedin_url"] = canonical_profile_url(identifier)


def _settle_company(known: dict[str, Any]) -> None:
    """A company's address is only a help, so one we cannot read is kept as it is and never a reason to refuse."""
    if "company_linkedin_url" in known and "company_linkedin_identifier" not in known:
        known["company_linkedin_identifier"] = company_identifier(known["company_linkedin_url"])


def _normalised_custom_fields(raw: Mapping[str, str]) -> Mapping[str, str]:
    fields: dict[str, str] = {}
    for raw_name, raw_value in raw.items():
        name, label = _custom_name_and_label(raw_name)
        value = trimmed_text(raw_value, label, MAX_CUSTOM_VALUE_LENGTH, True)
        if not value:
            continue
        if not name or name in fields:
            raise _bad_custom_name(raw_name)
        fields[name] = value
    if len(fields) > MAX_CUSTOM_FIELDS:
        raise _too_many_custom_fields(len(fields))
    return MappingProxyType(fields) if fields else NO_CUSTOM_FIELDS


@lru_cache(maxsize=2_000)
def _custom_name_and_label(raw_name: str) -> tuple[str, str]:
    """Remembered because every row of an import has the same names."""
    name = trimmed_text(raw_name, "the name of a custom field", MAX_CUSTOM_NAME_LENGTH)
    return name, f"customFields.{name}"


def _bad_custom_name(raw_name: str) -> InvalidProspect:
    problem = "occurs twice when trimmed" if raw_name.strip() else "is empty"
    return InvalidProspect(
        "INVALID_CUSTOM_FIELD_NAME",
        f"The custom field name {shown(raw_name)} {problem}: give every custom field a name of its own.",
    )


def _too_many_custom_fields(count: int) -> InvalidProspect:
    return InvalidProspect(
        "TOO_MANY_CUSTOM_FIELDS",
        f"This prospect has {count:,} custom fields; at most {MAX_CUSTOM_FIELDS} are kept: leave some out.",
    )
