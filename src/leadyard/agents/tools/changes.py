"""Tools that show the record of changes and take changes back."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from leadyard.agents.arguments import AudienceId, Cursor, Id, InGroup, Moment, PersonId, WaitSeconds
from leadyard.agents.tool import Call, Data, Effect, tool
from leadyard.agents.tools.listed_people import ExpectedCount, require_expected
from leadyard.agents.tools.waiting import ended_transfer
from leadyard.model import ChangeKind, Permission

_LEFT_OUT = ("apiKeyId",)


class ListChanges(InGroup):
    """Arguments of `list_changes`."""

    audience_id: Annotated[AudienceId | None, Field(description="Only changes into or out of this audience.")] = None
    prospect_id: Annotated[PersonId | None, Field(description="Only changes of this person.")] = None
    kind: ChangeKind | None = None
    changed_after: Moment | None = None
    changed_before: Moment | None = None
    cursor: Cursor = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class UndoChange(InGroup):
    """Arguments of `undo_change`."""

    change_id: Annotated[Id, Field(description="The changeId of an answer, or an id from list_changes.")]
    expected_count: ExpectedCount = None
    skip_changed: Annotated[
        bool,
        Field(
            description="Whether to leave people who were moved again since as they are. Set it only if the user "
            "agrees."
        ),
    ] = False
    wait_seconds: WaitSeconds = 20


@tool(ListChanges, title="List changes", effect=Effect.READS, needs=(Permission.AUDIENCES_READ,))
async def list_changes(call: Call, asked: ListChanges) -> Data:
    """List what happened to the audiences, newest first: moves, copies, removals, imports, undos and others, each with
    the number of people (leadCount), the audiences and the time. Use it to answer "what happened to this list or
    person", and to find the id for undo_change. A change with an undoneByChangeId was taken back."""
    filters = asked.given("audience_id", "prospect_id", "kind", "changed_after", "changed_before")
    path = f"{await call.group(asked)}/changes"
    page = await call.api.get(path, limit=asked.limit, cursor=asked.cursor, **filters)
    return {"changes": [short_change(each) for each in page["items"]], "nextCursor": page["nextCursor"]}


@tool(UndoChange, title="Take a change back", effect=Effect.CHANGES, needs=(Permission.AUDIENCES_WRITE,))
async def undo_change(call: Call, asked: UndoChange) -> Data:
    """Take one change back: all people whom it moved, copied, removed or imported are again where they were before. It
    is all or nothing: if one of them was moved again since, nothing happens, unless skipChanged is true. For a change
    of more than 100 people pass its leadCount as expectedCount. The undo is a change, too: undoing it makes the first
    change again. The undo of a large change is a job, as with transfer."""
    group = await call.group(asked)
    path = f"{group}/changes/{asked.change_id}"
    await _check_count(call, path, asked.expected_count)
    undone, change_id = await call.api.change(f"{path}/undo", {"skipChanged": asked.skip_changed})
    if "jobId" in undone:
        return await ended_transfer(call, group, undone["jobId"], wait_s=asked.wait_seconds)
    return {
        "change": short_change(undone["change"]),
        **{name: undone[name] for name in ("undoneCount", "skippedCount", "keptEdits")},
        "next": f"Done. To make the change again, call undo_change with changeId {change_id}.",
    }


async def _check_count(call: Call, path: str, expected: int | None) -> None:
    change = await call.api.get(path)
    require_expected(change["leadCount"], expected, what="This change")


def short_change(change: dict[str, Any]) -> Data:
    """Returns a change without the parts that it does not have."""
    return {name: value for name, value in change.items() if value is not None and name not in _LEFT_OUT}
