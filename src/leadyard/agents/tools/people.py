"""Tools that find, show and add people."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from leadyard.agents.arguments import Arguments, AudienceId, Cursor, Id, InGroup, Moment, PersonId, Words
from leadyard.agents.tool import Call, Data, Effect, tool
from leadyard.agents.tools.audiences import short_audience
from leadyard.api_client.refused import Refused
from leadyard.model import Permission
from leadyard.people.fields import MAX_URL_LENGTH
from leadyard.people.shapes import company_fields, may_be_left_out, person_fields, with_fields

MAX_ADDED = 200
_MOST_CUSTOM_FIELDS = 50
# More only cost a model tokens. get_prospect has all.
_MOST_AUDIENCES = 20


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
_OF_ONE_AUDIENCE = ("added_after", "added_before")
_OF_ALL_AUDIENCES = ("email", "linkedin_url")
ExactText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_URL_LENGTH)]


class FindProspects(InGroup, PeopleFilter):
    """Arguments of `find_prospects`."""

    audience_id: Annotated[
        Id | None, Field(description="The id of an audience, from list_audiences. Leave it out to search all people.")
    ] = None
    email: Annotated[
        ExactText | None, Field(description="Exactly this e-mail, in any case. Only without audienceId.")
    ] = None
    linkedin_url: Annotated[
        ExactText | None,
        Field(description="Exactly this LinkedIn profile, in any spelling of its URL. Only without audienceId."),
    ] = None
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


@tool(FindProspects, title="Find people", effect=Effect.READS, needs=(Permission.PROSPECTS_READ,))
async def find_prospects(call: Call, asked: FindProspects) -> Data:
    """List people who match all filters: id, name, title and company. With audienceId, the people of this audience.
    Without it, people anywhere, each with the audiences that contain the person. A prospect, a lead and a person are
    the same thing. Request more with `fields`, for example ["email"].

    The answer is one page. If nextCursor is not null, more people follow: call again with it as cursor and the same
    filters. People who were known first come first, and transfer uses this order for its limit. To count people or to
    change many of them, do not read all pages: preview_transfer has these filters and two more, and counts."""
    _refuse_misplaced(asked)
    filters = asked.given(*_FILTERS, *_OF_ALL_AUDIENCES)
    within = "" if asked.audience_id is None else f"/audiences/{asked.audience_id}"
    page = await call.api.get(
        f"{await call.group(asked)}{within}/prospects", limit=asked.limit, cursor=asked.cursor, **filters
    )
    people = [short_person(each, asked.fields or ()) | _its_audiences(each) for each in page["items"]]
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


def _refuse_misplaced(asked: FindProspects) -> None:
    """Refuses filters of one audience without an audience, and filters of all audiences with one."""
    is_anywhere = asked.audience_id is None
    misplaced = asked.given(*(_OF_ONE_AUDIENCE if is_anywhere else _OF_ALL_AUDIENCES))
    if misplaced:
        sentence = "Needs audienceId." if is_anywhere else "Searches all people: leave out audienceId."
        raise Refused(
            "VALIDATION_ERROR",
            "The arguments of the tool do not go together, so nothing was done.",
            f"{next(iter(misplaced))}: {sentence}",
            extra={"violations": [{"path": name, "message": sentence} for name in misplaced]},
        )


def _its_audiences(person: dict[str, Any]) -> Data:
    """Returns the first audiences of a person who was found anywhere, and how many there are if these are not all."""
    if "audiences" not in person:
        return {}
    audiences = person["audiences"]
    short = [{"id": each["id"], "name": each["name"]} for each in audiences[:_MOST_AUDIENCES]]
    return {"audiences": short} | ({"audienceCount": len(audiences)} if len(audiences) > len(short) else {})


def _without_nulls(values: dict[str, Any]) -> Data:
    return {
        name: _without_nulls(value) if isinstance(value, dict) else value
        for name, value in values.items()
        if value not in (None, {}, "")
    }
