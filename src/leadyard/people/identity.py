"""The identity of a prospect: the normal form of its profile, its strongest key, and the merging of two profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Literal

from leadyard.errors import InvalidProspect
from leadyard.people.email_address import normalised_email
from leadyard.people.fields import (
    ATTRIBUTES,
    MAX_CUSTOM_FIELDS,
    MAX_CUSTOM_NAME_LENGTH,
    MAX_CUSTOM_VALUE_LENGTH,
    NO_CUSTOM_FIELDS,
    TEXT_FIELDS,
    Profile,
    new_profile,
)
from leadyard.people.linkedin_urls import (
    better_spelling,
    canonical_profile_url,
    company_identifier,
    identifier_key,
    linkedin_public_identifier,
    normalised_identifier,
)
from leadyard.people.person_names import name_key
from leadyard.people.text_rules import shown, trimmed_text

IdentityKind = Literal["linkedin", "email", "provider_id"]
RowTexts = tuple[Mapping[str, str], Mapping[str, str]]
"""A person as a source has written it: the texts that are not empty, by attribute and in the order of fields, and the
custom fields. Imports make no profile of a row before its texts are normalised."""

SHARED_EMAIL_KIND = "shared_email"
"""The kind of an identity that is an e-mail address together with a name, as `shared_email_identity` returns it."""
IDENTITIES = tuple(field.attribute for field in TEXT_FIELDS if field.is_key)
"""The fields that identify a person, as attributes of Profile."""
_RULES = {field.attribute: (field.json_name, field.max_length, field.several_lines) for field in TEXT_FIELDS}
_LEAST_MAX_LENGTH = min(field.max_length for field in TEXT_FIELDS)
_texts_of = attrgetter(*ATTRIBUTES)


def normalise_profile(raw: Profile) -> Profile:
    """Returns the profile in its normal form: trimmed, empty as None, e-mail and LinkedIn in canonical form.

    Raises InvalidProspect with reason_code INVALID_CHARACTER, VALUE_TOO_LONG, TOO_MANY_CUSTOM_FIELDS,
    INVALID_CUSTOM_FIELD_NAME, INVALID_EMAIL, INVALID_LINKEDIN_URL, CONTRADICTING_IDENTITY or EMPTY_PROSPECT, and
    nothing else. Normalising a profile again changes nothing. `fields.py` has the limits.
    """
    return normalised(*texts_of(raw))


def texts_of(raw: Profile) -> RowTexts:
    """Returns the texts of a profile in the form of a row."""
    return {field: text for field, text in zip(ATTRIBUTES, _texts_of(raw), strict=True) if text}, raw.custom_fields


def normalised(texts: Mapping[str, str], custom_fields: Mapping[str, str]) -> Profile:
    """Returns the profile with these texts in its normal form. Raises the same as `normalise_profile`."""
    known = normalised_texts(texts)
    return profile_of_texts(known, normalised_custom_fields(custom_fields) if custom_fields else None)


def normalised_texts(texts: Mapping[str, str]) -> dict[str, Any]:
    """Returns the texts in their normal form, by attribute. Raises like `normalise_profile`."""
    known: dict[str, Any] = {}
    for field, value in texts.items():
        # The condition of trimmed_text for nearly all values, without the call and the rules of the field.
        if value.isprintable() and len(value) <= _LEAST_MAX_LENGTH:
            text = value.strip()
        else:
            text = trimmed_text(value, *_RULES[field])
        if text:
            known[field] = text
    _settle_linkedin(known)
    _settle_company(known)
    if "email" in known:
        known["email"] = normalised_email(known["email"])
    return known


def profile_of_texts(known: dict[str, Any], custom: Mapping[str, str] | None) -> Profile:
    """Returns the profile of normalised texts, which are not empty, and custom fields. Raises InvalidProspect
    EMPTY_PROSPECT without any."""
    if custom:
        known["custom_fields"] = custom
    if not known:
        raise InvalidProspect("EMPTY_PROSPECT", "Nothing is known of this prospect: fill in at least one field.")
    return new_profile(**known)


def identity_key(profile: Profile) -> tuple[IdentityKind, str] | None:
    """Returns the strongest key of a normalised profile, None when nothing identifies the person."""
    if profile.public_identifier is not None:
        return "linkedin", profile.public_identifier
    if profile.email is not None:
        return "email", profile.email
    return ("provider_id", profile.provider_id) if profile.provider_id is not None else None


def shared_email_identity(profile: Profile) -> str:
    """Returns the identity of a profile whose e-mail is shared: the address with the name."""
    return f"{profile.email} {name_key(profile)}"


def fill_empty(known: Profile, incoming: Profile) -> Profile:
    """Returns `known` with its empty fields filled from `incoming`. Both must be normalised.

    It overwrites and clears nothing, except that a member id of LinkedIn gets its case back. Custom fields are merged
    the same way, up to MAX_CUSTOM_FIELDS, and the rest is left out. Returns `known` itself if there is nothing to fill.
    """
    changes: dict[str, Any] = {
        field: new
        for field, old, new in zip(ATTRIBUTES, _texts_of(known), _texts_of(incoming), strict=True)
        if old is None and new is not None
    }
    if known.public_identifier != incoming.public_identifier and _is_better_spelled(known, incoming):
        changes |= {"public_identifier": incoming.public_identifier, "linkedin_url": incoming.linkedin_url}
    added = [item for item in incoming.custom_fields.items() if item[0] not in known.custom_fields]
    room = max(0, MAX_CUSTOM_FIELDS - len(known.custom_fields))
    if added[:room]:
        changes["custom_fields"] = MappingProxyType({**known.custom_fields, **dict(added[:room])})
    return replace(known, **changes) if changes else known


def numbered_name(name: str, value: str, taken: Mapping[str, str]) -> str:
    """Returns the first of the names `NAME (2)`, `NAME (3)` … that is not taken by another value."""
    number = 2
    while taken.get(numbered := f"{name} ({number})", value) != value:
        number += 1
    return numbered


def _is_better_spelled(known: Profile, incoming: Profile) -> bool:
    old, new = known.public_identifier, incoming.public_identifier
    if old is None or new is None or identifier_key(old) != identifier_key(new):
        return False
    return better_spelling(old, new) == new


def _settle_linkedin(known: dict[str, Any]) -> None:
    """Fills linkedin_url or public_identifier from the other, and refuses two that differ."""
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
    """Fills the company's identifier from its URL. It keeps an unreadable URL, which does not identify a person."""
    url = known.get("company_linkedin_url")
    if url is not None and "company_linkedin_identifier" not in known:
        known["company_linkedin_identifier"] = company_identifier(url)


