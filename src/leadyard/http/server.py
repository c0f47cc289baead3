"""The HTTP service: every route on one screen."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

import leadyard.operations.audiences as of_audiences
import leadyard.operations.folders as of_folders
import leadyard.operations.leads as of_leads
import leadyard.operations.moves as of_moves
import leadyard.operations.prospects as of_prospects
from leadyard.errors import LeadyardError
from leadyard.http import accounts, audiences, folders, leads, moves, openapi, prospects
from leadyard.http.caller import Door
from leadyard.http.errors import on_http_exception, on_leadyard_error, on_validation_error
from leadyard.http.openapi import refusals
from leadyard.http.rate_limit import RateLimits
from leadyard.http.trace import Trace
from leadyard.model import Permission
from leadyard.operations.operation import Database

_GROUP = "/v1/accounts/{accountGroupId}"
_MOVE_ID = {"Move-Id": {"schema": {"type": "string"}, "description": "The id of the record of this move."}}


# fmt: off
def routes() -> list[Door]:
    """Returns every route of the API: method (and status, if not 200), path, handler, operation, answer, refusals of its
    own. The operation is named for its permission; a route without one is open to every key. Fixed paths come before
    those with an id in the same place."""
    g, a, f, p = _GROUP, f"{_GROUP}/audiences", f"{_GROUP}/audiences/folders", f"{_GROUP}/prospects"
    one, folder, lead = f"{a}/{{audienceId}}", f"{f}/{{folderId}}", f"{p}/{{prospectId}}"
    audience, folder_answer = audiences.AudienceSuccessResponse, folders.AudienceFolderSuccessResponse
    gone, lead_answer = audiences.DeletedSuccessResponse, leads.LeadSuccessResponse
    return [
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
        _route("POST", f"{one}/move-leads", moves.move_leads, of_moves.move_leads, moves.AudienceLeadMoveSuccessResponse, 404, 409, 422, headers=_MOVE_ID),
        _route("GET", f"{p}/by-provider-id/{{providerId:path}}", leads.find_by_provider_id, of_leads.find_leads_by_provider_id, leads.ProviderIdResolutionSuccessResponse),
        _route("GET", lead, leads.get_prospect, of_leads.get_lead, lead_answer, 404),
        _route("PATCH", lead, leads.update_prospect, of_leads.update_lead, lead_answer, 404, 422),
        _route("DELETE", lead, leads.delete_prospect, of_leads.erase_lead, gone, 404),
        _route("GET", f"{g}/moves", moves.list_moves, of_moves.list_moves, moves.MoveListSuccessResponse),
        _route("GET", f"{g}/moves/{{moveId}}", moves.get_move, of_moves.get_move, moves.MoveSuccessResponse, 404),
    ]
# fmt: on


def build_app(
    db: Database, *, rate_limits: str, in_background: Callable[[Database], Coroutine[Any, Any, None]]
) -> FastAPI:
    """Returns the ASGI application on the database; it closes the database when it stops.

    `rate_limits` is the text of LEADYARD_RATE_LIMITS; `in_background` runs for as long as the application does.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        background = asyncio.create_task(in_background(db))
        yield
        background.cancel()
        await asyncio.gather(background, return_exceptions=True)
        await db.close()

    app = FastAPIOffline(
        title="Leadyard", version=version("leadyard"), lifespan=lifespan, redirect_slashes=False, redoc_url=None
    )
    app.state.db = db
    app.state.rate_limits = RateLimits(rate_limits)
    app.router.routes.extend(routes())
    app.add_exception_handler(LeadyardError, on_leadyard_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_middleware(Trace)
    app.openapi = _openapi_once(app)  # type: ignore[method-assign]
    return app


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
) -> Door:
    method, _, status_text = method.partition(" ")
    status = int(status_text or 200)
    success: dict[str, Any] = {"model": shape, "description": shape.__doc__}
    if shape is str:
        success = {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The leads as CSV."}
    if headers:
        success["headers"] = headers
    documented = refusals(
        *refused, in_group=operation is not None, takes_body="body" in inspect.signature(handler).parameters
    )
    permission: Permission | None = operation.permission if operation else None
    return Door(
        path,
        handler,
        permission=permission,
        methods=[method],
        status_code=status,
        responses={status: success, **documented},
        response_class=Response if shape is str else JSONResponse,  # Only for the document: which types an answer has.
        name=handler.__name__,
        operation_id=handler.__name__,
        summary=handler.__name__.replace("_", " ").capitalize(),
        tags=[path.removeprefix(f"{_GROUP}/").removeprefix("/v1/").partition("/")[0]],
    )
