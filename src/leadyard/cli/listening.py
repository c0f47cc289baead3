"""The sockets of the service. They are bound before all other work, so that a port in use gets a clear message."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable, Sequence

from leadyard.errors import AddressUnavailable

_BACKLOG = 2048


def listen(host: str, port: int) -> list[socket.socket]:
    """Returns a listening socket for each address of the host. Raises AddressUnavailable."""
    return _for_each_address(host, port, _listening)


def reserve(host: str, port: int) -> list[socket.socket]:
    """Returns a socket for each address of the host, to pass to several processes that share its connections. Raises
    AddressUnavailable."""
    return _for_each_address(host, port, _reserved if sys.platform == "linux" else _listening)


class _OwnInEachProcess(socket.socket):
    """Holds the port and does not listen. A process that receives it opens its own listening socket on the same port.

    The kernel then distributes the connections over the processes. On one shared socket, the process that happens to
    wake up first accepts all waiting connections. With two processes and 16 connections opened at once, one process did
    all the work.
    """

    def __reduce__(self) -> tuple[Callable[..., socket.socket], tuple[object, ...]]:
        return _listening_beside, (self.family, self.getsockname())


def _for_each_address(
    host: str, port: int, make: Callable[[int, tuple[object, ...]], socket.socket]
) -> list[socket.socket]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return [make(family, address) for family, address in dict.fromkeys((each[0], each[4]) for each in found)]
    except OSError as error:
        raise AddressUnavailable(f"{host}, port {port}: {error.strerror}. Use another one, or free it.") from error


def _listening(family: int, address: tuple[object, ...]) -> socket.socket:
    # Listens at once, so that the port is ours when we report it. Clients that connect early wait for the service.
    return _bound(socket.socket(family, socket.SOCK_STREAM), address, listens=True)


def _reserved(family: int, address: tuple[object, ...]) -> socket.socket:
    # A socket that does not share its port detects whether it is free. A sharing one would join another program's.
    alone = _bound(socket.socket(family, socket.SOCK_STREAM), address, listens=True)
    taken = alone.getsockname()
    alone.close()
    return _bound(_sharing(_OwnInEachProcess(family, socket.SOCK_STREAM)), taken, listens=False)


def _listening_beside(family: int, address: tuple[object, ...]) -> socket.socket:
    return _bound(_sharing(socket.socket(family, socket.SOCK_STREAM)), address, listens=True)


def _sharing(unbound: socket.socket) -> socket.socket:
    unbound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return unbound


def _bound(unbound: socket.socket, address: tuple[object, ...], *, listens: bool) -> socket.socket:
    try:
        # Connections that were closed a minute ago must not block the port for a new start.
        unbound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if unbound.family == socket.AF_INET6:
            unbound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        unbound.bind(address)
        if listens:
            unbound.listen(_BACKLOG)
    except OSError:
        unbound.close()
        raise
    return unbound


def tell(what: str, sockets: Sequence[socket.socket]) -> None:
    """Logs the URL of each socket, with the actual port."""
    for each in sockets:
        host, port = each.getsockname()[:2]
        place = f"[{host}]:{port}" if each.family == socket.AF_INET6 else f"{host}:{port}"
        logging.getLogger("uvicorn.error").info(f"{what} http://{place} (Press CTRL+C to quit)")
