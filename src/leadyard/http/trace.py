"""The outermost layer: a trace id for every request, one log line, and an answer even to a bug."""

from __future__ import annotations

import re
import secrets
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadyard.errors import Internal
from leadyard.http.errors import error_response

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_log = structlog.get_logger("leadyard.http")


class Trace:
    """ASGI middleware. Puts the trace id into `scope["state"]["trace_id"]` and onto every log line of the request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        trace_id = _incoming_trace_id(scope) or secrets.token_hex(16)
        scope.setdefault("state", {})["trace_id"] = trace_id
        status = 0
        started = time.perf_counter()

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with structlog.contextvars.bound_contextvars(trace_id=trace_id):
            try:
                await self.app(scope, receive, note_status)
            except Exception:
                _log.exception("unhandled_error")
                if status == 0:
                    await error_response(Internal(), trace_id)(scope, receive, note_status)
            _log_request(scope, status, time.perf_counter() - started)


def _incoming_trace_id(scope: Scope) -> str | None:
    """Returns the trace id of a valid `traceparent` (W3C Trace Context, level 1), else None."""
    values = [value for name, value in scope["headers"] if name == b"traceparent"]
    match = _TRACEPARENT.fullmatch(values[0]) if len(values) == 1 else None
    if match is None or values[0].startswith(b"ff") or (match[3] and values[0].startswith(b"00")):
        return None
    if not match[1].strip(b"0") or not match[2].strip(b"0"):
        return None
    return match[1].decode()


def _log_request(scope: Scope, status: int, duration_s: float) -> None:
    route = scope.get("route")
    state = scope["state"]
    _log.info(
        "request",
        method=scope["method"],
        # The route's pattern, not the path: ids of leads and mistyped secrets do not belong in a log.
        route=getattr(route, "path", None),
        status=status,
        duration_ms=round(duration_s * 1000, 2),
        api_key_id=state.get("api_key_id"),
        account_group_id=state.get("account_group_id"),
    )
