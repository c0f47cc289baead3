"""The door for agents over HTTP: one ASGI application, which loads the MCP library at its first request.

It keeps no session. Every request has its key, so it may reach any process, and no session can be taken over.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

from starlette.types import Receive, Scope, Send

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

MAX_BODY_BYTES = 2 * 1024 * 1024


class AgentDoor:
    """Answers requests of MCP whose key was checked before. Each tool sends its requests to the application of the
    request, with the same key and from the same address."""

    def __init__(self) -> None:
        self._starting: asyncio.Task[StreamableHTTPSessionManager] | None = None
        self._running: asyncio.Task[None] | None = None

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        # A client that leaves must not stop the start for the others.
        manager = await asyncio.shield(self._starting)
        await manager.handle_request(scope, receive, send)

    async def close(self) -> None:
        """Ends the calls that still run."""
        for task in (self._starting, self._running):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _start(self) -> StreamableHTTPSessionManager:
        """Loads the library in a thread, because that takes half a second, and starts its session manager."""
        loaded: Any = await asyncio.to_thread(import_module, "leadyard.agents.streaming")
        manager: StreamableHTTPSessionManager = loaded.build_manager(max_body_bytes=MAX_BODY_BYTES)
        is_up = asyncio.Event()
        # It must begin and end in the same task.
        self._running = asyncio.create_task(_run(manager, is_up))
        await is_up.wait()
        return manager


async def _run(manager: StreamableHTTPSessionManager, is_up: asyncio.Event) -> None:
    async with manager.run():
        is_up.set()
        await asyncio.Event().wait()
