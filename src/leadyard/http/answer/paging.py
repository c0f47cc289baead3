"""Lists: their pages, and cursors that are opaque to the client and valid for one list only."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import Annotated, Any, LiteralString, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from leadyard.errors import InvalidRequest, Violation
from leadyard.http.answer.envelope import Listing, Shape, Success
from leadyard.http.answer.shown import Shown
from leadyard.model import Page

T = TypeVar("T")
S = TypeVar("S", bound=Shape)

_VERSION = "1"
_CHECK_BYTES = 8
_SLICE = 50
_WRONG_CURSOR: LiteralString = "This cursor is not from this list, or it was changed. Start without a cursor."


class Paging(BaseModel):
    """The query of every list."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    cursor: Annotated[
        str | None,
        Field(max_length=500, description="`nextCursor` of the previous page. Leave it out for the first page."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=200, description="Maximum number of items on the page.")] = 50

    @field_validator("cursor")
    @classmethod
    def _well_formed(cls, value: str | None) -> str | None:
        # Only to list it with the other errors of the request. `start` checks it completely.
        if value is not None and _key_in(value) is None:
            raise PydanticCustomError("wrong_cursor", _WRONG_CURSOR.removesuffix("."))
        return value

    def start(self, *scope: str) -> str | None:
        """Returns the key to continue after, None at the beginning. Raises InvalidRequest for a cursor of another
        list."""
        if self.cursor is None:
            return None
        key = _open_cursor(self.cursor, scope)
        if key is None:
            raise InvalidRequest([Violation(path="cursor", code="WRONG_CURSOR", message=_WRONG_CURSOR)])
        return key


async def in_slices(items: Sequence[T], to_shape: Callable[[T], S]) -> list[S]:
    """Returns the shape of each item, and gives way to other requests after each slice. A page of 200 people takes as
    long as several moves, and a move should not wait for all of it."""
    shapes: list[S] = []
    for start in range(0, len(items), _SLICE):
        shapes += map(to_shape, items[start : start + _SLICE])
        await asyncio.sleep(0)
    return shapes


def show_page(
    success: type[Success[Any]], shape: type[Listing[S]], to_shape: Callable[[T], S], *scope: str
) -> Callable[[Page[T]], Shown]:
    """Returns the function that shows a page of a list. `scope` names the list and its filters, as in `Paging.start`,
    because a cursor only continues its own list."""

    def show(page: Page[T]) -> Shown:
        cursor = None if page.next_key is None else make_cursor(page.next_key, scope)
        items = [to_shape(item) for item in page.items]
        return Shown(success, shape.of(items=items, next_cursor=cursor, has_more=cursor is not None))

    return show


def cursor_length(key_length: int) -> int:
    """Returns the number of characters of our cursor for an ASCII key of that length."""
    return len(make_cursor("x" * key_length, ()))


def make_cursor(key: str, scope: tuple[str, ...]) -> str:
    return base64.urlsafe_b64encode(_check(key, scope) + key.encode()).decode().rstrip("=")


def _open_cursor(cursor: str, scope: tuple[str, ...]) -> str | None:
    key = _key_in(cursor)
    # The comparison of the text also refuses other spellings that base64 would decode to the same bytes.
    return key if key is not None and make_cursor(key, scope) == cursor else None


def _key_in(cursor: str) -> str | None:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return raw[_CHECK_BYTES:].decode() or None
    except (binascii.Error, ValueError):
        return None


def _check(key: str, scope: tuple[str, ...]) -> bytes:
    # Not a secret: a client that forges a cursor only chooses its start in a list that it may read anyway. It detects
    # mistakes, such as the cursor of another list, account group or version.
    text = "\0".join((_VERSION, *scope, key))
    return hashlib.blake2b(text.encode(), digest_size=_CHECK_BYTES).digest()
