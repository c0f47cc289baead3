"""Audiences over HTTP."""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated, Literal

from fastapi import Path, Query, Request, Response
from pydantic import Field

from leadyard import model
from leadyard.http.caller import caller, database
from leadyard.http.envelope import (
    Changes,
    Description,
    Id,
    Instant,
    Listing,
    Name,
    RequestBody,
    Shape,
    Success,
    answer,
)
from leadyard.http.once import Shown, answer_once
from leadyard.http.paging import Paging, listing
from leadyard.operations import audiences

AudienceIdInPath = Annotated[Id, Path(alias="audienceId", description="The audience.")]


class Audience(Shape):
    """A named set of leads."""

    id: Id
    name: Annotated[str, Field(examples=["Senate"])]
    type: model.AudienceType
    description: str | None
    folder_id: Id | None
    prospect_count: Annotated[int, Field(ge=0, description="The exact number of its leads.", examples=[25])]
    created_at: Instant


class AudienceList(Listing[Audience]):
    """A page of audiences."""


class AudienceSuccessResponse(Success[Audience]):
    """One audience."""


class AudienceListSuccessResponse(Success[AudienceList]):
    """A page of audiences, oldest first."""


class Deleted(Shape):
    """It is gone."""

    deleted: Literal[True]


class DeletedSuccessResponse(Success[Deleted]):
    """Deleted."""


class UpdateAudience(Changes):
    """At least one of the fields."""

    name: Annotated[Name, Field(examples=["Senate"])] = ""
    description: Annotated[Description | None, Field(description="null clears it.")] = None


class CreateAudience(RequestBody):
    """A new audience."""

    name: Annotated[Name, Field(examples=["Senate"])]
    type: Annotated[
        model.AudienceType,
        Field(strict=False, description="on_demand or monitoring; prospecting jobs make the others."),
    ]
    description: Annotated[Description | None, Field(examples=["The 100 senators"])] = None


def one_audience(audience: model.Audience) -> Shown:
    """Returns the answer that is one audience."""
    return Shown(AudienceSuccessResponse, to_audience(audience))


_AUDIENCE_FIELDS = tuple(Audience.model_fields)
_values_of = attrgetter(*_AUDIENCE_FIELDS)


def to_audience(audience: model.Audience) -> Audience:
    """Returns the audience as it goes out."""
    return Audience.made_of(dict(zip(_AUDIENCE_FIELDS, _values_of(audience), strict=True)))


def deleted() -> Deleted:
    """Returns the data of an answer that says that something is gone."""
    return Deleted(deleted=True)


async def create_audience(request: Request, body: CreateAudience) -> Response:
    """Makes an audience without leads."""
    return await answer_once(
        request,
        audiences.create_audience,
        one_audience,
        name=body.name,
        type=body.type,
        description=body.description or None,
    )


async def list_audiences(request: Request, paging: Annotated[Paging, Query()]) -> Response:
    """Lists the audiences, oldest first. Those being populated by a prospecting job are left out."""
    who = caller(request)
    scope = ("audiences", who.account_group_id)
    page = await audiences.list_audiences(database(request), who, after=paging.start(*scope), limit=paging.limit)
    return answer(request, AudienceListSuccessResponse, listing(AudienceList, page, to_audience, *scope))


async def get_audience(request: Request, audience_id: AudienceIdInPath) -> Response:
    """Returns one audience with the exact number of its leads."""
    found = await audiences.get_audience(database(request), caller(request), audience_id=audience_id)
    return answer(request, AudienceSuccessResponse, to_audience(found))


async def update_audience(request: Request, audience_id: AudienceIdInPath, body: UpdateAudience) -> Response:
    """Renames an audience or changes its description."""
    changes = body.given()
    if "description" in changes:
        changes["description"] = changes["description"] or None
    changed = await audiences.update_audience(
        database(request), caller(request), audience_id=audience_id, changes=changes
    )
    return answer(request, AudienceSuccessResponse, to_audience(changed))


async def delete_audience(request: Request, audience_id: AudienceIdInPath) -> Response:
    """Deletes an audience. Its leads stay in the account group and in their other audiences."""
    await audiences.delete_audience(database(request), caller(request), audience_id=audience_id)
    return answer(request, DeletedSuccessResponse, deleted())
