"""Prepares the next batch of a file in a thread, while the database saves the previous one."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from contextvars import copy_context
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


# Saving a batch begins with short statements and much Python: looking for known people, matching, writing out the new
# ones. A thread that runs Python at that time only takes turns with it, 5 ms each, while the database waits for both.
# By measurement that lost the whole gain of reading ahead. After this part of the time of the last save the batch is
# with the database, which then works alone for about as long as the next batch takes to prepare.
_BEGIN_AFTER = 0.35
_FIRST_SAVE_S = 0.06
# A batch is tens of thousands of objects without cycles. With Python's 700, the collector always looks for cycles in
# it, which takes an eighth of the processor time of an import.
_OBJECTS_BEFORE_COLLECTION = 50_000


async def read_ahead(items: Iterator[T]) -> AsyncIterator[T]:
    """Yields the items. A thread prepares one item while the previous one is in use, so at most two are in memory. An
    exception of the iterator is raised here after all earlier items were used."""
    # Not reset: other files may be read at the same time, and a process that reads one file usually reads more.
    gc.set_threshold(max(gc.get_threshold()[0], _OBJECTS_BEFORE_COLLECTION), *gc.get_threshold()[1:])
    loop = asyncio.get_running_loop()
    ahead = _Ahead(items)
    save_s = _FIRST_SAVE_S
    while (item := await ahead.take()) is not None:
        started = loop.time()
        timer = loop.call_later(_BEGIN_AFTER * save_s, ahead.begin)
        try:
            yield item[0]
        finally:
            timer.cancel()
        save_s = loop.time() - started


class _Ahead(Generic[T]):
    """The next item, once it was requested."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._coming: asyncio.Future[tuple[T] | None] | None = None

    def begin(self) -> None:
        if self._coming is None:
            self._coming = _next_of(self._items)
            # `take` raises its exception. If the batch before cannot be saved, `take` is not called, and asyncio must
            # not warn that the exception was never retrieved.
            self._coming.add_done_callback(_retrieve_exception)

    async def take(self) -> tuple[T] | None:
        """Returns the next item in a tuple, None at the end. Does not wait for the timer."""
        self.begin()
        coming, self._coming = self._coming, None
        assert coming is not None
        return await coming


def _next_of(items: Iterator[T]) -> asyncio.Future[tuple[T] | None]:
    """Starts to prepare the next item. The result is None at the end.

    Not asyncio.to_thread: Python waits for its threads at exit, and a thread that reads from a silent pipe would keep
    an interrupted process alive for as long as the pipe is open.
    """
    loop = asyncio.get_running_loop()
    coming: asyncio.Future[tuple[T] | None] = loop.create_future()

    def make() -> None:
        item: tuple[T] | None = None
        error: BaseException | None = None
        try:
            item = (next(items),)
        except StopIteration:
            pass
        except BaseException as raised:  # Any exception: without a result, `take` would wait without end.
            error = raised
        # A closed loop no longer accepts the result.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_hand_over, coming, item, error)

    # With the caller's context, so that log lines and spans still name the job.
    Thread(target=copy_context().run, args=(make,), name="read-ahead", daemon=True).start()
    return coming


def _hand_over(coming: asyncio.Future[T], item: T, error: BaseException | None) -> None:
    if coming.done():
        return
    if error is None:
        coming.set_result(item)
    else:
        coming.set_exception(error)


def _retrieve_exception(coming: asyncio.Future[T]) -> None:
    if not coming.cancelled():
        coming.exception()
