"""Lead lists and saved searches of Sales Navigator over HTTP, straight from the prospect provider and not stored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

from fastapi import Query, Request, Response
from pydantic import Field

from leadyard import model
from leadyard.errors import ProviderUnavailable, SourceNotConfigured
from leadyard.http.answer.envelope import Listing, Shape, Success
from leadyard.http.answer.paging import Paging, cursor_length, show_page
from leadyard.http.request.answering import respond
from leadyard.http.request.route import caller, needs
from leadyard.model import Page
from leadyard.provider.limits import MAX_CURSOR_LENGTH
from leadyard.provider.trouble import ProviderTrouble, TemporaryProviderTrouble

if TYPE_CHECKING:
    from leadyard.provider.client import Provider

_RETRY_AFTER_S = 5
# For errors that last until an operator fixes them, so that clients do not retry every few seconds.
_RETRY_AFTER_PERMANENT_S = 60


class ProviderPaging(Paging):
    """The query of a list of the provider, whose cursors may be longer than our own."""

    cursor: Annotated[
        str | None,
        Field(
            max_length=cursor_length(MAX_CURSOR_LENGTH),
            description="`nextCursor` of the previous page. Leave it out for the first page.",
        ),
    ] = None


class SalesNavigatorEntry(Shape):
    """A lead list or a saved search of the prospect provider."""

    id: Annotated[
        str, Field(description="The value for `leadListId` or `savedSearchId` of a prospecting job.", examples=["77"])
    ]
    name: Annotated[str, Field(examples=["Heads of sales, Berlin"])]
    lead_count: Annotated[
        int | None, Field(description="Number of its leads, or null if the provider does not report it.")
    ]


class SalesNavigatorEntryList(Listing[SalesNavigatorEntry]):
    """A page of lead lists or saved searches."""


class SalesNavigatorEntryListSuccessResponse(Success[SalesNavigatorEntryList]):
    """A page of lead lists or saved searches, in the provider's order. A page may have fewer than `limit`."""


@needs(model.Permission.PROSPECTING_READ)
async def list_lead_lists(request: Request, paging: Annotated[ProviderPaging, Query()]) -> Response:
    """Lists the Sales Navigator lead lists that the prospect provider offers this account group."""
    return await _list(request, paging, "lead-lists", lambda provider, **asked: provider.list_lead_lists(**asked))


@needs(model.Permission.PROSPECTING_READ)
async def list_saved_searches(request: Request, paging: Annotated[ProviderPaging, Query()]) -> Response:
    """Lists the Sales Navigator saved searches that the prospect provider offers this account group."""
    return await _list(
        request, paging, "saved-searches", lambda provider, **asked: provider.list_saved_searches(**asked)
    )


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
    show = show_page(SalesNavigatorEntryListSuccessResponse, SalesNavigatorEntryList, SalesNavigatorEntry.of, *scope)
    return respond(request, show(page))


def _unavailable(trouble: ProviderTrouble) -> ProviderUnavailable:
    wait_s = _RETRY_AFTER_PERMANENT_S
    if isinstance(trouble, TemporaryProviderTrouble):
        wait_s = _RETRY_AFTER_S if trouble.retry_after_s is None else max(1, trouble.retry_after_s)
    return ProviderUnavailable(
        f"{trouble.message} Try again later, or contact the operator.",
        retry_after_s=wait_s,
        extra={"reason": trouble.code},
    )
