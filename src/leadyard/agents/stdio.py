"""MCP over the standard input and output of a process that an agent program has started."""

from __future__ import annotations

import httpx
from mcp.server.stdio import stdio_server

from leadyard.agents.server import build_server
from leadyard.api_client.api import Api


async def serve_stdio(client: httpx.AsyncClient) -> None:
    """Answers messages until the agent program closes the input. The tools use the API through this client."""
    api = Api(client)
    server = build_server(lambda _context: api)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
