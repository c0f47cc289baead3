"""The ASGI application: from the outermost layer of a request to its route."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Router
from starlette.types import Receive, Scope, Send

from leadyard.database import Database
from leadyard.errors import LeadyardError, RateLimited
from leadyard.http.admission.gate import Gate
from leadyard.http.admission.readers import Readers
from leadyard.http.agents import AGENT_PATH
from leadyard.http.answer.errors import on_http_exception, on_leadyard_error
from leadyard.http.request.route import Route
from leadyard.http.wire.time_limits import Limits, TimeLimits
from leadyard.http.wire.trace import Trace
from leadyard.operations.events.watching import Watch

if TYPE_CHECKING:
    from leadyard.provider.client import Provider
    from leadyard.webhooks.client import WebhookClient

# Routes under this path count their requests themselves, together with the key.
_API = "/v1/"
Lifespan = Callable[[object], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that the handlers of a process share. `provider` is None if none is configured. `watch` wakes the
    readers of events, and `readers` counts them."""

    db: Database
    provider: Provider | None
    gate: Gate
    watch: Watch
    readers: Readers
    webhook_client: WebhookClient


class Application:
    """A request passes Trace, then Limits, then `_answer`, and reaches its route.

    It is Starlette's application with fewer layers: those for errors that Trace handles are left out. Starlette's
    router still answers everything that is not a request to one of our routes: the documents, 404 and 405.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        documents: Sequence[BaseRoute],
        parts: Parts,
        *,
        lifespan: Lifespan,
        time_limits: TimeLimits,
    ) -> None:
        self.state = parts
        self.router = Router([*routes, *documents], redirect_slashes=False, lifespan=lifespan)
        self._routes: dict[str, list[Route]] = {}
        for route in routes:
            for method in route.methods or ():
                self._routes.setdefault(method, []).append(route)
        self._layers = Trace(Limits(self._answer, limits=time_limits))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        await self._layers(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.router(scope, receive, send)
            return
        try:
            await self._route(scope, receive, send)
            return
        except (LeadyardError, HTTPException) as error:
            if "status" in scope["state"]:
                # The answer has begun, so Trace breaks it off.
                raise
            refusal = await self._refusal(Request(scope), error)
        await refusal(scope, receive, send)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.startswith(_API):
            for route in self._routes.get(scope["method"], ()):
                if route.takes(path, scope):
                    await route.answer(scope, receive, send)
                    return
        elif path != AGENT_PATH:
            # A request that needs no key, such as to /docs, is limited by address alone.
            await self.state.gate.count_stranger(scope)
        await self.router(scope, receive, send)

    async def _refusal(self, request: Request, error: LeadyardError | HTTPException) -> Response:
        if isinstance(error, HTTPException):
            try:
                # No route has counted the request. A stranger may not try paths faster than keys.
                await self.state.gate.count_stranger(request.scope)
            except RateLimited as too_many:
                error = too_many
            else:
                return await on_http_exception(request, error)
        return await on_leadyard_error(request, error)
