"""Lists as the commands print them, and the pages of the API that they come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadyard.cli.output import Data, Output

if TYPE_CHECKING:
    from leadyard.api_client.api import Api

_PAGE = 200

Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number to list.")]


async def first_items(api: Api, path: str, *, limit: int, **query: Any) -> tuple[list[Data], bool]:
    """Returns the first items of a list of the API, at most `limit`, and whether there are more. Raises Refused."""
    items: list[Data] = []
    cursor = None
    while True:
        page = await api.get(path, limit=min(_PAGE, limit - len(items)), cursor=cursor, **query)
        items += page["items"]
        cursor = page["nextCursor"]
        if cursor is None or len(items) >= limit:
            return items, cursor is not None


def as_listed(
    items: Sequence[Data], *, has_more: bool, as_table: Callable[[Sequence[Data]], str], nouns: str
) -> Output:
    """Returns the output of a list. `nouns` are the things in it, such as "jobs"."""
    text = as_table(items) if items else f"No {nouns} found."
    more = "\nMore exist. Raise --limit." if has_more else ""
    return Output({"items": list(items), "hasMore": has_more}, text + more)
