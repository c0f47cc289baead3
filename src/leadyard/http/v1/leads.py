"""Single leads over HTTP. The published paths call them prospects."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal

from fastapi import Path, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from leadyard import model
from leadyard.errors import InvalidRequest, Violation
from leadyard.http.answer.envelope import Changes, Id, Instant, RequestBody, Shape, Success, single_line
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import answer
from leadyard.http.request.route import database, needs
from leadyard.http.v1.audiences import Audience, deleted
from leadyard.http.v1.prospects import ProspectFields, profile_values
from leadyard.http.v1.suppressions import Reason
from leadyard.operations import leads
from leadyard.operations.secret_keys import usable_secret_key
from leadyard.people.fields import MAX_IDENTIFIER_LENGTH
from leadyard.people.shapes import company_fields, may_be_left_out, may_be_left_out_showing, person_fields, with_fields

ProspectIdInPath = Annotated[Id, Path(alias="prospectId", description="The lead.")]
ProviderIdInPath = Annotated[
    str,
    Path(
        alias="providerId",
        max_length=MAX_IDENTIFIER_LENGTH,
        description="An id from another system.",
        json_schema_extra={"pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"},
    ),
    AfterValidator(single_line),
]


class Lead(ProspectFields):
    """A lead and the audiences that contain it, oldest first."""

    id: Id
    created_at: Instant
    audiences: list[Audience]


class LeadSuccessResponse(Success[Lead]):
    """One lead."""


class ProviderIdMatch(Shape):
    """A lead with the external id. `prospectId` and `personId` are the same, because a person is one lead."""

    prospect_id: Id
    person_id: Id
    public_identifier: str | None
    linkedin_url: str | None
    name: str | None
    company_name: str | None
    title: str | None


class ProviderIdResolution(Shape):
    """Leads with this external id: none, one or several. The service never chooses between several."""

    provider_id: str
    resolution: Literal["none", "unique", "ambiguous"]
    matches: Annotated[list[ProviderIdMatch], Field(description="At most 100.")]


class ProviderIdResolutionSuccessResponse(Success[ProviderIdResolution]):
    """The leads with this external id."""


@with_fields(company_fields(may_be_left_out))
class UpdateCompany(RequestBody):
    """The person's employer. A null clears a field."""


@with_fields(
    person_fields(
        may_be_left_out_showing("title"),
        company=(UpdateCompany, UpdateCompany()),
        custom_fields=(dict[str, str | None], Field(default_factory=dict)),
    )
)
class UpdateLead(Changes):
    """The fields to change: at least one. A null clears a field. Custom fields and company change field by field."""


class EraseQuery(BaseModel):
    """What to keep of an erased person."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    suppress: Annotated[
        bool,
        Field(description="Whether to keep hashes of the person's identities, so that the person cannot come back."),
    ] = False
    reason: Annotated[Reason | None, Field(description="The reason of the suppression. Only with `suppress=true`.")] = (
        None
    )


@needs(leads.get_lead)
async def get_prospect(request: Request, prospect_id: ProspectIdInPath) -> Response:
    """Returns a lead and the audiences that contain it."""
    return await answer(request, leads.get_lead, _one_lead, lead_id=prospect_id)


@needs(leads.update_lead)
async def update_prospect(request: Request, prospect_id: ProspectIdInPath, body: UpdateLead) -> Response:
    """Updates the fields of a person. The change applies to every audience."""
    changes = body.given()
    custom = changes.pop("custom_fields", {})
    workplace: UpdateCompany | None = changes.pop("company", None)
    if workplace is not None:
        changes |= {f"company_{name}": value for name, value in workplace if name in workplace.model_fields_set}
    return await answer(request, leads.update_lead, _one_lead, lead_id=prospect_id, changes=changes, custom=custom)


@needs(leads.erase_lead)
async def delete_prospect(
    request: Request, prospect_id: ProspectIdInPath, query: Annotated[EraseQuery, Query()]
) -> Response:
    """Erases a person from the account group: from every audience and, by id, from the move history."""
    if query.reason is not None and not query.suppress:
        # An erasure cannot be repeated with suppress=true, because the person is gone.
        where = Violation(path="reason", code="NOT_ALLOWED", message="Send it only with suppress=true.")
        raise InvalidRequest([where])
    if query.suppress:
        await usable_secret_key(database(request))
    return await answer(
        request, leads.erase_lead, deleted, lead_id=prospect_id, suppress=query.suppress, reason=query.reason
    )


@needs(leads.find_leads_by_provider_id)
async def find_by_provider_id(request: Request, provider_id: ProviderIdInPath) -> Response:
    """Finds the leads with this external id: none, one or several."""
    show = partial(_resolution, provider_id)
    return await answer(request, leads.find_leads_by_provider_id, show, provider_id=provider_id)


def _resolution(provider_id: str, found: Sequence[model.Lead]) -> Shown:
    resolution = "none" if not found else "unique" if len(found) == 1 else "ambiguous"
    data = ProviderIdResolution.of(
        provider_id=provider_id, resolution=resolution, matches=[_to_match(lead) for lead in found]
    )
    return Shown(ProviderIdResolutionSuccessResponse, data)


def lead_of(found: model.LeadWithAudiences) -> Lead:
    """Returns the shape of a lead with its audiences."""
    return Lead.of(found.lead, audiences=list(map(Audience.of, found.audiences)), **profile_values(found.lead.profile))


def _one_lead(found: model.LeadWithAudiences) -> Shown:
    return Shown(LeadSuccessResponse, lead_of(found))


def _to_match(lead: model.Lead) -> ProviderIdMatch:
    values = profile_values(lead.profile)
    return ProviderIdMatch.of(
        lead.profile,
        prospect_id=lead.id,
        person_id=lead.id,
        name=values["name"],
        company_name=lead.profile.company_name,
    )
