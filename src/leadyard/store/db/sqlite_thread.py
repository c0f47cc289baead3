"""The thread of an SQLite connection: it runs pieces of work one after the other, away from the event loop."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

R = TypeVar("R")


class WorkThread:
    """Ends when it is stopped. It keeps the process alive until then, so that work does not end halfway."""

    def __init__(self) -> None:
        self._works: SimpleQueue[tuple[asyncio.Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        Thread(target=self._run, name="leadyard-sqlite").start()

    async def run(self, work: Callable[[], R]) -> R:
        """Runs the work after all earlier work and returns its result, or raises its exception. The thread runs all
        work to the end, even if this coroutine is cancelled."""
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        # With the context of the request, so that log lines and spans belong to it.
        context = contextvars.copy_context()
        self._works.put((done, lambda: context.run(work)))
        return await done

    def stop(self) -> None:
        """Ends the thread after all work that it was given."""
        self._works.put(None)

    def _run(self) -> None:
        while (item := self._works.get()) is not None:
            done, work = item
            report: Callable[[Any], None] = done.set_result
            outcome: Any
            try:
                outcome = work()
            except BaseException as error:
                report, outcome = done.set_exception, error
            # If the loop is closed, no coroutine waits for this.
            with suppress(RuntimeError):
                done.get_loop().call_soon_threadsafe(_report_once, done, report, outcome)
            # A thread that waits for work must not keep the last result alive.
            del item, done, work, report, outcome


def _report_once(done: asyncio.Future[Any], report: Callable[[Any], None], outcome: Any) -> None:
    # The waiting coroutine may have been cancelled.
    if not done.done():
        report(outcome)
