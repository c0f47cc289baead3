"""Names to addresses, in threads that never hold up the rest.

The usual pool of the event loop has few threads, and a name server that does not answer keeps each of them for many
seconds. A third of all webhooks may have such a name. So each look-up has its own thread, within a generous limit.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from ipaddress import ip_address

from leadyard.webhook_address import Address

MAX_LOOKUPS = 256

GetAddresses = Callable[[str], list[Address]]


def addresses_of(name: str) -> list[Address]:
    """Returns all addresses of the name, in the order in which to try them. Raises OSError."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(each[4][0])) for each in found))


class Resolver:
    """Looks up names, at most MAX_LOOKUPS at a time. Requests for the same name share a look-up. It remembers nothing:
    each new connection looks its name up again."""

    def __init__(self, get_addresses: GetAddresses = addresses_of) -> None:
        self._get_addresses = get_addresses
        self._places = asyncio.Semaphore(MAX_LOOKUPS)
        self._running: dict[str, asyncio.Task[list[Address]]] = {}

    async def resolve(self, name: str) -> list[Address]:
        """Returns the addresses of the name. Raises OSError if it has none. When the caller gives up, the look-up goes
        on until its thread has ended."""
        running = self._running.get(name)
        if running is None:
            running = self._running[name] = asyncio.create_task(self._look_up(name))
            running.add_done_callback(lambda ended: self._forget(name, ended))
        return await asyncio.shield(running)

    def _forget(self, name: str, ended: asyncio.Task[list[Address]]) -> None:
        self._running.pop(name, None)
        if not ended.cancelled():
            # All callers may have given up, and an exception that no caller reads would be logged as an error.
            ended.exception()

    async def _look_up(self, name: str) -> list[Address]:
        async with self._places:
            loop = asyncio.get_running_loop()
            found: asyncio.Future[list[Address]] = loop.create_future()

            def end(addresses: list[Address] | None, error: OSError | None) -> None:
                if found.done():
                    return
                if error is not None:
                    found.set_exception(error)
                else:
                    found.set_result(addresses or [])

            def look_up() -> None:
                addresses, failure = None, None
                try:
                    addresses = self._get_addresses(name)
                except OSError as error:
                    failure = error
                except ValueError as error:
                    failure = OSError(str(error))
                if not loop.is_closed():
                    loop.call_soon_threadsafe(end, addresses, failure)

            # A daemon, so that a silent name server does not keep a stopped process alive.
            threading.Thread(target=look_up, daemon=True, name="webhook-name").start()
            return await found
