"""The move over HTTP, and the record of moves."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request, Response
from pydantic import Field

from leadyard import model
from leadyard.http.audiences import Audience, AudienceIdInPath, to_audience
from leadyard.http.caller import caller, database
from leadyard.http.envelope import Id, Instant, Listing, RequestBody, Shape, Success, answer
from leadyard.http.once import Shown, answer_once
from leadyard.http.paging import Paging, listing
from leadyard.operations import moves


class MoveLeads(RequestBody):
    """Which leads go where."""

    target_audience_id: Annotated[
        Id, Field(description="Audience ID that receives the selected leads.", examples=["507f191e810c19729de860ea"])
    ]
    lead_ids: Annotated[
        list[Id],
        Field(
            min_length=1,
            max_length=model.MAX_LEADS_PER_MOVE,
            description="Lead IDs to include in the requested operation. Repeated ids count once.",
        ),
    ]


class AudienceLeadMove(Shape):
    """Both audiences as the move left them."""

    source_audience: Audience
    target_audience: Audience
    moved_count: Annotated[int, Field(ge=1, description="Distinct leads that left the source.", examples=[25])]


class AudienceLeadMoveSuccessResponse(Success[AudienceLeadMove]):
    """Leads moved."""


class Move(Shape):
    """The record of one move."""

    id: Id
    source_audience_id: Id
    target_audience_id: Id
    moved_count: int
    already_in_target_count: Annotated[int, Field(description="How many of them were in the target before.")]
    moved_at: Instant
    api_key_id: Id | None
    undone_by_move_id: Id | None


class MoveWithLeads(Move):
    """The record of one move with the leads that were moved."""

    lead_ids: list[Id]


class MoveList(Listing[Move]):
    """A page of moves."""


class MoveListSuccessResponse(Success[MoveList]):
    """A page of the record of moves, newest first."""


class MoveSuccessResponse(Success[MoveWithLeads]):
    """One move."""


async def move_leads(request: Request, audience_id: AudienceIdInPath, body: MoveLeads) -> Response:
    """Moves leads from one audience to another: all of them or, when anything stands in the way, none."""
    return await answer_once(
        request,
        moves.move_leads,
        _moved,
        source_audience_id=audience_id,
        target_audience_id=body.target_audience_id,
        lead_ids=body.lead_ids,
    )


async def list_moves(request: Request, paging: Annotated[Paging, Query()]) -> Response:
    """Lists the record of moves, newest first."""
    who = caller(request)
    scope = ("moves", who.account_group_id)
    page = await moves.list_moves(database(request), who, before=paging.start(*scope), limit=paging.limit)
    return answer(request, MoveListSuccessResponse, listing(MoveList, page, Move.model_validate, *scope))


async def get_move(request: Request, move_id: Annotated[Id, Path(alias="moveId", description="The move.")]) -> Response:
    """Returns one move with the ids of the leads that were moved."""
    move = await moves.get_move(database(request), caller(request), move_id=move_id)
    return answer(request, MoveSuccessResponse, MoveWithLeads.model_validate(move))


def _moved(result: model.MoveResult) -> Shown:
    data = AudienceLeadMove.made_of(
        {
            "source_audience": to_audience(result.source),
            "target_audience": to_audience(result.target),
            "moved_count": result.move.moved_count,
        }
    )
    return Shown(AudienceLeadMoveSuccessResponse, data, {"Move-Id": result.move.id})
