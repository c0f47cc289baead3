"""Lead lists and saved searches of Sales Navigator over HTTP: handed on from the prospect provider, nothing is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import Field

from leadyard import model
from leadyard.errors import ProviderTrouble, ProviderUnavailable, SourceNotConfigured, TemporaryProviderTrouble
from leadyard.http.caller import caller
from leadyard.http.envelope import Listing, Shape, Success, answer
from leadyard.http.paging import Paging, listing
from leadyard.intake.provider import Provider
from leadyard.model import Page

_RETRY_AFTER_S = 5
# What does not mend by itself: whoever keeps asking should not ask every few seconds.
_RETRY_AFTER_PERMANENT_S = 60
# A provider's cursor of 400 characters with our check before it, in base64.
_MAX_CURSOR_LENGTH = 544


class ProviderPaging(Paging):
    """The query of a list that a provider keeps: its cursors may be longer than ours."""

    cursor: Annotated[
        str | None,
        Field(
            max_length=_MAX_CURSOR_LENGTH,
            description="`nextCursor` of the page before; leave it out for the first.",
        ),
    ] = None


class SalesNavigatorEntry(Shape):
    """A lead list or a saved search, as the prospect provider names it."""

    id: Annotated[str, Field(description="For `leadListId` or `savedSearchId` of a prospecting job.", examples=["77"])]
    name: Annotated[str, Field(examples=["Heads of sales, Berlin"])]
    lead_count: Annotated[int | None, Field(description="How many leads it has; null if nobody counted.")]


class SalesNavigatorEntryList(Listing[SalesNavigatorEntry]):
    """A page of lead lists or saved searches."""


class SalesNavigatorEntryListSuccessResponse(Success[SalesNavigatorEntryList]):
    """A page of lead lists or saved searches, in the provider's order. A page may have fewer than `limit`."""


async def list_lead_lists(request: Request, paging: Annotated[ProviderPaging, Query()]) -> Response:
    """Lists the lead lists of Sales Navigator that the prospect provider has for this account group."""
    return await _list(request, paging, "lead-lists", Provider.list_lead_lists)


async def list_saved_searches(request: Request, paging: Annotated[ProviderPaging, Query()]) -> Response:
    """Lists the saved searches of Sales Navigator that the prospect provider has for this account group."""
    return await _list(request, paging, "saved-searches", Provider.list_saved_searches)


async def _list(
    request: Request,
    paging: ProviderPaging,
    kind: str,
    ask: Callable[..., Awaitable[Page[model.SalesNavigatorEntry]]],
) -> Response:
    group_id = caller(request).account_group_id
    scope = (kind, group_id)
    start = paging.start(*scope)
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise SourceNotConfigured
    try:
        page = await ask(
            provider,
            account_group_id=group_id,
            cursor=start,
            limit=paging.limit,
            traceparent=request.state.traceparent,
        )
    except ProviderTrouble as trouble:
        raise _unavailable(trouble) from trouble
    found = listing(SalesNavigatorEntryList, page, SalesNavigatorEntry.model_validate, *scope)
    return answer(request, SalesNavigatorEntryListSuccessResponse, found)


def _unavailable(trouble: ProviderTrouble) -> ProviderUnavailable:
    wait_s = _RETRY_AFTER_PERMANENT_S
    if isinstance(trouble, TemporaryProviderTrouble):
        wait_s = _RETRY_AFTER_S if trouble.retry_after_s is None else max(1, trouble.retry_after_s)
    return ProviderUnavailable(
        f"{trouble.message} Try again later, or ask the operator.", retry_after_s=wait_s, extra={"reason": trouble.code}
    )
