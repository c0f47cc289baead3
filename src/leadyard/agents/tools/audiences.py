"""Tools that show account groups and audiences."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

from pydantic import Field

from leadyard.agents.arguments import Arguments, AudienceId, Cursor, InGroup, Words
from leadyard.agents.tool import Call, Data, Effect, tool
from leadyard.api_client.refused import Refused
from leadyard.model import Permission
from leadyard.people.folding import folded

_PAGE = 200
_MOST_PAGES = 50
_MOST_BUSY_JOBS = 10


class ListAccountGroups(Arguments):
    """Arguments of `list_account_groups`."""

    cursor: Cursor = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ListAudiences(InGroup):
    """Arguments of `list_audiences`."""

    name_contains: Annotated[
        Words | None, Field(description="Only audiences whose name contains this text, in any case, accents ignored.")
    ] = None
    cursor: Cursor = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class GetAudience(InGroup):
    """Arguments of `get_audience`."""

    audience_id: AudienceId


class CreateAudience(InGroup):
    """Arguments of `create_audience`."""

    name: Annotated[Words, Field(description="Its name. Another audience may have the same one.")]
    description: Annotated[Words | None, Field(description="A sentence about its use.")] = None


@tool(ListAccountGroups, title="List account groups", effect=Effect.READS)
async def list_account_groups(call: Call, asked: ListAccountGroups) -> Data:
    """List the account groups that you may use: ids and names. An account group is one company or team, and everything
    else belongs to exactly one. Call this first if you do not know the account group."""
    page = await call.api.get("/v1/accounts", limit=asked.limit, cursor=asked.cursor)
    return {
        "accountGroups": [{"id": each["id"], "name": each["name"]} for each in page["items"]],
        "nextCursor": page["nextCursor"],
    }


@tool(ListAudiences, title="List audiences", effect=Effect.READS, needs=(Permission.AUDIENCES_READ,))
async def list_audiences(call: Call, asked: ListAudiences) -> Data:
    """List the audiences of an account group, oldest first: id, name and exact number of people. An audience is a named
    list of people, such as "Spring campaign". Use nameContains to find the id of an audience that the user names. Two
    audiences may have the same name: then let the user choose.

    The list leaves out audiences that a job is filling or changing at the moment. If no audience is found, busyJobs has
    the jobs that run now. If nextCursor is not null, more audiences follow."""
    group = await call.group(asked)
    shown = await _found_audiences(call, f"{group}/audiences", asked)
    if shown["audiences"] or shown["nextCursor"] or asked.cursor:
        return shown
    return shown | await _busy_jobs(call, group)


async def _found_audiences(call: Call, path: str, asked: ListAudiences) -> Data:
    if asked.name_contains is None:
        page = await call.api.get(path, limit=asked.limit, cursor=asked.cursor)
        return {"audiences": [short_audience(each) for each in page["items"]], "nextCursor": page["nextCursor"]}
    wanted, found, cursor = folded(asked.name_contains), [], asked.cursor
    for _ in range(_MOST_PAGES):
        # The pages are walked here, so that a model does not read all names to find one.
        page = await call.api.get(path, limit=_PAGE, cursor=cursor)
        found += [short_audience(each) for each in page["items"] if wanted in folded(each["name"])]
        cursor = page["nextCursor"]
        if cursor is None or len(found) >= asked.limit:
            break
    return {"audiences": found, "nextCursor": cursor}


async def _busy_jobs(call: Call, group: str) -> Data:
    """Returns the jobs that run now, because the list leaves their audiences out, and the next step."""
    busy = []
    for kind in ("prospecting", "transfers"):
        for status in ("running", "queued"):
            try:
                page = await call.api.get(f"{group}/{kind}", status=status, limit=_MOST_BUSY_JOBS)
            except Refused:
                # The key may not see these jobs.
                continue
            busy += [{"jobId": each["jobId"], "kind": kind, "status": status} for each in page["items"]]
    if not busy:
        return {"busyJobs": [], "next": "There is no such audience, and no job hides one."}
    return {
        "busyJobs": busy[:_MOST_BUSY_JOBS],
        "next": "A job may be using the audience. Call get_job with a jobId and waitSeconds 30, then list again.",
    }


@tool(
    CreateAudience,
    title="Create an audience",
    effect=Effect.ADDS,
    needs=(Permission.AUDIENCES_WRITE,),
    is_repeatable=False,
)
async def create_audience(call: Call, asked: CreateAudience) -> Data:
    """Create an empty audience, as the target of a move or a copy. Look with list_audiences first whether there is one
    already. You do not need it before an import: start_import creates its audience by itself."""
    body = {"type": "on_demand", **asked.given("name", "description")}
    return {"audience": short_audience(await call.api.post(f"{await call.group(asked)}/audiences", body))}


@tool(GetAudience, title="Show an audience", effect=Effect.READS, needs=(Permission.AUDIENCES_READ,))
async def get_audience(call: Call, asked: GetAudience) -> Data:
    """Show one audience: name, description, folder, and the exact number of people in it. To see the people, call
    find_prospects."""
    audience = await call.api.get(f"{await call.group(asked)}/audiences/{asked.audience_id}")
    more = {name: audience[name] for name in ("description", "folderId", "createdAt")}
    return {"audience": short_audience(audience) | more}


def short_audience(audience: dict[str, Any]) -> Data:
    """Returns what a model needs of an audience in a list."""
    return {name: audience[name] for name in ("id", "name", "type", "prospectCount")}


async def audiences_now(call: Call, group: str, ids: Mapping[str, str | None]) -> Data:
    """Returns the audiences with these ids by the same names, with their numbers of people now. Leaves out an audience
    that the key may not see, that is deleted, or that a job uses."""
    shown: Data = {}
    for name, audience_id in ids.items():
        if audience_id is not None:
            with suppress(Refused):
                shown[name] = short_audience(await call.api.get(f"{group}/audiences/{audience_id}"))
    return shown
