"""From bearer key to Caller, and what is checked of a request before its content: 401, 429, 403, 413/415, 400."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic_core import from_json
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from leadyard.errors import BodyTooLarge, InvalidRequest, UnsupportedMediaType, Violation
from leadyard.http.gate import Gate
from leadyard.http.parameters import Parameters
from leadyard.model import Caller, Permission
from leadyard.operations.api_keys import Credential
from leadyard.operations.operation import Database, require_permission

MAX_BODY_BYTES = 1024 * 1024
# What may stand where an audience's id does, and is a path of its own.
_FIXED_NAMES = ("navigation", "folders")
_ID = re.compile("[0-9a-f]{24}")
_LET_IN = "leadyard.request_let_in"


def database(request: Request) -> Database:
    """Returns the service's database."""
    db: Database = request.app.state.db
    return db


def caller(request: Request) -> Caller:
    """Returns who asks. Only on routes with an account group in their path."""
    who: Caller = request.state.caller
    return who


class Door(APIRoute):
    """A route that lets a request in step by step, in the order the contract gives to the refusals.

    FastAPI alone would read and parse the body of a stranger first.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        permission: Permission | None,
        responses: dict[int | str, dict[str, Any]],
        **rest: Any,
    ) -> None:
        self.permission = permission
        # What FastAPI makes of the shapes of all answers is for the document alone, and takes longer than the rest of
        # the start. So a route has none, until somebody asks for the document.
        self.described = partial(APIRoute, path, endpoint, responses=responses, **rest)
        super().__init__(path, endpoint, **rest)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """A wrong method on a fixed path is not a right one on an audience of that id."""
        match, found = super().matches(scope)
        if match is not Match.NONE and found["path_params"].get("audienceId") in _FIXED_NAMES:
            return Match.NONE, {}
        return match, found

    @cached_property
    def _parameters(self) -> Parameters | None:
        # At the first request and not at the start, which is to be short.
        return Parameters.of(self.endpoint)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Goes the short way when it can: FastAPI's own, made for every kind of parameter, takes as long as the rest of
        a move in this process."""
        if self._parameters is None or scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        request = await self._let_in(Request(scope, receive, send))
        values = self._parameters.read(request)
        if values is None:
            # Something is wrong with them. FastAPI finds out what, in a request that has been let in already.
            scope[_LET_IN] = request
            await super().handle(scope, receive, send)
            return
        response = await self.endpoint(request=request, **values)
        await response(scope, receive, send)

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()

        async def enter(request: Request) -> Response:
            let_in: Request | None = request.scope.get(_LET_IN)
            return await handle(let_in or await self._let_in(request))

        return enter

    async def _let_in(self, request: Request) -> Request:
        await self._identify(request)
        if self.body_field is not None:
            request = await _with_parsed_body(request)
            await _gate(request).weigh(request, await request.json())
        return request

    async def _identify(self, request: Request) -> None:
        group_id = request.path_params.get("accountGroupId", "")
        if not _ID.fullmatch(group_id):
            # Nobody's, and so refused like any group that does not exist. PostgreSQL would not even take every text.
            group_id = ""
        credential = await _gate(request).identify(
            database(request), request, secret=_bearer(request), account_group_id=group_id
        )
        if "accountGroupId" in request.path_params:
            self._admit(request, credential)

    def _admit(self, request: Request, credential: Credential) -> None:
        who = credential.caller()
        request.state.account_group_id = who.account_group_id
        if self.permission is not None:
            require_permission(who, self.permission)
        request.state.caller = who


def _gate(request: Request) -> Gate:
    gate: Gate = request.app.state.gate
    return gate


def _bearer(request: Request) -> str:
    """Returns the secret that was sent, empty if there is none."""
    values = request.headers.getlist("authorization")
    scheme, _, secret = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    return secret.strip() if scheme.lower() == "bearer" else ""


class _ParsedRequest(Request):
    """A request whose body was read within limits and parsed before FastAPI asks for it."""

    def __init__(self, scope: Scope, receive: Receive, body: bytes, parsed: Any) -> None:
        super().__init__(scope, receive)
        self._body = body
        self.parsed = parsed

    async def json(self) -> Any:
        return self.parsed


def parsed_body(request: Request) -> Any:
    """Returns the JSON that the request brought, None on a route that takes none."""
    return request.parsed if isinstance(request, _ParsedRequest) else None


async def _with_parsed_body(request: Request) -> Request:
    body = await _read(request)
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType("Send the body as JSON, with the header 'Content-Type: application/json'.")
    try:
        parsed = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        # Refused a little later, so that what is wrong with the path is listed with it: no route takes a text as body.
        request.state.not_json = f"The body is not JSON: {error}."
        parsed = ""
    return _ParsedRequest(request.scope, request.receive, body, parsed)


async def _read(request: Request) -> bytes:
    """Reads no further than the limit, whatever length the client announced."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and len(announced) < 20 and int(announced) > MAX_BODY_BYTES:
        raise _too_large()
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > MAX_BODY_BYTES:
                raise _too_large()
            pieces.append(piece)
    except ClientDisconnect:
        # Nobody is left to read this, but the log says what became of the request, and not that we have a bug.
        raise InvalidRequest([_INCOMPLETE]) from None
    return b"".join(pieces)


_INCOMPLETE = Violation(path="body", code="INCOMPLETE", message="The connection ended before the body did.")


def _too_large() -> BodyTooLarge:
    return BodyTooLarge(f"Send at most {MAX_BODY_BYTES} bytes (1 MiB); split the work into several requests.")
