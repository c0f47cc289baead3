"""Tools that preview and make a change of any size."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from leadyard.agents.arguments import Arguments, AudienceId, Id, Ids, InGroup, WaitSeconds
from leadyard.agents.tool import Call, Data, Effect, tool
from leadyard.agents.tools.audiences import audiences_now
from leadyard.agents.tools.matched_values import matched_values
from leadyard.agents.tools.people import PeopleFilter, short_person
from leadyard.agents.tools.waiting import ended_transfer
from leadyard.model import Permission


class Action(StrEnum):
    """The effect of a transfer on the people."""

    MOVE = "move"
    COPY = "copy"
    REMOVE = "remove"


class TransferFilter(PeopleFilter):
    """The members of the source that match all conditions. Give at least one."""

    in_audience_id: Annotated[
        Id | None,
        Field(
            description="They are also in this audience. The same person under another id does not count: see "
            "list_duplicates."
        ),
    ] = None
    not_in_audience_id: Annotated[
        Id | None,
        Field(
            description="They are not in this audience. The same person under another id counts as not in it: see "
            "list_duplicates."
        ),
    ] = None


class Selection(Arguments):
    """The people to change. Give exactly one of the three."""

    all: Annotated[Literal[True] | None, Field(description="All people in the source.")] = None
    lead_ids: Ids | None = None
    filter: TransferFilter | None = None


class _Transfer(InGroup):
    action: Annotated[
        Action,
        Field(
            description="move: the people leave the source and are in the target. copy: they stay in the source and "
            "are also in the target. remove: they leave the source; there is no target."
        ),
    ]
    source_audience_id: Annotated[AudienceId, Field(description="The audience in which the people are now.")]
    target_audience_id: Annotated[
        AudienceId | None, Field(description="The audience that receives them. Leave it out for remove.")
    ] = None
    select: Selection
    exclude_lead_ids: Annotated[Ids | None, Field(description="People to leave out of the selection.")] = None
    limit: Annotated[
        int | None,
        Field(
            ge=1,
            le=2**53 - 1,
            description="Change only the first people, this many, in the order of find_prospects and without "
            "excludeLeadIds.",
        ),
    ] = None

    def body(self) -> Data:
        """Returns the body of the request."""
        body = self.given("action", "source_audience_id", "target_audience_id", "select", "limit")
        return body | ({"exclude": {"leadIds": self.exclude_lead_ids}} if self.exclude_lead_ids else {})


class PreviewTransfer(_Transfer):
    """Arguments of `preview_transfer`."""


class Transfer(_Transfer):
    """Arguments of `transfer`."""

    expected_count: Annotated[
        int,
        Field(
            ge=0,
            le=2**53 - 1,
            description="`count` of the preview. If the selection has another size, nothing happens.",
        ),
    ]
    wait_seconds: WaitSeconds = 20


@tool(PreviewTransfer, title="Preview a transfer", effect=Effect.READS, needs=(Permission.AUDIENCES_WRITE,))
async def preview_transfer(call: Call, asked: PreviewTransfer) -> Data:
    """Count the people that a move, copy or remove would change, and show up to 20 of them. Nothing changes. Always
    call this before transfer. It is also the way to count people who match a filter.

    Example, all people with an e-mail at Acme: select {"filter": {"company": "Acme", "hasEmail": true}}. This also
    finds Acmeville: matchedCompanies and matchedTitles show what the words have found. If the user did not mean some of
    these people, get their ids with find_prospects, pass them as excludeLeadIds, and preview again."""
    group = await call.group(asked)
    preview: dict[str, Any] = await call.api.post(f"{group}/transfers", asked.body() | {"dryRun": True})
    sample = [short_person(each) for each in preview.pop("sample")]
    return {
        **preview,
        **await _matched(call, group, asked),
        "sample": sample,
        "next": _next_of_preview(preview["count"]),
    }


async def _matched(call: Call, group: str, asked: PreviewTransfer) -> Data:
    """Returns what the words of the filter have found. The list of people has no filter for other audiences, so with
    one of these it would show people who are not selected."""
    chosen = asked.select.filter
    if chosen is None or chosen.in_audience_id or chosen.not_in_audience_id:
        return {}
    path = f"{group}/audiences/{asked.source_audience_id}/prospects"
    filters = chosen.model_dump(mode="json", by_alias=True, exclude_none=True)
    return await matched_values(call, path, filters, left_out=asked.exclude_lead_ids or [], limit=asked.limit)


def _next_of_preview(count: int) -> str:
    if not count:
        return "No person matches. If the audiences and the filter are what the user meant, there is nothing to do."
    return (
        f"To do this, call transfer with the same arguments and expectedCount {count}. Report the number to the user. "
        "Stop and wait for an answer only if the user wants to see it first, or if it is not what the user expects."
    )


@tool(
    Transfer,
    title="Move, copy or remove any number of people",
    effect=Effect.CHANGES,
    needs=(Permission.AUDIENCES_WRITE,),
    is_repeatable=False,
)
async def transfer(call: Call, asked: Transfer) -> Data:
    """Move, copy or remove all people, people who match a filter, or listed people: all of them or none. Call
    preview_transfer first, and pass its count as expectedCount. The work is done by a job; the tool waits for it and
    reports progress. If the job takes longer than waitSeconds, the answer has a jobId: call get_job with it. Until the
    job has ended, both audiences cannot be used. The answer of a completed transfer has a changeId: undo_change takes
    everything back."""
    group = await call.group(asked)
    body = asked.body() | {"expectedCount": asked.expected_count}
    job = await call.api.post(f"{group}/transfers", body)
    done = await ended_transfer(call, group, job["jobId"], wait_s=asked.wait_seconds)
    if done["status"] != "completed":
        return done
    ids = {"sourceAudience": done["sourceAudienceId"], "targetAudience": done["targetAudienceId"]}
    return done | await audiences_now(call, group, ids)
