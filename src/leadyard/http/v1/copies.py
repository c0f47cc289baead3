"""Copies of leads over HTTP."""

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
from leadyard.http.v1.moves import TargetAudienceId, lead_ids_to
from leadyard.operations import copies


class CopyLeads(RequestBody):
    """The leads to copy and their target."""

    target_audience_id: TargetAudienceId
    lead_ids: Annotated[list[Id], lead_ids_to("copy")]


class AudienceLeadCopy(Shape):
    """Both audiences after the copy."""

    source_audience: Audience
    target_audience: Audience
    copied_count: Annotated[int, Field(ge=0, description="Number of distinct leads that are new in the target.")]
    already_in_target_count: Annotated[int, Field(ge=0, description="Number of leads that were in the target before.")]


class AudienceLeadCopySuccessResponse(Success[AudienceLeadCopy]):
    """The leads were copied."""


@needs(copies.copy_leads)
async def copy_leads(request: Request, audience_id: AudienceIdInPath, body: CopyLeads) -> Response:
    """Copies leads from one audience to another: either all of them or, if one cannot be copied, none. The leads stay
    in the source."""
    return await answer(
        request,
        copies.copy_leads,
        _copied,
        source_audience_id=audience_id,
        target_audience_id=body.target_audience_id,
        lead_ids=body.lead_ids,
    )


def _copied(result: model.CopyResult) -> Shown:
    change = result.change
    data = AudienceLeadCopy.of(
        source_audience=Audience.of(result.source),
        target_audience=Audience.of(result.target),
        copied_count=change.lead_count - change.already_in_target_count,
        already_in_target_count=change.already_in_target_count,
    )
    return Shown(AudienceLeadCopySuccessResponse, data, change_id_header(change.id))
