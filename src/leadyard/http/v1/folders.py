"""Folders over HTTP, and the navigation that shows them with their audiences."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request, Response
from pydantic import BeforeValidator, Field

from leadyard import model
from leadyard.http.answer.envelope import Changes, Id, Instant, Name, RequestBody, Shape, Success, whole
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import answer
from leadyard.http.request.route import needs
from leadyard.http.v1.audiences import (
    Audience,
    AudienceIdInPath,
    deleted,
    one_audience,
)
from leadyard.operations import audiences, folders

FolderIdInPath = Annotated[Id, Path(alias="folderId", description="The folder.")]


class AudienceFolder(Shape):
    """Groups audiences of a compatible type."""

    id: Id
    name: Annotated[str, Field(examples=["Campaigns"])]
    audience_type: Annotated[
        model.FolderType,
        Field(description="A monitoring folder accepts monitoring audiences, an on_demand folder all others."),
    ]
    is_pinned: bool
    position: Annotated[int, Field(ge=0, description="Its position among the folders, from 0.")]
    created_at: Instant
    updated_at: Instant


class AudienceFolderSuccessResponse(Success[AudienceFolder]):
    """One folder."""


class FolderWithAudiences(AudienceFolder):
    """A folder with the audiences in it, oldest first."""

    audiences: list[Audience]


class AudienceNavigation(Shape):
    """Everything you need to show the list of audiences."""

    folders: list[FolderWithAudiences]
    ungrouped_audiences: list[Audience]


class AudienceNavigationSuccessResponse(Success[AudienceNavigation]):
    """Folders with their audiences, and audiences without a folder."""


class CreateFolder(RequestBody):
    """A new folder, after the existing ones."""

    name: Annotated[Name, Field(examples=["Campaigns"])]
    audience_type: Annotated[model.FolderType, Field(strict=False)]


class UpdateFolder(Changes):
    """The fields to change: at least one."""

    name: Annotated[Name, Field(examples=["Campaigns"])] = ""
    is_pinned: bool = False
    position: Annotated[
        int,
        Field(
            ge=0,
            le=100_000,
            description="The new position. The other folders shift, and a position beyond the end means the end.",
        ),
        BeforeValidator(whole),
    ] = 0


class MoveToFolder(RequestBody):
    """The folder that the audience moves to."""

    folder_id: Id


@needs(folders.create_folder)
async def create_folder(request: Request, body: CreateFolder) -> Response:
    """Creates an empty folder."""
    return await answer(request, folders.create_folder, _one_folder, name=body.name, audience_type=body.audience_type)


@needs(folders.update_folder)
async def update_folder(request: Request, folder_id: FolderIdInPath, body: UpdateFolder) -> Response:
    """Renames, pins, unpins or reorders a folder."""
    given = body.given()
    return await answer(
        request,
        folders.update_folder,
        _one_folder,
        folder_id=folder_id,
        name=given.get("name"),
        is_pinned=given.get("is_pinned"),
        position=given.get("position"),
    )


@needs(folders.delete_folder)
async def delete_folder(request: Request, folder_id: FolderIdInPath) -> Response:
    """Deletes a folder. Its audiences remain, outside any folder."""
    return await answer(request, folders.delete_folder, deleted, folder_id=folder_id)


@needs(folders.get_navigation)
async def get_navigation(request: Request) -> Response:
    """Returns the folders, pinned ones first, with their audiences, and the audiences without a folder. It leaves out
    audiences that a prospecting job is populating."""
    return await answer(request, folders.get_navigation, _navigation)


@needs(audiences.move_to_folder)
async def move_to_folder(request: Request, audience_id: AudienceIdInPath, body: MoveToFolder) -> Response:
    """Moves an audience into a folder. It leaves the folder that it was in."""
    return await answer(
        request, audiences.move_to_folder, one_audience, audience_id=audience_id, folder_id=body.folder_id
    )


@needs(audiences.remove_from_folder)
async def remove_from_folder(request: Request, audience_id: AudienceIdInPath) -> Response:
    """Removes an audience from its folder."""
    return await answer(request, audiences.remove_from_folder, one_audience, audience_id=audience_id)


def _one_folder(folder: model.Folder) -> Shown:
    return Shown(AudienceFolderSuccessResponse, AudienceFolder.of(folder))


def _navigation(found: model.Navigation) -> Shown:
    data = AudienceNavigation.of(
        folders=[
            FolderWithAudiences.of(folder, audiences=list(map(Audience.of, inside))) for folder, inside in found.folders
        ],
        ungrouped_audiences=list(map(Audience.of, found.ungrouped)),
    )
    return Shown(AudienceNavigationSuccessResponse, data)
