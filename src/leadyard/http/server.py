"""The HTTP service: every route on one screen."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.exceptions import HTTPException

import leadyard.operations.audiences as of_audiences
import leadyard.operations.folders as of_folders
import leadyard.operations.leads as of_leads
import leadyard.operations.moves as of_moves
import leadyard.operations.prospecting as of_prospecting
import leadyard.operations.prospects as of_prospects
import leadyard.operations.uploads as of_uploads
from leadyard.errors import LeadyardError, RateLimited
from leadyard.http import (
    accounts,
    audiences,
    folders,
    leads,
    moves,
    openapi,
    prospecting,
    prospects,
    sales_navigator,
    uploads,
)
from leadyard.http.caller import Door
from leadyard.http.errors import on_http_exception, on_leadyard_error, on_validation_error
from leadyard.http.gate import Gate, RateLimitHeaders, StrangersAtTheGate
from leadyard.http.limits import Limits, TimeLimits
from leadyard.http.openapi import refusals
from leadyard.http.trace import Trace
from leadyard.intake.provider import Provider
from leadyard.model import Permission
from leadyard.operations.operation import Database
from leadyard.watching import spans

_GROUP = "/v1/accounts/{accountGroupId}"
_MOVE_ID = {"Move-Id": {"schema": {"type": "string"}, "description": "The id of the record of this move."}}


# fmt: off
def routes() -> list[Door]:
    """Returns every route of the API: method (and status, if not 200), path, handler, operation, answer, refusals of its
    own. The operation is named for its permission; a route that needs nothing of the database names the permission
    itself, and one with neither is open to every key. Fixed paths come before those with an id in the same place."""
    g, a, f, p = _GROUP, f"{_GROUP}/audiences", f"{_GROUP}/audiences/folders", f"{_GROUP}/prospects"
    one, folder, lead = f"{a}/{{audienceId}}", f"{f}/{{folderId}}", f"{p}/{{prospectId}}"
    audience, folder_answer = audiences.AudienceSuccessResponse, folders.AudienceFolderSuccessResponse
    gone, lead_answer = audiences.DeletedSuccessResponse, leads.LeadSuccessResponse
    jobs, job = f"{g}/prospecting", f"{g}/prospecting/{{jobId}}"
    navigator, entries = f"{g}/sales-navigator", sales_navigator.SalesNavigatorEntryListSuccessResponse
    return [
        # Routes are tried in turn, and this is the one that is asked for most.
        _route("POST", f"{one}/move-leads", moves.move_leads, of_moves.move_leads, moves.AudienceLeadMoveSuccessResponse, 404, 409, 422, headers=_MOVE_ID),
        _route("GET", "/v1/accounts", accounts.list_accounts, None, accounts.AccountListSuccessResponse),
        _route("GET", a, audiences.list_audiences, of_audiences.list_audiences, audiences.AudienceListSuccessResponse),
        _route("POST 201", a, audiences.create_audience, of_audiences.create_audience, audience, 422),
        _route("GET", f"{a}/navigation", folders.get_navigation, of_folders.get_navigation, folders.AudienceNavigationSuccessResponse),
        _route("POST 201", f, folders.create_folder, of_folders.create_folder, folder_answer),
        _route("PATCH", folder, folders.update_folder, of_folders.update_folder, folder_answer, 404),
        _route("DELETE", folder, folders.delete_folder, of_folders.delete_folder, gone, 404),
        _route("GET", one, audiences.get_audience, of_audiences.get_audience, audience, 404, 409),
        _route("PATCH", one, audiences.update_audience, of_audiences.update_audience, audience, 404, 409),
        _route("DELETE", one, audiences.delete_audience, of_audiences.delete_audience, gone, 404, 409),
        _route("POST", f"{one}/move-to-folder", folders.move_to_folder, of_audiences.move_to_folder, audience, 404, 409, 422),
        _route("POST", f"{one}/remove-from-folder", folders.remove_from_folder, of_audiences.remove_from_folder, audience, 404, 409),
        _route("GET", f"{one}/prospects", prospects.list_prospects, of_prospects.list_prospects, prospects.AudienceProspectListSuccessResponse, 404, 409),
        _route("GET", f"{one}/prospects.csv", prospects.export_prospects, of_prospects.list_custom_field_names, str, 404, 409),
        _route("POST", f"{one}/prospects", prospects.add_prospects, of_prospects.add_prospects, prospects.ProspectsAddedSuccessResponse, 404, 409),
        _route("GET", f"{p}/by-provider-id/{{providerId:path}}", leads.find_by_provider_id, of_leads.find_leads_by_provider_id, leads.ProviderIdResolutionSuccessResponse),
        _route("GET", lead, leads.get_prospect, of_leads.get_lead, lead_answer, 404),
        _route("PATCH", lead, leads.update_prospect, of_leads.update_lead, lead_answer, 404, 422),
        _route("DELETE", lead, leads.delete_prospect, of_leads.erase_lead, gone, 404),
        _route("GET", f"{navigator}/lead-lists", sales_navigator.list_lead_lists, Permission.PROSPECTING_READ, entries, 422),
        _route("GET", f"{navigator}/saved-searches", sales_navigator.list_saved_searches, Permission.PROSPECTING_READ, entries, 422),
        _route("GET", f"{g}/moves", moves.list_moves, of_moves.list_moves, moves.MoveListSuccessResponse),
        _route("GET", f"{g}/moves/{{moveId}}", moves.get_move, of_moves.get_move, moves.MoveSuccessResponse, 404),
        _route("POST 202", jobs, prospecting.start_prospecting, of_prospecting.start_prospecting, prospecting.ProspectingJobStartSuccessResponse, 404, 409, 422),
        _route("GET", jobs, prospecting.list_prospecting, of_prospecting.list_jobs, prospecting.ProspectingJobListSuccessResponse),
        _route("GET", job, prospecting.get_prospecting, of_prospecting.get_job, prospecting.ProspectingJobStatusSuccessResponse, 404),
        _route("POST", f"{job}/cancel", prospecting.cancel_prospecting, of_prospecting.cancel_job, prospecting.ProspectingJobCancelSuccessResponse, 404, 422),
        _route("GET", f"{job}/rejected.csv", prospecting.export_rejected, of_prospecting.list_rejected_rows, str, 404),
        _route("POST 201", f"{g}/uploads", uploads.create_upload, of_uploads.start_upload, uploads.UploadSuccessResponse, 408, 413, 415, extra=uploads.DOCUMENTED),
    ]
# fmt: on


def build_app(
    db: Database,
    *,
    gate: Gate,
    provider: Provider | None,
    in_background: Sequence[Callable[[], Coroutine[Any, Any, None]]],
    time_limits: TimeLimits = TimeLimits(read_s=20, request_s=60),  # noqa: B008  (frozen)
) -> FastAPI:
    """Returns the ASGI application on the database and the prospect provider, if there is one; it closes both when it
    stops.

    `gate` knows the callers and their limits; what is in `in_background` runs for as long as the application does, and
    ends its work before anything is closed.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await gate.limits.open()
        background = [asyncio.create_task(work()) for work in in_background]
        yield
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await gate.limits.close()
        if provider is not None:
            await provider.close()
        await db.close()
        await asyncio.to_thread(spans.stop)

    # Shapes and bodies are worked out when they are first needed. FastAPI, which hands Pydantic more than that has use
    # for, keeps its warnings quiet at the start only, and a warning is no line of our log.
    warnings.filterwarnings("ignore", category=UnsupportedFieldAttributeWarning)
    app = FastAPIOffline(
        title="Leadyard",
        version=version("leadyard"),
        lifespan=lifespan,
        redirect_slashes=False,
        redoc_url=None,
        # The spans are ours (watching/spans.py). FastAPI's own would tell the messages of exceptions, which hold data,
        # and it looks for somebody who wants them in the environment, with every request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.db = db
    app.state.provider = provider
    app.state.gate = gate
    # Before those of the document, which FastAPI has put there: what is asked for most is to be tried first.
    app.router.routes[:0] = routes()
    app.add_exception_handler(LeadyardError, on_leadyard_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, _on_unknown_route)
    # The last one added is the outermost.
    app.add_middleware(StrangersAtTheGate, gate=gate)
    app.add_middleware(Limits, limits=time_limits)
    app.add_middleware(Trace)
    app.add_middleware(RateLimitHeaders)
    app.openapi = _openapi_once(app)  # type: ignore[method-assign]
    return app


async def _on_unknown_route(request: Request, error: Exception) -> Response:
    """No route has counted this request, so it is done here: a stranger may try paths no faster than keys."""
    try:
        await request.app.state.gate.count_stranger(request.scope)
    except RateLimited as refusal:
        return await on_leadyard_error(request, refusal)
    return await on_http_exception(request, error)


def _openapi_once(app: FastAPI) -> Callable[[], dict[str, Any]]:
    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi.describe(app)
        return app.openapi_schema

    return document


def _route(
    method: str,
    path: str,
    handler: Callable[..., Any],
    operation: Any,
    shape: type,
    *refused: int,
    headers: dict[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Door:
    method, _, status_text = method.partition(" ")
    status = int(status_text or 200)
    success: dict[str, Any] = {"model": shape, "description": shape.__doc__}
    if shape is str:
        success = {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The leads as CSV."}
    if method == "POST":
        refused, headers = (*refused, 409), {**(headers or {}), **openapi.REPLAYED}
    if headers:
        success["headers"] = headers
    answers: dict[int | str, dict[str, Any]] = {status: success}
    if status == 202:
        answers[200] = {**success, "description": "The same, replayed after the work that was begun has ended."}
    documented = refusals(
        *refused, in_group=operation is not None, takes_body="body" in inspect.signature(handler).parameters
    )
    permission = operation if isinstance(operation, Permission | None) else operation.permission
    return Door(
        path,
        handler,
        permission=permission,
        methods=[method],
        status_code=status,
        responses={**answers, **documented},
        response_class=Response if shape is str else JSONResponse,  # Only for the document: which types an answer has.
        name=handler.__name__,
        operation_id=handler.__name__,
        openapi_extra=deepcopy(dict(extra or {})),
        summary=handler.__name__.replace("_", " ").capitalize(),
        tags=[path.removeprefix(f"{_GROUP}/").removeprefix("/v1/").partition("/")[0]],
    )
