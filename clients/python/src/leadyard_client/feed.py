"""Following the events of an account group, one after the other, with a cursor that you can keep."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from leadyard_client.models import AnyEvent
from leadyard_client.pages import Page


class EventFeed:
    """All events from a position on, without an end: after the last one it waits for the next.

    `cursor` is the position to continue at, and no event before it is missing: save it after you have handled an event.
    If your program is killed in between, it gets the events of the last page again; compare their ids.
    """

    def __init__(self, fetch: Callable[[str | None], Page[AnyEvent]], cursor: str | None) -> None:
        self._fetch = fetch
        self.cursor = cursor

    def __iter__(self) -> Iterator[AnyEvent]:
        while True:
            page = self._fetch(self.cursor)
            yield from page.items[:-1]
            # With the last event of the page you have all of them.
            self.cursor = page.next_cursor
            yield from page.items[-1:]


class AsyncEventFeed:
    """The same for `async for`."""

    def __init__(self, fetch: Callable[[str | None], Awaitable[Page[AnyEvent]]], cursor: str | None) -> None:
        self._fetch = fetch
        self.cursor = cursor

    async def __aiter__(self) -> AsyncIterator[AnyEvent]:
        while True:
            page = await self._fetch(self.cursor)
            for event in page.items[:-1]:
                yield event
            self.cursor = page.next_cursor
            for event in page.items[-1:]:
                yield event
