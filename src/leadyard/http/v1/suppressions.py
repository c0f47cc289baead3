"""Suppressions over HTTP: keeps people from coming back, and lists and removes the hashes."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Path, Query, Request, Response
from pydantic import AfterValidator, Field, StringConstraints

from leadyard import model
from leadyard.http.answer.envelope import (
    SINGLE_LINE_PATTERN,
    Instant,
    Listing,
    RequestBody,
    Shape,
    Success,
    single_line,
)
from leadyard.http.answer.paging import Paging, show_page
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import answer
from leadyard.http.request.route import caller, database, needs
from leadyard.http.v1.audiences import deleted
from leadyard.http.v1.prospects import RejectedProspect
from leadyard.operations import suppressions
from leadyard.operations.secret_keys import usable_secret_key
from leadyard.people.checking import check_profiles
from leadyard.people.fields import MAX_EMAIL_LENGTH, MAX_URL_LENGTH

_HASH_PATTERN = "^[0-9a-f]{64}$"
_HASH = re.compile(_HASH_PATTERN)
Hash = Annotated[
    str,
    StringConstraints(pattern=_HASH_PATTERN),
    Field(description="A keyed hash of the identity.", examples=["0f" * 32]),
]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=model.MAX_REASON_LENGTH),
    AfterValidator(single_line),
    Field(
        description="Why, for your records. Do not name the person: the reason is stored as it is.",
        examples=["Asked to be deleted"],
        json_schema_extra={"pattern": SINGLE_LINE_PATTERN},
    ),
]


def _hexadecimal(text: str) -> str:
    """Returns the text. Raises ValueError unless it is the hash of a suppression."""
    if _HASH.fullmatch(text) is None:
        raise ValueError("must be the hash of a suppression: 64 characters, each 0-9 or a-f")
    return text


HashInPath = Annotated[
    str,
    Path(alias="hash", description="The hash of the suppression.", json_schema_extra={"pattern": _HASH_PATTERN}),
    AfterValidator(_hexadecimal),
]


class SuppressedProspect(RequestBody):
    """A person to suppress, by one or both identities. Each of them is suppressed by itself."""

    email: Annotated[
        str | None, StringConstraints(max_length=MAX_EMAIL_LENGTH), Field(examples=["avery@example.com"])
    ] = None
    linkedin_url: Annotated[
        str | None,
        StringConstraints(max_length=MAX_URL_LENGTH),
        Field(examples=["https://www.linkedin.com/in/avery-stone"]),
    ] = None


class SuppressProspects(RequestBody):
    """The people who must not come into the account group."""

    prospects: Annotated[list[SuppressedProspect], Field(min_length=1, max_length=model.MAX_SUPPRESSIONS_PER_REQUEST)]
    reason: Reason | None = None


class Suppression(Shape):
    """A suppressed identity. The service keeps a hash of it, and not the identity itself."""

    hash: Hash
    reason: str | None
    created_at: Instant


class ProspectsSuppressed(Shape):
    """The suppressions of the identities, each once, in the order of the request."""

    added: Annotated[int, Field(ge=0, description="How many of them are new.")]
    suppressions: list[Suppression]
    rejected: Annotated[list[RejectedProspect], Field(description="The people without an identity that can be used.")]


class ProspectsSuppressedSuccessResponse(Success[ProspectsSuppressed]):
    """The people were suppressed."""


class SuppressionList(Listing[Suppression]):
    """A page of suppressions."""


class SuppressionListSuccessResponse(Success[SuppressionList]):
    """A page of suppressions, newest first."""


@needs(suppressions.suppress_people)
async def suppress_prospects(request: Request, body: SuppressProspects) -> Response:
    """Keeps people from coming into the account group, by e-mail and LinkedIn profile. Imports, additions and jobs
    leave them out with the code `SUPPRESSED`. People who are in the account group stay in it: erase them as well."""
    await usable_secret_key(database(request))
    profiles = [model.Profile(email=each.email, linkedin_url=each.linkedin_url) for each in body.prospects]
    return await answer(
        request, suppressions.suppress_people, _suppressed, checked=check_profiles(profiles), reason=body.reason
    )


@needs(suppressions.list_suppressions)
async def list_suppressions(request: Request, paging: Annotated[Paging, Query()]) -> Response:
    """Lists the suppressions, newest first: hash, reason and time."""
    scope = ("suppressions", caller(request).account_group_id)
    show = show_page(SuppressionListSuccessResponse, SuppressionList, Suppression.of, *scope)
    before = paging.start(*scope)
    return await answer(request, suppressions.list_suppressions, show, before=before, limit=paging.limit)


@needs(suppressions.remove_suppression)
async def delete_suppression(request: Request, hash_: HashInPath) -> Response:
    """Removes a suppression. The person may come in again by this identity."""
    return await answer(request, suppressions.remove_suppression, deleted, hash_=hash_)


def _suppressed(result: model.SuppressionResult) -> Shown:
    data = ProspectsSuppressed.of(
        added=result.added,
        suppressions=list(map(Suppression.of, result.suppressions)),
        rejected=list(map(RejectedProspect.of, result.rejected)),
    )
    return Shown(ProspectsSuppressedSuccessResponse, data)
