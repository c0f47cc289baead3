"""What a file yields, made one step ahead in a thread: while the database saves a batch, the next one is prepared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from contextvars import copy_context
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


# Saving a batch begins with short statements and much Python: looking for known people, matching, writing the new
# ones out. A thread that is busy with Python at that time only takes turns with it, every turn 5 ms, while the database
# waits for both: measured, all that was won by reading ahead was lost again. After this time the batch is with the
# database, which then works alone for longer than the next batch takes to make.
_BEGIN_AFTER_S = 0.045


async def read_ahead(items: Iterator[T]) -> AsyncIterator[T]:
    """Yields the items. Each is made in a thread while the one before is used, and never more than one, so that two are
    in memory at most. What the iterator raises is raised here, in its place: after everything before it was used."""
    loop = asyncio.get_running_loop()
    ahead = _Ahead(items)
    while (item := await ahead.take()) is not None:
        timer = loop.call_later(_BEGIN_AFTER_S, ahead.begin)
        try:
            yield item[0]
        finally:
            timer.cancel()


class _Ahead(Generic[T]):
    """The next item, from the moment somebody thinks of it."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._coming: asyncio.Future[tuple[T] | None] | None = None

    def begin(self) -> None:
        if self._coming is None:
            self._coming = _next_of(self._items)
            # Its trouble is for whoever asks for it. If nobody does, because what came before could not be saved, it is
            # no trouble at all, and asyncio need not complain that it was never heard.
            self._coming.add_done_callback(_is_heard)

    async def take(self) -> tuple[T] | None:
        """Returns the next item in a tuple, None at the end. Does not wait for the timer."""
        self.begin()
        coming, self._coming = self._coming, None
        assert coming is not None
        return await coming


def _next_of(items: Iterator[T]) -> asyncio.Future[tuple[T] | None]:
    """Starts to make the next item. None comes out at the end.

    Not asyncio.to_thread: its threads are waited for when the process ends, and one that reads from a pipe that says
    nothing would keep an interrupted process alive for as long as the pipe is open.
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
        except BaseException as raised:  # Whatever it is: who waits must not wait for ever.
            error = raised
        # When the loop is closed there is nobody to tell any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_hand_over, coming, item, error)

    # With the context of whoever asks, so that log lines and spans still say for which job a piece is read.
    Thread(target=copy_context().run, args=(make,), name="read-ahead", daemon=True).start()
    return coming


def _hand_over(coming: asyncio.Future[T], item: T, error: BaseException | None) -> None:
    if coming.done():
        return
    if error is None:
        coming.set_result(item)
    else:
        coming.set_exception(error)


def _is_heard(coming: asyncio.Future[T]) -> None:
    if not coming.cancelled():
        coming.exception()
