"""Runs the example provider on a port until a signal stops it."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from leadyard.errors import BadSetting


def serve_example_provider(app: Starlette, *, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serves until SIGINT or SIGTERM. Calls `ready` with the URL as soon as a client can connect.

    Raises BadSetting if it cannot listen on the address."""
    listener = _listening(host, port)
    # Not logged: every failure here was requested by the user.
    config = uvicorn.Config(app, log_level="critical", access_log=False, timeout_graceful_shutdown=1, lifespan="off")
    host, port = listener.getsockname()[:2]
    ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
    uvicorn.Server(config).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=128)
    except OSError as error:
        raise BadSetting(f"{host} port {port}: {error.strerror}.", message="This address cannot be used.") from error