def normalised_custom_fields(raw: Mapping[str, str]) -> Mapping[str, str]:
    """Returns custom fields in their normal form. Raises like `normalise_profile`."""
    fields: dict[str, str] = {}
    for raw_name, raw_value in raw.items():
        name, label = _custom_name_and_label(raw_name)
        is_plain = raw_value.isprintable() and len(raw_value) <= MAX_CUSTOM_VALUE_LENGTH
        value = raw_value.strip() if is_plain else trimmed_text(raw_value, label, MAX_CUSTOM_VALUE_LENGTH, True)
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
    """Cached because all rows of an import have the same names."""
    name = trimmed_text(raw_name, "the name of a custom field", MAX_CUSTOM_NAME_LENGTH)
    return name, f"customFields.{name}"


def _bad_custom_name(raw_name: str) -> InvalidProspect:
    problem = "occurs twice when trimmed" if raw_name.strip() else "is empty"
    return InvalidProspect(
        "INVALID_CUSTOM_FIELD_NAME",
        f"The custom field name {shown(raw_name)} {problem}: give every custom field a different name.",
    )


def _too_many_custom_fields(count: int) -> InvalidProspect:
    return InvalidProspect(
        "TOO_MANY_CUSTOM_FIELDS",
        f"This prospect has {count:,} custom fields, at most {MAX_CUSTOM_FIELDS} are allowed: leave some out.",
    )
