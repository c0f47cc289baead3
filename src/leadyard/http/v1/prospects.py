"""Prospects over HTTP: lists and exports the leads of an audience, and adds people to it."""

from __future__ import annotations

import operator
import re
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints

from leadyard import model
from leadyard.errors import InvalidRequest, Violation
from leadyard.http.answer.change_id import change_id_header
from leadyard.http.answer.csv_download import csv_download
from leadyard.http.answer.envelope import (
    SINGLE_LINE_PATTERN,
    Id,
    Instant,
    Listing,
    RequestBody,
    Shape,
    Success,
    single_line,
)
from leadyard.http.answer.paging import Paging, in_slices, show_page
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import answer, respond, run
from leadyard.http.request.route import caller, database, needs
from leadyard.http.v1.audiences import AudienceIdInPath
from leadyard.model import Page
from leadyard.operations import prospects
from leadyard.operations.exports import export_audience
from leadyard.people.checking import check_profiles
from leadyard.people.fields import COMPANY_FIELDS, full_name, in_json_order
from leadyard.people.shapes import (
    always_there,
    company_fields,
    may_be_left_out,
    may_be_left_out_showing,
    person_fields,
    profile_of,
    with_fields,
)


@with_fields(company_fields(always_there))
class Company(Shape):
    """The person's employer."""


@with_fields(person_fields(always_there, company=(Company, ...), custom_fields=(dict[str, str], ...)))
class ProspectFields(Shape):
    """The data of a person. A field without a value is null."""


class Prospect(ProspectFields):
    """A lead in an audience."""

    id: Id
    created_at: Instant
    added_at: Annotated[Instant, Field(description="The time when the lead was added to this audience.")]


class ProspectList(Listing[Prospect]):
    """A page of prospects."""


class AudienceProspectListSuccessResponse(Success[ProspectList]):
    """A page of an audience's prospects."""


@with_fields(company_fields(may_be_left_out))
class NewCompany(RequestBody):
    """The person's employer."""


@with_fields(
    person_fields(
        may_be_left_out_showing("first_name", "last_name", "linkedin_url", "email", "provider_id"),
        company=(NewCompany | None, None),
        custom_fields=(dict[str, str] | None, None),
    )
)
class NewProspect(RequestBody):
    """A person to add. The LinkedIn profile, the e-mail or the provider id, in this order, identifies the person."""


OnKnownField = Annotated[
    model.OnKnown,
    Field(
        strict=False,
        description="How known people change. `fill`: values for empty fields only. `update`: newer values replace "
        "others, and the record of changes has the replaced ones. `skip`: not at all.",
    ),
]


class AddProspects(RequestBody):
    """The people to add."""

    prospects: Annotated[list[NewProspect], Field(min_length=1, max_length=model.MAX_PROSPECTS_PER_ADD)]
    on_known: OnKnownField = model.OnKnown.FILL


class RejectedProspect(Shape):
    """A prospect that was not added, and the reason. `index` is its position in the request, from 0."""

    index: int
    code: Annotated[str, Field(examples=["INVALID_EMAIL"])]
    message: str


class NotedProspect(Shape):
    """A prospect that was added, with a remark. `index` is its position in the request, from 0."""

    index: int
    code: Annotated[str, Field(examples=["SHARED_EMAIL"])]
    message: str


class ProspectsAdded(Shape):
    """The numbers of prospects that were created, matched or rejected, and of leads that are new in this audience."""

    created: int
    matched: int
    added: int
    already_in_audience: int
    rejected: list[RejectedProspect]
    # These are left out if they have nothing to report.
    differing: Annotated[
        int,
        Field(
            exclude_if=operator.not_,
            description="How many of the matched prospects have a value other than the known one. Not there if none.",
        ),
    ] = 0
    suppressed: Annotated[
        int,
        Field(
            exclude_if=operator.not_,
            description="How many of the rejected prospects are suppressed. Not there if none.",
        ),
    ] = 0
    notes: Annotated[
        tuple[NotedProspect, ...],
        Field(exclude_if=operator.not_, description="Remarks on added prospects. Not there if none."),
    ] = ()


class ProspectsAddedSuccessResponse(Success[ProspectsAdded]):
    """The prospects were added."""


SearchText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(single_line),
    Field(json_schema_extra={"pattern": SINGLE_LINE_PATTERN}),
]


_BEGINS_WITH_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# In a query an unencoded + is a space.
_LOST_PLUS = re.compile(r":\d\d(?:\.\d+)? \d\d(?::?\d\d)?$")


def _written_out(value: Any) -> Any:
    """Refuses a bare number, which Pydantic would read as seconds since 1970."""
    if isinstance(value, str) and _BEGINS_WITH_DATE.match(value) is None:
        raise ValueError("must be a time such as 2026-01-31T09:30:00Z")
    if isinstance(value, str) and _LOST_PLUS.search(value):
        raise ValueError("contains a space instead of +: write + as %2B in a URL, as in 2026-01-31T09:30:00%2B01:00")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]


_SKIP_WITH_FILTERS = Violation(
    path="skip",
    code="NOT_ALLOWED",
    message="A list with filters cannot skip. Leave out 'skip' and follow nextCursor, or leave out the filters.",
)


