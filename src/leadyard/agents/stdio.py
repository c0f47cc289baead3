"""MCP over the standard input and output of a process that an agent program has started."""

from __future__ import annotations

import httpx
from mcp.server.stdio import stdio_server
from starlette.types import ASGIApp

from leadyard.agents.api import Api
from leadyard.agents.server import build_server

_TIMEOUT = httpx.Timeout(70, connect=10)
_NO_URL = "http://leadyard.internal"


async def serve_stdio(client: httpx.AsyncClient) -> None:
    """Answers messages until the agent program closes the input. The tools use the API through this client."""
    api = Api(client)
    server = build_server(lambda _context: api)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def remote_client(url: str, api_key: str) -> httpx.AsyncClient:
    """Returns a client for the service at a URL. Close it."""
    return httpx.AsyncClient(base_url=url.rstrip("/"), headers={"Authorization": f"Bearer {api_key}"}, timeout=_TIMEOUT)


def local_client(app: ASGIApp) -> httpx.AsyncClient:
    """Returns a client for the application in this process. Close it."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=_NO_URL, trust_env=False)
