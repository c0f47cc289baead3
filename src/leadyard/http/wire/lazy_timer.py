"""A timer that is set for each request and almost never fires."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class LazyTimer:
    """Calls `callback` at the time that was set last, unless it was cancelled.

    To set and to cancel it only notes the time. The timer of the event loop underneath goes on, and when it fires, it
    is set again for the rest. So a busy connection needs one timer of the loop every few seconds, instead of two for
    each request.
    """

    __slots__ = ("_armed_for", "_callback", "_due", "_handle", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._callback = callback
        self._due: float | None = None
        self._armed_for = 0.0
        self._handle: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        """Whether the callback is going to be called."""
        return self._due is not None

    def set(self, after_s: float) -> None:
        """Calls back in `after_s` seconds, instead of any earlier time."""
        self._due = due = self._loop.time() + after_s
        if self._handle is None or due < self._armed_for:
            self._arm(due)

    def cancel(self) -> None:
        """Does not call back."""
        self._due = None

    def close(self) -> None:
        """Does not call back, and frees the timer of the loop, which refers to the callback."""
        self._due = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self, due: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._armed_for = due
        self._handle = self._loop.call_at(due, self._fire)

    def _fire(self) -> None:
        self._handle, due = None, self._due
        if due is None:
            return
        # A loop may call a moment early, by the resolution of its clock.
        if due > self._armed_for:
            self._arm(due)
            return
        self._due = None
        self._callback()
