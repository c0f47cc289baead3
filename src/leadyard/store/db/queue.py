"""The queue for connections, with an end: whoever would have to stand behind it is told to come back later."""

from __future__ import annotations

from leadyard.store.db.failures import unavailable


class Queue:
    """Lets in as many as there are connections and places to wait for one.

    A database that is slower than its load cannot be helped by a longer queue: everybody in it would only be answered
    later, most of them after they stopped listening.
    """

    def __init__(self, *, connections: int, waiters: int) -> None:
        self._places = connections + waiters
        self._taken = 0

    def enter(self) -> None:
        """Takes a place, for the wait and for the use of the connection; `leave` gives it back. Raises
        ServiceUnavailable at once when there is none."""
        if self._taken >= self._places:
            raise unavailable("queue_full")
        self._taken += 1

    def leave(self) -> None:
        """Gives the place back."""
        self._taken -= 1
