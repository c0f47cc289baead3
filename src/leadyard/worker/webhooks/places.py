"""How much of the process the webhooks may use at a time: database connections, and connections to receivers."""

from __future__ import annotations

import asyncio

# The rest of the pool is for requests and jobs.
_DATABASE = 4
_MOST_CONNECTIONS = 2_000
_FILES_IF_UNKNOWN = 1_024


class Places:
    """The places that all runs of a process share.

    Receivers that fail have their own places. However many of them wait for a timeout, those that work do not wait for
    them.
    """

    def __init__(self, *, connections: int | None = None) -> None:
        most = connections or min(_MOST_CONNECTIONS, _open_files() // 2)
        self.database = asyncio.Semaphore(_DATABASE)
        self._healthy = asyncio.Semaphore(max(1, most * 3 // 4))
        self._failing = asyncio.Semaphore(max(1, most // 4))

    def connection(self, *, is_failing: bool) -> asyncio.Semaphore:
        """Returns the places for a connection to a receiver that has failed the last time, or has not."""
        return self._failing if is_failing else self._healthy


def _open_files() -> int:
    """Returns how many files, and so connections, the process may have open."""
    try:
        import resource
    except ImportError:
        # Not on Windows.
        return _FILES_IF_UNKNOWN
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_CONNECTIONS * 2 if soft == resource.RLIM_INFINITY else soft
