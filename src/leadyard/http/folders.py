"""Folders over HTTP, and the navigation that shows them with their audiences."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Request, Response
from pydantic import BeforeValidator, Field

from leadyard import model
from leadyard.http.audiences import (
    Audience,
    AudienceIdInPath,
    DeletedSuccessResponse,
    deleted,
    one_audience,
    to_audience,
)
from leadyard.http.caller import caller, database
from leadyard.http.envelope import Changes, Id, Instant, Name, RequestBody, Shape, Success, answer, whole
from leadyard.http.once import Shown, answer_once
from leadyard.operations import audiences, folders

FolderIdInPath = Annotated[Id, Path(alias="folderId", description="The folder.")]


class AudienceFolder(Shape):
    """Groups audiences of a compatible type."""

    id: Id
    name: Annotated[str, Field(examples=["Campaigns"])]
    audience_type: Annotated[
        model.FolderType, Field(description="monitoring takes monitoring audiences, on_demand all others.")
    ]
    is_pinned: bool
    position: Annotated[int, Field(ge=0, description="Its place among the folders, from 0.")]
    created_at: Instant
    updated_at: Instant


class AudienceFolderSuccessResponse(Success[AudienceFolder]):
    """One folder."""


class FolderWithAudiences(AudienceFolder):
    """A folder with the audiences in it, oldest first."""

    audiences: list[Audience]


class AudienceNavigation(Shape):
    """Everything one needs to draw the list of audiences."""

    folders: list[FolderWithAudiences]
    ungrouped_audiences: list[Audience]


class AudienceNavigationSuccessResponse(Success[AudienceNavigation]):
    """Folders with their audiences, and audiences in no folder."""


class CreateFolder(RequestBody):
    """A new folder, behind the others."""

    name: Annotated[Name, Field(examples=["Campaigns"])]
    audience_type: Annotated[model.FolderType, Field(strict=False)]


class UpdateFolder(Changes):
    """At least one of the fields."""

    name: Annotated[Name, Field(examples=["Campaigns"])] = ""
    is_pinned: bool = False
    position: Annotated[
        int,
        Field(ge=0, le=100_000, description="Its new place; the others are shifted. Beyond the end is the end."),
        BeforeValidator(whole),
    ] = 0


class MoveToFolder(RequestBody):
    """Where the audience goes."""

    folder_id: Id


async def create_folder(request: Request, body: CreateFolder) -> Response:
    """Makes an empty folder."""
    return await answer_once(request, folders.create_folder, _made, name=body.name, audience_type=body.audience_type)


async def update_folder(request: Request, folder_id: FolderIdInPath, body: UpdateFolder) -> Response:
    """Renames, pins or unpins a folder, or puts it at another place."""
    given = body.given()
    changed = await folders.update_folder(
        database(request),
        caller(request),
        folder_id=folder_id,
        name=given.get("name"),
        is_pinned=given.get("is_pinned"),
        position=given.get("position"),
    )
    return answer(request, AudienceFolderSuccessResponse, _to_folder(changed))


async def delete_folder(request: Request, folder_id: FolderIdInPath) -> Response:
    """Deletes a folder. Its audiences stay and become ungrouped."""
    await folders.delete_folder(database(request), caller(request), folder_id=folder_id)
    return answer(request, DeletedSuccessResponse, deleted())


async def get_navigation(request: Request) -> Response:
    """Returns the folders, pinned ones first, with their audiences, and the audiences in none. Audiences being
    populated by a prospecting job are left out."""
    found = await folders.get_navigation(database(request), caller(request))
    data = AudienceNavigation.model_construct(
        folders=[_with_audiences(folder, inside) for folder, inside in found.folders],
        ungrouped_audiences=[to_audience(audience) for audience in found.ungrouped],
    )
    return answer(request, AudienceNavigationSuccessResponse, data)


async def move_to_folder(request: Request, audience_id: AudienceIdInPath, body: MoveToFolder) -> Response:
    """Puts an audience into a folder, out of any other."""
    return await answer_once(
        request, audiences.move_to_folder, one_audience, audience_id=audience_id, folder_id=body.folder_id
    )


async def remove_from_folder(request: Request, audience_id: AudienceIdInPath) -> Response:
    """Takes an audience out of its folder."""
    return await answer_once(request, audiences.remove_from_folder, one_audience, audience_id=audience_id)


def _made(folder: model.Folder) -> Shown:
    return Shown(AudienceFolderSuccessResponse, _to_folder(folder))


def _to_folder(folder: model.Folder) -> AudienceFolder:
    return AudienceFolder.model_validate(folder)


def _with_audiences(folder: model.Folder, inside: tuple[model.Audience, ...]) -> FolderWithAudiences:
    values: dict[str, Any] = {name: getattr(folder, name) for name in AudienceFolder.model_fields}
    return FolderWithAudiences.model_construct(**values, audiences=[to_audience(audience) for audience in inside])
