"""The example provider over HTTP: authorisation, delay and failures around the answers of responses.py."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from leadyard.example_provider.faults import Failures
from leadyard.example_provider.people import People
from leadyard.example_provider.responses import Answer, BadRequest, enrich_emails, entries, search

_IDENTIFYING = ("linkedinUrl", "publicIdentifier", "email", "providerId")
_HUGE_BYTES = 10 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How the provider behaves: the required token (None: any or none), its delay, whether searches omit e-mails, and
    the header Retry-After of a 429."""

    token: str | None = None
    delay_s: float = 0
    withhold_emails: bool = False
    retry_after: str = "1"


def build_example_provider(people: People, failures: Failures, manners: Manners) -> Starlette:
    """Returns the ASGI application."""

    def route(method: str, path: str, answer: Callable[[Any], Answer]) -> Route:
        async def handle(request: Request) -> Response:
            if not _is_authorised(request, manners.token):
                return _refused(BadRequest(401, "UNAUTHORIZED", "Send the header 'Authorization: Bearer <token>'."))
            await asyncio.sleep(manners.delay_s)
            failure = failures.next(is_search=path.endswith("/search"))
            if failure in _WITHOUT_ANSWER:
                return _WITHOUT_ANSWER[failure](manners)
            try:
                asked = await _body(request) if method == "POST" else dict(request.query_params)
                return _SPOILED.get(failure or "", _as_it_is)(answer(asked), asked)
            except BadRequest as refusal:
                return _refused(refusal)

        return Route(path, handle, methods=[method])

    return Starlette(
        routes=[
            route("POST", "/v1/search", lambda asked: search(people, asked, withhold_emails=manners.withhold_emails)),
            route("POST", "/v1/enrich-emails", lambda asked: enrich_emails(people, asked)),
            route("GET", "/v1/sales-navigator/lead-lists", lambda asked: entries(people.lead_lists, asked)),
            route("GET", "/v1/sales-navigator/saved-searches", lambda asked: entries(people.saved_searches, asked)),
        ]
    )


def _is_authorised(request: Request, token: str | None) -> bool:
    given = request.headers.get("authorization", "").encode()
    return token is None or hmac.compare_digest(given, f"Bearer {token}".encode())


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise BadRequest(400, "NOT_JSON", "The body must be a JSON object.")
    return body


def _refused(refusal: BadRequest) -> Response:
    return JSONResponse({"error": {"code": refusal.code, "message": refusal.message}}, status_code=refusal.status)


def _as_it_is(answer: Answer, asked: dict[str, Any]) -> Response:
    return JSONResponse(answer)


def _repeat_cursor(answer: Answer, asked: dict[str, Any]) -> Response:
    return JSONResponse({**answer, "nextCursor": asked.get("cursor") or "from-0"})


def _no_identity(answer: Answer, asked: dict[str, Any]) -> Response:
    nobody = dict.fromkeys(_IDENTIFYING)
    return JSONResponse({**answer, "prospects": [{**prospect, **nobody} for prospect in answer["prospects"]]})


def _huge_page(answer: Answer, asked: dict[str, Any]) -> Response:
    """A page that is valid except for its size; sent in pieces, so that no header announces the size."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"about": "'
        for _ in range(_HUGE_BYTES // 65_536):
            yield b"x" * 65_536
        yield b'", ' + json.dumps(answer).encode().removeprefix(b"{")

    return StreamingResponse(pieces(), media_type="application/json")


_SPOILED = {"repeat-cursor": _repeat_cursor, "no-identity": _no_identity, "huge-page": _huge_page}


class _NoAnswer(Response):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Until the client disconnects.
        while (await receive())["type"] != "http.disconnect":
            pass


class _HalfAnAnswer(Response):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        # The server closes the connection if an application ends before its answer is complete.
        await send({"type": "http.response.body", "body": b'{"prospects": [', "more_body": True})


def _failed(status: int, code: str, headers: dict[str, str] | None = None) -> Response:
    error = {"code": code, "message": "A failure that you requested."}
    return JSONResponse({"error": error}, status_code=status, headers=headers)


_WITHOUT_ANSWER: dict[str | None, Callable[[Manners], Response]] = {
    "500": lambda manners: _failed(500, "INTERNAL_ERROR"),
    "429": lambda manners: _failed(429, "RATE_LIMITED", {"Retry-After": manners.retry_after}),
    "garbage": lambda manners: Response(b'{"prospects": [{"firstName": \x00\xff', media_type="application/json"),
    "timeout": lambda manners: _NoAnswer(),
    "drop": lambda manners: _HalfAnAnswer(),
}
