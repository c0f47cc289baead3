"""The admin port of a process that answers no requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from socket import socket

import uvicorn
from starlette.types import ASGIApp

from leadyard.assemble import assemble_protocol
from leadyard.cli.listening import tell
from leadyard.config import Settings

# A scrape is answered in less; whoever keeps a connection open for longer is not waited for.
_STOP_WITHIN_S = 1


class _Server(uvicorn.Server):
    """uvicorn's, but that it leaves the signals to whoever asked for them before."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def answering(app: ASGIApp, sockets: Sequence[socket], settings: Settings) -> AsyncIterator[None]:
    """Serves the app on the sockets for as long as the block lasts, in the same event loop: when that no longer turns,
    nobody answers."""
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
