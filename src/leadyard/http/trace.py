"""The outermost layer: a trace id for every request, one log line and one count, and an answer even to a bug."""

from __future__ import annotations

import re
import secrets
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadyard.errors import Internal, LeadyardError
from leadyard.http.errors import error_response
from leadyard.watching import metrics, spans

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-[!-~]*)?")
_log = structlog.get_logger("leadyard.http")


class Trace:
    """ASGI middleware. Puts the trace id into `scope["state"]["trace_id"]` and onto every log line of the request, and
    what to hand on to a service that is asked on behalf of the request into `scope["state"]["traceparent"]`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        incoming = _incoming_trace(scope)
        # Half of a traceparent is its trace id: version, dash, 32 digits.
        trace_id = incoming["traceparent"][3:35] if incoming else secrets.token_hex(16)
        with spans.request(incoming, trace_id) as span:
            scope.setdefault("state", {}).update(trace_id=span.trace_id, traceparent=span.traceparent)
            with structlog.contextvars.bound_contextvars(trace_id=span.trace_id):
                await self._watched(scope, receive, send, span)

    async def _watched(self, scope: Scope, receive: Receive, send: Send, span: spans.RequestSpan) -> None:
        status = 0
        started = time.perf_counter()

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        metrics.request_began()
        try:
            await self.app(scope, receive, note_status)
        except Exception as error:
            refusal = error.__cause__
            if status and isinstance(refusal, LeadyardError):
                # What is sent page by page could not go on: the list was deleted meanwhile, or the database is gone.
                # uvicorn now breaks the connection off, so that half an answer is not taken for a whole one.
                _log.info("answer_broken_off", code=refusal.code)
                return
            _log.exception("unhandled_error")
            if status == 0:
                await error_response(Internal(), span.trace_id)(scope, receive, note_status)
        finally:
            # The pattern and not the path: ids of leads and mistyped secrets do not belong in a log.
            route = getattr(scope.get("route"), "path", None)
            duration_s = time.perf_counter() - started
            metrics.request_ended(method=scope["method"], route=route, status=status, duration_s=duration_s)
            span.answered(method=scope["method"], route=route, status=status)
            _log_request(scope, route, status, duration_s)


def _incoming_trace(scope: Scope) -> dict[str, str]:
    """Returns a valid `traceparent` (W3C Trace Context, level 1) and the `tracestate` with it, else nothing."""
    values = [value for name, value in scope["headers"] if name == b"traceparent"]
    match = _TRACEPARENT.fullmatch(values[0]) if len(values) == 1 else None
    if match is None or values[0].startswith(b"ff") or (match[3] and values[0].startswith(b"00")):
        return {}
    if not match[1].strip(b"0") or not match[2].strip(b"0"):
        return {}
    states = [value.decode("latin-1") for name, value in scope["headers"] if name == b"tracestate"]
    return {"traceparent": values[0].decode(), **({"tracestate": ",".join(states)} if states else {})}


def _log_request(scope: Scope, route: str | None, status: int, duration_s: float) -> None:
    state = scope["state"]
    _log.info(
        "request",
        method=scope["method"],
        route=route,
        status=status,
        duration_ms=round(duration_s * 1000, 2),
        api_key_id=state.get("api_key_id"),
        account_group_id=state.get("account_group_id"),
    )
