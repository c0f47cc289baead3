"""Merging of two leads over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Response
from pydantic import Field

from leadyard import model
from leadyard.http.answer.change_id import change_id_header
from leadyard.http.answer.envelope import Id, Instant, RequestBody, Shape, Success
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import answer
from leadyard.http.request.route import needs
from leadyard.http.v1.leads import ProspectIdInPath
from leadyard.http.v1.prospects import ProspectFields, profile_values
from leadyard.operations import merging


class KnownProspect(ProspectFields):
    """A lead, whatever its audiences."""

    id: Id
    created_at: Instant


class MergeProspects(RequestBody):
    """The lead that is the same person."""

    prospect_id: Annotated[Id, Field(description="The lead to merge into the one in the path. It is then gone.")]


class ProspectMerge(Shape):
    """The lead that stands for both."""

    prospect: KnownProspect
    audience_count: Annotated[int, Field(ge=0, description="Number of audiences that contain the lead now.")]


class ProspectMergeSuccessResponse(Success[ProspectMerge]):
    """The leads were merged."""


@needs(merging.merge_leads)
async def merge_prospects(request: Request, prospect_id: ProspectIdInPath, body: MergeProspects) -> Response:
    """Merges another lead into this one, because both are one person. This lead keeps its values; the other lead fills
    its empty fields, hands over its audiences and its identities, and is gone. A merge cannot be undone."""
    return await answer(request, merging.merge_leads, _merged, lead_id=prospect_id, other_id=body.prospect_id)


def known_prospect(lead: model.Lead) -> KnownProspect:
    """Returns the shape of a lead."""
    return KnownProspect.of(lead, **profile_values(lead.profile))


def _merged(result: model.MergeResult) -> Shown:
    data = ProspectMerge.of(prospect=known_prospect(result.lead), audience_count=result.audience_count)
    return Shown(ProspectMergeSuccessResponse, data, change_id_header(result.change_id))
