"""Tools that move, copy and remove people who are listed one by one."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from leadyard.agents.arguments import AudienceId, Ids, InGroup
from leadyard.agents.tool import Call, Data, Effect, tool
from leadyard.agents.tools.audiences import short_audience
from leadyard.api_client.refused import Refused
from leadyard.model import MANY_PEOPLE, Permission

ExpectedCount = Annotated[
    int | None,
    Field(
        ge=0,
        le=2**53 - 1,
        description="The number of different people that you mean to change. Needed for more than "
        f"{MANY_PEOPLE}. If it differs, nothing happens.",
    ),
]
_WRITES = (Permission.AUDIENCES_WRITE,)


class _FromSource(InGroup):
    source_audience_id: Annotated[AudienceId, Field(description="The audience in which the people are now.")]
    lead_ids: Annotated[Ids, Field(description="The ids of the people, from find_prospects.")]
    expected_count: ExpectedCount = None


class _ToTarget(_FromSource):
    target_audience_id: Annotated[AudienceId, Field(description="The audience that receives the people.")]


class MoveLeads(_ToTarget):
    """Arguments of `move_leads`."""


class CopyLeads(_ToTarget):
    """Arguments of `copy_leads`."""


class RemoveLeads(_FromSource):
    """Arguments of `remove_leads`."""


@tool(MoveLeads, title="Move listed people", effect=Effect.CHANGES, needs=_WRITES)
async def move_leads(call: Call, asked: MoveLeads) -> Data:
    """Move people whose ids you have from one audience to another: all of them or, if one is not in the source, none.
    People who are in the target already stay there once, and still leave the source. For all people who match something
    use preview_transfer and transfer instead of listing ids; for a few ids no preview is needed. The answer has both
    audiences with their new numbers of people, and a changeId: undo_change takes the move back."""
    return await _change(call, asked, "move-leads", to=asked.target_audience_id)


@tool(CopyLeads, title="Copy listed people", effect=Effect.ADDS, needs=_WRITES)
async def copy_leads(call: Call, asked: CopyLeads) -> Data:
    """Add people whose ids you have to another audience, while they stay in the source: all of them or, if one is not
    in the source, none. People who are in the target already stay there once. The answer has both audiences with their
    new numbers of people, and a changeId for undo_change."""
    return await _change(call, asked, "copy-leads", to=asked.target_audience_id)


@tool(RemoveLeads, title="Remove listed people", effect=Effect.CHANGES, needs=_WRITES)
async def remove_leads(call: Call, asked: RemoveLeads) -> Data:
    """Take people whose ids you have out of one audience: all of them or, if one is not in it, none. They stay in the
    account group and in their other audiences. The answer has the audience with its new number of people, and a
    changeId: undo_change brings them back."""
    return await _change(call, asked, "remove-leads", to=None)


async def _change(call: Call, asked: _FromSource, verb: str, *, to: str | None) -> Data:
    require_expected(len(set(asked.lead_ids)), asked.expected_count, what="leadIds")
    path = f"{await call.group(asked)}/audiences/{asked.source_audience_id}/{verb}"
    body: dict[str, Any] = {"leadIds": asked.lead_ids} | ({} if to is None else {"targetAudienceId": to})
    changed, change_id = await call.api.change(path, body)
    short = {name: short_audience(value) if name.endswith("udience") else value for name, value in changed.items()}
    return {**short, "changeId": change_id}


def require_expected(count: int, expected: int | None, *, what: str) -> None:
    """Raises Refused if the expected number differs from the number of people, or is missing for many of them."""
    extra = {"count": count, "expectedCount": expected}
    if expected is None and count > MANY_PEOPLE:
        raise Refused(
            "EXPECTED_COUNT_NEEDED", f"{what}: {count:,} people. That many need an expectedCount.", extra=extra
        )
    if expected is not None and expected != count:
        raise Refused(
            "EXPECTED_COUNT_DIFFERS",
            f"{what}: {count:,} different people, and expectedCount is {expected:,}.",
            extra=extra,
        )
