"""Prospects over HTTP: the leads as listed in an audience, and bringing them in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints

from leadyard import model
from leadyard.http.audiences import AudienceIdInPath
from leadyard.http.caller import caller, database
from leadyard.http.envelope import (
    SINGLE_LINE_PATTERN,
    Id,
    Instant,
    Listing,
    RequestBody,
    Shape,
    Success,
    answer,
    single_line,
)
from leadyard.http.once import Shown, answer_once
from leadyard.http.paging import Paging, in_slices, listing
from leadyard.intake.csv_export import header_line, profile_lines
from leadyard.model import Page
from leadyard.operations import prospects
from leadyard.operations.operation import Database

_EXPORT_PAGE = 1_000
_COMPANY_FIELDS = ("name", "linkedin_identifier", "linkedin_url", "industry", "website")


class Company(Shape):
    """Where the person works."""

    name: Annotated[str | None, Field(examples=["Acme"])]
    linkedin_identifier: str | None
    linkedin_url: str | None
    industry: str | None
    website: str | None


class ProspectFields(Shape):
    """What is known of a person. What is not known is null."""

    first_name: Annotated[str | None, Field(examples=["Avery"])]
    last_name: Annotated[str | None, Field(examples=["Stone"])]
    name: Annotated[str | None, Field(examples=["Avery Stone"])]
    headline: str | None
    about: str | None
    photo_url: str | None
    linkedin_url: Annotated[str | None, Field(examples=["https://www.linkedin.com/in/avery-stone"])]
    public_identifier: Annotated[str | None, Field(examples=["avery-stone"])]
    title: Annotated[str | None, Field(examples=["Head of Sales"])]
    email: Annotated[str | None, Field(examples=["avery@example.com"])]
    phone: str | None
    location: str | None
    company: Company
    custom_fields: dict[str, str]
    provider_id: str | None


class Prospect(ProspectFields):
    """A lead as listed in an audience."""

    id: Id
    created_at: Instant
    added_at: Annotated[Instant, Field(description="When the lead came into this audience.")]


class ProspectList(Listing[Prospect]):
    """A page of prospects."""


class AudienceProspectListSuccessResponse(Success[ProspectList]):
    """A page of an audience's prospects."""


class NewCompany(RequestBody):
    """Where the person works."""

    name: str | None = None
    linkedin_identifier: str | None = None
    linkedin_url: str | None = None
    industry: str | None = None
    website: str | None = None


class NewProspect(RequestBody):
    """A person to bring in. LinkedIn profile, e-mail or provider id, in this order, tell who it is."""

    first_name: Annotated[str | None, Field(examples=["Avery"])] = None
    last_name: Annotated[str | None, Field(examples=["Stone"])] = None
    name: str | None = None
    headline: str | None = None
    about: str | None = None
    photo_url: str | None = None
    linkedin_url: Annotated[str | None, Field(examples=["https://www.linkedin.com/in/avery-stone"])] = None
    public_identifier: str | None = None
    title: str | None = None
    email: Annotated[str | None, Field(examples=["avery@example.com"])] = None
    phone: str | None = None
    location: str | None = None
    company: NewCompany | None = None
    custom_fields: dict[str, str] | None = None
    provider_id: Annotated[str | None, Field(description="Any outside id.")] = None


class AddProspects(RequestBody):
    """The people to bring in."""

    prospects: Annotated[list[NewProspect], Field(min_length=1, max_length=model.MAX_PROSPECTS_PER_ADD)]


class RejectedProspect(Shape):
    """A prospect that was not added, and why. `index` counts from 0 in the list that was sent."""

    index: int
    code: Annotated[str, Field(examples=["INVALID_EMAIL"])]
    message: str


class ProspectsAdded(Shape):
    """What became of the prospects: created, matched or rejected; of the leads they are, how many are new here."""

    created: int
    matched: int
    added: int
    already_in_audience: int
    rejected: list[RejectedProspect]


class ProspectsAddedSuccessResponse(Success[ProspectsAdded]):
    """Prospects brought in."""


SearchText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(single_line),
    Field(json_schema_extra={"pattern": SINGLE_LINE_PATTERN}),
]


