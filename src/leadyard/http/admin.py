"""The admin port for operators: metrics and health. The public port does not serve them."""

from __future__ import annotations

from importlib.metadata import version

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from leadyard.database import Database
from leadyard.errors import LeadyardError, TransactionConflict
from leadyard.operations.health import check_readiness, count_jobs, count_webhooks
from leadyard.watching import metrics

_READY_WITHIN_S = 3.0
_JOBS_WITHIN_S = 2.0
_log = structlog.get_logger("leadyard.http")


class Ports:
    """Two applications behind two ports of one server. The port of a connection comes from the kernel, so a header
    cannot change it."""

    def __init__(self, public: ASGIApp, admin: ASGIApp, *, admin_port: int) -> None:
        self.public = public
        self.admin = admin
        self.admin_port = admin_port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_admin = scope["type"] == "http" and (scope.get("server") or ("", 0))[1] == self.admin_port
        await (self.admin if is_admin else self.public)(scope, receive, send)


def build_admin_app(db: Database) -> Starlette:
    """Returns the application behind the admin port. It answers GET and HEAD. It does not log requests, because a probe
    every few seconds would fill most of the log."""

    async def livez(_request: Request) -> Response:
        # Any answer is a good answer: it proves that the process is alive and its event loop runs.
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        try:
            await check_readiness(db, within_s=_READY_WITHIN_S)
        except LeadyardError as error:
            _log.warning("not_ready", code=error.code, reason=error.details)
            return JSONResponse({"status": "not ready", "code": error.code, "details": error.details}, 503)
        return JSONResponse({"status": "ok"})

    async def prometheus(_request: Request) -> Response:
        jobs, webhooks = None, None
        try:
            jobs = await count_jobs(db, within_s=_JOBS_WITHIN_S)
            webhooks = await count_webhooks(db, within_s=_JOBS_WITHIN_S)
        except (LeadyardError, TransactionConflict):
            # Metrics matter most while the database is down, so this process still reports its own.
            pass
        text = metrics.exposition(version=version("leadyard"), jobs=jobs, webhooks=webhooks)
        return Response(text, media_type=metrics.CONTENT_TYPE)

    return Starlette(routes=[Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", prometheus)])
