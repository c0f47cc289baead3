"""The HTTP service: all its routes, and the application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from leadyard.database import Database
from leadyard.http.admission.gate import Gate
from leadyard.http.admission.readers import Readers
from leadyard.http.agents import AgentRoute, Door
from leadyard.http.answer.change_id import CHANGE_ID_HEADER
from leadyard.http.application import Application, Parts
from leadyard.http.document.serving import document_routes
from leadyard.http.guide.serving import guide_routes
from leadyard.http.page.files import page_routes
from leadyard.http.page.session import session_routes
from leadyard.http.request.route import CSV, Route
from leadyard.http.v1 import (
    accounts,
    audiences,
    changes,
    copies,
    duplicates,
    events,
    folders,
    lead_search,
    leads,
    merging,
    moves,
    previews,
    prospecting,
    prospects,
    removals,
    replaced_values,
    sales_navigator,
    suppressions,
    transfers,
    undo,
    uploads,
    webhooks,
)
from leadyard.http.wire.time_limits import TimeLimits
from leadyard.operations.events.watching import Watch
from leadyard.watching import spans

if TYPE_CHECKING:
    from leadyard.provider.client import Provider
    from leadyard.webhooks.client import WebhookClient


# fmt: off
def routes() -> list[Route]:
    """Returns all routes of the API. `@needs` at the handler names the operation, and so the permission.

    `http/document/openapi.py` adds the refusals that all routes of a kind have. A fixed path comes before a path that
    has an id in the same place.
    """
    return [
        # The router tries routes in turn, and clients call this one most.
        Route("POST", "/v1/accounts/{accountGroupId}/audiences/{audienceId}/move-leads", moves.move_leads, title="Move leads to another audience", answers=moves.AudienceLeadMoveSuccessResponse, refuses=(404, 409, 422), headers=moves.MOVE_ID_HEADERS),
        Route("POST", "/v1/accounts/{accountGroupId}/audiences/{audienceId}/copy-leads", copies.copy_leads, title="Copy leads to another audience", answers=copies.AudienceLeadCopySuccessResponse, refuses=(404, 409, 422), headers=CHANGE_ID_HEADER),
        Route("POST", "/v1/accounts/{accountGroupId}/audiences/{audienceId}/remove-leads", removals.remove_leads, title="Remove leads from an audience", answers=removals.AudienceLeadRemovalSuccessResponse, refuses=(404, 409, 422), headers=CHANGE_ID_HEADER),
        Route("GET", "/v1/accounts", accounts.list_accounts, title="List account groups", answers=accounts.AccountListSuccessResponse, headers=accounts.KEY_PERMISSIONS_HEADER),
        Route("GET", "/v1/accounts/{accountGroupId}/audiences", audiences.list_audiences, title="List audiences", answers=audiences.AudienceListSuccessResponse, refuses=(409,)),
        Route("POST", "/v1/accounts/{accountGroupId}/audiences", audiences.create_audience, title="Create an audience", answers=audiences.AudienceSuccessResponse, status=201, refuses=(409, 422)),
        Route("GET", "/v1/accounts/{accountGroupId}/audiences/navigation", folders.get_navigation, title="Get folders and their audiences", answers=folders.AudienceNavigationSuccessResponse),
        Route("POST", "/v1/accounts/{accountGroupId}/audiences/folders", folders.create_folder, title="Create a folder", answers=folders.AudienceFolderSuccessResponse, status=201, refuses=(409,)),
        Route("PATCH", "/v1/accounts/{accountGroupId}/audiences/folders/{folderId}", folders.update_folder, title="Update a folder", answers=folders.AudienceFolderSuccessResponse, refuses=(404,)),
        Route("DELETE", "/v1/accounts/{accountGroupId}/audiences/folders/{folderId}", folders.delete_folder, title="Delete a folder", answers=audiences.DeletedSuccessResponse, refuses=(404,)),
        Route("GET", "/v1/accounts/{accountGroupId}/audiences/{audienceId}", audiences.get_audience, title="Get an audience", answers=audiences.AudienceSuccessResponse, refuses=(404, 409)),
        Route("PATCH", "/v1/accounts/{accountGroupId}/audiences/{audienceId}", audiences.update_audience, title="Update an audience", answers=audiences.AudienceSuccessResponse, refuses=(404, 409)),
        Route("DELETE", "/v1/accounts/{accountGroupId}/audiences/{audienceId}", audiences.delete_audience, title="Delete an audience", answers=audiences.DeletedSuccessResponse, refuses=(404, 409), headers=CHANGE_ID_HEADER),
        Route("POST", "/v1/accounts/{accountGroupId}/audiences/{audienceId}/move-to-folder", folders.move_to_folder, title="Move an audience into a folder", answers=audiences.AudienceSuccessResponse, refuses=(404, 409, 422)),
        Route("POST", "/v1/accounts/{accountGroupId}/audiences/{audienceId}/remove-from-folder", folders.remove_from_folder, title="Remove an audience from its folder", answers=audiences.AudienceSuccessResponse, refuses=(404, 409)),
        Route("GET", "/v1/accounts/{accountGroupId}/audiences/{audienceId}/prospects", prospects.list_prospects, title="List the prospects of an audience", answers=prospects.AudienceProspectListSuccessResponse, refuses=(404, 409)),
        Route("GET", "/v1/accounts/{accountGroupId}/audiences/{audienceId}/prospects.csv", prospects.export_prospects, title="Export the prospects of an audience as CSV", answers=CSV, refuses=(404, 409)),
        Route("POST", "/v1/accounts/{accountGroupId}/audiences/{audienceId}/prospects", prospects.add_prospects, title="Add prospects to an audience", answers=prospects.ProspectsAddedSuccessResponse, refuses=(404, 409, 422), headers=CHANGE_ID_HEADER),
        Route("GET", "/v1/accounts/{accountGroupId}/prospects", lead_search.find_prospects, title="Find prospects in any audience", answers=lead_search.LeadListSuccessResponse),
        Route("GET", "/v1/accounts/{accountGroupId}/prospects/by-provider-id/{providerId:path}", leads.find_by_provider_id, title="Find prospects by an outside id", answers=leads.ProviderIdResolutionSuccessResponse),
        Route("GET", "/v1/accounts/{accountGroupId}/prospects/{prospectId}", leads.get_prospect, title="Get a prospect", answers=leads.LeadSuccessResponse, refuses=(404,)),
        Route("PATCH", "/v1/accounts/{accountGroupId}/prospects/{prospectId}", leads.update_prospect, title="Update a prospect", answers=leads.LeadSuccessResponse, refuses=(404, 422)),
        Route("DELETE", "/v1/accounts/{accountGroupId}/prospects/{prospectId}", leads.delete_prospect, title="Erase a prospect", answers=audiences.DeletedSuccessResponse, refuses=(404, 422)),
        Route("POST", "/v1/accounts/{accountGroupId}/suppressions", suppressions.suppress_prospects, title="Suppress people", answers=suppressions.ProspectsSuppressedSuccessResponse, refuses=(409, 422)),
        Route("GET", "/v1/accounts/{accountGroupId}/suppressions", suppressions.list_suppressions, title="List suppressions", answers=suppressions.SuppressionListSuccessResponse),
        Route("DELETE", "/v1/accounts/{accountGroupId}/suppressions/{hash}", suppressions.delete_suppression, title="Remove a suppression", answers=audiences.DeletedSuccessResponse, refuses=(404,)),
        Route("GET", "/v1/accounts/{accountGroupId}/duplicates", duplicates.list_duplicates, title="List likely duplicates", answers=duplicates.DuplicateListSuccessResponse),
        Route("POST", "/v1/accounts/{accountGroupId}/prospects/{prospectId}/merge", merging.merge_prospects, title="Merge two prospects", answers=merging.ProspectMergeSuccessResponse, refuses=(404, 409, 422), headers=CHANGE_ID_HEADER),
        Route("GET", "/v1/accounts/{accountGroupId}/sales-navigator/lead-lists", sales_navigator.list_lead_lists, title="List the lead lists of Sales Navigator", answers=sales_navigator.SalesNavigatorEntryListSuccessResponse, refuses=(422,)),
        Route("GET", "/v1/accounts/{accountGroupId}/sales-navigator/saved-searches", sales_navigator.list_saved_searches, title="List the saved searches of Sales Navigator", answers=sales_navigator.SalesNavigatorEntryListSuccessResponse, refuses=(422,)),
        Route("GET", "/v1/accounts/{accountGroupId}/moves", moves.list_moves, title="List moves", answers=moves.MoveListSuccessResponse),
        Route("GET", "/v1/accounts/{accountGroupId}/moves/{moveId}", moves.get_move, title="Get a move", answers=moves.MoveSuccessResponse, refuses=(404,)),
        Route("GET", "/v1/accounts/{accountGroupId}/changes", changes.list_changes, title="List changes", answers=changes.ChangeListSuccessResponse),
        Route("GET", "/v1/accounts/{accountGroupId}/changes/{changeId}", changes.get_change, title="Get a change", answers=changes.ChangeSuccessResponse, refuses=(404,)),
        Route("GET", "/v1/accounts/{accountGroupId}/changes/{changeId}/prospects", changes.list_changed_prospects, title="List the prospects of a change", answers=changes.ChangedProspectListSuccessResponse, refuses=(404,)),
        Route("GET", "/v1/accounts/{accountGroupId}/changes/{changeId}/replaced-values", replaced_values.list_replaced_values, title="List the values that a change has replaced", answers=replaced_values.ReplacedValueListSuccessResponse, refuses=(404,)),
        Route("POST", "/v1/accounts/{accountGroupId}/changes/{changeId}/undo", undo.undo_change, title="Undo a change", answers=undo.ChangeUndoSuccessResponse, refuses=(404, 409, 422), headers=CHANGE_ID_HEADER, also={202: transfers.TransferStartSuccessResponse}),
        Route("GET", "/v1/accounts/{accountGroupId}/prospects/{prospectId}/changes", changes.list_prospect_changes, title="List the changes of a prospect", answers=changes.ChangeListSuccessResponse, refuses=(404,)),
        Route("POST", "/v1/accounts/{accountGroupId}/transfers", transfers.start_transfer, title="Start a transfer", answers=transfers.TransferStartSuccessResponse, status=202, refuses=(404, 409, 422), also={200: transfers.TransferPreviewSuccessResponse}, max_body_bytes=transfers.MAX_BODY_BYTES),
        Route("GET", "/v1/accounts/{accountGroupId}/transfers", transfers.list_transfers, title="List transfers", answers=transfers.TransferListSuccessResponse),
        Route("GET", "/v1/accounts/{accountGroupId}/transfers/{jobId}", transfers.get_transfer, title="Get a transfer", answers=transfers.TransferSuccessResponse, refuses=(404,)),
        Route("POST", "/v1/accounts/{accountGroupId}/transfers/{jobId}/cancel", transfers.cancel_transfer, title="Cancel a transfer", answers=transfers.TransferCancelSuccessResponse, refuses=(404, 409, 422)),
        Route("GET", "/v1/accounts/{accountGroupId}/events", events.list_events, title="List events, or wait for them", answers=events.EventListSuccessResponse, refuses=(422,), document=events.DOCUMENTED),
        Route("POST", "/v1/accounts/{accountGroupId}/prospecting", prospecting.start_prospecting, title="Start a prospecting job", answers=prospecting.ProspectingJobStartSuccessResponse, status=202, status_when_ended=200, refuses=(404, 409, 422)),
        Route("GET", "/v1/accounts/{accountGroupId}/prospecting", prospecting.list_prospecting, title="List prospecting jobs", answers=prospecting.ProspectingJobListSuccessResponse),
        Route("GET", "/v1/accounts/{accountGroupId}/prospecting/{jobId}", prospecting.get_prospecting, title="Get a prospecting job", answers=prospecting.ProspectingJobStatusSuccessResponse, refuses=(404,)),
        Route("POST", "/v1/accounts/{accountGroupId}/prospecting/{jobId}/cancel", prospecting.cancel_prospecting, title="Cancel a prospecting job", answers=prospecting.ProspectingJobCancelSuccessResponse, refuses=(404, 409, 422)),
        Route("GET", "/v1/accounts/{accountGroupId}/prospecting/{jobId}/rejected.csv", prospecting.export_rejected, title="Export the rejected rows of a prospecting job as CSV", answers=CSV, refuses=(404,)),
        Route("POST", "/v1/accounts/{accountGroupId}/uploads", uploads.create_upload, title="Upload a file", answers=uploads.UploadSuccessResponse, status=201, refuses=(408, 409, 413, 415), document=uploads.DOCUMENTED),
        Route("POST", "/v1/accounts/{accountGroupId}/uploads/{uploadId}/preview", previews.preview_upload, title="Preview an upload", answers=previews.UploadPreviewSuccessResponse, refuses=(404, 422)),


        Route("POST", "/v1/accounts/{accountGroupId}/webhooks", webhooks.create_webhook, title="Create a webhook", answers=webhooks.WebhookWithSecretSuccessResponse, status=201, refuses=(404, 409, 422)),
        Route("GET", "/v1/accounts/{accountGroupId}/webhooks", webhooks.list_webhooks, title="List webhooks", answers=webhooks.WebhookListSuccessResponse),
        Route("GET", "/v1/accounts/{accountGroupId}/webhooks/{webhookId}", webhooks.get_webhook, title="Get a webhook", answers=webhooks.WebhookSuccessResponse, refuses=(404,)),
        Route("PATCH", "/v1/accounts/{accountGroupId}/webhooks/{webhookId}", webhooks.update_webhook, title="Update a webhook", answers=webhooks.WebhookSuccessResponse, refuses=(404, 422)),
        Route("DELETE", "/v1/accounts/{accountGroupId}/webhooks/{webhookId}", webhooks.delete_webhook, title="Delete a webhook", answers=audiences.DeletedSuccessResponse, refuses=(404,)),
        Route("POST", "/v1/accounts/{accountGroupId}/webhooks/{webhookId}/rotate-secret", webhooks.rotate_secret, title="Rotate the secret of a webhook", answers=webhooks.WebhookWithSecretSuccessResponse, refuses=(404, 409, 422)),
        Route("POST", "/v1/accounts/{accountGroupId}/webhooks/{webhookId}/test", webhooks.test_webhook, title="Test a webhook", answers=webhooks.WebhookTestSuccessResponse, refuses=(404, 422)),
        Route("GET", "/v1/accounts/{accountGroupId}/webhooks/{webhookId}/deliveries", webhooks.list_deliveries, title="List the deliveries of a webhook", answers=webhooks.DeliveryListSuccessResponse, refuses=(404,)),
        Route("POST", "/v1/accounts/{accountGroupId}/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver", webhooks.redeliver, title="Send a delivery again", answers=webhooks.DeliverySuccessResponse, refuses=(404, 409)),
        Route("POST", "/v1/accounts/{accountGroupId}/webhooks/{webhookId}/replay", webhooks.replay_events, title="Send events again", answers=webhooks.WebhookSuccessResponse, refuses=(404, 409)),
    ]
# fmt: on


def build_app(
    db: Database,
    *,
    gate: Gate,
    provider: Provider | None,
    webhook_client: WebhookClient,
    in_background: Sequence[Callable[[], Coroutine[Any, Any, None]]],
    time_limits: TimeLimits = TimeLimits(read_s=20, request_s=60),  # noqa: B008  (frozen)
    page_session_h: int | None = None,
    agents: Door | None = None,
) -> Application:
    """Returns the ASGI application for the database and the prospect provider, if there is one. It closes both when it
    stops.

    `gate` identifies the callers and counts their requests. The work in `in_background` runs as long as the
    application, and ends before the database and the provider are closed. With `page_session_h` it serves the page for
    people, whose sessions last as many hours. `agents` answers at /mcp, if it is there.
    """

    parts = Parts(db, provider, gate, Watch(db), Readers(), webhook_client)

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        await gate.limits.open()
        background = [asyncio.create_task(work()) for work in in_background]
        try:
            yield
        finally:
            if agents is not None:
                await agents.close()
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            await parts.watch.close()
            await gate.limits.close()
            if provider is not None:
                await provider.close()
            await webhook_client.close()
            await db.close()
            await asyncio.to_thread(spans.stop)

    page = [] if page_session_h is None else [*page_routes(), *session_routes(lifetime_h=page_session_h)]
    others = [*page, *document_routes(), *guide_routes(), *([] if agents is None else [AgentRoute(agents)])]
    return Application(routes(), others, parts, lifespan=lifespan, time_limits=time_limits)
