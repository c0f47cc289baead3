"""Single leads over HTTP; the published paths call them prospects."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Request, Response
from pydantic import AfterValidator, Field

from leadyard import model
from leadyard.http.audiences import Audience, DeletedSuccessResponse, deleted, to_audience
from leadyard.http.caller import caller, database
from leadyard.http.envelope import Changes, Id, Instant, RequestBody, Shape, Success, answer, single_line
from leadyard.http.prospects import Company, ProspectFields, profile_values
from leadyard.operations import leads

ProspectIdInPath = Annotated[Id, Path(alias="prospectId", description="The lead.")]
ProviderIdInPath = Annotated[
    str,
    Path(
        alias="providerId",
        max_length=300,
        description="Any outside id.",
        json_schema_extra={"pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"},
    ),
    AfterValidator(single_line),
]


class Lead(ProspectFields):
    """A lead and the audiences it is in, oldest first."""

    id: Id
    created_at: Instant
    audiences: list[Audience]


class LeadSuccessResponse(Success[Lead]):
    """One lead."""


class ProviderIdMatch(Shape):
    """A lead that bears the outside id. `prospectId` and `personId` are the same: a person is one lead."""

    prospect_id: Id
    person_id: Id
    public_identifier: str | None
    linkedin_url: str | None
    name: str | None
    company_name: str | None
    title: str | None


class ProviderIdResolution(Shape):
    """Who bears an outside id: none, one, or several; which of several is meant is never guessed."""

    provider_id: str
    resolution: Literal["none", "unique", "ambiguous"]
    matches: Annotated[list[ProviderIdMatch], Field(description="At most 100.")]


class ProviderIdResolutionSuccessResponse(Success[ProviderIdResolution]):
    """Who bears the outside id."""


class UpdateCompany(RequestBody):
    """Where the person works; null clears a field."""

    name: str | None = None
    linkedin_identifier: str | None = None
    linkedin_url: str | None = None
    industry: str | None = None
    website: str | None = None


class UpdateLead(Changes):
    """At least one of the fields; null clears one. Custom fields and company are changed field by field as well."""

    first_name: str | None = None
    last_name: str | None = None
    name: str | None = None
    headline: str | None = None
    about: str | None = None
    photo_url: str | None = None
    linkedin_url: str | None = None
    public_identifier: str | None = None
    title: Annotated[str | None, Field(examples=["Head of Sales"])] = None
    email: str | None = None
    phone: str | None = None
    location: str | None = None
    company: UpdateCompany = UpdateCompany()
    custom_fields: Annotated[dict[str, str | None], Field(default_factory=dict)]
    provider_id: str | None = None


async def get_prospect(request: Request, prospect_id: ProspectIdInPath) -> Response:
    """Returns a lead with the audiences it is in."""
    found = await leads.get_lead(database(request), caller(request), lead_id=prospect_id)
    return answer(request, LeadSuccessResponse, _to_lead(found))


async def update_prospect(request: Request, prospect_id: ProspectIdInPath, body: UpdateLead) -> Response:
    """Changes what is known of a person, in every audience at once."""
    changes = body.given()
    custom = changes.pop("custom_fields", {})
    company: UpdateCompany | None = changes.pop("company", None)
    if company is not None:
        changes |= {f"company_{name}": getattr(company, name) for name in company.model_fields_set}
    changed = await leads.update_lead(
        database(request), caller(request), lead_id=prospect_id, changes=changes, custom=custom
    )
    return answer(request, LeadSuccessResponse, _to_lead(changed))


async def delete_prospect(request: Request, prospect_id: ProspectIdInPath) -> Response:
    """Erases a person from the account group: from every audience and, by id, from the record of moves."""
    await leads.erase_lead(database(request), caller(request), lead_id=prospect_id)
    return answer(request, DeletedSuccessResponse, deleted())


async def find_by_provider_id(request: Request, provider_id: ProviderIdInPath) -> Response:
    """Tells who bears an outside id: nobody, one person, or several."""
    found = await leads.find_leads_by_provider_id(database(request), caller(request), provider_id=provider_id)
    resolution: Literal["none", "unique", "ambiguous"] = (
        "none" if not found else "unique" if len(found) == 1 else "ambiguous"
    )
    data = ProviderIdResolution.model_construct(
        provider_id=provider_id, resolution=resolution, matches=[_to_match(lead) for lead in found]
    )
    return answer(request, ProviderIdResolutionSuccessResponse, data)


def _to_lead(found: model.LeadWithAudiences) -> Lead:
    return Lead.model_construct(
        id=found.lead.id,
        created_at=found.lead.created_at,
        audiences=[to_audience(audience) for audience in found.audiences],
        **profile_values(found.lead.profile),
    )


def _to_match(lead: model.Lead) -> ProviderIdMatch:
    values = profile_values(lead.profile)
    company: Company = values["company"]
    return ProviderIdMatch.model_construct(
        prospect_id=lead.id,
        person_id=lead.id,
        public_identifier=values["public_identifier"],
        linkedin_url=values["linkedin_url"],
        name=values["name"],
        company_name=company.name,
        title=values["title"],
    )
