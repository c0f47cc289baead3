"""Connections to PostgreSQL that a moment ago were in use and soon will be again.

The pool of asyncpg makes a task and a proxy for each time that a connection is lent, and looks after it when it comes
back. That costs twice the processor time of a small statement. Nothing of it is needed for a connection on which all
went well, so such a one is not given back at all for a while. The pool still opens, counts, mends and closes them all.
"""

from __future__ import annotations

import asyncio

import asyncpg
from asyncpg.pool import PoolConnectionProxy

# What a connection gets to say that it is in order again before it is thrown away.
TIDY_UP_S = 5
# Nobody is hurried by a minute, and the pool closes what it has not lent for five.
_KEPT_S = 60
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    ConnectionError,
    # What asyncpg says for a moment of a connection whose end it has been told but has not yet noticed.
    asyncpg.InternalClientError,
)


def is_open(connection: PoolConnectionProxy) -> bool:
    """Returns whether the connection was still there when its end was last heard of."""
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        # The pool, told that it was lost, has taken it back by itself.
        return False


class ConnectionsAtHand:
    """Connections that are lent by the pool and in use by nobody. The last one back is the first one out, so that those
    which are too many at this hour come to rest, and go back."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._idle: list[tuple[PoolConnectionProxy, float]] = []
        self._look: asyncio.TimerHandle | None = None
        self._releasing: set[asyncio.Task[None]] = set()

    def take(self) -> PoolConnectionProxy | None:
        """Returns a connection that was open a moment ago, None if there is none at hand."""
        while self._idle:
            connection, _ = self._idle.pop()
            if is_open(connection):
                return connection
            self._release_soon(connection)
        return None

    def keep(self, connection: PoolConnectionProxy) -> None:
        """Takes a connection without a transaction."""
        loop = asyncio.get_running_loop()
        self._idle.append((connection, loop.time()))
        if self._look is None:
            self._look = loop.call_later(_KEPT_S, self._release_rested)

    async def release(self, connection: PoolConnectionProxy) -> None:
        """Gives a connection back to the pool, in whatever state it is."""
        try:
            await self._pool.release(connection, timeout=TIDY_UP_S)
        except (TimeoutError, *LOST):
            # It did not come to rest in time, and the pool has thrown it away; a new one takes its place. What was done
            # on it is over by now, well or badly, so this is nobody's error.
            return

    async def release_all(self) -> None:
        """Gives all of them back, before the pool is closed."""
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