class PersonQuery(Paging):
    """The filters of all lists of people."""

    q: Annotated[
        SearchText | None,
        Field(
            description="Words in the name, e-mail, phone, location, company or title, in any order, each also as a "
            "part of a word. Case and accents are ignored."
        ),
    ] = None
    company: Annotated[SearchText | None, Field(description="The same in the company's name.")] = None
    title: Annotated[SearchText | None, Field(description="The same in the title.")] = None
    has_email: Annotated[bool | None, Field(alias="hasEmail")] = None


class ProspectQuery(PersonQuery):
    """The prospects to list: those that match all filters."""

    added_after: Annotated[
        Moment | None, Field(alias="addedAfter", description="Added to the audience after this time.")
    ] = None
    added_before: Annotated[
        Moment | None, Field(alias="addedBefore", description="Added to the audience before this time.")
    ] = None

    skip: Annotated[
        int,
        Field(
            ge=0,
            le=model.MAX_SKIPPED,
            description="Leaves out so many prospects first, to jump in a long list. Only without filters. If the list "
            "ends before, the page is empty.",
        ),
    ] = 0

    def wanted(self) -> model.MemberFilter:
        """Returns the filters as a value. Raises InvalidRequest for filters together with `skip`."""
        wanted = model.MemberFilter(
            q=self.q,
            company=self.company,
            title=self.title,
            has_email=self.has_email,
            added_after=milliseconds(self.added_after),
            added_before=milliseconds(self.added_before),
        )
        if self.skip and wanted != prospects.EVERYBODY:
            raise InvalidRequest([_SKIP_WITH_FILTERS])
        return wanted


@needs(prospects.list_prospects)
async def list_prospects(
    request: Request, audience_id: AudienceIdInPath, query: Annotated[ProspectQuery, Query()]
) -> Response:
    """Lists the leads of an audience, or the leads that match all filters. If you follow `nextCursor` to the end, you
    get each lead that was in the audience the whole time exactly once."""
    wanted = query.wanted()
    scope = ("prospects", caller(request).account_group_id, audience_id, repr(wanted))
    after = query.start(*scope)
    page = await run(
        request,
        prospects.list_prospects,
        audience_id=audience_id,
        wanted=wanted,
        after=after,
        skip=query.skip,
        limit=query.limit,
    )
    shapes = Page(tuple(await in_slices(page.items, prospect_of)), page.next_key)
    show = show_page(AudienceProspectListSuccessResponse, ProspectList, _as_it_is, *scope)
    return respond(request, show(shapes))


@needs(prospects.list_custom_field_names)
async def export_prospects(request: Request, audience_id: AudienceIdInPath) -> Response:
    """Exports all leads of an audience as CSV. The importer recognizes the column names, and spreadsheets run no
    formula from the cells. Custom fields that appear during the export have no column."""
    pieces = await export_audience(database(request), caller(request), audience_id=audience_id)
    return csv_download(pieces, file_name=f"audience-{audience_id}.csv")


@needs(prospects.add_prospects)
async def add_prospects(request: Request, audience_id: AudienceIdInPath, body: AddProspects) -> Response:
    """Adds people to the audience. A known person is not duplicated: the service fills empty fields and overwrites
    nothing. A person without a LinkedIn profile, an e-mail and a provider id is always a new lead."""
    return await answer(
        request,
        prospects.add_prospects,
        _added,
        audience_id=audience_id,
        checked=check_profiles([profile_of(prospect) for prospect in body.prospects]),
        on_known=body.on_known,
    )


def _added(result: model.AddResult) -> Shown:
    return Shown(
        ProspectsAddedSuccessResponse,
        ProspectsAdded.of(
            result,
            rejected=list(map(RejectedProspect.of, result.rejected)),
            notes=list(map(NotedProspect.of, result.notes)),
        ),
        change_id_header(result.change_id),
    )


# Reads all fields of a person in one call, in C, because a page may have 200 people. The company has its own shape,
# which replaces the name that is read here.
_PERSON_ATTRIBUTES = in_json_order(attrgetter("attribute"), company="company_name", custom_fields="custom_fields")
_PERSON_FIELDS = tuple(_PERSON_ATTRIBUTES)
_person_of = attrgetter(*_PERSON_ATTRIBUTES.values())
_COMPANY_FIELDS = tuple(field.shape_name for field in COMPANY_FIELDS)
_company_of = attrgetter(*(field.attribute for field in COMPANY_FIELDS))


def milliseconds(moment: datetime | None) -> int | None:
    """Returns the moment of a query in milliseconds since 1970."""
    return None if moment is None else round(moment.timestamp() * 1000)


def profile_values(profile: model.Profile) -> dict[str, Any]:
    """Returns the values of ProspectFields for a profile. A missing name is composed of the first and last name."""
    values: dict[str, Any] = dict(zip(_PERSON_FIELDS, _person_of(profile), strict=True))
    values["name"] = full_name(profile.name, profile.first_name, profile.last_name)
    values["company"] = Company.holding(dict(zip(_COMPANY_FIELDS, _company_of(profile), strict=True)))
    values["custom_fields"] = dict(profile.custom_fields)
    return values


def prospect_of(member: model.Member) -> Prospect:
    """Returns the shape of a member of an audience."""
    lead = member.lead
    values = profile_values(lead.profile)
    values["id"] = lead.id
    values["created_at"] = lead.created_at
    values["added_at"] = member.added_at
    return Prospect.holding(values)


def _as_it_is(prospect: Prospect) -> Prospect:
    return prospect
