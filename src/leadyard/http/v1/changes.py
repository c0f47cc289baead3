"""The record of changes over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request, Response
from pydantic import Field

from leadyard import model
from leadyard.http.answer.envelope import Id, Instant, Listing, Shape, Success
from leadyard.http.answer.paging import Paging, show_page
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import answer, respond, run
from leadyard.http.request.route import caller, needs
from leadyard.http.v1.leads import ProspectIdInPath
from leadyard.http.v1.prospects import Moment, milliseconds
from leadyard.model import Page
from leadyard.operations.changes import reading

ChangeIdInPath = Annotated[Id, Path(alias="changeId", description="The change.")]


class Change(Shape):
    """The record of one change: which leads came into or left which audience, by whom and when."""

    id: Id
    kind: model.ChangeKind
    source_audience_id: Id | None
    target_audience_id: Id | None
    lead_count: Annotated[int, Field(ge=0, description="Number of distinct leads that the change is about.")]
    already_in_target_count: Annotated[
        int, Field(ge=0, description="Number of these leads that were in the target before.")
    ]
    changed_at: Instant
    api_key_id: Id | None
    job_id: Id | None
    undoes_change_id: Id | None
    undone_by_change_id: Id | None


class ChangeList(Listing[Change]):
    """A page of changes."""


class ChangeListSuccessResponse(Success[ChangeList]):
    """A page of changes, newest first."""


class ChangeSuccessResponse(Success[Change]):
    """One change."""


class ChangedProspect(Shape):
    """A lead of a change. The id of an erased lead is 24 zeros, and its name null."""

    prospect_id: Id
    was_in_target: Annotated[bool, Field(description="Whether the lead was in the target before.")]
    name: str | None


class ChangedProspectList(Listing[ChangedProspect]):
    """A page of the leads of a change."""


class ChangedProspectListSuccessResponse(Success[ChangedProspectList]):
    """A page of the leads of a change."""


class ChangeQuery(Paging):
    """The changes to list: those that match all filters."""

    kind: model.ChangeKind | None = None
    audience_id: Annotated[
        Id | None, Field(alias="audienceId", description="The audience is the source or the target of the change.")
    ] = None
    prospect_id: Annotated[Id | None, Field(alias="prospectId", description="The change is about this lead.")] = None
    changed_after: Annotated[Moment | None, Field(alias="changedAfter", description="Changed after this time.")] = None
    changed_before: Annotated[Moment | None, Field(alias="changedBefore", description="Changed before this time.")] = (
        None
    )

    def wanted(self) -> model.ChangeFilter:
        """Returns the filters as a value."""
        return model.ChangeFilter(
            kind=self.kind,
            audience_id=self.audience_id,
            lead_id=self.prospect_id,
            changed_after=milliseconds(self.changed_after),
            changed_before=milliseconds(self.changed_before),
        )


@needs(reading.list_changes)
async def list_changes(request: Request, query: Annotated[ChangeQuery, Query()]) -> Response:
    """Lists the changes of all audiences, newest first, or the changes that match all filters."""
    wanted = query.wanted()
    scope = ("changes", caller(request).account_group_id, repr(wanted))
    show = show_page(ChangeListSuccessResponse, ChangeList, Change.of, *scope)
    before = query.start(*scope)
    return await answer(request, reading.list_changes, show, wanted=wanted, before=before, limit=query.limit)


@needs(reading.get_change)
async def get_change(request: Request, change_id: ChangeIdInPath) -> Response:
    """Returns one change."""
    return await answer(request, reading.get_change, _one_change, change_id=change_id)


@needs(reading.list_changed_leads)
async def list_changed_prospects(
    request: Request, change_id: ChangeIdInPath, paging: Annotated[Paging, Query()]
) -> Response:
    """Lists the leads of a change. A change that is too old, by the settings of the service, lists none."""
    scope = ("changed-prospects", caller(request).account_group_id, change_id)
    after = int(paging.start(*scope) or 0)
    found, next_after = await run(
        request, reading.list_changed_leads, change_id=change_id, after=after, limit=paging.limit
    )
    show = show_page(ChangedProspectListSuccessResponse, ChangedProspectList, _changed_prospect, *scope)
    return respond(request, show(Page(tuple(found), None if next_after is None else str(next_after))))


@needs(reading.list_lead_changes)
async def list_prospect_changes(
    request: Request, prospect_id: ProspectIdInPath, paging: Annotated[Paging, Query()]
) -> Response:
    """Lists the changes of a lead, newest first: how it came into its audiences and left them."""
    scope = ("prospect-changes", caller(request).account_group_id, prospect_id)
    show = show_page(ChangeListSuccessResponse, ChangeList, Change.of, *scope)
    before = paging.start(*scope)
    return await answer(
        request, reading.list_lead_changes, show, lead_id=prospect_id, before=before, limit=paging.limit
    )


def _one_change(change: model.Change) -> Shown:
    return Shown(ChangeSuccessResponse, Change.of(change))


def _changed_prospect(lead: model.ChangedLead) -> ChangedProspect:
    return ChangedProspect.of(lead, prospect_id=lead.lead_id)
