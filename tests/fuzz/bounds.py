"""Time and memory that a hostile input may cost. The bounds are generous, because a real fault costs far more."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

MIB = 1024**2
SLOW_S = 2.0


@contextmanager
def within_bounds(*, memory: int = 32 * MIB) -> Iterator[None]:
    """Fails when the block takes more than SLOW_S of this thread's processor time, or more memory than the bound at any
    moment."""
    tracemalloc.start()
    started = time.thread_time()
    try:
        yield
        took_s, peak = time.thread_time() - started, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert took_s < SLOW_S, f"{took_s:.1f} s"
    assert peak < memory, f"{peak / MIB:.0f} MiB"
