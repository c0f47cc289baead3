"""Connections to PostgreSQL that were in use a moment ago and will soon be in use again.

The pool of asyncpg makes a task and a proxy each time it lends a connection, and checks the connection when it comes
back. This costs twice the processor time of a small statement. A healthy connection does not need it, so it is kept for
a while and not given back. The pool still opens, counts, replaces and closes all connections.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import asyncpg
from asyncpg.pool import PoolConnectionProxy

# How long a connection may take to become usable again before it is discarded.
TIDY_UP_S = 5
# A connection that is kept for a minute does no harm; the pool closes idle connections after five.
_KEPT_S = 60
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    ConnectionError,
    # asyncpg raises this for a moment after a connection was lost, until it has processed the loss.
    asyncpg.InternalClientError,
)


def is_open(connection: PoolConnectionProxy) -> bool:
    """Returns whether the connection is still open, as far as our end has noticed."""
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        # The pool has noticed the loss and taken the connection back by itself.
        return False


class ConnectionsAtHand:
    """Idle connections borrowed from the pool. The last one returned is the first one reused, so that surplus
    connections stay idle and go back to the pool."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._idle: list[tuple[PoolConnectionProxy, float]] = []
        self._look: asyncio.TimerHandle | None = None
        self._releasing: set[asyncio.Task[None]] = set()

    def take(self) -> PoolConnectionProxy | None:
        """Returns a connection that was open a moment ago, or None if none is idle."""
        while self._idle:
            connection, _ = self._idle.pop()
            if is_open(connection):
                return connection
            self._release_soon(connection)
        return None

    def keep(self, connection: PoolConnectionProxy) -> None:
        """Keeps a connection, which must not have an open transaction."""
        loop = asyncio.get_running_loop()
        self._idle.append((connection, loop.time()))
        if self._look is None:
            self._look = loop.call_later(_KEPT_S, self._release_rested)

    async def release(self, connection: PoolConnectionProxy) -> None:
        """Gives a connection back to the pool, in any state."""
        try:
            await self._pool.release(connection, timeout=TIDY_UP_S)
        except TimeoutError:
            # The server did not even confirm that it cancelled the statement: it is frozen, or the network is cut.
            await self.drop_idle()
        except LOST:
            # The pool has discarded it and will open a new one. The work on it has already succeeded or failed, so
            # this error must not reach a caller.
            return

    async def drop_idle(self) -> None:
        """Closes all of them without waiting for the server, and lets the pool replace those that it has itself."""
        idle, self._idle = self._idle, []
        for connection, _ in idle:
            with suppress(asyncpg.InterfaceError):
                connection.terminate()
        await self._pool.expire_connections()

    async def release_all(self) -> None:
        """Gives all connections back, before the pool is closed."""
        if self._look is not None:
            self._look.cancel()
            self._look = None
        for connection, _ in self._idle:
            self._release_soon(connection)
        self._idle.clear()
        await asyncio.gather(*self._releasing)

    def _release_rested(self) -> None:
        loop = asyncio.get_running_loop()
        rested_since = loop.time() - _KEPT_S
        rested = [connection for connection, since in self._idle if since <= rested_since]
        self._idle = [each for each in self._idle if each[1] > rested_since]
        for connection in rested:
            self._release_soon(connection)
        self._look = loop.call_later(_KEPT_S, self._release_rested) if self._idle else None

    def _release_soon(self, connection: PoolConnectionProxy) -> None:
        task = asyncio.get_running_loop().create_task(self.release(connection))
        self._releasing.add(task)
        task.add_done_callback(self._releasing.discard)
