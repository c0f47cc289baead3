"""Undo over HTTP: takes a change back, and returns the change that records this."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Response
from pydantic import Field

from leadyard import model
from leadyard.http.answer.change_id import change_id_header
from leadyard.http.answer.envelope import RequestBody, Shape, Success
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import answer
from leadyard.http.request.route import needs
from leadyard.http.v1.changes import Change, ChangeIdInPath
from leadyard.http.v1.transfers import started
from leadyard.operations.changes import undoing


class UndoChange(RequestBody):
    """How to undo. Without a body, nothing is undone if one of the leads has been changed since."""

    skip_changed: Annotated[
        bool, Field(description="Whether to leave leads that have been changed since as they are, and undo the rest.")
    ] = False


class ChangeUndo(Shape):
    """The change that has undone the other one."""

    change: Change
    undone_count: Annotated[int, Field(ge=0, description="Number of leads that are as they were before the change.")]
    skipped_count: Annotated[
        int, Field(ge=0, description="Number of leads that stay as they are: erased, or changed since.")
    ]
    kept_edits: Annotated[
        int | None,
        Field(
            ge=0,
            description="Number of known people who keep values of the undone import: in fields that were empty, or "
            "that were edited since. Null for other changes.",
        ),
    ]


class ChangeUndoSuccessResponse(Success[ChangeUndo]):
    """The change was undone."""


@needs(undoing.undo_change)
async def undo_change(request: Request, change_id: ChangeIdInPath, body: UndoChange | None = None) -> Response:
    """Undoes a change: either all of its leads or, if one has been changed since, none. The undo is a change, too, and
    can be undone. If the change is about more than 10,000 leads, a job does it: GET …/transfers/{jobId} shows it."""
    skip_changed = body is not None and body.skip_changed
    return await answer(request, undoing.undo_change, _undone, change_id=change_id, skip_changed=skip_changed)


def _undone(result: model.UndoResult | model.Job) -> Shown:
    if isinstance(result, model.Job):
        return started(result, status=202)
    data = ChangeUndo.of(
        change=Change.of(result.change),
        undone_count=result.undone_count,
        skipped_count=result.skipped_count,
        kept_edits=result.kept_edits,
    )
    return Shown(ChangeUndoSuccessResponse, data, change_id_header(result.change.id))
