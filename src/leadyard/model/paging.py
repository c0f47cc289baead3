"""One page of a list, and the key that the next page starts after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

I = TypeVar("I")  # noqa: E741
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """A part of a list. `next_key` is the sort key to continue after, None on the last page."""

    items: tuple[T_co, ...]
    next_key: str | None

    @staticmethod
    def of(found: Sequence[I], limit: int, key: Callable[[I], str]) -> Page[I]:
        """Returns the page of at most `limit` items. `found` has one item more if the list continues after it."""
        items = tuple(found[:limit])
        return Page(items, key(items[-1]) if len(found) > limit else None)
