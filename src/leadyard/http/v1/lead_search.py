"""Finding people over HTTP, in whichever audiences they are. The published paths call them prospects."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import AfterValidator, Field, StringConstraints

from leadyard import model
from leadyard.errors import InvalidProspect
from leadyard.http.answer.envelope import Listing, Success
from leadyard.http.answer.paging import in_slices, show_page
from leadyard.http.request.answering import respond, run
from leadyard.http.request.route import caller, needs
from leadyard.http.v1.leads import Lead, lead_of
from leadyard.http.v1.prospects import Moment, PersonQuery, milliseconds
from leadyard.model import Page
from leadyard.operations import lead_search
from leadyard.people.fields import MAX_EMAIL_LENGTH, MAX_URL_LENGTH
from leadyard.people.identity import normalise_profile


class LeadList(Listing[Lead]):
    """A page of leads with their audiences."""


class LeadListSuccessResponse(Success[LeadList]):
    """A page of the people of the account group."""


def _as_stored_email(text: str) -> str | None:
    try:
        return normalise_profile(model.Profile(email=text)).email
    except InvalidProspect:
        # In a query an unencoded + is a space.
        lost_plus = ", and write + as %2B in a URL" if " " in text.strip() else ""
        raise ValueError(f"must be an e-mail address: give one like ada@example.org{lost_plus}") from None


def _public_identifier(text: str) -> str | None:
    try:
        return normalise_profile(model.Profile(linkedin_url=text)).public_identifier
    except InvalidProspect:
        example = "https://www.linkedin.com/in/ada-lovelace"
        raise ValueError(f"must be the address of a LinkedIn profile: give one like {example}") from None


class LeadQuery(PersonQuery):
    """The people to find: those that match all filters."""

    email: Annotated[
        Annotated[str, StringConstraints(max_length=MAX_EMAIL_LENGTH), AfterValidator(_as_stored_email)] | None,
        Field(
            description="Exactly this e-mail, in any case. Also finds the people who had it before they were merged or "
            "updated.",
            examples=["ada@example.org"],
        ),
    ] = None
    linkedin_url: Annotated[
        Annotated[str, StringConstraints(max_length=MAX_URL_LENGTH), AfterValidator(_public_identifier)] | None,
        Field(
            alias="linkedinUrl",
            description="Exactly this LinkedIn profile, in any spelling of its URL. Also finds the people who had it "
            "before they were merged or updated.",
            examples=["https://www.linkedin.com/in/ada-lovelace"],
        ),
    ] = None
    created_after: Annotated[
        Moment | None, Field(alias="createdAfter", description="Known to the account group since after this time.")
    ] = None
    created_before: Annotated[
        Moment | None, Field(alias="createdBefore", description="Known to the account group since before this time.")
    ] = None

    def wanted(self) -> model.LeadFilter:
        """Returns the filters as a value."""
        return model.LeadFilter(
            q=self.q,
            company=self.company,
            title=self.title,
            has_email=self.has_email,
            email=self.email,
            public_identifier=self.linkedin_url,
            created_after=milliseconds(self.created_after),
            created_before=milliseconds(self.created_before),
        )


@needs(lead_search.find_leads)
async def find_prospects(request: Request, query: Annotated[LeadQuery, Query()]) -> Response:
    """Finds the people of the account group who match all filters, with the audiences that contain them, oldest first.
    Without a filter it lists all people, also those in no audience. If you follow `nextCursor` to the end, you get each
    person who was there the whole time exactly once."""
    wanted = query.wanted()
    scope = ("leads", caller(request).account_group_id, repr(wanted))
    page = await run(request, lead_search.find_leads, wanted=wanted, after=query.start(*scope), limit=query.limit)
    shapes = Page(tuple(await in_slices(page.items, lead_of)), page.next_key)
    return respond(request, show_page(LeadListSuccessResponse, LeadList, _as_it_is, *scope)(shapes))


def _as_it_is(lead: Lead) -> Lead:
    return lead
