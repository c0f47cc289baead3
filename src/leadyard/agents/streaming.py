"""MCP as streamable HTTP: the session manager of the library, and the API of the key that a request came with."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

import httpx
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.types import Scope

from leadyard.agents.server import Context, build_server
from leadyard.api_client.api import Api

# The application in this process decides by these, as if the client had sent the request to it directly.
_PASSED_ON = (b"authorization", b"x-forwarded-for", b"user-agent")
_NO_URL = "http://leadyard.internal"


def build_manager(*, max_body_bytes: int) -> StreamableHTTPSessionManager:
    """Returns the session manager, without sessions. It answers with JSON, or with a stream once a tool reports
    progress. A stream has a limit of 1 MiB in the clients, and `server.py` keeps every answer below it.

    It checks no Host and no Origin: `http/agents.py` refuses pages of other origins, and each request needs a key,
    which a page that has taken over a name in DNS does not have."""
    return StreamableHTTPSessionManager(build_server(_api_of), stateless=True, max_request_body_size=max_body_bytes)


def _api_of(context: Context) -> Api:
    assert context.request is not None
    scope: Scope = context.request.scope
    client = scope.get("client")
    transport = httpx.ASGITransport(app=scope["app"], raise_app_exceptions=False, client=client or ("", 0))
    headers = [*_passed_on(scope["headers"]), (b"traceparent", _traceparent(scope["state"]).encode())]
    # It opens no connection, so it need not be closed.
    return Api(httpx.AsyncClient(transport=transport, base_url=_NO_URL, headers=headers, trust_env=False))


def _traceparent(state: Mapping[str, Any]) -> str:
    """Returns the header with which the requests of a tool have the trace id of the request of the agent, in the log
    and in the answers."""
    return state["traceparent"] or f"00-{state['trace_id']}-{secrets.token_hex(8)}-00"


def _passed_on(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name in _PASSED_ON]
