"""The session of a browser: sign in with an API key, see who is signed in, sign out.

The answers have the envelope of the API, but these paths are not part of it: a program sends its key with each request.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from starlette import routing
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from leadyard.clock import now_ms
from leadyard.errors import Unauthorized
from leadyard.http.admission.gate import Gate
from leadyard.http.admission.presented_secret import (
    COOKIE,
    COOKIE_OVER_HTTPS,
    refuse_other_sites,
    session_secret,
)
from leadyard.http.answer.envelope import Instant, RequestBody, Shape, Success
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import respond
from leadyard.http.request.json_body import read_json
from leadyard.http.request.parameters import Parameters
from leadyard.http.request.route import database
from leadyard.http.wire.headers import value_of
from leadyard.model import Permission
from leadyard.operations import page_sessions
from leadyard.operations.api_keys import Credential, authenticate

_MAX_KEY_LENGTH = 200


class SignIn(RequestBody):
    """The API key with which a browser signs in."""

    key: str = Field(min_length=1, max_length=_MAX_KEY_LENGTH)


class Session(Shape):
    """The key of the session, without its secret, and the end of the session."""

    key_name: str | None
    permissions: list[Permission]
    expires_at: Instant


class SessionSuccessResponse(Success[Session]):
    """The session of the browser."""


class SignedOut(Shape):
    """The end of a session."""

    signed_out: Literal[True]


class SignedOutSuccessResponse(Success[SignedOut]):
    """The end of a session."""


class SessionRoute(routing.Route):
    """A route of the session. Its status is there for `respond`, and its path for the log."""

    status = 200

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, found = super().matches(scope)
        return match, found if match is Match.NONE else {**found, "route": self}


def session_routes(*, lifetime_h: int) -> list[routing.Route]:
    """Returns the routes of the session, which ends `lifetime_h` hours after signing in."""

    async def sign_in(request: Request) -> Response:
        return await _sign_in(request, lifetime_ms=lifetime_h * 3_600_000)

    return [
        SessionRoute("/session", sign_in, methods=["POST"]),
        SessionRoute("/session", _show, methods=["GET"]),
        SessionRoute("/session", _sign_out, methods=["DELETE"]),
    ]


async def _body_of(request: Request, body: SignIn) -> None:
    """Declares the body, for `Parameters`."""


_parameters = Parameters(_body_of)


async def _sign_in(request: Request, *, lifetime_ms: int) -> Response:
    refuse_other_sites(request.scope)
    body: SignIn = _parameters.read(request, await read_json(request, optional=False))["body"]
    gate: Gate = request.app.state.gate
    credential = await gate.sign_in(database(request), request, secret=body.key.strip())
    secret, expires_at = await page_sessions.open_session(
        database(request),
        api_key_id=credential.api_key_id,
        key_expires_at=credential.expires_at,
        lifetime_ms=lifetime_ms,
    )
    answer = await _answer(request, credential, expires_at)
    answer.headers["Set-Cookie"] = _cookie(request, secret, max_age_s=max(0, (expires_at - now_ms()) // 1000))
    return answer


async def _show(request: Request) -> Response:
    credential = await authenticate(database(request), secret=session_secret(request.scope), account_group_id="")
    request.state.api_key_id = credential.api_key_id
    return await _answer(request, credential, credential.expires_at)


async def _sign_out(request: Request) -> Response:
    refuse_other_sites(request.scope)
    secret = session_secret(request.scope)
    if secret:
        await page_sessions.close_session(database(request), secret=secret)
        request.app.state.gate.forget(secret)
    answer = respond(request, Shown(SignedOutSuccessResponse, SignedOut.of(signed_out=True)))
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Set-Cookie"] = _cookie(request, "", max_age_s=0)
    return answer


async def _answer(request: Request, credential: Credential, expires_at: int | None) -> Response:
    if expires_at is None:
        # A key alone never gets here, only a session, and a session always ends.
        raise Unauthorized
    key = await page_sessions.find_key_of_session(database(request), api_key_id=credential.api_key_id)
    values: dict[str, Any] = {"key_name": key.name, "permissions": list(key.permissions), "expires_at": expires_at}
    answer = respond(request, Shown(SessionSuccessResponse, Session.of(**values)))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _cookie(request: Request, secret: str, *, max_age_s: int) -> str:
    """Returns the cookie as text. Over HTTPS it has the name that only HTTPS can set. A proxy may have ended HTTPS
    before the service, so the origin that the browser itself reports counts too."""
    is_https = request.url.scheme == "https" or value_of(request.scope, b"origin").startswith("https://")
    name = COOKIE_OVER_HTTPS if is_https else COOKIE
    secure = "; Secure" if is_https else ""
    return f"{name}={secret}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}"
