"""Moves over HTTP, and their records."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from pydantic import Field

from leadyard import model
from leadyard.http.answer.change_id import CHANGE_ID_HEADER, change_id_header
from leadyard.http.answer.envelope import Id, Instant, Listing, RequestBody, Shape, Success
from leadyard.http.answer.paging import Paging, show_page
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import answer
from leadyard.http.request.route import caller, needs
from leadyard.http.v1.audiences import Audience, AudienceIdInPath
from leadyard.operations import moves

MOVE_ID_HEADERS = {
    "Move-Id": {"schema": {"type": "string"}, "description": "ID of the record of this move."},
    **CHANGE_ID_HEADER,
}


TargetAudienceId = Annotated[
    Id, Field(description="ID of the audience that receives the leads.", examples=["507f191e810c19729de860ea"])
]


def lead_ids_to(verb: str) -> Any:
    """Returns the field of a list of leads for a request that does this to them."""
    return Field(
        min_length=1,
        max_length=model.MAX_LEADS_PER_MOVE,
        description=f"IDs of the leads to {verb}. Repeated ids count once.",
    )


class MoveLeads(RequestBody):
    """The leads to move and their target."""

    target_audience_id: TargetAudienceId
    lead_ids: Annotated[list[Id], lead_ids_to("move")]


class AudienceLeadMove(Shape):
    """Both audiences after the move."""

    source_audience: Audience
    target_audience: Audience
    moved_count: Annotated[
        int, Field(ge=1, description="Number of distinct leads that left the source.", examples=[25])
    ]


class AudienceLeadMoveSuccessResponse(Success[AudienceLeadMove]):
    """The leads were moved."""


class Move(Shape):
    """The record of one move."""

    id: Id
    source_audience_id: Id
    target_audience_id: Id
    moved_count: int
    already_in_target_count: Annotated[int, Field(description="Number of moved leads that were already in the target.")]
    moved_at: Instant
    api_key_id: Id | None
    undone_by_move_id: Id | None


class MoveWithLeads(Move):
    """The record of one move and the ids of the moved leads."""

    lead_ids: list[Id]


class MoveList(Listing[Move]):
    """A page of moves."""


class MoveListSuccessResponse(Success[MoveList]):
    """A page of past moves, newest first."""


class MoveSuccessResponse(Success[MoveWithLeads]):
    """One move."""


@needs(moves.move_leads)
async def move_leads(request: Request, audience_id: AudienceIdInPath, body: MoveLeads) -> Response:
    """Moves leads from one audience to another: either all of them or, if one cannot be moved, none."""
    return await answer(
        request,
        moves.move_leads,
        _moved,
        source_audience_id=audience_id,
        target_audience_id=body.target_audience_id,
        lead_ids=body.lead_ids,
    )


@needs(moves.list_moves)
async def list_moves(request: Request, paging: Annotated[Paging, Query()]) -> Response:
    """Lists past moves, newest first."""
    scope = ("moves", caller(request).account_group_id)
    show = show_page(MoveListSuccessResponse, MoveList, Move.of, *scope)
    return await answer(request, moves.list_moves, show, before=paging.start(*scope), limit=paging.limit)


@needs(moves.get_move)
async def get_move(request: Request, move_id: Annotated[Id, Path(alias="moveId", description="The move.")]) -> Response:
    """Returns one past move with the ids of the moved leads."""
    return await answer(request, moves.get_move, _one_move, move_id=move_id)


def _one_move(move: model.Move) -> Shown:
    return Shown(MoveSuccessResponse, MoveWithLeads.of(move, lead_ids=list(move.lead_ids or ())))


def _moved(result: model.MoveResult) -> Shown:
    data = AudienceLeadMove.of(
        source_audience=Audience.of(result.source),
        target_audience=Audience.of(result.target),
        moved_count=result.move.moved_count,
    )
    headers = {"Move-Id": result.move.id, **change_id_header(result.move.id)}
    return Shown(AudienceLeadMoveSuccessResponse, data, headers)
