"""Audiences over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query, Request, Response
from pydantic import Field

from leadyard import model
from leadyard.http.answer.change_id import change_id_header
from leadyard.http.answer.envelope import (
    Changes,
    Description,
    Id,
    Instant,
    Listing,
    Name,
    RequestBody,
    Shape,
    Success,
)
from leadyard.http.answer.paging import Paging, show_page
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import answer
from leadyard.http.request.route import caller, needs
from leadyard.operations import audiences

AudienceIdInPath = Annotated[Id, Path(alias="audienceId", description="The audience.")]


class Audience(Shape):
    """A named set of leads."""

    id: Id
    name: Annotated[str, Field(examples=["Senate"])]
    type: model.AudienceType
    description: str | None
    folder_id: Id | None
    prospect_count: Annotated[int, Field(ge=0, description="The exact number of leads in the audience.", examples=[25])]
    created_at: Instant


class AudienceList(Listing[Audience]):
    """A page of audiences."""


class AudienceSuccessResponse(Success[Audience]):
    """One audience."""


class AudienceListSuccessResponse(Success[AudienceList]):
    """A page of audiences, oldest first."""


class Deleted(Shape):
    """The item is deleted."""

    deleted: Literal[True]


class DeletedSuccessResponse(Success[Deleted]):
    """The item was deleted."""


class UpdateAudience(Changes):
    """The fields to change: at least one."""

    name: Annotated[Name, Field(examples=["Senate"])] = ""
    description: Annotated[Description | None, Field(description="A null clears it.")] = None


class CreateAudience(RequestBody):
    """A new audience."""

    name: Annotated[Name, Field(examples=["Senate"])]
    type: Annotated[
        model.AudienceType,
        Field(strict=False, description="on_demand or monitoring. Prospecting jobs create the others."),
    ]
    description: Annotated[Description | None, Field(examples=["The 100 senators"])] = None


class AudienceQuery(Paging):
    """Which audiences to list."""

    name: Annotated[Name | None, Field(description="Only audiences with exactly this name.", examples=["Senate"])] = (
        None
    )


def one_audience(audience: model.Audience) -> Shown:
    """Returns the answer with one audience."""
    return Shown(AudienceSuccessResponse, Audience.of(audience))


def deleted(_: None) -> Shown:
    """Returns the answer to a deletion."""
    return Shown(DeletedSuccessResponse, Deleted.of(deleted=True))


@needs(audiences.create_audience)
async def create_audience(request: Request, body: CreateAudience) -> Response:
    """Creates an empty audience."""
    return await answer(
        request,
        audiences.create_audience,
        one_audience,
        name=body.name,
        type=body.type,
        description=body.description or None,
    )


@needs(audiences.list_audiences)
async def list_audiences(request: Request, query: Annotated[AudienceQuery, Query()]) -> Response:
    """Lists the audiences, oldest first. The list leaves out audiences that a prospecting job is populating. With
    `name` it contains only audiences with exactly this name, and you get a 409 if a job is populating one of them."""
    scope = ("audiences", caller(request).account_group_id, *([] if query.name is None else [query.name]))
    show = show_page(AudienceListSuccessResponse, AudienceList, Audience.of, *scope)
    after = query.start(*scope)
    return await answer(request, audiences.list_audiences, show, name=query.name, after=after, limit=query.limit)


@needs(audiences.get_audience)
async def get_audience(request: Request, audience_id: AudienceIdInPath) -> Response:
    """Returns one audience with the exact number of its leads."""
    return await answer(request, audiences.get_audience, one_audience, audience_id=audience_id)


@needs(audiences.update_audience)
async def update_audience(request: Request, audience_id: AudienceIdInPath, body: UpdateAudience) -> Response:
    """Renames an audience or changes its description."""
    changes = body.given()
    if "description" in changes:
        changes["description"] = changes["description"] or None
    return await answer(request, audiences.update_audience, one_audience, audience_id=audience_id, changes=changes)


@needs(audiences.delete_audience)
async def delete_audience(request: Request, audience_id: AudienceIdInPath) -> Response:
    """Deletes an audience. Its leads stay in the account group and in their other audiences."""
    return await answer(request, audiences.delete_audience, _deleted_with_members, audience_id=audience_id)


def _deleted_with_members(change: model.Change) -> Shown:
    return Shown(DeletedSuccessResponse, Deleted.of(deleted=True), change_id_header(change.id))
