"""Tools that show the record of changes and take changes back."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from leadyard.agents.arguments import AudienceId, Cursor, Id, InGroup, Moment, PersonId, WaitSeconds
from leadyard.agents.tool import Call, Data, Effect, tool
from leadyard.agents.tools.audiences import audiences_now
from leadyard.agents.tools.listed_people import ExpectedCount, require_expected
from leadyard.agents.tools.waiting import ended_transfer
from leadyard.api_client.refused import Refused
from leadyard.model import ChangeKind, Permission

_NAMED_AUDIENCES = 200


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
            description="Whether to leave people as they are if a later change has moved, added or removed them in the "
            "audiences of this change. A person who was only put into another audience is not left. Set it if the user "
            "agrees or has requested it."
        ),
    ] = False
    wait_seconds: WaitSeconds = 20


@tool(ListChanges, title="List changes", effect=Effect.READS, needs=(Permission.AUDIENCES_READ,))
async def list_changes(call: Call, asked: ListChanges) -> Data:
    """List what happened to the audiences, newest first: moves, copies, removals, imports, undos and others, each with
    the number of people (leadCount; alreadyInTargetCount of them were in the target before), the audiences and the
    time. Use it to answer "what happened to this list or person", and to find the id for undo_change. A change with an
    undoneByChangeId was taken back. apiKeyId is the key that made the change; the operator can find its owner.
    Without a key, madeBy is operator: a command at the server. All times are UTC, and so is now."""
    filters = asked.given("audience_id", "prospect_id", "kind", "changed_after", "changed_before")
    group = await call.group(asked)
    page = await call.api.get(f"{group}/changes", limit=asked.limit, cursor=asked.cursor, **filters)
    changes = [short_change(each) for each in page["items"]]
    names = await _names(call, group, changes)
    return {
        "now": datetime.now(UTC).isoformat(timespec="seconds"),
        "changes": [each | _named(each, names) for each in changes],
        "nextCursor": page["nextCursor"],
    }


async def _names(call: Call, group: str, changes: Iterable[Data]) -> dict[str, str]:
    """Returns the names of audiences by their ids: of the first 200, which one request reads."""
    if not any(_AUDIENCES.keys() & each.keys() for each in changes):
        return {}
    with suppress(Refused):
        page = await call.api.get(f"{group}/audiences", limit=_NAMED_AUDIENCES)
        return {each["id"]: each["name"] for each in page["items"]}
    return {}


_AUDIENCES = {"sourceAudienceId": "sourceAudienceName", "targetAudienceId": "targetAudienceName"}


def _named(change: Data, names: dict[str, str]) -> Data:
    return {name: names[change[key]] for key, name in _AUDIENCES.items() if change.get(key) in names}


@tool(UndoChange, title="Take a change back", effect=Effect.CHANGES, needs=(Permission.AUDIENCES_WRITE,))
async def undo_change(call: Call, asked: UndoChange) -> Data:
    """Take one change back: all people whom it moved, copied, removed or imported are again where they were before. It
    is all or nothing: if one of them was moved again since, nothing happens, unless skipChanged is true. For a change
    of more than 100 people pass its leadCount as expectedCount. The undo is a change, too: undoing it makes the first
    change again. The undo of a large change is a job, as with transfer."""
    group = await call.group(asked)
    path = f"{group}/changes/{asked.change_id}"
    wanted = await call.api.get(path)
    require_expected(wanted["leadCount"], asked.expected_count, what="This change")
    undone, change_id = await call.api.change(f"{path}/undo", {"skipChanged": asked.skip_changed})
    if "jobId" in undone:
        return await ended_transfer(call, group, undone["jobId"], wait_s=asked.wait_seconds)
    change = undone["change"]
    ids = {"sourceAudience": change["sourceAudienceId"], "targetAudience": change["targetAudienceId"]}
    return {
        "change": short_change(change),
        **{name: undone[name] for name in ("undoneCount", "skippedCount", "keptEdits") if undone[name] is not None},
        **await audiences_now(call, group, ids),
        "next": _next_of_undo(change, change_id, of_undo=wanted["undoesChangeId"] is not None),
    }


def _next_of_undo(change: Data, change_id: str | None, *, of_undo: bool) -> str:
    call = f"call undo_change with changeId {change_id} and expectedCount {change['leadCount']}."
    if of_undo:
        return (
            "Done: the undo is taken back, so the first change is in force again. To undo the first change once more, "
            f"{call}"
        )
    return f"Done: people are as before the change. To make it again, {call}"


def short_change(change: dict[str, Any]) -> Data:
    """Returns a change without the parts that it does not have. Only the operator needs no key."""
    made_by = {} if change["apiKeyId"] else {"madeBy": "operator"}
    return made_by | {name: value for name, value in change.items() if value is not None}
