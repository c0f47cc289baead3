"""Prospects over HTTP: the leads as listed in an audience, and bringing them in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import Field

from leadyard import model
from leadyard.http.audiences import AudienceIdInPath
from leadyard.http.caller import caller, database
from leadyard.http.envelope import Id, Instant, Listing, RequestBody, Shape, Success, answer
from leadyard.http.paging import Paging, listing
from leadyard.operations import prospects

_COMPANY_FIELDS = ("name", "linkedin_identifier", "linkedin_url", "industry", "website")


class Company(Shape):
    """Where the person works."""

    name: str | None
    linkedin_identifier: str | None
    linkedin_url: str | None
    industry: str | None
    website: str | None


class Prospect(Shape):
    """A lead as listed in an audience. What is not known is null."""

    id: Id
    first_name: str | None
    last_name: str | None
    name: str | None
    headline: str | None
    about: str | None
    photo_url: str | None
    linkedin_url: str | None
    public_identifier: str | None
    title: str | None
    email: str | None
    phone: str | None
    location: str | None
    company: Company
    custom_fields: dict[str, str]
    provider_id: str | None
    created_at: Instant
    added_at: Annotated[Instant, Field(description="When the lead came into this audience.")]


class ProspectList(Listing[Prospect]):
    """A page of prospects."""


class AudienceProspectListSuccessResponse(Success[ProspectList]):
    """A page of an audience's prospects."""


class NewCompany(RequestBody):
    """Where the person works."""

    name: str | None = None
    linkedin_identifier: str | None = None
    linkedin_url: str | None = None
    industry: str | None = None
    website: str | None = None


class NewProspect(RequestBody):
    """A person to bring in. LinkedIn profile, e-mail or provider id, in this order, tell who it is."""

    first_name: Annotated[str | None, Field(examples=["Avery"])] = None
    last_name: Annotated[str | None, Field(examples=["Stone"])] = None
    name: str | None = None
    headline: str | None = None
    about: str | None = None
    photo_url: str | None = None
    linkedin_url: Annotated[str | None, Field(examples=["https://www.linkedin.com/in/avery-stone"])] = None
    public_identifier: str | None = None
    title: str | None = None
    email: Annotated[str | None, Field(examples=["avery@example.com"])] = None
    phone: str | None = None
    location: str | None = None
    company: NewCompany | None = None
    custom_fields: dict[str, str] | None = None
    provider_id: Annotated[str | None, Field(description="Any outside id.")] = None


class AddProspects(RequestBody):
    """The people to bring in."""

    prospects: Annotated[list[NewProspect], Field(min_length=1, max_length=model.MAX_PROSPECTS_PER_ADD)]


class RejectedProspect(Shape):
    """A prospect that was not added, and why. `index` counts from 0 in the list that was sent."""

    index: int
    code: Annotated[str, Field(examples=["INVALID_EMAIL"])]
    message: str


class ProspectsAdded(Shape):
    """What became of the prospects: created, matched or rejected; of the leads they are, how many are new here."""

    created: int
    matched: int
    added: int
    already_in_audience: int
    rejected: list[RejectedProspect]


class ProspectsAddedSuccessResponse(Success[ProspectsAdded]):
    """Prospects brought in."""


async def list_prospects(
    request: Request, audience_id: AudienceIdInPath, paging: Annotated[Paging, Query()]
) -> Response:
    """Lists the leads of an audience. A full walk meets every lead that was there throughout exactly once."""
    who = caller(request)
    scope = ("prospects", who.account_group_id, audience_id)
    page = await prospects.list_prospects(
        database(request), who, audience_id=audience_id, after=paging.start(*scope), limit=paging.limit
    )
    data = listing(ProspectList, page, _to_prospect, *scope)
    return answer(request, AudienceProspectListSuccessResponse, data)


async def add_prospects(request: Request, audience_id: AudienceIdInPath, body: AddProspects) -> Response:
    """Brings people in and adds them to the audience. Somebody known is not doubled: empty fields are filled, nothing
    is overwritten. A person without LinkedIn profile, e-mail and provider id is always a new lead."""
    result = await prospects.add_prospects(
        database(request),
        caller(request),
        audience_id=audience_id,
        profiles=[_to_profile(prospect) for prospect in body.prospects],
    )
    return answer(request, ProspectsAddedSuccessResponse, ProspectsAdded.model_validate(result))


def _to_prospect(member: model.Member) -> Prospect:
    profile = member.lead.profile
    values: dict[str, Any] = {
        name: getattr(profile, name) for name in NewProspect.model_fields if name not in ("company", "custom_fields")
    }
    if profile.name is None:
        values["name"] = " ".join(filter(None, (profile.first_name, profile.last_name))) or None
    values["company"] = Company.model_construct(
        **{name: getattr(profile, f"company_{name}") for name in _COMPANY_FIELDS}
    )
    return Prospect.model_construct(
        id=member.lead.id,
        created_at=member.lead.created_at,
        added_at=member.added_at,
        custom_fields=dict(profile.custom_fields),
        **values,
    )


def _to_profile(prospect: NewProspect) -> model.Profile:
    values = {name: value for name, value in prospect if name not in ("company", "custom_fields")}
    company = {f"company_{name}": value for name, value in prospect.company} if prospect.company else {}
    return model.Profile(**values, **company, custom_fields=prospect.custom_fields or {})
