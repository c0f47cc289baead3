"""The sockets of the service, bound before anything else is done, so that a taken port is said in a sentence."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence

from leadyard.errors import AddressUnavailable

_BACKLOG = 2048


def listen(host: str, port: int) -> list[socket.socket]:
    """Returns a listening socket for every address of the host. Raises AddressUnavailable."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return [_bound(family, address) for family, address in dict.fromkeys((each[0], each[4]) for each in found)]
    except OSError as error:
        raise AddressUnavailable(f"{host}, port {port}: {error.strerror}. Name another, or free it.") from error


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        # What was answered a minute ago must not keep a new start from the port.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
        # At once, so that the port is ours when we say so; whoever connects before the service is up waits for it.
        bound.listen(_BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def tell(what: str, sockets: Sequence[socket.socket]) -> None:
    """Logs where something listens, with the port that was really taken."""
    for each in sockets:
        host, port = each.getsockname()[:2]
        place = f"[{host}]:{port}" if each.family == socket.AF_INET6 else f"{host}:{port}"
        logging.getLogger("uvicorn.error").info(f"{what} http://{place} (Press CTRL+C to quit)")
