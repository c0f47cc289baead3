"""Tools that find, show and add people."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from leadyard.agents.arguments import Arguments, AudienceId, Cursor, InGroup, Moment, PersonId, Words
from leadyard.agents.tool import Call, Data, Effect, tool
from leadyard.agents.tools.audiences import short_audience
from leadyard.model import Permission
from leadyard.people.shapes import company_fields, may_be_left_out, person_fields, with_fields

MAX_ADDED = 200
_MOST_CUSTOM_FIELDS = 50


class MoreField(StrEnum):
    """A field of a person that an answer has only on request."""

    EMAIL = "email"
    PHONE = "phone"
    LOCATION = "location"
    HEADLINE = "headline"
    LINKEDIN_URL = "linkedinUrl"
    PROVIDER_ID = "providerId"
    CUSTOM_FIELDS = "customFields"
    ADDED_AT = "addedAt"


class PeopleFilter(Arguments):
    """Conditions of which all must hold. They have the names and meanings of the API."""

    q: Annotated[
        Words | None,
        Field(
            description="Words in the name, e-mail, phone, location, company or title, in any order. Each may be a "
            "part of a word. Case and accents are ignored. It is the way to search for a name or a place: then check "
            "the names, or request the field location, because the words may match in another field."
        ),
    ] = None
    company: Annotated[
        Words | None, Field(description="Words in the company's name. Parts of words match: Acme also finds Acmeville.")
    ] = None
    title: Annotated[Words | None, Field(description="Words in the job title. Parts of words match.")] = None
    has_email: Annotated[
        bool | None, Field(description="true: only people with an e-mail. false: only people without one.")
    ] = None
    added_after: Annotated[Moment | None, Field(description="Added to this audience after this time.")] = None
    added_before: Annotated[Moment | None, Field(description="Added to this audience before this time.")] = None


_FILTERS = tuple(PeopleFilter.model_fields)


class FindProspects(InGroup, PeopleFilter):
    """Arguments of `find_prospects`."""

    audience_id: AudienceId
    fields: Annotated[
        list[MoreField] | None, Field(max_length=8, description="Fields to add to each person in the answer.")
    ] = None
    cursor: Cursor = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class GetProspect(InGroup):
    """Arguments of `get_prospect`."""

    prospect_id: PersonId


@with_fields(company_fields(may_be_left_out))
class NewCompany(Arguments):
    """The person's employer."""


@with_fields(
    person_fields(
        may_be_left_out,
        company=(NewCompany | None, None),
        custom_fields=(Annotated[dict[str, str], Field(max_length=_MOST_CUSTOM_FIELDS)] | None, None),
    )
)
class NewPerson(Arguments):
    """A person to add."""


class AddProspects(InGroup):
    """Arguments of `add_prospects`."""

    audience_id: AudienceId
    prospects: Annotated[
        list[NewPerson],
        Field(
            min_length=1,
            max_length=MAX_ADDED,
            description="The people. Each needs a linkedinUrl, an email or a providerId (an id of another system), or "
            "it is always added as a new person.",
        ),
    ]


@tool(FindProspects, title="Find people in an audience", effect=Effect.READS, needs=(Permission.PROSPECTS_READ,))
async def find_prospects(call: Call, asked: FindProspects) -> Data:
    """List the people of one audience, or only the ones who match all filters: id, name, title and company. A prospect,
    a lead and a person are the same thing. Request more with `fields`, for example ["email"].

    The answer is one page. If nextCursor is not null, more people follow: call again with it as cursor and the same
    filters. People who were known first come first, and transfer uses this order for its limit. To count people or to
    change many of them, do not read all pages: preview_transfer has these filters and two more, and counts."""
    filters = asked.given(*_FILTERS)
    path = f"{await call.group(asked)}/audiences/{asked.audience_id}/prospects"
    page = await call.api.get(path, limit=asked.limit, cursor=asked.cursor, **filters)
    people = [short_person(each, asked.fields or ()) for each in page["items"]]
    return {"prospects": people, "nextCursor": page["nextCursor"]}


@tool(GetProspect, title="Show a person", effect=Effect.READS, needs=(Permission.PROSPECTS_READ,))
async def get_prospect(call: Call, asked: GetProspect) -> Data:
    """Show everything that is known about one person, and the audiences that contain the person. Fields without a value
    are left out. Long texts are cut."""
    person = await call.api.get(f"{await call.group(asked)}/prospects/{asked.prospect_id}")
    audiences = [short_audience(each) for each in person.pop("audiences")]
    return {"prospect": _without_nulls(person), "audiences": audiences}


@tool(
    AddProspects,
    title="Add people to an audience",
    effect=Effect.ADDS,
    needs=(Permission.AUDIENCES_WRITE,),
    # People whom nothing identifies are new each time.
    is_repeatable=False,
)
async def add_prospects(call: Call, asked: AddProspects) -> Data:
    """Add people whose data you have to one audience, at most 200 in a call. Known people are found by LinkedIn
    profile, e-mail or providerId: they are not added twice, and only their empty fields are filled. Give either name or
    firstName and lastName. For a table of many rows use start_import. The answer has the numbers of created, matched
    and rejected people, and a changeId for undo_change. If you need their ids, search them with find_prospects."""
    people = [each.model_dump(by_alias=True, exclude_none=True) for each in asked.prospects]
    path = f"{await call.group(asked)}/audiences/{asked.audience_id}/prospects"
    added, change_id = await call.api.change(path, {"prospects": people})
    return {**added, "changeId": change_id}


def short_person(person: dict[str, Any], more: tuple[MoreField, ...] | list[MoreField] = ()) -> Data:
    """Returns what a model needs of a person in a list, and the requested fields."""
    company = person["company"]["name"]
    short = {"id": person["id"], "name": person["name"], "title": person["title"], "company": company}
    return short | {field.value: person.get(field.value) for field in more}


def _without_nulls(values: dict[str, Any]) -> Data:
    return {
        name: _without_nulls(value) if isinstance(value, dict) else value
        for name, value in values.items()
        if value not in (None, {}, "")
    }