def _written_out(value: Any) -> Any:
    """Refuses a bare number, which Pydantic would take for seconds since 1970."""
    if isinstance(value, str) and "-" not in value[1:]:
        raise ValueError("must be a time such as 2026-01-31T09:30:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]


class ProspectQuery(Paging):
    """Which prospects to list. Filters combine: all of them must hold."""

    q: Annotated[
        SearchText | None, Field(description="Occurs in name, e-mail, company or title; case does not matter.")
    ] = None
    company: Annotated[SearchText | None, Field(description="Occurs in the company's name.")] = None
    title: Annotated[SearchText | None, Field(description="Occurs in the title.")] = None
    has_email: Annotated[bool | None, Field(alias="hasEmail")] = None
    added_after: Annotated[Moment | None, Field(alias="addedAfter", description="Came in after.")] = None
    added_before: Annotated[Moment | None, Field(alias="addedBefore", description="Came in before.")] = None

    def wanted(self) -> model.MemberFilter:
        """Returns the filters as a value."""
        return model.MemberFilter(
            q=self.q,
            company=self.company,
            title=self.title,
            has_email=self.has_email,
            added_after=_milliseconds(self.added_after),
            added_before=_milliseconds(self.added_before),
        )


async def list_prospects(
    request: Request, audience_id: AudienceIdInPath, query: Annotated[ProspectQuery, Query()]
) -> Response:
    """Lists the leads of an audience, or those that fit the filters. A full walk meets every lead that was there
    throughout exactly once."""
    who = caller(request)
    wanted = query.wanted()
    scope = ("prospects", who.account_group_id, audience_id, repr(wanted))
    page = await prospects.list_prospects(
        database(request), who, audience_id=audience_id, wanted=wanted, after=query.start(*scope), limit=query.limit
    )
    shown = Page(tuple(await in_slices(page.items, _to_prospect)), page.next_key)
    data = listing(ProspectList, shown, _as_it_is, *scope)
    return answer(request, AudienceProspectListSuccessResponse, data)


async def export_prospects(request: Request, audience_id: AudienceIdInPath) -> Response:
    """Sends all leads of an audience as CSV, in the column names the importer understands, safe against formulas in
    spreadsheets. The columns of custom fields are those found at the start."""
    db, who = database(request), caller(request)
    names = await prospects.list_custom_field_names(db, who, audience_id=audience_id)
    return StreamingResponse(
        _csv_pieces(db, who, audience_id, names),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="audience-{audience_id}.csv"'},
    )


async def _csv_pieces(
    db: Database, who: model.Caller, audience_id: str, custom_field_names: list[str]
) -> AsyncIterator[str]:
    """Page by page, each read by itself: a slow reader holds neither a transaction nor more than a page of memory. When
    a page cannot be read any more, the connection is broken off, so that half a file is not taken for a whole one."""
    yield header_line(custom_field_names)
    after: str | None = None
    while True:
        page = await prospects.list_prospects(db, who, audience_id=audience_id, after=after, limit=_EXPORT_PAGE)
        yield profile_lines((member.lead.profile for member in page.items), custom_field_names)
        if page.next_key is None:
            return
        after = page.next_key


async def add_prospects(request: Request, audience_id: AudienceIdInPath, body: AddProspects) -> Response:
    """Brings people in and adds them to the audience. Somebody known is not doubled: empty fields are filled, nothing
    is overwritten. A person without LinkedIn profile, e-mail and provider id is always a new lead."""
    return await answer_once(
        request,
        prospects.add_prospects,
        _added,
        audience_id=audience_id,
        profiles=[_to_profile(prospect) for prospect in body.prospects],
    )


def _added(result: model.AddResult) -> Shown:
    return Shown(ProspectsAddedSuccessResponse, ProspectsAdded.model_validate(result))


# All of a person's fields are read at once, in C: a page has 200 people.
# The company has a shape of its own, and holds its place here.
_PERSON_FIELDS = tuple(ProspectFields.model_fields)
_person_of = attrgetter(*("company_name" if name == "company" else name for name in _PERSON_FIELDS))
_company_of = attrgetter(*(f"company_{name}" for name in _COMPANY_FIELDS))


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)


def profile_values(profile: model.Profile) -> dict[str, Any]:
    """Returns the values of ProspectFields for a profile. A name that is not known is made of first and last name."""
    values: dict[str, Any] = dict(zip(_PERSON_FIELDS, _person_of(profile), strict=True))
    if profile.name is None:
        values["name"] = " ".join(filter(None, (profile.first_name, profile.last_name))) or None
    values["company"] = Company.made_of(dict(zip(_COMPANY_FIELDS, _company_of(profile), strict=True)))
    values["custom_fields"] = dict(profile.custom_fields)
    return values


def _to_prospect(member: model.Member) -> Prospect:
    values = profile_values(member.lead.profile)
    values |= {"id": member.lead.id, "created_at": member.lead.created_at, "added_at": member.added_at}
    return Prospect.made_of(values)


def _as_it_is(prospect: Prospect) -> Prospect:
    return prospect


def _to_profile(prospect: NewProspect) -> model.Profile:
    values = {name: value for name, value in prospect if name not in ("company", "custom_fields")}
    company = {f"company_{name}": value for name, value in prospect.company} if prospect.company else {}
    return model.Profile(**values, **company, custom_fields=prospect.custom_fields or {})
