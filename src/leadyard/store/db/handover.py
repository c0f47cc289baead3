"""Hands a connection from one request to the next while the server has no free slot for another connection."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from asyncpg.pool import PoolConnectionProxy

# How long a refusal counts: requests then wait for a connection of this process, before they try to connect again.
_FULL_FOR_S = 1.0


class Handover:
    """Requests that wait for a connection that this process already has, first come first served."""

    def __init__(self, keep: Callable[[PoolConnectionProxy], None]) -> None:
        """`keep` takes a connection that no request waits for any more."""
        self._keep = keep
        self._waiting: deque[asyncio.Future[PoolConnectionProxy | None]] = deque()
        self._full_until = 0.0

    @property
    def is_full(self) -> bool:
        """Returns whether the server refused a connection a moment ago because all of its slots were taken."""
        return self._full_until > asyncio.get_running_loop().time()

    def note_full(self) -> None:
        """Remembers such a refusal."""
        self._full_until = asyncio.get_running_loop().time() + _FULL_FOR_S

    async def wait(self, *, within_s: float) -> PoolConnectionProxy | None:
        """Returns a connection that another request has finished with. Returns None when it is time to try to connect
        again: a connection was closed, a second has passed, or `within_s`."""
        waiter: asyncio.Future[PoolConnectionProxy | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await asyncio.wait([waiter], timeout=min(within_s, _FULL_FOR_S))
        except asyncio.CancelledError:
            # It may have been handed over at the very moment at which this request was given up.
            if waiter.done() and not self.offer(waiter.result()) and (connection := waiter.result()) is not None:
                self._keep(connection)
            raise
        finally:
            if not waiter.done():
                self._waiting.remove(waiter)
        return waiter.result() if waiter.done() else None

    def offer(self, connection: PoolConnectionProxy | None) -> bool:
        """Gives the connection to the request that has waited longest, and returns whether there is one. None wakes
        that request, so that it tries to connect."""
        if not self._waiting:
            return False
        self._waiting.popleft().set_result(connection)
        return True
