"""Likely duplicates over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import Field

from leadyard import model
from leadyard.http.answer.envelope import Listing, Shape, Success
from leadyard.http.answer.paging import Paging, in_slices, show_page
from leadyard.http.request.answering import respond, run
from leadyard.http.request.route import caller, needs
from leadyard.http.v1.merging import KnownProspect, known_prospect
from leadyard.model import DuplicateKey, DuplicateReason, Page
from leadyard.operations import duplicates


class DuplicateGroup(Shape):
    """Leads that are probably one person."""

    prospects: Annotated[
        list[KnownProspect], Field(description="Oldest first. Of a large group, the 20 oldest.", min_length=2)
    ]
    reason: Annotated[model.DuplicateReason, Field(description="The value that they have in common.")]


class DuplicateGroupList(Listing[DuplicateGroup]):
    """A page of groups."""


class DuplicateListSuccessResponse(Success[DuplicateGroupList]):
    """A page of likely duplicates, most certain first."""


@needs(duplicates.list_duplicates)
async def list_duplicates(request: Request, query: Annotated[Paging, Query()]) -> Response:
    """Lists leads that are probably one person, most certain first. The service never merges them by itself. A page may
    have fewer groups than `limit`, because each group is checked again: follow `nextCursor` to the end. Leads that were
    added or edited in the last seconds may be missing, and during a long import those of its last ten minutes."""
    scope = ("duplicates", caller(request).account_group_id)
    found, last = await run(
        request, duplicates.list_duplicates, after=_key_from(query.start(*scope)), limit=query.limit
    )
    groups = await in_slices(found, _group)
    show = show_page(DuplicateListSuccessResponse, DuplicateGroupList, _as_it_is, *scope)
    return respond(request, show(Page(tuple(groups), None if last is None else f"{last.reason}:{last.hash}")))


def _key_from(text: str | None) -> DuplicateKey | None:
    if text is None:
        return None
    reason, _, digits = text.partition(":")
    return DuplicateKey(DuplicateReason(reason), int(digits))


def _group(group: model.DuplicateGroup) -> DuplicateGroup:
    return DuplicateGroup.of(group, prospects=list(map(known_prospect, group.leads)))


def _as_it_is(group: DuplicateGroup) -> DuplicateGroup:
    return group
