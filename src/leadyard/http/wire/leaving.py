"""How a handler that waits for something learns that it should end: the service stops, or its client is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.types import Scope

_LEAVE = "leave"
_SHOULD_LEAVE = "should_leave"


@contextmanager
def leaving_by(scope: Scope, leave: Callable[[], None]) -> Iterator[None]:
    """Calls `leave` during the block when the service stops and when the client is gone; at once if that was before."""
    state = scope["state"]
    state[_LEAVE] = leave
    if _SHOULD_LEAVE in state:
        leave()
    try:
        yield
    finally:
        del state[_LEAVE]


def let_go(scope: Scope) -> None:
    """Ends the waiting of the request, now or when it begins."""
    state = scope["state"]
    state[_SHOULD_LEAVE] = True
    leave = state.get(_LEAVE)
    if leave is not None:
        leave()
