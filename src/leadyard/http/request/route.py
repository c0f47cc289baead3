"""Routes: each checks the key, the rate limits, the permission and the parameters, and then runs its handler.

The checks refuse in the order of the contract: 401, 429, 403, 413 or 415, 400. The service never reads a stranger's
body.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from starlette import routing
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from leadyard.database import Database
from leadyard.http.admission.gate import Gate
from leadyard.http.admission.presented_secret import presented_secret
from leadyard.http.answer.envelope import Success
from leadyard.http.request.json_body import MAX_BODY_BYTES, read_json
from leadyard.http.request.parameters import Parameters
from leadyard.model import Caller, Permission
from leadyard.operations.api_keys import Credential
from leadyard.operations.operation import Operation, WriteOperation, require_permissions

Handler = Callable[..., Awaitable[Response]]
H = TypeVar("H", bound=Handler)

CSV = "text/csv"
# Path segments that are in the place of an audience id, but belong to other paths.
_FIXED_NAMES = ("navigation", "folders")
_ID = re.compile("[0-9a-f]{24}")
_GROUP_IN_PATH = "{accountGroupId}"


def database(request: Request) -> Database:
    """Returns the database of the service."""
    db: Database = request.scope["app"].state.db
    return db


def caller(request: Request) -> Caller:
    """Returns the caller. Only for routes with an account group in their path."""
    who: Caller = request.scope["state"]["caller"]
    return who


def credential(request: Request) -> Credential:
    """Returns the credential of the request: the key, whatever the account group."""
    who: Credential = request.scope["state"]["credential"]
    return who


def needs(source: Operation[..., Any] | Permission) -> Callable[[H], H]:
    """Names the operation of a handler. The route checks its permissions before it reads the body of a request. A
    handler without an operation names the permission itself."""
    permissions = (source,) if isinstance(source, Permission) else source.permissions
    only_reads = isinstance(source, Operation) and not isinstance(source, WriteOperation)

    def decorate(handler: H) -> H:
        handler.permissions = permissions  # type: ignore[attr-defined]
        handler.only_reads = only_reads  # type: ignore[attr-defined]
        return handler

    return decorate


class Route(routing.Route):
    """A method, a path and its handler, with its part of the document. A GET also answers HEAD, without the body.

    `answers` is the type of the answer, or `CSV`, and `status` its status. `status_when_ended` is the status with which
    an idempotency key repeats the answer after the started job has ended. `refuses` are the statuses of refusals that
    only some routes have. `headers` and `document` are literal parts of the OpenAPI document. `also` has further
    answers that are not refusals, by status.
    """

    def __init__(
        self,
        method: str,
        path: str,
        handler: Handler,
        *,
        answers: type[Success[Any]] | str,
        title: str,
        refuses: Sequence[int] = (),
        status: int = 200,
        status_when_ended: int | None = None,
        headers: Mapping[str, Any] | None = None,
        document: Mapping[str, Any] | None = None,
        also: Mapping[int, type[Success[Any]]] | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        super().__init__(path, handler, methods=[method], name=handler.__name__)
        self.method = method
        self.answers = answers
        self.title = title
        self.refuses = refuses
        self.status = status
        self.status_when_ended = status_when_ended
        self.headers = headers or {}
        self.document = document or {}
        self.also = also or {}
        self.max_body_bytes = max_body_bytes
        self.parameters = Parameters(handler)
        self.is_in_group = _GROUP_IN_PATH in path
        self.permissions: tuple[Permission, ...] = getattr(handler, "permissions", ())
        # An idempotency key has no effect on a POST that only reads.
        self.only_reads: bool = getattr(handler, "only_reads", False)
        if self.is_in_group and not self.permissions:
            raise TypeError(f"{handler.__name__} is within an account group: name its operation with @needs.")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Does not match a fixed path as an audience id, because a wrong method on it would then reach that route."""
        match, found = super().matches(scope)
        if match is Match.NONE or found["path_params"].get("audienceId") in _FIXED_NAMES:
            return Match.NONE, {}
        return match, {**found, "route": self}

    def takes(self, path: str, scope: Scope) -> bool:
        """Returns whether this is the path of a request with one of the methods of the route, and notes its values in
        the scope. `matches` without the parts for other methods and mounted folders."""
        found = self.path_regex.match(path)
        if found is None:
            return False
        values = found.groupdict()
        if values.get("audienceId") in _FIXED_NAMES:
            return False
        scope["path_params"], scope["route"] = values, self
        return True

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the handler with its parameters, once every check has passed."""
        request = Request(scope, receive, send)
        gate: Gate = scope["app"].state.gate
        await self._admit(request, gate)
        body = None
        if self.parameters.has_body:
            body = await read_json(request, optional=self.parameters.body_is_optional, max_bytes=self.max_body_bytes)
            await gate.weigh(request, body)
        response: Response = await self.endpoint(request, **self.parameters.read(request, body))
        if scope["method"] == "HEAD" and isinstance(response, StreamingResponse):
            # The server sends no body. So the rows of an export are not read for it.
            response.body_iterator = _nothing()
        await response(scope, receive, send)

    async def _admit(self, request: Request, gate: Gate) -> None:
        """Identifies the key and, within an account group, sets the caller. Raises Unauthorized, RateLimited and
        Forbidden."""
        scope = request.scope
        group_id = scope["path_params"].get("accountGroupId", "")
        if not _ID.fullmatch(group_id):
            # Refused like any group that does not exist. PostgreSQL does not even accept all texts.
            group_id = ""
        who_asks = await gate.identify(
            database(request), request, secret=presented_secret(scope), account_group_id=group_id
        )
        state = scope["state"]
        state["credential"] = who_asks
        if not self.is_in_group:
            return
        who = who_asks.caller()
        state["account_group_id"] = who.account_group_id
        require_permissions(who, self.permissions)
        state["caller"] = who


async def _nothing() -> AsyncIterator[bytes]:
    pieces: tuple[bytes, ...] = ()
    for piece in pieces:
        yield piece
