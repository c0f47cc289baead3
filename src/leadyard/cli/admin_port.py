"""The admin port of a process that does not serve the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from socket import socket

import uvicorn
from starlette.types import ASGIApp

from leadyard.assemble import assemble_protocol
from leadyard.cli.listening import tell
from leadyard.settings.settings import Settings

# A scrape takes less time, and a connection that stays open longer must not delay the stop.
_STOP_WITHIN_S = 1


class _Server(uvicorn.Server):
    """A uvicorn server that leaves the signal handlers of the process as they are."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def answering(app: ASGIApp, sockets: Sequence[socket], settings: Settings) -> AsyncIterator[None]:
    """Serves the app on the sockets during the block. It runs in the same event loop, so that health checks fail if the
    event loop is blocked."""
    server = _Server(
        uvicorn.Config(
            app,
            http=assemble_protocol(settings, sockets[0].getsockname()[1]),
            lifespan="off",
            timeout_graceful_shutdown=_STOP_WITHIN_S,
            access_log=False,
            proxy_headers=False,
            log_level=settings.log_level,
            server_header=False,
        )
    )
    tell("Metrics and health are on", sockets)
    serving = asyncio.create_task(server.serve(sockets=list(sockets)))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
