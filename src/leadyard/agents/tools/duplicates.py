"""Tools that show likely duplicates and merge two people."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from leadyard.agents.arguments import Cursor, InGroup, PersonId
from leadyard.agents.tool import Call, Data, Effect, tool
from leadyard.agents.tools.people import MoreField, short_person
from leadyard.model import Permission

_COMPARED = [MoreField.EMAIL, MoreField.PHONE, MoreField.LINKEDIN_URL, MoreField.LOCATION]


class ListDuplicates(InGroup):
    """Arguments of `list_duplicates`."""

    cursor: Cursor = None
    limit: Annotated[int, Field(ge=1, le=50)] = 10


class MergeProspects(InGroup):
    """Arguments of `merge_prospects`."""

    prospect_id: Annotated[PersonId, Field(description="The person to keep.")]
    other_prospect_id: Annotated[
        PersonId, Field(description="The same person a second time. This entry is merged into the other, and is gone.")
    ]


@tool(ListDuplicates, title="List likely duplicates", effect=Effect.READS, needs=(Permission.PROSPECTS_READ,))
async def list_duplicates(call: Call, asked: ListDuplicates) -> Data:
    """List groups of people who are probably the same person, with the reason. linkedin (one member id) is certain.
    email (the same mailbox name at the company's domain), name_and_company and phone are likely and no proof: compare
    the values, and count another e-mail, place or title as a doubt. Leadyard never merges by itself. The list is about
    the whole account group; get_prospect shows the audiences of a person. A page may be short: if nextCursor is not
    null, more follow."""
    page = await call.api.get(f"{await call.group(asked)}/duplicates", limit=asked.limit, cursor=asked.cursor)
    return {"groups": [_short_group(each) for each in page["items"]], "nextCursor": page["nextCursor"]}


@tool(MergeProspects, title="Merge two people", effect=Effect.CHANGES, needs=(Permission.AUDIENCES_WRITE,))
async def merge_prospects(call: Call, asked: MergeProspects) -> Data:
    """Make one person of two entries of the same person. The kept one keeps its values, gets values for its empty
    fields and all audiences of the other. If both have an e-mail, the kept one keeps its own, and an import that brings
    the other still finds the person. This cannot be undone: show both entries to the user and wait for a yes, unless
    the user has named exactly these two, or wants the certain ones merged and the reason is linkedin."""
    path = f"{await call.group(asked)}/prospects/{asked.prospect_id}/merge"
    merged, change_id = await call.api.change(path, {"prospectId": asked.other_prospect_id})
    person = short_person(merged["prospect"], _COMPARED)
    return {"prospect": person, "audienceCount": merged["audienceCount"], "changeId": change_id}


def _short_group(group: dict[str, Any]) -> Data:
    people = [short_person(each, _COMPARED) | {"createdAt": each["createdAt"]} for each in group["prospects"]]
    return {"reason": group["reason"], "prospects": people}
