"""Lists: the items one after the other, or page by page. The client fetches a page when you need it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list. Pass `next_cursor` as `cursor` to get the next one. `headers` are those of the answer."""

    items: tuple[T, ...]
    next_cursor: str | None
    has_more: bool
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)


class Pages(Generic[T]):
    """A list. A loop over it yields every item, and you can begin several loops.

    A walk yields every row that is there throughout exactly once, whatever is added or moved at the same time.
    """

    def __init__(self, fetch: Callable[[str | None], Page[T]], cursor: str | None) -> None:
        self._fetch = fetch
        self._cursor = cursor

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items

    def pages(self) -> Iterator[Page[T]]:
        """Yields the pages, at least one. Raises ApiError and NoAnswer."""
        page = self.page()
        yield page
        while page.has_more:
            page = self._fetch(page.next_cursor)
            yield page

    def page(self) -> Page[T]:
        """Returns the first page, with one request. Raises ApiError and NoAnswer."""
        return self._fetch(self._cursor)


class AsyncPages(Generic[T]):
    """The same for `async for`."""

    def __init__(self, fetch: Callable[[str | None], Awaitable[Page[T]]], cursor: str | None) -> None:
        self._fetch = fetch
        self._cursor = cursor

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Yields the pages, at least one. Raises ApiError and NoAnswer."""
        page = await self.page()
        yield page
        while page.has_more:
            page = await self._fetch(page.next_cursor)
            yield page

    async def page(self) -> Page[T]:
        """Returns the first page, with one request. Raises ApiError and NoAnswer."""
        return await self._fetch(self._cursor)
