"""The HTTP service: every route on one screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

import leadyard.operations.audiences as of_audiences
import leadyard.operations.moves as of_moves
import leadyard.operations.prospects as of_prospects
from leadyard.errors import LeadyardError
from leadyard.http import accounts, audiences, moves, openapi, prospects
from leadyard.http.caller import Door
from leadyard.http.errors import on_http_exception, on_leadyard_error, on_validation_error
from leadyard.http.openapi import refusals
from leadyard.http.rate_limit import RateLimits
from leadyard.http.trace import Trace
from leadyard.model import Permission
from leadyard.operations.operation import Database

_GROUP = "/v1/accounts/{accountGroupId}"
_AUDIENCES = f"{_GROUP}/audiences"
_AUDIENCE = f"{_AUDIENCES}/{{audienceId}}"
_MOVE_ID = {"Move-Id": {"schema": {"type": "string"}, "description": "The id of the record of this move."}}


def routes() -> list[Door]:
    """Returns every route of the API. A route in an account group names the operation it calls, for its permission."""
    return [
        _get("/v1/accounts", accounts.list_accounts, None, accounts.AccountListSuccessResponse),
        _get(_AUDIENCES, audiences.list_audiences, of_audiences.list_audiences, audiences.AudienceListSuccessResponse),
        _post(
            _AUDIENCES,
            audiences.create_audience,
            of_audiences.create_audience,
            audiences.AudienceSuccessResponse,
            422,
            status=201,
        ),
        _get(_AUDIENCE, audiences.get_audience, of_audiences.get_audience, audiences.AudienceSuccessResponse, 404, 409),
        _get(
            f"{_AUDIENCE}/prospects",
            prospects.list_prospects,
            of_prospects.list_prospects,
            prospects.AudienceProspectListSuccessResponse,
            404,
            409,
        ),
        _post(
            f"{_AUDIENCE}/prospects",
            prospects.add_prospects,
            of_prospects.add_prospects,
            prospects.ProspectsAddedSuccessResponse,
            404,
            409,
        ),
        _post(
            f"{_AUDIENCE}/move-leads",
            moves.move_leads,
            of_moves.move_leads,
            moves.AudienceLeadMoveSuccessResponse,
            404,
            409,
            422,
            headers=_MOVE_ID,
        ),
        _get(f"{_GROUP}/moves", moves.list_moves, of_moves.list_moves, moves.MoveListSuccessResponse),
        _get(f"{_GROUP}/moves/{{moveId}}", moves.get_move, of_moves.get_move, moves.MoveSuccessResponse, 404),
    ]


def build_app(db: Database, *, rate_limits: str) -> FastAPI:
    """Returns the ASGI application on the database; it closes the database when it stops.

    `rate_limits` is the text of LEADYARD_RATE_LIMITS.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
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


def _get(path: str, handler: Callable[..., Any], operation: Any, shape: type, *refused: int) -> Door:
    return _route("GET", path, handler, operation, shape, refusals(*refused, in_group=operation is not None))


def _post(
    path: str,
    handler: Callable[..., Any],
    operation: Any,
    shape: type,
    *refused: int,
    status: int = 200,
    headers: dict[str, Any] | None = None,
) -> Door:
    return _route(
        "POST", path, handler, operation, shape, refusals(*refused, takes_body=True), status=status, headers=headers
    )


def _route(
    method: str,
    path: str,
    handler: Callable[..., Any],
    operation: Any,
    shape: type,
    refused: dict[int | str, dict[str, Any]],
    *,
    status: int = 200,
    headers: dict[str, Any] | None = None,
) -> Door:
    success: dict[str, Any] = {"model": shape, "description": shape.__doc__}
    if headers:
        success["headers"] = headers
    permission: Permission | None = operation.permission if operation else None
    return Door(
        path,
        handler,
        permission=permission,
        methods=[method],
        status_code=status,
        responses={status: success, **refused},
        name=handler.__name__,
        operation_id=handler.__name__,
        summary=handler.__name__.replace("_", " ").capitalize(),
        tags=[path.removeprefix(f"{_GROUP}/").removeprefix("/v1/").partition("/")[0]],
    )
