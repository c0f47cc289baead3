"""The tool that starts an import."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from leadyard.agents.arguments import AudienceId, Id, InGroup, WaitSeconds, Words
from leadyard.agents.tool import Call, Data, Effect, tool
from leadyard.agents.tools.waiting import ended_import
from leadyard.api_client.refused import Refused
from leadyard.model import MAX_PROFILE_URLS, MOST_MAX_RESULTS, Permission

MAX_CSV_LENGTH = 1_000_000
_MOST_URLS = min(1_000, MAX_PROFILE_URLS)
_Url = Annotated[str, StringConstraints(min_length=1, max_length=2_048)]
_SOURCES = (
    "csv",
    "uploadId",
    "profileUrls",
    "linkedinSearchUrl",
    "salesNavigatorSearchId",
    "salesNavigatorListId",
    "postUrl",
)


class StartImport(InGroup):
    """Arguments of `start_import`."""

    audience_name: Annotated[
        Words | None,
        Field(description="The name of a new audience to fill. It is made even if another one has the name."),
    ] = None
    audience_id: AudienceId | None = None
    csv: Annotated[
        Annotated[str, StringConstraints(min_length=1, max_length=MAX_CSV_LENGTH)] | None,
        Field(
            description="A table as CSV text, as the user has it: any delimiter, a header in one of 30 languages. "
            "The columns are recognised by their names and cells, and others are kept as custom fields."
        ),
    ] = None
    mapping: Annotated[
        dict[str, str] | None,
        Field(
            max_length=100,
            description="For csv and uploadId, if a column is not recognised: field of a person → column, such as "
            '{"email": "Work address"}.',
        ),
    ] = None
    upload_id: Annotated[Id | None, Field(description="A file that the user has uploaded with the API.")] = None
    profile_urls: Annotated[
        list[_Url] | None, Field(min_length=1, max_length=_MOST_URLS, description="LinkedIn profiles.")
    ] = None
    linkedin_search_url: Annotated[_Url | None, Field(description="The address of a LinkedIn people search.")] = None
    sales_navigator_search_id: Annotated[
        str | None, Field(max_length=300, description="The id of a saved search of Sales Navigator.")
    ] = None
    sales_navigator_list_id: Annotated[
        str | None, Field(max_length=300, description="The id of a lead list of Sales Navigator.")
    ] = None
    post_url: Annotated[_Url | None, Field(description="A LinkedIn post: imports the people who commented on it.")] = (
        None
    )
    search_emails: Annotated[
        bool, Field(description="Whether to look for e-mails afterwards. This may cost money.")
    ] = False
    max_results: Annotated[int | None, Field(ge=1, le=MOST_MAX_RESULTS, description="For searches.")] = None
    wait_seconds: WaitSeconds = 20


@tool(
    StartImport,
    title="Import people",
    effect=Effect.ADDS,
    needs=(Permission.PROSPECTING_WRITE,),
    is_repeatable=False,
    reaches_out=True,
)
async def start_import(call: Call, asked: StartImport) -> Data:
    """Import people into an audience, as a job. Give audienceName for a new audience or audienceId for an existing one,
    and exactly one source: csv, uploadId, profileUrls, linkedinSearchUrl, salesNavigatorSearchId, salesNavigatorListId
    or postUrl. The last four need a prospect provider. Known people are not added twice; only their empty fields are
    filled. A row without LinkedIn profile, e-mail or id of another system is rejected. Until the job has ended, the
    audience cannot be used. The answer has the counts, the use of the columns, the rejected rows with the reasons and a
    changeId for undo_change, or only a jobId for get_job if the import takes longer than waitSeconds."""
    given = [name for name in _SOURCES if name in asked.model_dump(by_alias=True, exclude_none=True)]
    if len(given) != 1:
        raise _not_one("source", _SOURCES, given)
    audiences = asked.given("audience_name", "audience_id")
    if len(audiences) != 1:
        raise _not_one("audience", ("audienceName", "audienceId"), list(audiences))
    group = await call.group(asked)
    body = await _source(call, group, asked) | {
        "audience": {"id": asked.audience_id} if asked.audience_id else {"name": asked.audience_name},
        **asked.given("search_emails", "max_results"),
    }
    job = await call.api.post(f"{group}/prospecting", body)
    try:
        return await ended_import(call, group, job["jobId"], wait_s=asked.wait_seconds)
    except Refused as refusal:
        if refusal.code != "FORBIDDEN":
            raise
        # The key may start jobs and not see them.
        return {**job, "next": "The key may not see jobs. get_audience refuses until the job has ended."}


async def _source(call: Call, group: str, asked: StartImport) -> dict[str, Any]:
    """Returns the part of the body that names the source. Uploads the CSV text."""
    mapping = {} if asked.mapping is None else {"mapping": asked.mapping}
    if asked.csv is not None:
        upload = await call.api.upload(
            f"{group}/uploads", asked.csv.encode(errors="replace"), "text/csv; charset=utf-8"
        )
        return {"type": "csv_upload", "uploadId": upload["uploadId"], **mapping}
    if asked.upload_id is not None:
        return {"type": "csv_upload", "uploadId": asked.upload_id, **mapping}
    if asked.profile_urls is not None:
        return {"type": "url_upload", "profileUrls": asked.profile_urls}
    if asked.linkedin_search_url is not None:
        return {"type": "linkedin_search", "searchUrl": asked.linkedin_search_url}
    if asked.post_url is not None:
        return {"type": "post_commenters", "postUrl": asked.post_url}
    if asked.sales_navigator_search_id is not None:
        return {"type": "sales_navigator", "savedSearchId": asked.sales_navigator_search_id}
    return {"type": "sales_navigator", "leadListId": asked.sales_navigator_list_id}


def _not_one(what: str, names: tuple[str, ...], given: list[str]) -> Refused:
    return Refused(
        "VALIDATION_ERROR",
        f"Give exactly one {what}, so nothing was done.",
        f"You gave {' and '.join(given) or 'none'}. Choose one of: {', '.join(names)}.",
    )
