"""The bounded queue for connections: when it is full, the service refuses the request with a 503."""

from __future__ import annotations

from leadyard.store.db.failures import unavailable


class Queue:
    """Admits as many requests as there are connections, plus places to wait for one.

    A longer queue does not help a database that is slower than its load. All requests would be answered later, most of
    them after their client has stopped waiting.
    """

    def __init__(self, *, connections: int, waiters: int) -> None:
        self._places = connections + waiters
        self._taken = 0

    def enter(self) -> None:
        """Takes a place, for the wait and for the use of the connection; `leave` returns it. Raises ServiceUnavailable
        at once if none is free."""
        if self._taken >= self._places:
            raise unavailable("queue_full")
        self._taken += 1

    def leave(self) -> None:
        """Returns the place."""
        self._taken -= 1
