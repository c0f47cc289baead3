"""The outermost layer: each request gets a trace id, one log line and one count, and an answer even after a bug."""

from __future__ import annotations

import re
import secrets
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadyard.errors import Internal, LeadyardError
from leadyard.http.admission.rate_limits import HEADERS_IN_STATE
from leadyard.http.answer.errors import error_response
from leadyard.logs import trace_id_of_lines
from leadyard.watching import metrics, spans

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-[!-~]*)?")
_log = structlog.get_logger("leadyard.http")


class Trace:
    """ASGI middleware. Puts the trace id into `scope["state"]["trace_id"]` and into each log line of the request. Puts
    the header for calls to other services on behalf of the request into `scope["state"]["traceparent"]`, and the status
    of the answer, once it begins, into `scope["state"]["status"]`. Adds the remaining quotas to every answer, even
    after a bug."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        incoming = _incoming_trace(scope)
        # The trace id of a traceparent follows the version and a dash, and has 32 digits.
        trace_id = incoming["traceparent"][3:35] if incoming else secrets.token_hex(16)
        with spans.request(incoming, trace_id) as span:
            state = scope.setdefault("state", {})
            state["trace_id"], state["traceparent"] = span.trace_id, span.traceparent
            # Not reset at the end, because the context ends with the task of the request.
            trace_id_of_lines.set(span.trace_id)
            await self._watched(scope, receive, send, span)

    async def _watched(self, scope: Scope, receive: Receive, send: Send, span: spans.RequestSpan) -> None:
        state = scope["state"]
        started = time.perf_counter()

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                state["status"] = message["status"]
                quotas = state.get(HEADERS_IN_STATE)
                if quotas:
                    message["headers"] = [*message.get("headers", ()), *quotas]
            await send(message)

        metrics.request_began()
        try:
            await self.app(scope, receive, send_noted)
        except Exception as error:
            if "status" in state and isinstance(error, LeadyardError):
                # An answer that is sent page by page could not continue: the list has been deleted, or the database is
                # gone. uvicorn now aborts the connection, so that the client does not take half an answer as complete.
                _log.info("answer_broken_off", code=error.code)
                return
            _log.exception("unhandled_error")
            if "status" not in state:
                await error_response(Internal(), span.trace_id)(scope, receive, send_noted)
        finally:
            # The pattern and not the path, because ids of leads and mistyped secrets do not belong in a log.
            route = getattr(scope.get("route"), "path", None)
            status = state.get("status", 0)
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
