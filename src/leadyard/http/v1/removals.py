"""Removals of leads from an audience over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Response
from pydantic import Field

from leadyard import model
from leadyard.http.answer.change_id import change_id_header
from leadyard.http.answer.envelope import Id, RequestBody, Shape, Success
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import answer
from leadyard.http.request.route import needs
from leadyard.http.v1.audiences import Audience, AudienceIdInPath
from leadyard.http.v1.moves import lead_ids_to
from leadyard.operations import removals


class RemoveLeads(RequestBody):
    """The leads to remove."""

    lead_ids: Annotated[list[Id], lead_ids_to("remove")]


class AudienceLeadRemoval(Shape):
    """The audience after the removal."""

    audience: Audience
    removed_count: Annotated[int, Field(ge=1, description="Number of distinct leads that left the audience.")]


class AudienceLeadRemovalSuccessResponse(Success[AudienceLeadRemoval]):
    """The leads were removed."""


@needs(removals.remove_leads)
async def remove_leads(request: Request, audience_id: AudienceIdInPath, body: RemoveLeads) -> Response:
    """Removes leads from an audience: either all of them or, if one is not in it, none. They stay in the account group
    and in their other audiences."""
    return await answer(request, removals.remove_leads, _removed, audience_id=audience_id, lead_ids=body.lead_ids)


def _removed(result: model.RemovalResult) -> Shown:
    change = result.change
    data = AudienceLeadRemoval.of(audience=Audience.of(result.audience), removed_count=change.lead_count)
    return Shown(AudienceLeadRemovalSuccessResponse, data, change_id_header(change.id))
