"""The timer of a connection: it calls back at the time that was set last, however often it was set and cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from leadyard.http.wire.lazy_timer import LazyTimer


class Clock:
    """The parts of an event loop that a timer uses. Its time passes only in `go_on`."""

    def __init__(self) -> None:
        self.now = 0.0
        self.handles: list[asyncio.TimerHandle] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[..., Any]) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, (), self)  # type: ignore[arg-type]
        self.handles.append(handle)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        self.handles.remove(handle)

    def get_debug(self) -> bool:
        return False

    def go_on(self, until: float) -> None:
        while due := [each for each in self.handles if each.when() <= until]:
            first = min(due, key=asyncio.TimerHandle.when)
            self.handles.remove(first)
            self.now = first.when()
            first._run()
        self.now = until


@pytest.fixture
def clock() -> Clock:
    return Clock()


def timer_of(clock: Clock) -> tuple[LazyTimer, list[float]]:
    fired: list[float] = []
    return LazyTimer(clock, lambda: fired.append(clock.now)), fired  # type: ignore[arg-type]


def test_it_calls_back_once(clock: Clock) -> None:
    timer, fired = timer_of(clock)
    timer.set(5)
    assert timer.is_set
    clock.go_on(60)
    assert fired == [5] and not timer.is_set


def test_the_time_that_was_set_last_counts(clock: Clock) -> None:
    timer, fired = timer_of(clock)
    for now in range(1, 100):
        clock.go_on(now)
        timer.cancel()
        timer.set(20)
    assert len(clock.handles) == 1
    clock.go_on(200)
    assert fired == [119]
    timer.set(50)
    timer.set(3)
    clock.go_on(300)
    assert fired == [119, 203]


def test_a_cancelled_one_does_not_call_back(clock: Clock) -> None:
    timer, fired = timer_of(clock)
    timer.set(5)
    timer.cancel()
    assert not timer.is_set
    clock.go_on(60)
    timer.set(5)
    timer.close()
    assert not clock.handles
    clock.go_on(120)
    assert fired == []
