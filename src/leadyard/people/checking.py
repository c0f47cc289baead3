"""Checks which profiles of a batch can become leads: normalises each, or reports the reason why it cannot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from leadyard.errors import InvalidProspect
from leadyard.model import Batch, CheckedProfiles, Note, Profile, Rejection
from leadyard.people.email_address import normalised_email
from leadyard.people.identity import (
    RowTexts,
    identity_key,
    normalise_profile,
    normalised_custom_fields,
    normalised_texts,
    profile_of_texts,
    texts_of,
)
from leadyard.people.placeholders import is_locked_email, is_placeholder
from leadyard.people.tidying import Problem, needs_tidying, tidied, without_placeholders

_NO_PROBLEMS: Sequence[Problem] = ()
_IDENTIFYING = ("linkedin_url", "public_identifier", "email")


def check_profiles(profiles: Sequence[Profile]) -> CheckedProfiles:
    """Returns the normalised profiles that a program has sent, and separately those that are not valid.

    A program gets the reason and can send the person again, so nothing is dropped or repaired. A placeholder, such as
    the e-mail `N/A` or `email_not_unlocked@domain.com`, is an empty value: it would make one person of strangers.
    """
    valid: list[tuple[int, Profile]] = []
    invalid: list[Rejection] = []
    for index, raw in enumerate(profiles):
        try:
            valid.append((index, normalise_profile(_without_placeholders(raw))))
        except InvalidProspect as reason:
            invalid.append(_rejection(index, reason))
    return CheckedProfiles(tuple(valid), tuple(invalid))


def check_rows(rows: Iterable[RowTexts], *, as_stored: bool = False, identity_hint: str = "") -> CheckedProfiles:
    """Returns the people in the rows of a source, normalised, and separately the rows that cannot be imported.

    A value that cannot be used does not cost the person: `tidied` has the rules, and the notes name the values. A row
    without LinkedIn profile, e-mail and provider id is not valid, because importing it twice would make two leads.
    `as_stored` is true for rows of our own export. A value there means what it says, also a title `-`, if it is valid.
    `identity_hint` is a sentence for people whom nothing identifies.
    """
    valid: list[tuple[int, Profile]] = []
    invalid: list[Rejection] = []
    notes: list[Note] = []
    for index, (texts, custom) in enumerate(rows):
        try:
            profile, problems = _tidy_already(texts, custom, as_stored), _NO_PROBLEMS
            if profile is None:
                profile, problems = _tidied(texts, custom, as_stored)
            if identity_key(profile) is None:
                raise _without_identity(problems, identity_hint)
        except InvalidProspect as reason:
            invalid.append(_rejection(index, reason))
            continue
        valid.append((index, profile))
        if problems:
            notes += [Note(index=index, code=problem.code, message=problem.message) for problem in problems]
    return CheckedProfiles(tuple(valid), tuple(invalid), tuple(notes))


def check_batch(batch: Batch) -> CheckedProfiles:
    """Returns the checked profiles of a batch. It does not check a batch again that was checked before."""
    return batch.checked or check_rows(map(texts_of, batch.profiles))


def _tidied(texts: Mapping[str, str], custom: Mapping[str, str], as_stored: bool) -> tuple[Profile, Sequence[Problem]]:
    profile = _tidy_already(*without_placeholders(texts, custom), as_stored)
    return (profile, _NO_PROBLEMS) if profile is not None else tidied(texts, custom)


def _tidy_already(texts: Mapping[str, str], custom: Mapping[str, str], as_stored: bool) -> Profile | None:
    """Returns the normalised profile of a row that has nothing to tidy, as most rows, else None."""
    try:
        known = normalised_texts(texts)
        fields = normalised_custom_fields(custom) if custom else None
        is_tidy = as_stored or not needs_tidying(texts.get("linkedin_url"), known, fields)
        return profile_of_texts(known, fields) if is_tidy else None
    except InvalidProspect:
        return None


def _without_identity(problems: Sequence[Problem], hint: str) -> InvalidProspect:
    """Returns the reason: the value that should have identified the person, if there is one."""
    reasons = ("INVALID_LINKEDIN_URL", "INVALID_EMAIL", "CONTRADICTING_IDENTITY")
    for problem in problems:
        if problem.code in reasons:
            return InvalidProspect.again(problem.code, problem.message)
    return InvalidProspect(
        "NO_IDENTITY", f"Nothing identifies this person: add a LinkedIn profile, an e-mail or an outside id.{hint}"
    )


def _without_placeholders(raw: Profile) -> Profile:
    empty: dict[str, Any] = {
        name: None for name in _IDENTIFYING if (text := getattr(raw, name)) and _stands_for_nothing(name, text)
    }
    return replace(raw, **empty) if empty else raw


def _stands_for_nothing(attribute: str, text: str) -> bool:
    if is_placeholder(text.strip(), attribute):
        return True
    try:
        return attribute == "email" and is_locked_email(normalised_email(text))
    except InvalidProspect:
        return False


def _rejection(index: int, reason: InvalidProspect) -> Rejection:
    return Rejection(index=index, code=reason.reason_code, message=reason.details)
